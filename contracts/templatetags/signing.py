"""The tabs over the pages of signing."""

from django import template

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
