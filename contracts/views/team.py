"""My team's residents: whom the user's teams look after, the nearest end first."""

import uuid
from datetime import timedelta

from django.conf import settings
from django.db.models import Q
from django.http import Http404
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from clinic.codes import Sex
from clinic.permissions import needs
from contracts import load
from contracts.codes import ALIVE, AgreementState, Group
from contracts.models import Agreement, Team
from contracts.reminders import light_of

SIZE = 40
SHOWN = ("", "light-90", "light-60", "light-30", "unserved", "pending")


@needs("contracts.view_agreement")
@require_http_methods(["GET", "POST"])
def my_team(request):
    """``team``: one of the user's (public id), ``show`` of SHOWN, ``group`` of Group, ``after``: the last one seen; a
    name or its initials only by POST, so that no name stands in an address."""
    teams = teams_of(request.user)
    asked = request.POST if request.method == "POST" else request.GET
    chosen = chosen_of(teams, asked.get("team", ""))
    today = timezone.localdate()
    rows = Agreement.objects.in_scope(request.user).filter(team__in=chosen, state__in=ALIVE)
    show, group = asked.get("show", ""), asked.get("group", "")
    rows = _named(_shown(rows, show, group, today), request.POST.get("q", "").strip())
    rows = list(_from(rows, asked.get("after", ""))[: SIZE + 1])
    for row in rows:
        row.light = light_of(row.days_left(today)) if row.start <= today else None
        row.told = _told(row)
    context = {
        "teams": teams,
        "chosen": chosen[0] if len(chosen) == 1 else None,
        "loads": _loads(chosen),
        "agreements": rows[:SIZE],
        "last": rows[SIZE - 1] if len(rows) > SIZE else None,
        "show": show if show in SHOWN else "",
        "group": group,
        "groups": [choice for choice in Group.choices if choice[0] not in (Group.ALL, Group.KEY)],
        "q": request.POST.get("q", ""),
        "today": today,
    }
    return render(request, "contracts/my_team.html", context)


def _told(row):
    """Plain text for the row's cells: a filter for each would take as long as all the queries."""
    return {
        "facts": f"{Sex(row.resident.sex).label} {row.resident.age_text}",
        "state": AgreementState(row.state).label,
        "end": row.end.isoformat(),
        "served": row.last_served_on.isoformat() if row.last_served_on else "",
        "light": row.light and _("ends within %(days)s days") % {"days": row.light},
    }


def teams_of(user):
    """Those the user belongs to; who belongs to none sees those of the institution and below it."""
    visible = Team.objects.visible_to(user).active().select_related("institution")
    mine = list(visible.of_member(user))
    if mine:
        return mine
    return list(visible.order_by("institution__path", "name")[:SIZE])


def _loads(chosen):
    """[(team, how many it looks after)] of one institution: each has a practice of its own to ask for."""
    if len({team.institution_id for team in chosen}) > 1:
        return []
    loads = load.of_teams(chosen)
    return [(team, loads[team.pk]) for team in chosen]


def chosen_of(teams, wanted):
    if not wanted:
        return teams
    found = [team for team in teams if str(team.uuid) == wanted]
    if not found:
        raise Http404
    return found


def _shown(rows, show, group, today):
    if show.startswith("light-") and show in SHOWN:
        light = int(show.removeprefix("light-"))
        lower = max((each for each in settings.CONTRACTS_LIGHTS if each < light), default=-1)
        rows = rows.in_force(today).filter(
            end__gte=today + timedelta(days=lower + 1), end__lte=today + timedelta(days=light)
        )
    elif show == "unserved":
        rows = rows.in_force(today).filter(last_served_on=None)
    elif show == "pending":
        rows = rows.filter(state="pending")
    return rows.filter(groups__contains=[group]) if group in Group.values else rows


def _named(rows, text):
    if not text:
        return rows
    low = text.lower()
    return rows.filter(
        Q(resident__name__startswith=text)
        | Q(resident__initials__startswith=low)
        | Q(resident__pinyin__startswith=low)
    )


def _from(rows, after):
    rows = rows.listed().order_by("end", "pk")
    if not after:
        return rows
    try:
        last = get_object_or_404(rows, uuid=uuid.UUID(after))
    except ValueError as error:
        raise Http404 from error
    return rows.filter(Q(end__gt=last.end) | Q(end=last.end, pk__gt=last.pk))
