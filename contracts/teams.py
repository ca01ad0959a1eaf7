"""What makes a team whole (rules B4.2): a leader, who is a family doctor, and a nurse."""

from collections import defaultdict

from django.utils import timezone
from django.utils.translation import gettext as _

from contracts.codes import TeamRole
from contracts.models import TeamMember


def lacks(team, day=None) -> list[str]:
    """Sentences about who is missing on that day (today); without them nobody may be signed."""
    return lacking([team.pk], day)[team.pk]


def lacking(teams, day=None) -> dict[int, list[str]]:
    """The same of many: {team: sentences}. One query."""
    members = TeamMember.objects.on(day or timezone.localdate()).filter(team__in=teams)
    roles = defaultdict(set)
    for team, role in members.values_list("team", "role"):
        roles[team].add(role)
    return {team: without(roles[team]) for team in teams}


def without(roles) -> list[str]:
    """The sentences for a team of these roles."""
    compulsory = (
        (TeamRole.LEADER, _("The team has no leader.")),
        (TeamRole.NURSE, _("The team has no nurse.")),
    )
    return [sentence for role, sentence in compulsory if role not in roles]
