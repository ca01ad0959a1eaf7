"""Emergencies: plans with steps and telephones, drills, paper to write on, and the morning's file for a day without network."""

from django.conf import settings
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from clinic.models import Institution
from clinic.models.base import AppendOnlyRow, Row
from clinic.models.scope import InstitutionRowQuerySet, SharedRowQuerySet


class EmergencyPlan(Row):
    PRIVATE_FIELDS = frozenset()

    institution = models.ForeignKey(
        Institution, models.PROTECT, related_name="emergency_plans", verbose_name=_("institution")
    )
    name = models.CharField(_("name"), max_length=100)
    when = models.CharField(_("in which case"), max_length=300)
    # How often it is rehearsed, in months.
    every = models.PositiveSmallIntegerField(_("drill every so many months"), default=6)
    active = models.BooleanField(_("in use"), default=True)
    history = HistoricalRecords()

    objects = SharedRowQuerySet.as_manager()

    class Meta:
        verbose_name = _("emergency plan")
        verbose_name_plural = _("emergency plans")
        ordering = ["institution__path", "name"]
        constraints = [
            models.UniqueConstraint(
                fields=["institution", "name"], name="emergency_plan_once",
                violation_error_message=_("There is a plan of this name."),
            )
        ]  # fmt: skip

    def __str__(self):
        return self.name


class PlanStep(models.Model):
    """``number`` gives the order; ``who`` a role with its telephone."""

    PRIVATE_FIELDS: frozenset[str] = frozenset({"phone"})
    deletable = True

    plan = models.ForeignKey(
        EmergencyPlan, models.CASCADE, related_name="steps", verbose_name=_("emergency plan")
    )
    number = models.PositiveSmallIntegerField(_("step"))
    what = models.CharField(_("what is done"), max_length=300)
    who = models.CharField(_("by whom"), max_length=60)
    phone = models.CharField(_("phone"), max_length=30, blank=True)
    within = models.PositiveSmallIntegerField(_("within minutes"), null=True, blank=True)
    history = HistoricalRecords()

    objects = SharedRowQuerySet.as_manager()

    class Meta:
        verbose_name = _("step of a plan")
        verbose_name_plural = _("steps of a plan")
        ordering = ["plan", "number"]
        constraints = [
            models.UniqueConstraint(
                fields=["plan", "number"], name="plan_step_once",
                violation_error_message=_("There is a step of this number."),
            )
        ]  # fmt: skip

    def __str__(self):
        return f"{self.number}. {self.what}"


class Drill(Row):
    PRIVATE_FIELDS = frozenset()

    plan = models.ForeignKey(
        EmergencyPlan, models.PROTECT, related_name="drills", verbose_name=_("emergency plan")
    )
    institution = models.ForeignKey(
        Institution, models.PROTECT, related_name="drills", verbose_name=_("institution")
    )
    on = models.DateField(_("day"))
    score = models.PositiveSmallIntegerField(_("score, of 100"), validators=[MaxValueValidator(100)])
    findings = models.TextField(_("what it showed"), max_length=2000, blank=True)
    next_due = models.DateField(_("next due on"))
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", editable=False, verbose_name=_("made by")
    )
    history = HistoricalRecords()

    objects = InstitutionRowQuerySet.as_manager()

    class Meta:
        verbose_name = _("drill")
        verbose_name_plural = _("drills")
        ordering = ["-on"]
        constraints = [
            models.CheckConstraint(
                condition=Q(score__lte=100) & Q(next_due__gt=F("on")), name="drill_in_order",
                violation_error_message=_("The next drill lies after this one, the score is at most 100."),
            )
        ]  # fmt: skip

    def __str__(self):
        return f"{self.plan} {self.on}"


class PaperPad(AppendOnlyRow):
    """Blank notes printed for a station, numbered from ``first`` on, so that none is lost and none taken up twice."""

    PRIVATE_FIELDS = frozenset()

    institution = models.ForeignKey(
        Institution, models.PROTECT, related_name="paper_pads", verbose_name=_("institution")
    )
    first = models.PositiveIntegerField(_("from number"))
    sheets = models.PositiveSmallIntegerField(_("sheets"))
    printed_at = models.DateTimeField(_("printed at"), default=timezone.now)
    printed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("printed by")
    )

    objects = InstitutionRowQuerySet.as_manager()

    class Meta(AppendOnlyRow.Meta):
        verbose_name = _("pad of blank notes")
        verbose_name_plural = _("pads of blank notes")
        ordering = ["-pk"]
        constraints = [models.UniqueConstraint(fields=["institution", "first"], name="paper_pad_once")]

    def __str__(self):
        return f"{self.first}–{self.first + self.sheets - 1}"


class KitKey(Row):
    """What a station's passphrase derives, sealed with the installation's key; the passphrase itself is nowhere."""

    PRIVATE_FIELDS = frozenset({"salt", "sealed"})

    institution = models.OneToOneField(
        Institution, models.PROTECT, related_name="kit_key", verbose_name=_("institution")
    )
    salt = models.CharField(max_length=40, editable=False)
    sealed = models.CharField(max_length=200, editable=False)
    set_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", editable=False, verbose_name=_("set by")
    )
    set_at = models.DateTimeField(_("set at"), default=timezone.now)

    objects = InstitutionRowQuerySet.as_manager()

    class Meta:
        verbose_name = _("passphrase of offline kits")
        verbose_name_plural = _("passphrases of offline kits")
        permissions = [("set_kitkey", "Can set the passphrase of offline kits")]

    def __str__(self):
        return str(self.institution)


class OfflineKit(AppendOnlyRow):
    """The morning's encrypted file 断网应急包 of a station: whom to expect, with allergies, problems and long-term medicines.
    The file itself lies in a directory of the server."""

    PRIVATE_FIELDS = frozenset()

    institution = models.ForeignKey(
        Institution, models.PROTECT, related_name="offline_kits", verbose_name=_("institution")
    )
    day = models.DateField(_("day"))
    residents = models.PositiveIntegerField(_("residents"))
    size = models.PositiveIntegerField(_("bytes"))
    sha256 = models.CharField(_("hash"), max_length=64)
    made_at = models.DateTimeField(_("made at"), default=timezone.now)

    objects = InstitutionRowQuerySet.as_manager()

    class Meta(AppendOnlyRow.Meta):
        verbose_name = _("offline kit")
        verbose_name_plural = _("offline kits")
        ordering = ["-day"]
        constraints = [models.UniqueConstraint(fields=["institution", "day"], name="offline_kit_once")]

    def __str__(self):
        return f"{self.institution} {self.day}"
