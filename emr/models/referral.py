"""Referrals 转诊, up and down."""

from datetime import date

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from clinic import identifiers
from clinic.codes import Sex
from clinic.models import AccessGrant, Institution, Resident
from clinic.models.base import Row
from emr.codes import OldOrYoung, ReferralDirection, ReferralState
from emr.models.encounter import Encounter

# The legal moves; the same table stands in the trigger of migration referrals.
MOVES = {
    ReferralState.PENDING: frozenset(
        {ReferralState.ACCEPTED, ReferralState.REJECTED, ReferralState.TERMINATED, ReferralState.EXPIRED}
    ),
    ReferralState.ACCEPTED: frozenset({ReferralState.RETURNED, ReferralState.TERMINATED}),
}


class ReferralQuerySet(models.QuerySet):
    def visible_to(self, user):
        """Sent by or to one's institutions, of residents at home there, or opened with a reason."""
        if not (user.is_authenticated and user.is_clinical and user.has_perm("emr.view_referral")):
            return self.none()
        grants = AccessGrant.objects.in_force(user).filter(resident=OuterRef("resident"))
        return self.filter(
            of(user, "from_institution")
            | of(user, "to_institution")
            | of(user, "resident__home")
            | Exists(grants)
        )

    def sent_by(self, user):
        """By one's institution, and those below it."""
        return self.filter(of(user, "from_institution"))

    def received_by(self, user):
        """Addressed to one's institution, and those below it."""
        return self.filter(of(user, "to_institution"))

    def to_receive(self, day):
        """Sent and not yet answered, and still valid."""
        return self.filter(state=ReferralState.PENDING, due_on__gte=day)

    def running(self, day):
        """On its way: waiting and still valid, or received and not sent back."""
        return self.filter(Q(state=ReferralState.ACCEPTED) | Q(state=ReferralState.PENDING, due_on__gte=day))

    def overdue(self, day):
        """Nobody answered in time; the job writes it down (emr.jobs)."""
        return self.filter(state=ReferralState.PENDING, due_on__lt=day)


def of(user, place):
    """The condition that the institution in column ``place`` is the user's or below it. A station's is an
    equality, which the indexes of the lists want."""
    if user.institution.is_leaf:
        return Q(**{place: user.institution_id})
    return Q(**{f"{place}__in": Institution.objects.under(user.institution).values("pk")})


class Referral(Row):
    """One referral form 双向转诊单 with its way (rules B5.4): sent, accepted, returned; or refused, ended,
    expired, with reasons. The sent form never changes (plain SQL trigger); the return form is written once."""

    PRIVATE_FIELDS = frozenset(
        {
            "resident", "encounter", "person", "impression", "present_illness", "past_history", "treatment_course",
            "results", "return_diagnosis", "inpatient_number", "return_course", "reason",
        }
    )  # fmt: skip

    number = models.CharField(_("number"), max_length=20, unique=True)
    key = models.UUIDField(_("client's key"), unique=True, editable=False)
    direction = models.CharField(
        _("direction"), max_length=4, choices=ReferralDirection.choices, default=ReferralDirection.UP
    )
    resident = models.ForeignKey(
        Resident, models.PROTECT, related_name="referrals", verbose_name=_("resident")
    )
    encounter = models.ForeignKey(
        Encounter, models.PROTECT, null=True, related_name="referrals", verbose_name=_("visit")
    )
    group = models.CharField(_("old or young"), max_length=5, choices=OldOrYoung.choices, blank=True)
    # The head of the form as it was that day: name, sex (code), birth_date, record_number, address, phone.
    person = models.JSONField(_("person"), default=dict)
    from_institution = models.ForeignKey(
        Institution, models.PROTECT, related_name="referrals_sent", verbose_name=_("from")
    )
    from_department = models.CharField(_("from department"), max_length=30, blank=True)
    doctor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="referrals", verbose_name=_("referring doctor")
    )
    doctor_name = models.CharField(_("referring doctor's name"), max_length=60)
    doctor_phone = models.CharField(_("contact phone"), max_length=30, blank=True)
    to_institution = models.ForeignKey(
        Institution, models.PROTECT, null=True, blank=True, related_name="referrals_received",
        verbose_name=_("to"),
    )  # fmt: skip
    to_name = models.CharField(_("to"), max_length=100)
    to_department = models.CharField(_("to department"), max_length=60, blank=True)
    to_doctor = models.CharField(_("receiving doctor"), max_length=60, blank=True)
    impression = models.TextField(_("first impression"))
    present_illness = models.TextField(_("present illness, reason for referral"))
    past_history = models.TextField(_("past history"), blank=True)
    treatment_course = models.TextField(_("course of treatment"), blank=True)
    state = models.CharField(
        _("state"), max_length=10, choices=ReferralState.choices, default=ReferralState.PENDING
    )
    sent_at = models.DateTimeField(_("sent at"), default=timezone.now)
    due_on = models.DateField(_("valid until"))
    accepted_at = models.DateTimeField(_("accepted at"), null=True)
    accepted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("accepted by")
    )
    results = models.TextField(_("main results of examinations"), blank=True)
    return_diagnosis = models.TextField(_("diagnosis"), blank=True)
    inpatient_number = models.CharField(_("inpatient record number"), max_length=40, blank=True)
    return_course = models.TextField(_("treatment, next steps, rehabilitation advice"), blank=True)
    return_doctor = models.CharField(_("returning doctor"), max_length=60, blank=True)
    return_phone = models.CharField(_("returning doctor's phone"), max_length=30, blank=True)
    closed_at = models.DateTimeField(_("closed at"), null=True)
    closed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("closed by")
    )
    reason = models.CharField(_("reason"), max_length=200, blank=True)
    history = HistoricalRecords()

    objects = ReferralQuerySet.as_manager()

    class Meta:
        verbose_name = _("referral")
        verbose_name_plural = _("referrals")
        ordering = ["-sent_at"]
        permissions = [
            ("write_referral", "Can refer a resident"),
            ("receive_referral", "Can accept, refuse and return a referral"),
        ]
        indexes = [
            models.Index(fields=["from_institution", "-sent_at"], name="referral_sent"),
            models.Index(fields=["to_institution", "-sent_at"], name="referral_received"),
            models.Index(
                fields=["due_on"], name="referral_pending", condition=Q(state=ReferralState.PENDING)
            ),
        ]

    def __str__(self):
        return self.number

    @property
    def is_outside(self):
        """To a hospital that does not work with the system: on paper, its answers written down by hand."""
        return self.to_institution_id is None

    @property
    def age_text(self):
        """The age on the day it was sent."""
        return identifiers.age_text(
            date.fromisoformat(self.person["birth_date"]), timezone.localdate(self.sent_at)
        )

    @property
    def sex_text(self):
        return Sex(self.person["sex"]).label

    @property
    def phone_masked(self):
        return identifiers.mask_phone(self.person["phone"])

    def state_on(self, day):
        """The state as people meet it: what nobody answered in time has expired, also before the job came."""
        if self.state == ReferralState.PENDING and self.due_on < day:
            return ReferralState.EXPIRED
        return ReferralState(self.state)

    @property
    def state_now(self):
        return self.state_on(timezone.localdate())


class ReferralCounter(models.Model):
    """The last number given on one day, of the whole district. Locked while the next is taken."""

    PRIVATE_FIELDS: frozenset[str] = frozenset()

    day = models.DateField(_("day"), primary_key=True)
    last = models.PositiveIntegerField(_("last number"), default=0)

    class Meta:
        verbose_name = _("referral counter")
        verbose_name_plural = _("referral counters")
