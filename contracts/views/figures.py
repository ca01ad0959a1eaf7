"""Figures of signing: of the user's institution and below it; nobody's name."""

import uuid
from datetime import date

from django.http import Http404
from django.shortcuts import render
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from clinic import audit, spreadsheets
from clinic.codes import Act
from clinic.models import Institution
from clinic.permissions import needs
from contracts.codes import Group
from contracts.figures import charts, reading
from contracts.figures.adding_up import month_of


@needs("contracts.view_figure")
@require_GET
def figures(request):
    """``place``: an institution's public id, ``month`` as 2026-11, ``group`` of Group; odd ones are the first."""
    chosen = _chosen(request)
    report = reading.report(request.user, chosen["place"], chosen["below"], chosen["month"], chosen["group"])
    context = {**chosen, "report": report, "chart": charts.chart(report.months), "groups": Group.choices}
    return render(request, "contracts/figures.html", context)


@needs("contracts.view_figure")
@require_GET
def figures_sheet(request):
    """The same as a sheet: the whole, each institution and team, each group."""
    chosen = _chosen(request)
    report = reading.report(request.user, chosen["place"], chosen["below"], chosen["month"], chosen["group"])
    audit.record(Act.EXPORT, request=request, obj=chosen["place"], detail={"what": "figures"})
    return spreadsheets.answer(_("signing-figures"), "xlsx", _headings(), _lines(chosen, report))


def _headings():
    return [
        _("Month"), _("Institution"), _("Team or group"), _("Signed"), _("People"), _("Coverage %"), _("Signed and served"),
        _("Served of the signed %"), _("Newly signed since January"), _("Ended since January"), _("Due for renewal"),
        _("Renewed"), _("Renewal rate %"), _("Services promised"), _("Services done"), _("Fulfilment rate %"), _("Added up at"),
    ]  # fmt: skip


def _lines(chosen, report):
    group = Group(chosen["group"]).label
    yield _line(chosen, report, str(chosen["place"]), group, report.whole)
    for line in report.places:
        names = (line.label, group) if line.key else (str(chosen["place"]), line.label)
        yield _line(chosen, report, *names, line.numbers)
    for line in report.groups:
        yield _line(chosen, report, str(chosen["place"]), line.label, line.numbers)


def _line(chosen, report, institution, name, n):
    at = date_format(timezone.localtime(report.refreshed_at), "Y-m-d H:i") if report.refreshed_at else ""
    rates = {
        each: None if (rate := getattr(n, each)) is None else round(rate, 2)
        for each in ("coverage", "served_rate", "renewal_rate", "fulfilment_rate")
    }
    return [
        f"{chosen['month']:%Y-%m}", institution, name, n.signed, n.people, rates["coverage"], n.served, rates["served_rate"],
        n.added, n.ended, n.due, n.renewed, rates["renewal_rate"], n.planned, n.done, rates["fulfilment_rate"], at,
    ]  # fmt: skip


def _chosen(request):
    """What was asked for, each within reach; an institution beyond it is not found."""
    user, asked = request.user, request.GET
    places = list(Institution.objects.visible_to(user).under(user.institution))
    place = _place(places, asked.get("place", "")) or user.institution
    known = reading.months(user)
    month = next(
        (each for each in known if f"{each:%Y-%m}" == asked.get("month")),
        known[0] if known else month_of(timezone.localdate()),
    )
    group = asked.get("group", "")
    return {
        "places": places,
        "place": place,
        "below": [each for each in places if each.path.startswith(place.path)],
        "months": known or [month],
        "month": month,
        "group": group if group in Group.values else Group.ALL.value,
        "january": date(month.year, 1, 1),
    }


def _place(places, wanted):
    if not wanted:
        return None
    try:
        key = uuid.UUID(wanted)
    except ValueError:
        return None
    found = next((place for place in places if place.uuid == key), None)
    if found is None:
        raise Http404
    return found
