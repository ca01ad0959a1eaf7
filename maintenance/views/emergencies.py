"""Emergencies on pages: the plans that hold here, their drills, and paper for the day without the system."""

import uuid
from datetime import date

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from clinic import audit, refusals, registry
from clinic.codes import Act
from clinic.errors import Refused
from clinic.permissions import needs
from maintenance import contacts
from maintenance.actions import emergencies as actions
from maintenance.codes import Side
from maintenance.emergencies import kits, reading
from maintenance.forms.emergencies import DrillForm, PadForm, PassphraseForm
from maintenance.models import Drill, OfflineKit, PaperPad

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
        "pads": reading.pads_of(request.user)[:PADS], "pad_form": PadForm(), "kits": OfflineKit.objects.visible_to(request.user).select_related("institution")[:PADS],
        "passphrase": PassphraseForm(user=request.user) if request.user.has_perm("maintenance.set_kitkey") else None,
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


@needs("maintenance.view_emergencyplan", "maintenance.set_kitkey")
@require_POST
def set_passphrase(request):
    form = PassphraseForm(request.POST, user=request.user)
    if not form.is_valid():
        messages.error(request, _("Choose an institution and write a passphrase."))
        return redirect("emergency")
    try:
        row = actions.set_passphrase(by=request.user, request=request, **form.cleaned_data)
        messages.success(
            request,
            _("The passphrase of %(place)s is set; the next morning's file takes it.")
            % {"place": row.institution},
        )
    except Refused as refusal:
        refusals.tell(request, refusal)
    return redirect("emergency")


@needs("maintenance.view_offlinekit")
@require_GET
def kit(request, day):
    """The day's file of one's own institution, to be kept on a stick; taking it is audited."""
    try:
        asked = date.fromisoformat(day)
    except ValueError as error:
        raise Http404 from error
    rows = OfflineKit.objects.visible_to(request.user).select_related("institution")
    row = get_object_or_404(rows, institution=request.user.institution, day=asked)
    file = kits.path_of(row)
    if not file.is_file():
        raise Http404
    audit.record(
        Act.EXPORT, request=request, obj=row, detail={"what": "offline kit", "residents": row.residents}
    )
    answer = HttpResponse(file.read_bytes(), content_type="application/octet-stream")
    answer["Content-Disposition"] = f'attachment; filename="{file.name}"'
    answer["Cache-Control"] = "no-store"
    return answer


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
