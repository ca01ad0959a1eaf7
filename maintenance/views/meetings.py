"""The weekly meeting on pages: agenda, minutes, and what is left to do."""

import uuid

from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from clinic import refusals
from clinic.errors import Refused
from clinic.permissions import needs
from maintenance.actions import meetings as actions
from maintenance.codes import ActionState
from maintenance.forms.reports import CallForm, EndForm, ItemForm, MinutesForm
from maintenance.models import ActionItem, Meeting

SHOWN = 40


@needs("maintenance.view_meeting")
@require_http_methods(["GET", "POST"])
def meetings(request):
    form = CallForm(request.POST or None, initial={"key": uuid.uuid4()})
    if request.method == "POST" and form.is_valid():
        try:
            made = actions.call(by=request.user, request=request, **form.cleaned_data)
            return redirect("meeting", meeting=made.uuid)
        except Refused as refusal:
            refusals.tell(request, refusal)
    context = {
        "meetings": Meeting.objects.visible_to(request.user).select_related("report")[:SHOWN], "form": form,
        "items": _items(request.user).filter(state=ActionState.OPEN), "today": timezone.localdate(),
    }  # fmt: skip
    return render(request, "maintenance/meetings/list.html", context, status=400 if form.errors else 200)


@needs("maintenance.view_meeting")
@require_GET
def meeting(request, meeting):
    return _page(request, _fetch(request, meeting))


@needs("maintenance.view_meeting")
@require_POST
def meeting_act(request, meeting, act):
    row = _fetch(request, meeting)
    if act not in ACTS:
        raise Http404
    form_class, run = ACTS[act]
    form = form_class(request.POST) if form_class else None
    if form is not None and not form.is_valid():
        return _page(request, row, {act: form}, status=400)
    try:
        run(meeting=row, by=request.user, request=request, **(form.cleaned_data if form else {}))
    except Refused as refusal:
        refusals.tell(request, refusal)
        return _page(request, _fetch(request, meeting), {act: form}, status=refusal.status)
    return redirect("meeting", meeting=row.uuid)


@needs("maintenance.view_actionitem")
@require_POST
def end_item(request, item):
    """Done, or dropped with a word why."""
    row, form = (
        get_object_or_404(ActionItem.objects.visible_to(request.user), uuid=item),
        EndForm(request.POST),
    )
    if not form.is_valid():
        raise Http404
    try:
        actions.end(item=row, by=request.user, request=request, **form.cleaned_data)
    except Refused as refusal:
        refusals.tell(request, refusal)
    return redirect("meetings")


ACTS = {
    "minutes": (MinutesForm, actions.minute),
    "ask": (ItemForm, actions.ask),
    "close": (None, actions.close),
}


def _items(user):
    return ActionItem.objects.visible_to(user).select_related("owner", "meeting", "ticket")


def _fetch(request, key):
    return get_object_or_404(Meeting.objects.visible_to(request.user).select_related("report"), uuid=key)


def _page(request, row, tried=None, status=200):
    tried = tried or {}
    there = [
        one.person for one in row.attendance.select_related("person").order_by("person__role", "person__name")
    ]
    initial = {"decisions": row.decisions, "people": [one.uuid for one in there]}
    context = {
        "meeting": row, "there": there, "items": _items(request.user).filter(meeting=row),
        "left": _items(request.user).filter(state=ActionState.OPEN, meeting__held_at__lt=row.held_at),
        "minutes": tried.get("minutes") or MinutesForm(initial=initial),
        "ask": tried.get("ask") or ItemForm(initial={"key": uuid.uuid4()}), "today": timezone.localdate(),
        "writes": request.user.has_perm("maintenance.change_meeting") and row.closed_at is None,
    }  # fmt: skip
    return render(request, "maintenance/meetings/meeting.html", context, status=status)
