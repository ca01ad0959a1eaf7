"""What my teams owe their residents: services due today, evidence to confirm, the signed but not served."""

import uuid
from datetime import timedelta

from django.db.models import Q
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from clinic import audit, refusals, spreadsheets
from clinic.codes import Act
from clinic.errors import Refused
from clinic.permissions import needs
from contracts.actions import fulfilment as actions
from contracts.codes import ServiceKind
from contracts.models import Agreement, Evidence, PlanItem
from contracts.served import unserved
from contracts.views.team import chosen_of, teams_of

SIZE = 50
EXPORTED = 20_000
# Overdue ones are shown so long: what was missed last year is a figure, no work for today.
OVERDUE = timedelta(days=60)


@needs("contracts.view_agreement")
@require_GET
def due(request):
    """``team``, ``service`` of ServiceKind, ``after``: the last one seen. The nearest end first, overdue ones too."""
    teams, chosen = _mine(request)
    today, service = timezone.localdate(), request.GET.get("service", "")
    rows = (
        PlanItem.objects.visible_to(request.user)
        .open()
        .filter(team__in=chosen, due_from__lte=today, due_to__gte=today - OVERDUE)
    )
    if service in ServiceKind.values:
        rows = rows.filter(item__service=service)
    rows = rows.select_related("item", "agreement__resident", "agreement__doctor", "team").order_by(
        "due_to", "pk"
    )
    rows = list(_after(rows, request)[: SIZE + 1])
    for row in rows:
        row.key = uuid.uuid4()
    context = {
        **_shown(request, teams, chosen), "lines": rows[:SIZE], "last": rows[SIZE - 1] if len(rows) > SIZE else None,
        "today": today, "service": service, "services": ServiceKind.choices,
        "may": request.user.has_perm("contracts.confirm_evidence"),
    }  # fmt: skip
    return render(request, "contracts/due.html", context)


def _after(rows, request):
    if not (text := request.GET.get("after")):
        return rows
    last = get_object_or_404(PlanItem.objects.visible_to(request.user), uuid=_uuid(text))
    return rows.filter(Q(due_to__gt=last.due_to) | Q(due_to=last.due_to, pk__gt=last.pk))


@needs("contracts.confirm_evidence")
@require_POST
def serve(request, plan):
    """Written down by hand: the service was done on a day."""
    line = get_object_or_404(PlanItem.objects.visible_to(request.user).select_related("agreement"), uuid=plan)
    try:
        on = parse_date(request.POST.get("on", "")) or timezone.localdate()
        actions.by_hand(
            plan=line, on=on, note=request.POST.get("note", ""), by=request.user, key=_uuid(request.POST.get("key")),
            request=request,
        )  # fmt: skip
    except ValueError as error:
        raise Http404 from error
    except Refused as refusal:
        refusals.tell(request, refusal)
    return redirect("due")


@needs("contracts.confirm_evidence")
@require_GET
def confirm(request):
    """Proposals of my teams, grouped by resident, the newest first."""
    teams, chosen = _mine(request)
    rows = Evidence.objects.visible_to(request.user).proposed().filter(team__in=chosen)
    rows = rows.select_related(
        "plan__item", "plan__agreement__resident", "encounter__doctor", "home_visit__by", "done_by"
    ).order_by("-on", "-pk")
    rows = list(rows[: SIZE * 2 + 1])
    groups = {}
    for row in rows[: SIZE * 2]:
        groups.setdefault(row.plan.agreement.resident, []).append(row)
    context = {**_shown(request, teams, chosen), "groups": list(groups.items()), "more": len(rows) > SIZE * 2}
    return render(request, "contracts/confirm.html", context)


@needs("contracts.confirm_evidence")
@require_POST
def decide(request):
    """``evidence``: one or many public ids; ``decision``: confirm or decline. Back to what is left."""
    wanted = [_uuid(text) for text in request.POST.getlist("evidence")[: SIZE * 2]]
    rows = list(Evidence.objects.visible_to(request.user).filter(uuid__in=wanted))
    if len(rows) != len(set(wanted)):
        raise Http404
    try:
        if request.POST.get("decision") == "decline":
            for row in rows:
                actions.decline(evidence=row, by=request.user, request=request)
        else:
            actions.confirm_many(rows=rows, by=request.user, request=request)
    except Refused as refusal:
        refusals.tell(request, refusal)
    return redirect("confirm")


@needs("contracts.view_agreement")
@require_GET
def not_served(request):
    """Signed, in force, and nobody has done anything yet; the longest signed first."""
    teams, chosen = _mine(request)
    rows = unserved(Agreement.objects.in_scope(request.user).filter(team__in=chosen).in_force())
    rows = rows.select_related("resident", "doctor", "team").order_by("start", "pk")
    if request.GET.get("form") == "xlsx":
        return _sheet(request, rows)
    after = request.GET.get("after")
    if after:
        last = get_object_or_404(rows, uuid=_uuid(after))
        rows = rows.filter(Q(start__gt=last.start) | Q(start=last.start, pk__gt=last.pk))
    rows = list(rows[: SIZE + 1])
    context = {
        **_shown(request, teams, chosen), "agreements": rows[:SIZE], "last": rows[SIZE - 1] if len(rows) > SIZE else None,
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


def _mine(request):
    teams = teams_of(request.user)
    return teams, chosen_of(teams, request.GET.get("team", ""))


def _shown(request, teams, chosen):
    return {"teams": teams, "chosen": chosen[0] if len(chosen) == 1 else None}


def _uuid(text):
    try:
        return uuid.UUID(str(text))
    except ValueError as error:
        raise Http404 from error
