"""What stays true of a resident from visit to visit, carried from note to note and confirmed now and then."""

from datetime import timedelta

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from clinic.models import Resident
from clinic.models.base import Row
from emr.codes import StandingKind


class StandingHistoryQuerySet(models.QuerySet):
    def visible_to(self, user):
        if not (user.is_authenticated and user.is_clinical and user.has_perm("emr.view_note")):
            return self.none()
        return self.filter(resident__in=Resident.objects.visible_to(user))

    def of_file(self, person):
        """The rows of a person and of those absorbed by a merge; of each kind the one confirmed last counts."""
        # A subquery, not a join: an "or" across tables would read all rows.
        file = Resident.objects.filter(Q(pk=person.pk) | Q(merged_into=person.pk)).values("pk")
        return self.filter(resident__in=file).order_by("-confirmed_at", "-pk")


class StandingHistory(Row):
    """One kind of history of one person: the text, and who confirmed it when. Of allergies the rows of the
    ground floor are the text (clinic.models.Allergy); here stands who confirmed them."""

    PRIVATE_FIELDS = frozenset({"resident", "text"})

    resident = models.ForeignKey(
        Resident, models.PROTECT, related_name="standing_history", verbose_name=_("resident")
    )
    kind = models.CharField(_("kind"), max_length=10, choices=StandingKind.choices)
    text = models.TextField(_("text"), blank=True)
    confirmed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("confirmed by")
    )
    confirmed_at = models.DateTimeField(_("confirmed at"), default=timezone.now)
    version = models.PositiveIntegerField(_("version"), default=1)
    history = HistoricalRecords()

    objects = StandingHistoryQuerySet.as_manager()

    class Meta:
        verbose_name = _("standing history")
        verbose_name_plural = _("standing history")
        ordering = ["resident", "kind"]
        constraints = [models.UniqueConstraint(fields=["resident", "kind"], name="standing_once")]

    def is_stale(self, now):
        return now - self.confirmed_at > timedelta(days=settings.STANDING_HISTORY_DAYS)
