"""Who lives together."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from clinic.codes import HouseholdRelation
from clinic.models.base import Row
from clinic.models.institution import Community, Institution


class HouseholdQuerySet(models.QuerySet):
    def visible_to(self, user):
        if not user.has_perm("clinic.view_household"):
            return self.none()
        return self.filter(home__in=Institution.objects.under(user.institution).values("pk"))


class Household(Row):
    """People under one roof; the head is the member whose relation says so."""

    PRIVATE_FIELDS = frozenset({"address"})

    community = models.ForeignKey(
        Community, models.PROTECT, null=True, blank=True, verbose_name=_("neighbourhood")
    )
    address = models.CharField(_("address"), max_length=200, blank=True)
    home = models.ForeignKey(
        Institution, models.PROTECT, related_name="households", verbose_name=_("home institution")
    )
    history = HistoricalRecords()

    objects = HouseholdQuerySet.as_manager()

    class Meta:
        verbose_name = _("household")
        verbose_name_plural = _("households")

    def __str__(self):
        return self.address or str(self.uuid)[:8]

    @property
    def head(self):
        return self.members.filter(household_relation=HouseholdRelation.HEAD).first()
