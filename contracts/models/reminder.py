"""Reminders before the end of an agreement 到期提醒, and why somebody does not sign."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from simple_history.models import HistoricalRecords

from clinic.models import Institution, Resident
from clinic.models.base import Row
from clinic.models.scope import InstitutionRowQuerySet
from contracts.codes import RemindBy, ReminderState, WhyNot
from contracts.models.agreement import Agreement
from messaging.models import Message


class ReminderQuerySet(InstitutionRowQuerySet):
    def calls(self):
        """Who is still to be called."""
        return self.filter(state=ReminderState.OPEN)


class Reminder(Row):
    """One light of one agreement: reminded once, whatever runs twice."""

    PRIVATE_FIELDS = frozenset({"agreement", "message", "note"})

    agreement = models.ForeignKey(
        Agreement, models.PROTECT, related_name="reminders", verbose_name=_("agreement")
    )
    institution = models.ForeignKey(
        Institution, models.PROTECT, related_name="+", verbose_name=_("institution")
    )
    # Days before the end: 90, 60, 30 (contracts.practice).
    light = models.PositiveSmallIntegerField(_("light, days before the end"))
    by = models.CharField(pgettext_lazy("reminder", "by"), max_length=10, choices=RemindBy.choices)
    state = models.CharField(_("state"), max_length=10, choices=ReminderState.choices)
    message = models.OneToOneField(
        Message, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("message")
    )
    # Why it became a call although messages are the rule.
    why_call = models.CharField(_("why by phone"), max_length=100, blank=True)
    note = models.CharField(_("remark"), max_length=200, blank=True)
    made_at = models.DateTimeField(_("made at"), default=timezone.now)
    done_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("done by")
    )
    done_at = models.DateTimeField(_("done at"), null=True)
    history = HistoricalRecords()

    objects = ReminderQuerySet.as_manager()

    class Meta:
        verbose_name = _("reminder")
        verbose_name_plural = _("reminders")
        ordering = ["made_at", "pk"]
        indexes = [
            models.Index(fields=["institution", "made_at"], name="reminder_open", condition=Q(state="open")),
            models.Index(fields=["made_at"], name="reminder_queued", condition=Q(state="queued")),
        ]
        constraints = [
            models.UniqueConstraint(fields=["agreement", "light"], name="reminder_once_per_light"),
        ]

    def __str__(self):
        return f"{self.agreement} {self.light}"


class NotSigned(Row):
    """Why a resident does not sign, asked on a day. The last one counts."""

    PRIVATE_FIELDS = frozenset({"resident", "why", "note"})

    resident = models.ForeignKey(
        Resident, models.PROTECT, related_name="not_signed", verbose_name=_("resident")
    )
    institution = models.ForeignKey(
        Institution, models.PROTECT, related_name="+", verbose_name=_("institution")
    )
    why = models.CharField(_("why not signed"), max_length=10, choices=WhyNot.choices)
    note = models.CharField(_("remark"), max_length=200, blank=True)
    on = models.DateField(_("asked on"), default=timezone.localdate)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("asked by")
    )
    history = HistoricalRecords()

    objects = InstitutionRowQuerySet.as_manager()

    class Meta:
        verbose_name = _("reason not to sign")
        verbose_name_plural = _("reasons not to sign")
        ordering = ["-on", "-pk"]
        indexes = [models.Index(fields=["institution", "why"], name="not_signed_why")]
        constraints = [
            models.CheckConstraint(
                condition=~Q(why="other") | ~Q(note=""),
                name="not_signed_other_in_words",
                violation_error_message=_("Please say it in words."),
            ),
        ]

    def __str__(self):
        return self.get_why_display()
