"""What makes a team whole (rules B4.2): a leader, who is a family doctor, and a nurse."""

from django.utils import timezone
from django.utils.translation import gettext as _

from contracts.codes import TeamRole
from contracts.models import TeamMember


def lacks(team, day=None) -> list[str]:
    """Sentences about who is missing on that day (today); without them nobody may be signed."""
    roles = set(
        TeamMember.objects.on(day or timezone.localdate()).filter(team=team).values_list("role", flat=True)
    )
    missing = []
    if TeamRole.LEADER not in roles:
        missing.append(_("The team has no leader."))
    if TeamRole.NURSE not in roles:
        missing.append(_("The team has no nurse."))
    return missing
