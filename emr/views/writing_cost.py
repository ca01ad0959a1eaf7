"""The cost of writing: figures of institutions in one's reach, nobody's text."""

import uuid

from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from clinic.models import Institution
from clinic.permissions import needs
from emr import writing_figures
from emr.codes import VisitKind


@needs("emr.view_writingmeasure")
@require_GET
def writing_cost(request):
    """``place``: an institution's public id, ``days`` of PERIODS, ``kind`` of visit or all; odd ones are the first."""
    user = request.user
    places = Institution.objects.visible_to(user).under(user.institution)
    place = _place(places, request.GET.get("place")) or user.institution
    days = next((n for n in writing_figures.PERIODS if str(n) == request.GET.get("days")), 90)
    kind = request.GET.get("kind", "")
    kind = kind if kind in VisitKind.values else ""
    rows = writing_figures.chosen(user, place, days, kind)
    context = {
        "places": places,
        "place": place,
        "days": days,
        "periods": writing_figures.PERIODS,
        "kind": kind,
        "kinds": VisitKind.choices,
        "whole": writing_figures.whole(rows),
        "goal": writing_figures.goal(user, place, days),
        "goal_seconds": writing_figures.GOAL_SECONDS,
        "goal_boxes": writing_figures.GOAL_BOXES,
        "figures": writing_figures.figures(rows),
        "rules": writing_figures.RULES,
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
