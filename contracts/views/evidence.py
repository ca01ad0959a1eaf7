"""What proposes itself as done: confirmed or declined by the list, withdrawn on the agreement's page."""

from collections import Counter

from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from clinic import refusals
from clinic.errors import Refused
from clinic.permissions import needs
from contracts.actions import fulfilment as actions
from contracts.models import Evidence
from contracts.views.due import back_to, mine, shown, uuid_of

# Boxes of one page; its groups are those of residents.
SIZE = 100


@needs("contracts.confirm_evidence")
@require_GET
def confirm(request):
    """Proposals of my teams, grouped by resident, the newest first."""
    teams, chosen = mine(request)
    rows = Evidence.objects.visible_to(request.user).proposed().filter(team__in=chosen)
    rows = list(rows.listed().order_by("-on", "-pk")[: SIZE + 1])
    groups, ticked = {}, Counter()
    for row in rows[:SIZE]:
        # Of a service promised once the newest of three visits is ticked: one click confirms no more than was promised.
        row.ticked = ticked[row.plan_id] < row.plan.times - row.plan.done
        ticked[row.plan_id] += 1
        groups.setdefault(row.plan.agreement.resident, []).append(row)
    context = {**shown(teams, chosen), "groups": list(groups.items()), "more": len(rows) > SIZE}
    return render(request, "contracts/confirm.html", context)


@needs("contracts.confirm_evidence")
@require_POST
def decide(request):
    """``evidence``: one or many public ids; ``decision``: confirm or decline. Back to what is left, or to the
    ``agreement`` that it was decided on."""
    wanted = [uuid_of(text) for text in request.POST.getlist("evidence")[:SIZE]]
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
    if agreement := request.POST.get("agreement"):
        return redirect("agreement", agreement=uuid_of(agreement))
    return back_to(request, "confirm")


@needs("contracts.confirm_evidence")
@require_POST
def withdraw(request, evidence):
    """Confirmed in error: ``note`` says why. Back to the agreement."""
    rows = Evidence.objects.visible_to(request.user).select_related("plan__agreement")
    row = get_object_or_404(rows, uuid=evidence)
    try:
        actions.withdraw(evidence=row, by=request.user, note=request.POST.get("note", ""), request=request)
    except Refused as refusal:
        refusals.tell(request, refusal)
    return redirect("agreement", agreement=row.plan.agreement.uuid)
