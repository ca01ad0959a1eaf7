"""Whom to call before the agreement ends: the station's list."""

import uuid

from django.contrib import messages
from django.db import transaction
from django.db.models import Q
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from clinic import refusals
from clinic.errors import Refused
from clinic.models import Resident
from clinic.permissions import needs
from contracts.actions import reminders as actions
from contracts.codes import ReminderState, WhyNot
from contracts.models import Reminder

SIZE = 50
TABS = ("open", "done")


@needs("contracts.view_reminder")
@require_GET
def reminders(request):
    """``?tab=``: to call, the oldest first, or called, the newest first; ``?after=``: the last one seen."""
    tab = request.GET.get("tab", TABS[0])
    if tab not in TABS:
        raise Http404
    mine = Reminder.objects.visible_to(request.user)
    waiting = mine.calls()
    rows = waiting if tab == "open" else mine.filter(state=ReminderState.DONE, done_by__isnull=False)
    rows = list(_from(_whole(rows), _last(mine, request), newest=tab == "done")[: SIZE + 1])
    context = {
        "tab": tab,
        "reminders": rows[:SIZE],
        "last": rows[SIZE - 1] if len(rows) > SIZE else None,
        "waiting": waiting[: SIZE * 20].count(),
        **_shared(request),
    }
    return render(request, "contracts/reminders.html", context)


@needs("contracts.change_reminder")
@require_POST
def reminder_called(request, reminder):
    """One call is made, or opened again; with a reason why the resident does not sign, if one was chosen. With htmx the
    row alone comes back."""
    row = _one(request, reminder)
    refusal, why, note = None, request.POST.get("why", ""), request.POST.get("note", "")
    try:
        with transaction.atomic():
            if why:
                actions.not_signed(
                    resident=row.agreement.resident, why=why, note=note, by=request.user, request=request
                )
            actions.called(
                reminder=row, by=request.user, note=note, again="again" in request.POST, request=request
            )
    except Refused as error:
        refusal = error
    if not request.htmx:
        if refusal:
            refusals.tell(request, refusal)
        return redirect(f"{reverse('signing-reminders')}?tab={'done' if 'again' in request.POST else 'open'}")
    context = {"reminder": _one(request, reminder), "refusal": refusal, **_shared(request)}
    return render(request, "contracts/_reminder.html", context)


def _one(request, key):
    return get_object_or_404(_whole(Reminder.objects.visible_to(request.user)), uuid=key)


def _shared(request):
    return {
        "whys": WhyNot.choices,
        "may_call": request.user.has_perm("contracts.change_reminder"),
        "today": timezone.localdate(),
    }


def _whole(rows):
    return rows.select_related("agreement__resident__home", "agreement__team", "agreement__doctor", "done_by")


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


@needs("contracts.add_notsigned")
@require_POST
def not_signed(request, resident):
    """Why somebody does not sign, in two clicks from the resident's page."""
    person = get_object_or_404(
        Resident.objects.visible_to(request.user).select_related("home", "merged_into"), uuid=resident
    )
    try:
        actions.not_signed(
            resident=person,
            why=request.POST.get("why", ""),
            note=request.POST.get("note", ""),
            by=request.user,
            request=request,
        )
        messages.success(request, _("Noted."))
    except Refused as refusal:
        refusals.tell(request, refusal)
    return redirect("resident", resident=person.uuid)
