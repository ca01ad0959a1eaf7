"""The cost of writing: figures of institutions in one's reach, nobody's text."""

import uuid

from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from clinic.models import Institution
from clinic.permissions import needs
from emr.codes import VisitKind
from emr.writing import figures


@needs("emr.view_writingmeasure")
@require_GET
def writing_cost(request):
    """``place``: an institution's public id, ``days`` of PERIODS, ``kind`` of visit or all; odd ones are the first."""
    user = request.user
    places = Institution.objects.visible_to(user).under(user.institution)
    place = _place(places, request.GET.get("place")) or user.institution
    days = next((n for n in figures.PERIODS if str(n) == request.GET.get("days")), 90)
    kind = request.GET.get("kind", "")
    kind = kind if kind in VisitKind.values else ""
    rows = figures.chosen(user, place, days, kind)
    context = {
        "places": places,
        "place": place,
        "days": days,
        "periods": figures.PERIODS,
        "kind": kind,
        "kinds": VisitKind.choices,
        "whole": figures.whole(rows),
        "goal": figures.goal(user, place, days),
        "goal_seconds": figures.GOAL_SECONDS,
        "goal_boxes": figures.GOAL_BOXES,
        "figures": figures.figures(rows),
        "rules": figures.RULES,
    }
    return render(request, "emr/writing_cost.html", context)


def _place(places, wanted):
    """The institution asked for; one beyond the reach is not found."""
    if not wanted:
        return None
    try:
        key = uuid.UUID(wanted)
    except ValueError:
        return None
    return get_object_or_404(places, uuid=key)
