"""How an institution works: what the district lets it choose for itself."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from clinic.models import Institution
from clinic.models.base import Row
from clinic.models.scope import InstitutionRowQuerySet
from emr.codes import InsuranceWay


class Practice(Row):
    """Choices of one institution; what is left open comes from the institution above (emr.practice)."""

    PRIVATE_FIELDS = frozenset()

    institution = models.OneToOneField(
        Institution, models.PROTECT, related_name="practice", verbose_name=_("institution")
    )
    insurance = models.CharField(
        _("insurance interface"), max_length=10, choices=InsuranceWay.choices, blank=True
    )
    # {rule of the after-visit list: on or off}
    prompts = models.JSONField(_("after-visit prompts"), default=dict, blank=True)
    # Fields of the chart that stand open beside the three boxes.
    unfolded = models.JSONField(_("fields that stand open"), default=list, blank=True)
    history = HistoricalRecords()

    objects = InstitutionRowQuerySet.as_manager()

    class Meta:
        verbose_name = _("practice of an institution")
        verbose_name_plural = _("practice of institutions")
        ordering = ["institution"]

    def __str__(self):
        return str(self.institution)
