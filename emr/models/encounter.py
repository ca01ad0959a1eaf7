"""A visit as reception sees it: who, where, when, with whom, and how far it is. No clinical text."""

from datetime import datetime, time, timedelta

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from clinic.models import AccessGrant, Institution, Resident
from clinic.models.base import Row
from emr.codes import OPEN_STATUSES, EncounterStatus


class EncounterQuerySet(models.QuerySet):
    def in_scope(self, user):
        """Visits at the user's institution or below it: the waiting list, the day."""
        if not user.has_perm("emr.view_encounter"):
            return self.none()
        if user.institution.is_leaf:
            return self.filter(institution=user.institution_id)
        return self.filter(institution__in=Institution.objects.under(user.institution).values("pk"))

    def visible_to(self, user):
        """In scope, or of a resident whom the user may see (home, or opened with a reason)."""
        if not user.has_perm("emr.view_encounter"):
            return self.none()
        return self.filter(reach(user))

    def open(self):
        return self.filter(status__in=OPEN_STATUSES)

    def waiting(self):
        return self.filter(status=EncounterStatus.WAITING)

    def on_day(self, day):
        start = timezone.make_aware(datetime.combine(day, time.min))
        return self.filter(arrived_at__gte=start, arrived_at__lt=start + timedelta(days=1))

    def finished_on(self, day):
        """Done that day, begun up to a month before: the indexes know arrivals."""
        start = timezone.make_aware(datetime.combine(day, time.min))
        return self.filter(
            status=EncounterStatus.FINISHED,
            finished_at__gte=start,
            finished_at__lt=start + timedelta(days=1),
            arrived_at__gte=start - timedelta(days=31),
        )

    def with_vitals_taken(self):
        """``vitals_taken``: whether the note holds any, without reading the note."""
        return self.annotate(
            vitals_taken=models.ExpressionWrapper(~Q(note__vitals={}), models.BooleanField())
        )

    def of_resident(self, resident):
        """The whole file of one person, absorbed rows included, newest first."""
        return self.filter(resident__in=resident.record_ids()).order_by("-arrived_at", "-pk")


def reach(user, prefix=""):
    """The condition that a visit lies in the user's reach; ``prefix`` leads to it from another table."""
    where = Institution.objects.under(user.institution).values("pk")
    if user.institution.is_leaf:
        here = Q(**{f"{prefix}institution": user.institution_id}) | Q(
            **{f"{prefix}resident__home": user.institution_id}
        )
    else:
        here = Q(**{f"{prefix}institution__in": where}) | Q(**{f"{prefix}resident__home__in": where})
    if not user.is_clinical:
        return here
    grants = AccessGrant.objects.in_force(user).filter(resident=OuterRef(f"{prefix}resident"))
    return here | Q(Exists(grants))


class Encounter(Row):
    """One visit. Frozen by the database once finished or cancelled (migration freeze_signed)."""

    PRIVATE_FIELDS = frozenset({"resident", "hold_reason", "cancel_reason"})

    resident = models.ForeignKey(
        Resident, models.PROTECT, related_name="encounters", verbose_name=_("resident")
    )
    institution = models.ForeignKey(
        Institution, models.PROTECT, related_name="encounters", verbose_name=_("institution")
    )
    department = models.CharField(_("department"), max_length=30, default="全科")
    doctor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="encounters",
        verbose_name=_("doctor"),
    )  # fmt: skip
    status = models.CharField(
        _("status"), max_length=12, choices=EncounterStatus.choices, default=EncounterStatus.WAITING
    )
    arrived_at = models.DateTimeField(_("arrived at"), default=timezone.now)
    started_at = models.DateTimeField(_("started at"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)
    hold_reason = models.CharField(_("reason for holding"), max_length=100, blank=True)
    cancel_reason = models.CharField(_("reason for cancelling"), max_length=200, blank=True)
    cancelled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("cancelled by"),
    )
    checked_in_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("checked in by"),
    )
    key = models.UUIDField(_("client's key"), null=True, unique=True, editable=False)
    imported = models.BooleanField(_("from the old system"), default=False, editable=False)
    source_id = models.CharField(_("number in the old system"), max_length=60, blank=True, editable=False)
    history = HistoricalRecords()

    objects = EncounterQuerySet.as_manager()

    class Meta:
        verbose_name = _("visit")
        verbose_name_plural = _("visits")
        ordering = ["-arrived_at"]
        permissions = [
            ("check_in", "Can put a resident on the waiting list"),
            ("start_encounter", "Can start a visit"),
            ("cancel_encounter", "Can cancel a visit"),
            ("record_vitals", "Can record vital signs"),
        ]
        indexes = [
            models.Index(fields=["resident", "-arrived_at"], name="encounter_resident"),
            models.Index(fields=["institution", "-arrived_at"], name="encounter_institution"),
            models.Index(fields=["doctor", "-arrived_at"], name="encounter_doctor"),
            models.Index(
                fields=["institution", "arrived_at"],
                name="encounter_open",
                condition=Q(status__in=OPEN_STATUSES),
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["resident", "institution"],
                condition=Q(status__in=OPEN_STATUSES),
                name="encounter_one_open",
                violation_error_message=_("This resident is on the waiting list already."),
            ),
            models.UniqueConstraint(
                fields=["institution", "source_id"],
                condition=~Q(source_id=""),
                name="encounter_one_per_source",
            ),
            models.CheckConstraint(
                condition=~Q(status=EncounterStatus.CANCELLED) | ~Q(cancel_reason=""),
                name="encounter_cancel_reason",
                violation_error_message=_("A cancelled visit needs a reason."),
            ),
        ]

    def __str__(self):
        return f"{timezone.localtime(self.arrived_at):%Y-%m-%d %H:%M}"

    @property
    def is_open(self):
        return self.status in OPEN_STATUSES

    def waiting_minutes(self, now):
        """Whole minutes from arrival to start, or to now."""
        return int(((self.started_at or now) - self.arrived_at).total_seconds() // 60)
