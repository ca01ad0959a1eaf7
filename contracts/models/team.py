"""Family-doctor teams 家庭医生团队: who belongs to them, where they serve, how many they may look after."""

from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from clinic.models import Community, Institution
from clinic.models.base import Row
from clinic.models.scope import InstitutionRowQuerySet
from contracts.codes import FAMILY_DOCTORS, TeamRole
from contracts.models.base import Days, SameRow


class TeamQuerySet(InstitutionRowQuerySet):
    def active(self):
        return self.filter(active=True)

    def of_member(self, user, day=None):
        """Teams that the person belongs to on that day."""
        return self.filter(members__in=TeamMember.objects.on(day).filter(person=user)).distinct()


class Team(Row):
    PRIVATE_FIELDS = frozenset()

    institution = models.ForeignKey(
        Institution, models.PROTECT, related_name="teams", verbose_name=_("institution")
    )
    name = models.CharField(_("name"), max_length=60)
    phone = models.CharField(_("phone"), max_length=30, blank=True)
    # Empty: the practice of its institution (contracts.practice).
    cap = models.PositiveIntegerField(_("cap of residents"), null=True, blank=True)
    note = models.CharField(_("remark"), max_length=200, blank=True)
    active = models.BooleanField(_("in use"), default=True)
    areas = models.ManyToManyField(
        Community,
        through="contracts.TeamArea",
        related_name="teams",
        verbose_name=_("service area"),
        blank=True,
    )
    history = HistoricalRecords()

    objects = TeamQuerySet.as_manager()

    class Meta:
        verbose_name = _("team")
        verbose_name_plural = _("teams")
        ordering = ["institution", "name"]
        permissions = [("export_team", "Can export a team's residents")]
        constraints = [
            models.UniqueConstraint(
                fields=["institution", "name"],
                name="team_name_once",
                violation_error_message=_("This institution has a team of this name."),
            ),
        ]

    def __str__(self):
        return self.name


class TeamMemberQuerySet(models.QuerySet):
    def visible_to(self, user):
        return self.filter(team__in=Team.objects.visible_to(user))

    def on(self, day=None):
        """Those who belong to their team on that day (today)."""
        day = day or timezone.localdate()
        return self.filter(Q(until=None) | Q(until__gte=day), since__lte=day)

    def family_doctors(self):
        return self.filter(role__in=FAMILY_DOCTORS, person__isnull=False)


class TeamMember(Row):
    """One person's role in a team, from a day until a day. Somebody of another hospital has a name and no account."""

    PRIVATE_FIELDS = frozenset()

    team = models.ForeignKey(Team, models.PROTECT, related_name="members", verbose_name=_("team"))
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="team_roles",
        verbose_name=_("staff member"),
    )  # fmt: skip
    name = models.CharField(_("name, if without an account"), max_length=60, blank=True)
    phone = models.CharField(_("phone"), max_length=30, blank=True)
    role = models.CharField(_("role in the team"), max_length=15, choices=TeamRole.choices)
    since = models.DateField(_("since"), default=timezone.localdate)
    until = models.DateField(_("until"), null=True, blank=True)
    history = HistoricalRecords()

    objects = TeamMemberQuerySet.as_manager()

    class Meta:
        verbose_name = _("team member")
        verbose_name_plural = _("team members")
        ordering = ["team", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(person__isnull=False, name="") | (Q(person=None) & ~Q(name="")),
                name="team_member_person_or_name",
                violation_error_message=_(
                    "Choose a staff member, or write the name of somebody from outside."
                ),
            ),
            models.CheckConstraint(
                condition=~Q(role__in=["leader", "doctor"]) | Q(person__isnull=False),
                name="team_doctor_has_account",
                violation_error_message=_("A family doctor of the team is a staff member."),
            ),
            models.CheckConstraint(
                condition=Q(until=None) | Q(until__gte=F("since")),
                name="team_member_until_after_since",
                violation_error_message=_("The end lies before the beginning."),
            ),
            ExclusionConstraint(
                name="team_one_leader",
                expressions=[
                    (SameRow("team"), RangeOperators.OVERLAPS),
                    (Days("since", "until"), RangeOperators.OVERLAPS),
                ],
                condition=Q(role="leader"),
                violation_error_message=_("A team has one leader at a time."),
            ),
            ExclusionConstraint(
                name="team_member_once",
                expressions=[
                    (SameRow("team"), RangeOperators.OVERLAPS),
                    (SameRow("person"), RangeOperators.OVERLAPS),
                    (Days("since", "until"), RangeOperators.OVERLAPS),
                ],
                condition=Q(person__isnull=False),
                violation_error_message=_("This person belongs to the team already at that time."),
            ),
        ]

    def __str__(self):
        return self.name if self.person is None else str(self.person)


class TeamArea(models.Model):
    """A neighbourhood that a team serves. Several teams may share one."""

    PRIVATE_FIELDS: frozenset[str] = frozenset()
    deletable = True  # a service area that a team gives back

    team = models.ForeignKey(Team, models.PROTECT, related_name="team_areas", verbose_name=_("team"))
    community = models.ForeignKey(
        Community, models.PROTECT, related_name="+", verbose_name=_("neighbourhood")
    )
    history = HistoricalRecords()

    objects = TeamMemberQuerySet.as_manager()

    class Meta:
        verbose_name = _("service area")
        verbose_name_plural = _("service areas")
        constraints = [
            models.UniqueConstraint(
                fields=["team", "community"],
                name="team_area_once",
                violation_error_message=_("The team serves this neighbourhood already."),
            ),
        ]

    def __str__(self):
        return str(self.community)
