"""A resident's wish to change the team 改签: asked, then agreed or refused with a reason."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from clinic.models.base import Row
from contracts.codes import SwitchState
from contracts.models.agreement import Agreement
from contracts.models.team import Team


class SwitchQuerySet(models.QuerySet):
    def visible_to(self, user):
        """Of an agreement in reach, or to a team in reach: both sides see it."""
        if not (user.is_authenticated and user.has_perm("contracts.view_switchrequest")):
            return self.none()
        path = user.institution.path
        return self.filter(
            Q(agreement__institution__path__startswith=path)
            | Q(to_team__institution__path__startswith=path)
            | Q(agreement__resident__home__path__startswith=path)
        )

    def open(self):
        return self.filter(state=SwitchState.ASKED)


class SwitchRequest(Row):
    PRIVATE_FIELDS = frozenset({"agreement", "reason", "decision_reason"})

    agreement = models.ForeignKey(
        Agreement, models.PROTECT, related_name="switches", verbose_name=_("agreement")
    )
    to_team = models.ForeignKey(Team, models.PROTECT, related_name="+", verbose_name=_("to team"))
    to_doctor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("to family doctor")
    )
    reason = models.CharField(_("reason"), max_length=200)
    state = models.CharField(
        _("state"), max_length=10, choices=SwitchState.choices, default=SwitchState.ASKED
    )
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("asked by")
    )
    asked_at = models.DateTimeField(_("asked at"), default=timezone.now)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("decided by")
    )
    decided_at = models.DateTimeField(_("decided at"), null=True)
    decision_reason = models.CharField(_("reason of the decision"), max_length=200, blank=True)
    made = models.OneToOneField(
        Agreement, models.PROTECT, null=True, related_name="made_by_switch", verbose_name=_("new agreement")
    )
    history = HistoricalRecords()

    objects = SwitchQuerySet.as_manager()

    class Meta:
        verbose_name = _("change of team")
        verbose_name_plural = _("changes of team")
        ordering = ["-asked_at"]
        permissions = [("decide_switchrequest", "Can decide on a change of team")]
        constraints = [
            models.UniqueConstraint(
                fields=["agreement"],
                condition=Q(state="asked"),
                name="switch_asked_once",
                violation_error_message=_("A change of team is asked for already."),
            ),
            models.CheckConstraint(
                condition=~Q(state="refused") | ~Q(decision_reason=""),
                name="switch_refused_with_reason",
                violation_error_message=_("Why is it refused?"),
            ),
        ]

    def __str__(self):
        return f"{self.agreement} → {self.to_team}"
