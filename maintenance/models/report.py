"""The weekly report, made from data, and the meeting that talks about it."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from clinic.models.base import Row
from maintenance.codes import ActionState
from maintenance.models.calendar import DistrictRowQuerySet
from maintenance.models.ticket import Ticket


class WeeklyReport(Row):
    """``figures`` as they were made, ``words`` as people wrote them ({section: text}). Signed, it is frozen with a hash over both
    (trigger maintenance_report_hold)."""

    PRIVATE_FIELDS = frozenset()

    monday = models.DateField(_("week from"), unique=True)
    figures = models.JSONField(_("figures"), default=dict)
    words = models.JSONField(_("text"), default=dict)
    made_at = models.DateTimeField(_("made at"), default=timezone.now)
    signed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("signed by")
    )
    signed_at = models.DateTimeField(_("signed at"), null=True)
    sha256 = models.CharField(_("hash"), max_length=64, blank=True)
    history = HistoricalRecords()

    objects = DistrictRowQuerySet.as_manager()

    class Meta:
        verbose_name = _("weekly report")
        verbose_name_plural = _("weekly reports")
        ordering = ["-monday"]
        permissions = [("sign_weeklyreport", "Can sign a weekly report")]
        constraints = [
            models.CheckConstraint(
                condition=Q(monday__iso_week_day=1),
                name="report_begins_on_monday",
                violation_error_message=_("A week begins on Monday."),
            ),
            models.CheckConstraint(
                condition=Q(signed_at=None, signed_by=None, sha256="")
                | (Q(signed_at__isnull=False, signed_by__isnull=False) & ~Q(sha256="")),
                name="report_signed_whole",
            ),
        ]

    def __str__(self):
        return f"{self.monday}"


class Meeting(Row):
    """The weekly meeting; its agenda comes from the report and from what is still open."""

    PRIVATE_FIELDS = frozenset()

    report = models.ForeignKey(
        WeeklyReport,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="meetings",
        verbose_name=_("weekly report"),
    )
    held_at = models.DateTimeField(_("held at"))
    place = models.CharField(_("place"), max_length=100, blank=True)
    agenda = models.JSONField(_("agenda"), default=list)
    decisions = models.TextField(_("decisions"), max_length=4000, blank=True)
    closed_at = models.DateTimeField(_("minutes closed at"), null=True)
    history = HistoricalRecords()

    objects = DistrictRowQuerySet.as_manager()

    class Meta:
        verbose_name = _("meeting")
        verbose_name_plural = _("meetings")
        ordering = ["-held_at"]

    def __str__(self):
        return f"{timezone.localtime(self.held_at):%Y-%m-%d}"


class Attendance(models.Model):
    """Who was there."""

    PRIVATE_FIELDS: frozenset[str] = frozenset()
    deletable = True  # ticked by mistake

    meeting = models.ForeignKey(Meeting, models.CASCADE, related_name="attendance", verbose_name=_("meeting"))
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("staff member")
    )
    history = HistoricalRecords()

    objects = DistrictRowQuerySet.as_manager()

    class Meta:
        verbose_name = _("attendance")
        verbose_name_plural = _("attendances")
        constraints = [
            models.UniqueConstraint(
                fields=["meeting", "person"], name="attendance_once",
                violation_error_message=_("This person is on the list already."),
            )
        ]  # fmt: skip

    def __str__(self):
        return str(self.person)


class ActionItem(Row):
    """What somebody has to do until a day; on every agenda until it is done."""

    PRIVATE_FIELDS = frozenset()

    meeting = models.ForeignKey(Meeting, models.PROTECT, related_name="items", verbose_name=_("meeting"))
    words = models.CharField(_("what is to be done"), max_length=300)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("owner")
    )
    due_on = models.DateField(_("due on"))
    ticket = models.ForeignKey(
        Ticket, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("ticket")
    )
    state = models.CharField(_("state"), max_length=10, choices=ActionState.choices, default=ActionState.OPEN)
    ended_at = models.DateTimeField(_("ended at"), null=True)
    note = models.CharField(_("remark"), max_length=300, blank=True)
    history = HistoricalRecords()

    objects = DistrictRowQuerySet.as_manager()

    class Meta:
        verbose_name = _("action")
        verbose_name_plural = _("actions")
        ordering = ["due_on", "pk"]
        indexes = [models.Index(fields=["due_on"], name="action_open", condition=Q(state="open"))]
        constraints = [
            models.CheckConstraint(
                condition=Q(state="open", ended_at=None) | (~Q(state="open") & Q(ended_at__isnull=False)),
                name="action_ended_whole",
            )
        ]

    def __str__(self):
        return self.words
