"""Emergencies on pages: the plans that hold here, their drills, and paper for the day without the system."""

import uuid

from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from clinic import audit, registry
from clinic.codes import Act
from clinic.errors import Refused
from clinic.permissions import needs
from maintenance import contacts
from maintenance.actions import emergencies as actions
from maintenance.codes import Side
from maintenance.emergencies import reading
from maintenance.forms.emergencies import DrillForm, PadForm
from maintenance.models import Drill, PaperPad

SHOWN, PADS = 30, 12


@needs("maintenance.view_emergencyplan")
@require_http_methods(["GET", "POST"])
def emergency(request):
    """The plans, and with the right to it the record of a drill."""
    may = request.user.has_perm("maintenance.add_drill")
    form = DrillForm(request.POST or None, user=request.user, initial={"key": uuid.uuid4()}) if may else None
    if request.method == "POST" and form is not None and form.is_valid():
        try:
            actions.drill(by=request.user, request=request, **form.cleaned_data)
            return redirect("emergency")
        except Refused as refusal:
            field = refusal.facts.get("field")
            form.add_error(field if field in form.fields else None, refusal.message)
    today, here = timezone.localdate(), request.user.institution
    found = contacts.nearest(here, Side.values)
    context = {
        "plans": reading.plans_of(request.user, today), "form": form, "today": today,
        "drills": Drill.objects.visible_to(request.user).select_related("plan", "institution")[:SHOWN],
        "calls": [(Side(code), found[code]) for code in Side.values if code in found],
        "pads": reading.pads_of(request.user)[:PADS], "pad_form": PadForm(),
    }  # fmt: skip
    return render(
        request,
        "maintenance/emergencies/emergency.html",
        context,
        status=400 if form is not None and form.errors else 200,
    )


@needs("maintenance.view_emergencyplan", "maintenance.add_paperpad")
@require_POST
def print_pad(request):
    """Numbers are taken once; printed again they are the same."""
    form = PadForm(request.POST)
    if not form.is_valid():
        return redirect("emergency")
    made = actions.print_pad(
        institution=request.user.institution,
        by=request.user,
        sheets=form.cleaned_data["sheets"],
        request=request,
    )
    return redirect("paper-pad", first=made.first)


@needs("maintenance.view_paperpad")
@require_GET
def paper_pad(request, first):
    """The blank notes of one's own institution, two on a sheet of A4."""
    pad = get_object_or_404(
        PaperPad.objects.visible_to(request.user).select_related("institution"),
        institution=request.user.institution,
        first=first,
    )
    return render(request, "maintenance/emergencies/pad.html", {"pad": pad, "numbers": reading.numbers(pad)})


@needs("maintenance.view_paperpad", "emr.view_encounter")
@require_GET
def paper_list(request):
    """Today's waiting list on paper; looking at it is audited as printing is."""
    rows = registry.waiting_rows(request.user, timezone.localdate())
    audit.record(Act.PRINT, request=request, detail={"what": "waiting list", "rows": len(rows)})
    return render(
        request,
        "maintenance/emergencies/waiting.html",
        {"rows": rows, "now": timezone.now(), "blank": range(12)},
    )
