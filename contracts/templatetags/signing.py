"""The tabs over the pages of signing."""

from django import template

from clinic.models import Resident
from contracts.models import Evidence, Team

register = template.Library()

# More than so many are "99+".
COUNTED = 100


@register.inclusion_tag("contracts/_tabs.html", takes_context=True)
def signing_tabs(context, tab):
    """``tab``: the name of the page's address. Says how much waits to be confirmed by the user's own teams."""
    user = context["request"].user
    waiting = 0
    if user.has_perm("contracts.confirm_evidence"):
        mine = Team.objects.visible_to(user).active().of_member(user)
        waiting = Evidence.objects.visible_to(user).proposed().filter(team__in=mine)[:COUNTED].count()
    return {"tab": tab, "perms": context["perms"], "waiting": waiting, "many": waiting == COUNTED}


@register.simple_tag(takes_context=True)
def within_reach(context, rows):
    """{residents of these agreements, or of what belongs to them, whose file the reader may open}: a team may look after somebody who is registered elsewhere,
    or who has moved since. One query."""
    rows = rows if isinstance(rows, list) else [rows]
    asked = [getattr(row, "agreement", row).resident.pk for row in rows]
    near = Resident.objects.visible_to(context["request"].user).filter(pk__in=asked)
    return set(near.values_list("pk", flat=True))


@register.inclusion_tag("contracts/_file_link.html", takes_context=True)
def file_link(context, resident, reach, text):
    """``text`` as a link to the resident's file; where it is out of reach, to the page that asks for a reason."""
    return {"resident": resident, "near": resident.pk in reach, "text": text, "perms": context["perms"]}
