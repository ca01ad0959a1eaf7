"""Referrals 转诊, up and down, and what city insurance is told of them."""

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from clinic.models import AccessGrant, Institution, Resident
from clinic.models.base import Row
from emr.codes import FilingState, InsuranceWay, OldOrYoung, ReferralDirection, ReferralState
from emr.models.encounter import Encounter


class ReferralQuerySet(models.QuerySet):
    def visible_to(self, user):
        """Sent or to be received in one's institutions, or of a resident opened with a reason."""
        if not (user.is_authenticated and user.is_clinical and user.has_perm("emr.view_referral")):
            return self.none()
        path = user.institution.path
        grants = AccessGrant.objects.in_force(user).filter(resident=OuterRef("resident"))
        return self.filter(
            Q(from_institution__path__startswith=path)
            | Q(to_institution__path__startswith=path)
            | Exists(grants)
        )


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
    # The head of the form as it was that day: name, sex, age, record number, address, phone.
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


class InsuranceFilingQuerySet(models.QuerySet):
    def visible_to(self, user):
        """Of referrals that one's own institutions sent: theirs to file."""
        if not (user.is_clinical and user.has_perm("emr.file_insurance")):
            return self.none()
        return self.filter(referral__from_institution__path__startswith=user.institution.path)


class InsuranceFiling(Row):
    """What city insurance has to be told of a referral of the insured old or young 一老一小, by which way, and
    the number it gave (emr.insurance)."""

    PRIVATE_FIELDS = frozenset({"referral", "external_number"})

    referral = models.OneToOneField(
        Referral, models.PROTECT, related_name="filing", verbose_name=_("referral")
    )
    way = models.CharField(_("way"), max_length=10, choices=InsuranceWay.choices)
    state = models.CharField(
        _("state"), max_length=10, choices=FilingState.choices, default=FilingState.TO_DO
    )
    external_number = models.CharField(_("number of the insurance"), max_length=40, blank=True)
    fault = models.CharField(_("fault"), max_length=30, blank=True)  # a code of emr.insurance, never its text
    answer = models.CharField(_("answer of the insurance"), max_length=200, blank=True)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    tried_at = models.DateTimeField(_("tried at"), null=True)
    filed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("filed by")
    )
    filed_at = models.DateTimeField(_("filed at"), null=True)
    made_at = models.DateTimeField(_("made at"), default=timezone.now)
    history = HistoricalRecords()

    objects = InsuranceFilingQuerySet.as_manager()

    class Meta:
        verbose_name = _("filing with the insurance")
        verbose_name_plural = _("filings with the insurance")
        ordering = ["made_at"]
        permissions = [("file_insurance", "Can file a referral with the insurance")]
        indexes = [
            models.Index(
                fields=["made_at"], name="filing_open", condition=~Q(state__in=["confirmed", "cancelled"])
            )
        ]
        constraints = [
            models.CheckConstraint(
                condition=~Q(state=FilingState.CONFIRMED) | ~Q(external_number=""),
                name="filing_confirmed_number",
                violation_error_message=_("A filed referral has the number that the insurance gave."),
            ),
        ]
