"""The queue of tickets, the board on the wall, and what people keep to look at again."""

import uuid

from django.contrib import messages
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from clinic import refusals
from clinic.errors import Refused
from clinic.permissions import needs
from maintenance import board as wall
from maintenance import masking, queue
from maintenance.actions import filters
from maintenance.forms.tickets import FilterForm, QueueForm
from maintenance.models import TicketFilter


@needs("maintenance.add_ticket")
@require_http_methods(["GET", "POST"])
def tickets(request):
    """``show`` and what narrows it come either way, typed text and the place of the last one shown by POST alone."""
    data = request.POST if request.method == "POST" else request.GET
    asked = queue.asked_of(request.user, _plain(data), request.POST.get("q", "")[:40])
    now = timezone.now()
    found = queue.rows(request.user, asked, now)
    if after := request.POST.get("after"):
        found = queue.following(found, asked, _last(found, after))
    rows = list(
        found.select_related("institution", "assignee", "reporter").defer("words", "failures")[
            : queue.SIZE + 1
        ]
    )
    for row in rows:
        row.left, row.heading = queue.left(row, now), masking.read_by(request.user, row.title)
    form = QueueForm(
        {**asked.picked, "show": asked.show, "place": asked.institution, "q": asked.text}, user=request.user
    )
    context = {
        "form": form, "asked": asked, "rows": rows[: queue.SIZE], "more": rows[queue.SIZE - 1] if len(rows) > queue.SIZE else None,
        "filters": TicketFilter.objects.visible_to(request.user), "now": now, "works": request.user.has_perm("maintenance.view_ticket"),
        "filter_form": FilterForm(),
    }  # fmt: skip
    return render(request, "maintenance/tickets/queue.html", context)


@needs("maintenance.see_board")
@require_GET
def board(request):
    """For a screen on the wall: it asks again by itself, names no patient, and no title that might."""
    context = wall.of(request.user, timezone.now())
    part = request.headers.get("HX-Request") == "true"
    return render(request, f"maintenance/tickets/{'_board' if part else 'board'}.html", context)


@needs("maintenance.view_ticket")
@require_POST
def keep_filter(request):
    form = FilterForm(request.POST)
    asked = queue.asked_of(request.user, _plain(request.POST))
    if not form.is_valid():
        messages.error(request, _("The filter needs a name of at most 30 characters."))
        return redirect("tickets")
    choices = {**asked.picked, "show": asked.show, "place": asked.institution}
    try:
        filters.keep(by=request.user, name=form.cleaned_data["name"], choices=choices)
    except Refused as refusal:
        refusals.tell(request, refusal)
    return redirect("tickets")


@needs("maintenance.view_ticket")
@require_POST
def drop_filter(request, filter):
    get_object_or_404(TicketFilter.objects.visible_to(request.user), uuid=filter).delete()
    return redirect("tickets")


def _plain(data):
    return {name: data.get(name, "") for name in ("show", *queue.CHOICES)} | {
        "place": _uuid(data.get("place"))
    }


def _uuid(text):
    try:
        return str(uuid.UUID(text)) if text else ""
    except ValueError as error:
        raise Http404 from error


def _last(found, after):
    return get_object_or_404(found, uuid=_uuid(after))
