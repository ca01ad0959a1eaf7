"""How an institution sends: its signature, its quiet hours, from how many on a second person decides."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from clinic.models import Institution
from clinic.models.base import Row
from clinic.models.scope import InstitutionRowQuerySet


class SendingPractice(Row):
    """Choices of one institution; what is left open comes from the institution above (messaging.practice)."""

    PRIVATE_FIELDS = frozenset()

    institution = models.OneToOneField(
        Institution, models.PROTECT, related_name="sending", verbose_name=_("institution")
    )
    # Without its brackets, 2 to 32 characters (rules B6.4).
    signature = models.CharField(_("signature"), max_length=32, blank=True)
    quiet_from = models.TimeField(_("quiet from"), null=True, blank=True)
    quiet_to = models.TimeField(_("quiet until"), null=True, blank=True)
    approval_above = models.PositiveIntegerField(
        _("a second person approves above so many recipients"), null=True, blank=True
    )
    retry_next_day = models.BooleanField(_("try a temporary failure once more the next day"), null=True)
    history = HistoricalRecords()

    objects = InstitutionRowQuerySet.as_manager()

    class Meta:
        verbose_name = _("sending practice")
        verbose_name_plural = _("sending practice")
        ordering = ["institution"]

    def __str__(self):
        return str(self.institution)
