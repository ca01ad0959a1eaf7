"""Joining two rows of one person: find the other, compare, merge; and undo."""

from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from clinic import audit, duplicates, refusals, search
from clinic.actions import residents as actions
from clinic.codes import Act
from clinic.comparing import pairs
from clinic.errors import Refused
from clinic.forms.resident_facts import ReasonForm
from clinic.models import Resident, ResidentMerge
from clinic.permissions import needs


@needs("clinic.merge_resident")
@require_http_methods(["GET", "POST"])
def merge_choose(request, resident):
    """Likely ones at once, others by the search box. Foreign residents cannot be merged from here."""
    row = _own(request, resident)
    text = request.POST.get("q", "")
    found = [hit.resident for hit in search.find(text, request.user) if not hit.foreign]
    likely = [match for match in duplicates.candidates(row, request.user) if not match.foreign]
    context = {
        "resident": row,
        "q": text,
        "found": [other for other in found if other.pk != row.pk],
        "likely": likely,
    }
    return render(request, "clinic/resident_merge_choose.html", context)


@needs("clinic.merge_resident")
@require_http_methods(["GET", "POST"])
def merge(request, resident, other):
    stays, goes = _own(request, resident), _own(request, other)
    form = ReasonForm(request.POST or None)
    status = 400 if form.errors else 200
    if form.is_valid():
        try:
            actions.merge(
                survivor=stays,
                absorbed=goes,
                reason=form.cleaned_data["reason"],
                by=request.user,
                request=request,
            )
            messages.success(request, _("The two rows are merged."))
            return redirect("resident", stays.survivor.uuid)
        except Refused as refusal:
            form.refuse(refusal)
            status = refusal.status
    elif request.method == "GET":
        for row in (stays, goes):
            audit.record(Act.VIEW, request=request, resident=row, obj=row, detail={"page": "merge"})
    context = {"resident": stays, "other": goes, "pairs": pairs(stays, goes), "form": form}
    return render(request, "clinic/resident_merge.html", context, status=status)


@needs("clinic.merge_resident")
@require_POST
def merge_undo(request, merge):
    row = get_object_or_404(ResidentMerge.objects.visible_to(request.user), uuid=merge)
    form = ReasonForm(request.POST)
    if form.is_valid():
        try:
            actions.undo_merge(
                merge=row, reason=form.cleaned_data["reason"], by=request.user, request=request
            )
            messages.success(request, _("The merge is undone."))
        except Refused as refusal:
            refusals.tell(request, refusal)
    else:
        messages.error(request, _("Please say the reason in a few words."))
    return redirect("resident", row.survivor.survivor.uuid)


def _own(request, uuid):
    rows = Resident.objects.visible_to(request.user).select_related("home", "community", "household")
    return get_object_or_404(rows, uuid=uuid)
