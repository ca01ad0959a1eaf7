"""What writing one note cost, from the times of its saves."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from clinic.models import Institution
from clinic.models.base import AppendOnlyRow
from emr.codes import VisitKind
from emr.models.note import Note


class WritingMeasureQuerySet(models.QuerySet):
    def visible_to(self, user):
        """Figures of the institutions in one's reach; nobody's text."""
        if not user.has_perm("emr.view_writingmeasure"):
            return self.none()
        return self.filter(institution__path__startswith=user.institution.path)


class WritingMeasure(AppendOnlyRow):
    """``fields``: {field: {"s": seconds of typing, "empty": bool, "copied": bool}} (emr.writing.cost)."""

    PRIVATE_FIELDS = frozenset({"note"})

    note = models.OneToOneField(Note, models.PROTECT, related_name="writing_measure", verbose_name=_("note"))
    institution = models.ForeignKey(
        Institution, models.PROTECT, related_name="+", verbose_name=_("institution")
    )
    doctor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("doctor")
    )
    visit_kind = models.CharField(_("kind of visit"), max_length=10, choices=VisitKind.choices)
    signed_on = models.DateField(_("signed on"))
    seconds = models.PositiveIntegerField(_("seconds of writing"))
    boxes = models.PositiveSmallIntegerField(_("boxes touched"))
    fields = models.JSONField(_("fields"), default=dict)

    objects = WritingMeasureQuerySet.as_manager()

    class Meta(AppendOnlyRow.Meta):
        verbose_name = _("cost of writing")
        verbose_name_plural = _("cost of writing")
        indexes = [models.Index(fields=["institution", "signed_on"], name="writing_measure_place")]
