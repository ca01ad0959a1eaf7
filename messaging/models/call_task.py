"""People a message did not reach, whom the station calls."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from clinic.models import Institution, Resident
from clinic.models.base import Row
from clinic.models.scope import InstitutionRowQuerySet
from messaging.codes import CallState
from messaging.models.campaign import Campaign


class CallTask(Row):
    """One resident whom one campaign did not reach; done by the resident's home station."""

    PRIVATE_FIELDS = frozenset({"resident", "note"})

    campaign = models.ForeignKey(Campaign, models.PROTECT, related_name="calls", verbose_name=_("campaign"))
    resident = models.ForeignKey(Resident, models.PROTECT, related_name="calls", verbose_name=_("resident"))
    message = models.OneToOneField(
        "messaging.Message", models.PROTECT, related_name="call", verbose_name=_("message")
    )
    institution = models.ForeignKey(
        Institution, models.PROTECT, related_name="calls", verbose_name=_("institution")
    )
    state = models.CharField(_("state"), max_length=12, choices=CallState.choices, default=CallState.OPEN)
    note = models.CharField(_("remark"), max_length=200, blank=True)
    made_at = models.DateTimeField(_("made at"), default=timezone.now)
    done_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("done by")
    )
    done_at = models.DateTimeField(_("done at"), null=True)
    history = HistoricalRecords()

    objects = InstitutionRowQuerySet.as_manager()

    class Meta:
        verbose_name = _("call task")
        verbose_name_plural = _("call tasks")
        ordering = ["made_at", "pk"]
        indexes = [
            models.Index(fields=["institution", "made_at"], name="call_open", condition=Q(state="open")),
        ]
        constraints = [
            models.UniqueConstraint(fields=["campaign", "resident"], name="call_once_per_campaign"),
        ]

    def __str__(self):
        """No name: it stands in titles and histories."""
        return f"{timezone.localtime(self.made_at):%Y-%m-%d %H:%M}"
