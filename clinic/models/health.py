"""What stays true of a resident between visits: allergies and problems. Clinical roles only."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from clinic.models.base import Row
from clinic.models.resident import OfResidentQuerySet, Resident


class Allergy(Row):
    """A substance the resident does not bear. Never deleted: refuted with a date."""

    PRIVATE_FIELDS = frozenset({"resident", "substance", "reaction", "since", "refuted_on"})

    resident = models.ForeignKey(
        Resident, models.PROTECT, related_name="allergies", verbose_name=_("resident")
    )
    substance = models.CharField(_("substance"), max_length=60)
    reaction = models.CharField(_("reaction"), max_length=100, blank=True)
    since = models.DateField(_("since"), null=True, blank=True)
    refuted_on = models.DateField(_("refuted on"), null=True, blank=True)
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        editable=False,
        related_name="+",
        verbose_name=_("by"),
    )
    recorded_at = models.DateTimeField(_("recorded at"), default=timezone.now, editable=False)
    history = HistoricalRecords()

    objects = OfResidentQuerySet.as_manager()

    class Meta:
        verbose_name = _("allergy")
        verbose_name_plural = _("allergies")
        ordering = ["substance"]
        constraints = [
            models.UniqueConstraint(
                fields=["resident", "substance"],
                condition=Q(refuted_on=None),
                name="allergy_once",
                violation_error_message=_("This allergy is recorded already."),
            ),
        ]

    def __str__(self):
        return self.substance


class Problem(Row):
    """A line of the problem list: a chronic disease or another standing problem."""

    PRIVATE_FIELDS = frozenset({"resident", "system", "code", "name", "since", "resolved_on"})

    resident = models.ForeignKey(
        Resident, models.PROTECT, related_name="problems", verbose_name=_("resident")
    )
    system = models.CharField(_("code system"), max_length=20, blank=True)
    code = models.CharField(_("code"), max_length=30, blank=True)
    name = models.CharField(_("problem"), max_length=200)
    chronic = models.BooleanField(_("chronic"), default=True)
    since = models.DateField(_("since"), null=True, blank=True)
    resolved_on = models.DateField(_("resolved on"), null=True, blank=True)
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        editable=False,
        related_name="+",
        verbose_name=_("by"),
    )
    recorded_at = models.DateTimeField(_("recorded at"), default=timezone.now, editable=False)
    history = HistoricalRecords()

    objects = OfResidentQuerySet.as_manager()

    class Meta:
        verbose_name = _("problem")
        verbose_name_plural = _("problem list")
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["resident", "name"],
                condition=Q(resolved_on=None),
                name="problem_once",
                violation_error_message=_("This problem is on the list already."),
            ),
        ]

    def __str__(self):
        return self.name
