"""The tabs over the pages of signing."""

from django import template
from django.template.defaultfilters import floatformat
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _

from clinic.models import Resident
from contracts.models import Evidence, TeamMember

register = template.Library()

# More than so many are "99+".
COUNTED = 100
SEE = "clinic.view_resident"


@register.inclusion_tag("contracts/_tabs.html", takes_context=True)
def signing_tabs(context, tab):
    """``tab``: the name of the page's address. Says how much waits to be confirmed by the user's own teams."""
    user = context["request"].user
    waiting = 0
    if user.has_perm("contracts.confirm_evidence"):
        # One's own teams are the gate: what they owe is theirs to see.
        mine = (
            TeamMember.objects.on(timezone.localdate()).filter(person=user, team__active=True).values("team")
        )
        waiting = Evidence.objects.proposed().filter(team__in=mine)[:COUNTED].count()
    return {"tab": tab, "perms": context["perms"], "waiting": waiting, "many": waiting == COUNTED}


@register.filter
def percent(value):
    """One decimal, or a dash where there is nothing to divide by."""
    if value is None:
        return format_html('<span class="figures-none">{}</span>', "—")
    return f"{floatformat(value, 1)} %"


@register.simple_tag(takes_context=True)
def within_reach(context, rows):
    """{residents of these agreements, or of what belongs to them, whose file the reader may open}: a team may look after somebody who is registered elsewhere,
    or who has moved since. One query."""
    user, rows = context["request"].user, rows if isinstance(rows, list) else [rows]
    asked = [getattr(row, "agreement", row).resident for row in rows]
    here = {one.pk for one in asked if one.home_id == user.institution_id} if user.has_perm(SEE) else set()
    if len(here) < len({one.pk for one in asked}):
        near = Resident.objects.visible_to(user).filter(pk__in=[one.pk for one in asked])
        here |= set(near.values_list("pk", flat=True))
    return here


@register.simple_tag(takes_context=True)
def file_link(context, resident, reach, text):
    """``text`` as a link to the resident's file; where it is out of reach, to the page that asks for a reason."""
    if resident.pk in reach:
        return format_html('<a href="{}">{}</a>', reverse("resident", args=[resident.uuid]), text)
    if context["request"].user.has_perm("clinic.open_foreign_resident"):
        title, address = (
            _("Registered elsewhere: open with a reason"),
            reverse("resident-open", args=[resident.uuid]),
        )
        return format_html('<a href="{}" title="{}">{}</a>', address, title, text)
    return format_html('<span title="{}">{}</span>', _("Registered elsewhere"), text)
