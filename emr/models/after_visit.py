"""The after-visit list 诊后清单: what a signed note asks for later, when the patient has gone."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from clinic.models import Institution, Resident
from clinic.models.base import Row
from emr.codes import ItemState, Prompt
from emr.models.note import Note


class AfterVisitItemQuerySet(models.QuerySet):
    def visible_to(self, user):
        """One's own list."""
        if not user.has_perm("emr.view_aftervisititem"):
            return self.none()
        return self.filter(doctor=user)

    def open(self):
        return self.filter(state=ItemState.OPEN)


class AfterVisitItem(Row):
    """One thing to do, prefilled from the signed note (emr.after_visits.rules). ``facts`` holds what is prefilled.

    Frozen by the database once done or dismissed (migration after_visits).
    """

    PRIVATE_FIELDS = frozenset({"note", "resident", "facts", "answer"})

    note = models.ForeignKey(Note, models.PROTECT, related_name="after_visit_items", verbose_name=_("note"))
    resident = models.ForeignKey(
        Resident, models.PROTECT, related_name="after_visit_items", verbose_name=_("resident")
    )
    doctor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="after_visit_items", verbose_name=_("doctor")
    )
    institution = models.ForeignKey(
        Institution, models.PROTECT, related_name="+", verbose_name=_("institution")
    )
    prompt = models.CharField(_("prompt"), max_length=20, choices=Prompt.choices)
    facts = models.JSONField(_("prefilled"), default=dict, blank=True)
    made_at = models.DateTimeField(_("made at"), default=timezone.now)
    due_at = models.DateTimeField(_("due at"), null=True)
    state = models.CharField(_("state"), max_length=10, choices=ItemState.choices, default=ItemState.OPEN)
    answer = models.TextField(_("what was done"), blank=True)
    done_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("done by")
    )
    done_at = models.DateTimeField(_("done at"), null=True)
    history = HistoricalRecords()

    objects = AfterVisitItemQuerySet.as_manager()

    class Meta:
        verbose_name = _("after-visit item")
        verbose_name_plural = _("after-visit list")
        ordering = ["due_at", "made_at"]
        indexes = [
            models.Index(
                fields=["doctor", "made_at"], name="after_visit_open", condition=Q(state=ItemState.OPEN)
            ),
            models.Index(
                fields=["doctor", "-done_at"], name="after_visit_closed", condition=~Q(state=ItemState.OPEN)
            ),
        ]
        constraints = [models.UniqueConstraint(fields=["note", "prompt"], name="after_visit_once")]
