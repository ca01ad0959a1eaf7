"""What my teams owe their residents: services due today, the signed but not served."""

import uuid
from datetime import timedelta

from django.db.models import Q
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from clinic import audit, refusals, spreadsheets
from clinic.codes import Act, Sex
from clinic.errors import Refused
from clinic.permissions import needs
from contracts.actions import fulfilment as actions
from contracts.codes import ServiceKind
from contracts.models import Agreement, PlanItem
from contracts.served import unserved
from contracts.views.team import chosen_of, teams_of

SIZE = 50
# Services due, each with a form of its own.
LINES = 25
EXPORTED = 20_000
# Overdue ones are shown so long: what was missed last year is a figure, no work for today.
OVERDUE = timedelta(days=60)


@needs("contracts.view_agreement")
@require_GET
def due(request):
    """``team``, ``service`` of ServiceKind, ``after``: the last one seen. The nearest end first, overdue ones too."""
    teams, chosen = mine(request)
    today, service = timezone.localdate(), request.GET.get("service", "")
    rows = (
        PlanItem.objects.visible_to(request.user)
        .open()
        .filter(team__in=chosen, due_from__lte=today, due_to__gte=today - OVERDUE)
    )
    if service in ServiceKind.values:
        rows = rows.filter(item__service=service)
    rows = list(_after(rows.listed().order_by("due_to", "pk"), request)[: LINES + 1])
    for row in rows:
        row.key, row.overdue, row.told = uuid.uuid4(), row.due_to < today, _told(row, today)
    context = {
        **shown(teams, chosen), "goes_on": "on" in request.GET, "lines": rows[:LINES], "last": rows[LINES - 1] if len(rows) > LINES else None,
        "service": service if service in ServiceKind.values else "", "services": ServiceKind.choices,
        "may": request.user.has_perm("contracts.confirm_evidence"), "overdue": any(row.overdue for row in rows[:LINES]),
    }  # fmt: skip
    return render(request, "contracts/due.html", context)


def _told(row, today):
    """Plain text for the line's cells: a filter for each would take as long as all the queries."""
    person = row.agreement.resident
    return {
        "facts": f"{Sex(person.sex).label} {person.age_text} · {person.masked_phone}",
        "service": ServiceKind(row.item.service).label,
        "from": row.due_from.isoformat(), "until": row.due_to.isoformat(), "latest": min(row.due_to, today).isoformat(),
    }  # fmt: skip


def _after(rows, request):
    if not (text := request.GET.get("after")):
        return rows
    last = get_object_or_404(PlanItem.objects.visible_to(request.user), uuid=uuid_of(text))
    return rows.filter(Q(due_to__gt=last.due_to) | Q(due_to=last.due_to, pk__gt=last.pk))


@needs("contracts.confirm_evidence")
@require_POST
def serve(request, plan):
    """Written down by hand: the service was done on a day."""
    line = get_object_or_404(PlanItem.objects.visible_to(request.user).select_related("agreement"), uuid=plan)
    try:
        actions.by_hand(
            plan=line, on=_day(request.POST.get("on", "")), note=request.POST.get("note", ""), by=request.user, key=uuid_of(request.POST.get("key")),
            request=request,
        )  # fmt: skip
    except Refused as refusal:
        refusals.tell(request, refusal)
    return back_to(request, "due")


def _day(text):
    """Today where none was given."""
    try:
        return parse_date(text) or timezone.localdate()
    except ValueError as error:
        raise Refused(_("There is no such day."), code="day", field="on") from error


@needs("contracts.view_agreement")
@require_GET
def not_served(request):
    """Signed, in force, and nobody has done anything yet; the longest signed first."""
    teams, chosen = mine(request)
    rows = unserved(Agreement.objects.in_scope(request.user).filter(team__in=chosen).in_force())
    rows = rows.listed().order_by("start", "pk")
    if request.GET.get("form") == "xlsx":
        return _sheet(request, rows)
    after = request.GET.get("after")
    if after:
        last = get_object_or_404(rows, uuid=uuid_of(after))
        rows = rows.filter(Q(start__gt=last.start) | Q(start=last.start, pk__gt=last.pk))
    rows = list(rows[: SIZE + 1])
    context = {
        **shown(teams, chosen), "agreements": rows[:SIZE], "last": rows[SIZE - 1] if len(rows) > SIZE else None,
        "may_export": request.user.has_perm("contracts.export_team"),
    }  # fmt: skip
    return render(request, "contracts/not_served.html", context)


def _sheet(request, rows):
    if not request.user.has_perm("contracts.export_team"):
        raise Http404
    rows = list(rows[:EXPORTED])
    audit.record(
        Act.EXPORT,
        request=request,
        obj=request.user.institution,
        detail={"what": "not served", "rows": len(rows)},
    )
    lines = (
        [row.number, row.resident.name, row.team.name, row.doctor.name, row.start, row.end] for row in rows
    )
    headings = [_("number"), _("resident"), _("team"), _("family doctor"), _("first day"), _("last day")]
    return spreadsheets.answer(_("not-served"), "xlsx", headings, lines)


def mine(request):
    """(the user's teams, those of them that are shown)."""
    teams = teams_of(request.user)
    return teams, chosen_of(teams, request.GET.get("team", ""))


def shown(teams, chosen):
    """Context of the choice of a team."""
    return {"teams": teams, "chosen": chosen[0] if len(chosen) == 1 else None}


def back_to(request, name):
    """To the list that was shown, by its filters."""
    kept = {key: request.POST[key] for key in ("team", "service") if request.POST.get(key)}
    # The keyboard goes on at the first line.
    return redirect(reverse(name, query={**kept, "on": 1}))


def uuid_of(text):
    try:
        return uuid.UUID(str(text))
    except ValueError as error:
        raise Http404 from error
