"""Campaigns: who gets which text, when, under whose responsibility."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from clinic.models import Institution, Resident
from clinic.models.base import Row
from clinic.models.scope import InstitutionRowQuerySet
from messaging.codes import CampaignKind, CampaignState, Left, Policy, Purpose
from messaging.models.template import SmsTemplate

# Nothing of it will be sent any more.
OVER = (CampaignState.FINISHED, CampaignState.CANCELLED)


class CampaignQuerySet(InstitutionRowQuerySet):
    def running(self, now):
        """Those whose messages may be claimed, quiet hours aside."""
        return self.filter(state=CampaignState.RUNNING).filter(Q(send_at=None) | Q(send_at__lte=now))

    def bulk(self):
        return self.filter(kind=CampaignKind.BULK)


class Campaign(Row):
    """``uuid`` is the client's key: the same key never makes a second campaign.

    ``body`` and ``signature`` are frozen when the audience is built; from then on rows of ``Message`` exist. It is
    sent once RUNNING. Single messages hang on a standing campaign of their institution (kind SINGLES), one for each
    urgency and year, so that quota, statistics and conservation know one kind of thing.
    """

    PRIVATE_FIELDS = frozenset({"body", "audience"})

    institution = models.ForeignKey(
        Institution, models.PROTECT, related_name="campaigns", verbose_name=_("institution")
    )
    kind = models.CharField(_("kind"), max_length=10, choices=CampaignKind.choices, default=CampaignKind.BULK)
    name = models.CharField(_("name"), max_length=60)
    purpose = models.CharField(_("purpose"), max_length=10, choices=Purpose.choices)
    template = models.ForeignKey(
        SmsTemplate,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="campaigns",
        verbose_name=_("template"),
    )
    body = models.TextField(_("text"), max_length=500, blank=True)
    signature = models.CharField(_("signature"), max_length=32, blank=True)
    # What was chosen, as messaging.audiences understands it: {"source": name, ...its own words}.
    audience = models.JSONField(_("audience"), default=dict, blank=True)
    # Of institution, text and audience: two clerks who make the same campaign at once make one.
    fingerprint = models.CharField(max_length=64, blank=True, editable=False)
    urgent = models.BooleanField(_("urgent"), default=False)
    policy = models.CharField(
        _("when in doubt"), max_length=15, choices=Policy.choices, default=Policy.AT_MOST_ONCE
    )
    state = models.CharField(
        _("state"), max_length=10, choices=CampaignState.choices, default=CampaignState.DRAFT
    )
    send_at = models.DateTimeField(_("not before"), null=True, blank=True)
    valid_until = models.DateTimeField(_("of no use after"), null=True, blank=True)
    # Sent in the quiet hours too; only with a reason.
    quiet_override = models.CharField(_("reason to send in the quiet hours"), max_length=200, blank=True)
    # The audience is built in steps; the last resident done (row number), so that a cut-off job goes on there.
    built_to = models.BigIntegerField(default=0, editable=False)
    built_at = models.DateTimeField(_("counted at"), null=True, editable=False)
    fault = models.CharField(_("fault"), max_length=200, blank=True, editable=False)
    recipients = models.PositiveIntegerField(_("recipients"), default=0, editable=False)
    segments = models.PositiveIntegerField(_("segments"), default=0, editable=False)
    left_out = models.PositiveIntegerField(_("left out"), default=0, editable=False)
    # Whose allowance it uses: the year of its release; single messages have a standing campaign for each year.
    year = models.PositiveSmallIntegerField(_("year"), null=True, editable=False)
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("made by")
    )
    made_at = models.DateTimeField(_("made at"), default=timezone.now)
    released_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("released by")
    )
    released_at = models.DateTimeField(_("released at"), null=True)
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("approved by")
    )
    approved_at = models.DateTimeField(_("approved at"), null=True)
    ended_at = models.DateTimeField(_("ended at"), null=True)
    history = HistoricalRecords(excluded_fields=["built_to"])

    objects = CampaignQuerySet.as_manager()

    class Meta:
        verbose_name = _("campaign")
        verbose_name_plural = _("campaigns")
        ordering = ["-pk"]
        permissions = [
            ("send_campaign", "Can release a campaign"),
            ("approve_campaign", "Can approve another person's campaign"),
            ("override_quiet", "Can send in the quiet hours with a reason"),
            ("export_campaign", "Can export who was reached"),
        ]
        indexes = [
            models.Index(fields=["institution", "-made_at"], name="campaign_of_institution"),
            models.Index(
                fields=["state"], name="campaign_open", condition=~Q(state__in=["finished", "cancelled"])
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["fingerprint"],
                condition=~Q(fingerprint="") & ~Q(state__in=["finished", "cancelled"]),
                name="campaign_made_once",
                violation_error_message=_("Somebody has just made this campaign."),
            ),
            models.UniqueConstraint(
                fields=["institution", "urgent", "year"],
                condition=Q(kind="singles"),
                nulls_distinct=False,
                name="campaign_one_for_singles",
            ),
            models.CheckConstraint(
                condition=Q(approved_by=None) | ~Q(approved_by=models.F("made_by")),
                name="campaign_second_person",
                violation_error_message=_("A second person approves."),
            ),
        ]

    def __str__(self):
        return self.name

    @property
    def is_over(self):
        return self.state in OVER

    @property
    def path(self):
        return self.institution.path


class OfCampaignQuerySet(models.QuerySet):
    """Rows that hang on a campaign and name a resident: with the right to read messages, of campaigns in reach."""

    def visible_to(self, user):
        if not (user.is_authenticated and user.has_perm("messaging.view_message")):
            return self.none()
        return self.filter(campaign__in=Campaign.objects.visible_to(user))


class Exclusion(models.Model):
    """A resident of the audience who gets nothing, and why. Written while the audience is counted."""

    PRIVATE_FIELDS = frozenset({"resident"})
    deletable = True  # when the audience is counted anew

    campaign = models.ForeignKey(
        Campaign, models.PROTECT, related_name="exclusions", verbose_name=_("campaign")
    )
    resident = models.ForeignKey(Resident, models.PROTECT, related_name="+", verbose_name=_("resident"))
    why = models.CharField(_("reason"), max_length=12, choices=Left.choices)

    objects = OfCampaignQuerySet.as_manager()

    class Meta:
        verbose_name = _("resident left out")
        verbose_name_plural = _("residents left out")
        constraints = [
            models.UniqueConstraint(fields=["campaign", "resident"], name="exclusion_once"),
        ]
        indexes = [models.Index(fields=["campaign", "why"], name="exclusion_why")]


class SavedFilter(Row):
    """A way to choose residents, kept under a name (messaging.audiences)."""

    PRIVATE_FIELDS = frozenset()

    institution = models.ForeignKey(
        Institution, models.PROTECT, related_name="saved_filters", verbose_name=_("institution")
    )
    name = models.CharField(_("name"), max_length=60)
    criteria = models.JSONField(_("criteria"), default=dict)
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", editable=False,
        verbose_name=_("made by"),
    )  # fmt: skip
    active = models.BooleanField(_("in use"), default=True)
    history = HistoricalRecords()

    objects = InstitutionRowQuerySet.as_manager()

    class Meta:
        verbose_name = _("saved filter")
        verbose_name_plural = _("saved filters")
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["institution", "name"],
                name="saved_filter_name_once",
                violation_error_message=_("This institution has a filter of this name."),
            ),
        ]

    def __str__(self):
        return self.name
