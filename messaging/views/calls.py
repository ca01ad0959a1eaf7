"""Call tasks: the station's people whom a message did not reach."""

import uuid

from django.db.models import Q
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from clinic import refusals
from clinic.errors import Refused
from clinic.permissions import needs
from messaging.actions import calls as actions
from messaging.codes import CallState, MessageState
from messaging.models import CallTask

SIZE = 50
TABS = ("open", "done")
OUTCOMES = (CallState.REACHED, CallState.NOT_REACHED, CallState.WRONG_NUMBER, CallState.DROPPED)


@needs("messaging.view_calltask")
@require_GET
def calls(request):
    """The list; ``?tab=``: to call, the oldest first, or done, the newest first; ``?after=``: the last one seen."""
    tab = request.GET.get("tab", TABS[0])
    if tab not in TABS:
        raise Http404
    mine = CallTask.objects.visible_to(request.user)
    waiting = mine.filter(state=CallState.OPEN)
    rows = waiting if tab == "open" else mine.exclude(state=CallState.OPEN)
    rows = list(_from(_whole(rows), _last(mine, request), newest=tab == "done")[: SIZE + 1])
    context = {
        "tab": tab,
        "tasks": rows[:SIZE],
        "last": rows[SIZE - 1] if len(rows) > SIZE else None,
        "waiting": waiting[: SIZE * 20].count(),
        **_shared(request),
    }
    return render(request, "messaging/calls.html", context)


@needs("messaging.change_calltask")
@require_POST
def call(request, task):
    """What came of one call. With htmx the row alone comes back, with the outcome or with why it was refused."""
    row = get_object_or_404(_whole(CallTask.objects.visible_to(request.user)), uuid=task)
    refusal = None
    try:
        actions.close(
            task=row, state=request.POST.get("state", ""), note=request.POST.get("note", ""),
            seen=request.POST.get("seen", CallState.OPEN), by=request.user, request=request,
        )  # fmt: skip
    except Refused as error:
        refusal = error
    if not request.htmx:
        if refusal:
            refusals.tell(request, refusal)
        return redirect(f"{reverse('calls')}?tab={'done' if 'again' in request.POST else 'open'}")
    row = get_object_or_404(_whole(CallTask.objects.visible_to(request.user)), uuid=task)
    return render(request, "messaging/_call.html", {"task": row, "refusal": refusal, **_shared(request)})


def _shared(request):
    return {
        "outcomes": OUTCOMES,
        "may_call": request.user.has_perm("messaging.change_calltask"),
        "delivered": MessageState.DELIVERED,
    }


def _whole(rows):
    return rows.select_related("resident__home", "campaign", "message", "institution", "done_by")


def _last(rows, request):
    if not (text := request.GET.get("after")):
        return None
    try:
        key = uuid.UUID(text)
    except ValueError as error:
        raise Http404 from error
    return get_object_or_404(rows, uuid=key)


def _from(rows, last, newest):
    at, sign = ("done_at", "lt") if newest else ("made_at", "gt")
    rows = rows.order_by(*([f"-{at}", "-pk"] if newest else [at, "pk"]))
    if last is None:
        return rows
    moment = getattr(last, at)
    if moment is None:  # opened again since
        raise Http404
    return rows.filter(Q(**{f"{at}__{sign}": moment}) | Q(**{at: moment, f"pk__{sign}": last.pk}))
