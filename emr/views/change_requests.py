"""One's own requests for leave to change a signed note."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from clinic import refusals
from clinic.permissions import needs
from emr.actions import change_requests as actions
from emr.codes import RequestState
from emr.models import ChangeRequest, Note
from emr.signed import archive
from emr.signed.forms import RequestForm
from emr.views.corrections import PAGE, show_ways
from emr.views.refusing import attempt

SHOWN = 30


@needs("emr.correct_note")
@require_POST
def ask(request, encounter):
    """From the page that asks why (emr.views.corrections.begin)."""
    note = get_object_or_404(
        Note.objects.visible_to(request.user).select_related(*PAGE), encounter__uuid=encounter
    )
    form, refusal = RequestForm(request.POST), None
    if form.is_valid():
        made, refusal = attempt(
            request,
            note,
            lambda: actions.ask(note=note, by=request.user, request=request, **form.cleaned_data),
        )
        if made:
            messages.success(request, _("The request is with the medical administration."))
            return redirect("change-requests")
    return show_ways(request, note, form, refusal)


@needs("emr.correct_note")
@require_GET
def own(request):
    """Own requests, the last first, with what may be done now."""
    rows = (
        ChangeRequest.objects.visible_to(request.user)
        .filter(requested_by=request.user)
        .select_related("note__encounter__resident", "decided_by", "correction")
        .order_by("-requested_at", "-pk")
    )
    page = Paginator(rows, SHOWN).get_page(request.GET.get("page"))
    now = timezone.now()
    for row in page:
        row.ends = archive.leave_ends(row) if row.state == RequestState.APPROVED else None
        row.used = getattr(row, "correction", None)
        row.usable = row.ends is not None and not row.used and row.ends > now
    return render(request, "emr/change_requests.html", {"page": page})


@needs("emr.correct_note")
@require_POST
def withdraw(request, change_request):
    row = get_object_or_404(
        ChangeRequest.objects.visible_to(request.user).select_related("note__encounter__resident"),
        uuid=change_request,
    )
    _done, refusal = attempt(
        request,
        row,
        lambda: actions.withdraw_request(change_request=row, by=request.user, request=request),
    )
    if refusal:
        refusals.tell(request, refusal)
    else:
        messages.success(request, _("The request is withdrawn."))
    return redirect("change-requests")
