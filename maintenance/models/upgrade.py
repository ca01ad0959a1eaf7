"""Upgrades: the plan, who is affected and knows it, what everybody is told, and how it went."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from clinic.models import Institution
from clinic.models.base import AppendOnlyRow, Row
from maintenance.codes import Business, Module, NoticeKind, UpgradeState
from maintenance.models.calendar import DistrictRowQuerySet
from maintenance.models.emergency import EmergencyPlan


class Upgrade(Row):
    """From draft through the gate to the review. Approved by another person than the author; what was approved changes no
    more without being assessed anew (trigger maintenance_upgrade_hold)."""

    PRIVATE_FIELDS = frozenset()

    release = models.CharField(_("release"), max_length=40)
    modules = ArrayField(models.CharField(max_length=10, choices=Module.choices), verbose_name=_("modules"))
    what = models.TextField(_("what changes"), max_length=4000)
    impact = models.TextField(_("impact"), max_length=4000, blank=True)
    roll_back = models.TextField(_("how it is rolled back"), max_length=4000, blank=True)
    plan = models.ForeignKey(
        EmergencyPlan,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("emergency plan"),
    )
    starts_at = models.DateTimeField(_("window from"))
    ends_at = models.DateTimeField(_("window until"))
    rehearsed_on = models.DateField(_("rehearsed on"), null=True, blank=True)
    rehearsal = models.CharField(_("what the rehearsal showed"), max_length=500, blank=True)
    responsible = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("responsible")
    )
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", editable=False, verbose_name=_("author")
    )
    state = models.CharField(
        _("state"), max_length=12, choices=UpgradeState.choices, default=UpgradeState.DRAFT
    )
    assessed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("assessed by")
    )
    assessed_at = models.DateTimeField(_("assessed at"), null=True)
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("approved by")
    )
    approved_at = models.DateTimeField(_("approved at"), null=True)
    announced_at = models.DateTimeField(_("announced at"), null=True)
    began_at = models.DateTimeField(_("begun at"), null=True)
    finished_at = models.DateTimeField(_("finished at"), null=True)
    review = models.TextField(_("review"), max_length=4000, blank=True)
    ended_at = models.DateTimeField(_("closed at"), null=True)
    end_note = models.CharField(_("reason of the end"), max_length=500, blank=True)
    history = HistoricalRecords()

    objects = DistrictRowQuerySet.as_manager()

    class Meta:
        verbose_name = _("upgrade")
        verbose_name_plural = _("upgrades")
        ordering = ["-starts_at"]
        permissions = [
            ("assess_upgrade", "Can assess an upgrade"),
            ("approve_upgrade", "Can approve an upgrade"),
            ("run_upgrade", "Can announce, begin, end and roll back an upgrade"),
            ("acknowledge_upgrade", "Can acknowledge an upgrade for an institution"),
            ("override_upgrade", "Can override a missing acknowledgement"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_at__gt=F("starts_at")),
                name="upgrade_window_in_order",
                violation_error_message=_("The window ends before it begins."),
            ),
            models.CheckConstraint(
                condition=Q(approved_by=None) | ~Q(approved_by=F("author")),
                name="upgrade_approved_by_another",
                violation_error_message=_("Somebody else than the author approves."),
            ),
            models.CheckConstraint(
                condition=~Q(state="closed") | ~Q(review=""),
                name="upgrade_closed_with_review",
                violation_error_message=_("The review is written before the upgrade is closed."),
            ),
        ]
        indexes = [
            models.Index(
                fields=["state"],
                name="upgrade_open",
                condition=~Q(state__in=["closed", "rolled_back", "cancelled"]),
            )
        ]

    def __str__(self):
        return self.release


class UpgradeSite(models.Model):
    """An affected institution: which of its businesses, and whether it knows. Overridden by the district with reason."""

    PRIVATE_FIELDS: frozenset[str] = frozenset()
    deletable = True  # while the upgrade is a draft

    upgrade = models.ForeignKey(Upgrade, models.PROTECT, related_name="sites", verbose_name=_("upgrade"))
    institution = models.ForeignKey(
        Institution, models.PROTECT, related_name="+", verbose_name=_("institution")
    )
    businesses = ArrayField(
        models.CharField(max_length=10, choices=Business.choices), verbose_name=_("affected businesses")
    )
    acknowledged_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        related_name="+",
        verbose_name=_("acknowledged by"),
    )
    acknowledged_at = models.DateTimeField(_("acknowledged at"), null=True)
    overridden_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("overridden by")
    )
    overridden_at = models.DateTimeField(_("overridden at"), null=True)
    override_reason = models.CharField(_("reason of the override"), max_length=300, blank=True)
    reminded_at = models.DateTimeField(_("reminded at"), null=True)
    history = HistoricalRecords()

    class SiteQuerySet(models.QuerySet):
        def visible_to(self, user):
            if not (user.is_authenticated and user.has_perm("maintenance.view_upgrade")):
                return self.none()
            return self.filter(institution__path__startswith=user.institution.path)

    objects = SiteQuerySet.as_manager()

    class Meta:
        verbose_name = _("affected institution")
        verbose_name_plural = _("affected institutions")
        ordering = ["institution__path"]
        constraints = [
            models.UniqueConstraint(
                fields=["upgrade", "institution"], name="upgrade_site_once",
                violation_error_message=_("This institution is on the list already."),
            ),
            models.CheckConstraint(
                condition=Q(overridden_by=None) | ~Q(override_reason=""), name="upgrade_override_with_reason",
                violation_error_message=_("Why is it overridden?"),
            ),
        ]  # fmt: skip

    def __str__(self):
        return str(self.institution)


class Notice(AppendOnlyRow):
    """What everybody's pages said from when to when. The newest of an upgrade is the one that holds."""

    PRIVATE_FIELDS = frozenset()

    upgrade = models.ForeignKey(Upgrade, models.PROTECT, related_name="notices", verbose_name=_("upgrade"))
    kind = models.CharField(_("kind"), max_length=10, choices=NoticeKind.choices)
    words = models.CharField(_("text"), max_length=300)
    made_at = models.DateTimeField(_("made at"), default=timezone.now)
    until = models.DateTimeField(_("shown until"))

    objects = DistrictRowQuerySet.as_manager()

    class Meta(AppendOnlyRow.Meta):
        verbose_name = _("notice")
        verbose_name_plural = _("notices")
        ordering = ["-pk"]
        indexes = [models.Index(fields=["-until"], name="notice_shown")]

    def __str__(self):
        return self.words


class WatchHour(models.Model):
    """An hour after an upgrade beside the same hour of the week before: {"saves_failed", "errors", "p95", "tickets"} of each."""

    PRIVATE_FIELDS: frozenset[str] = frozenset()

    upgrade = models.ForeignKey(Upgrade, models.PROTECT, related_name="hours", verbose_name=_("upgrade"))
    hour = models.DateTimeField(_("hour"))
    now = models.JSONField(_("measured"), default=dict)
    before = models.JSONField(_("a week before"), default=dict)
    alarming = models.BooleanField(_("alarming"), default=False)

    objects = DistrictRowQuerySet.as_manager()

    class Meta:
        verbose_name = _("hour of the watch")
        verbose_name_plural = _("hours of the watch")
        ordering = ["hour"]
        constraints = [models.UniqueConstraint(fields=["upgrade", "hour"], name="watch_hour_once")]

    def __str__(self):
        return f"{self.hour}"
