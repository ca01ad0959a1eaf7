"""Figures of signing by month and team, added up by a job (contracts.figures)."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from clinic.models import Institution
from clinic.models.scope import InstitutionRowQuerySet
from contracts.codes import Group
from contracts.models.team import Team


class FigureQuerySet(InstitutionRowQuerySet):
    def of_teams(self):
        return self.filter(team__isnull=False)

    def of_places(self):
        return self.filter(team=None)


class Figure(models.Model):
    """One month and group of one team; without a team, of an institution and all below it. Counts of agreements and of
    planned services; ratios are made of sums of them, never of ratios."""

    PRIVATE_FIELDS: frozenset[str] = frozenset()
    deletable = True  # added up anew

    # Its first day.
    month = models.DateField(_("month"))
    institution = models.ForeignKey(
        Institution, models.PROTECT, related_name="+", verbose_name=_("institution")
    )
    team = models.ForeignKey(Team, models.PROTECT, null=True, related_name="+", verbose_name=_("team"))
    group = models.CharField(_("group"), max_length=20, choices=Group.choices, default=Group.ALL)
    # In force on the month's last day (of the running month: on the day of adding up).
    signed = models.PositiveIntegerField(_("signed"), default=0)
    # Of those, with at least one confirmed service in the year of the month until its end.
    served = models.PositiveIntegerField(_("signed and served"), default=0)
    # First day in the month; last day in the month, for whatever reason.
    added = models.PositiveIntegerField(_("newly signed"), default=0)
    ended = models.PositiveIntegerField(_("ended"), default=0)
    # Term over in the month (not ended early), and followed by another agreement of these.
    due = models.PositiveIntegerField(_("due for renewal"), default=0)
    renewed = models.PositiveIntegerField(_("renewed"), default=0)
    # Services whose window ended in the month (closed ones left out), times promised and done of them.
    planned = models.PositiveIntegerField(_("services promised"), default=0)
    done = models.PositiveIntegerField(_("services done"), default=0)
    refreshed_at = models.DateTimeField(_("added up at"))

    objects = FigureQuerySet.as_manager()

    class Meta:
        verbose_name = _("figure of signing")
        verbose_name_plural = _("figures of signing")
        constraints = [
            models.UniqueConstraint(fields=["month", "team", "group"], name="figure_once"),
            models.UniqueConstraint(
                fields=["month", "institution", "group"], condition=Q(team=None), name="figure_of_place_once"
            ),
        ]
        indexes = [models.Index(fields=["institution", "month", "group"], name="figure_of_institution")]
