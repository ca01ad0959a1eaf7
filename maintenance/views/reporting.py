"""Reporting a problem: one's own from the page where it was seen, or somebody else's as it was told."""

import uuid
from datetime import timedelta

from django.contrib import messages
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from clinic import refusals, registry
from clinic.errors import Refused
from clinic.permissions import needs
from maintenance.actions import pictures, tickets
from maintenance.forms.tickets import IntakeForm, PictureForm, ReportForm

# Failed saves of so long ago are another matter.
LATELY = timedelta(hours=24)


@needs("maintenance.add_ticket")
@require_http_methods(["GET", "POST"])
def report(request):
    """``page`` and ``request`` come along from the button in every page's header, by POST: an address may name a visit."""
    arriving = request.method == "POST" and "title" not in request.POST
    failures = registry.failed_saves_of(request.user, timezone.now() - LATELY)
    if request.method == "GET" or arriving:
        told = {"page": request.POST.get("page", "")[:200], "request": request.POST.get("request", "")[:40]}
        form = ReportForm(initial={**told, "key": uuid.uuid4()})
    else:
        form = ReportForm(request.POST)
        if form.is_valid() and (made := _reported(request, form, failures=failures)):
            return _thanks(request, made)
    context = {
        "form": form,
        "failures": failures,
        "picture": PictureForm(),
        "inquiry": _inquiry(request, form),
    }
    return render(request, "maintenance/tickets/report.html", context, status=200 if not form.errors else 400)


@needs("maintenance.add_ticket", "maintenance.work_ticket")
@require_http_methods(["GET", "POST"])
def intake(request):
    """What came by telephone, in a group or in the meeting."""
    form = IntakeForm(request.POST or None, user=request.user, initial={"key": uuid.uuid4()})
    if form.is_valid():
        data = form.cleaned_data
        given = {
            "channel": data["channel"], "reported_at": data["reported_at"], "institution": data["place"],
            "reporter_name": data["reporter_name"], "reporter_phone": data["reporter_phone"], "side": data["side"] or None,
            "equipment": data["equipment"],
        }  # fmt: skip
        if made := _reported(request, form, **given):
            return _thanks(request, made)
    context = {"form": form, "picture": PictureForm()}
    return render(request, "maintenance/tickets/intake.html", context, status=400 if form.errors else 200)


def _reported(request, form, **given):
    """The ticket, with the pictures that came with it; None where it was refused and the form says why."""
    data = form.cleaned_data
    try:
        made = tickets.report(
            key=data["key"], kind=data["kind"], module=data["module"], severity=data["severity"], title=data["title"],
            description=data["description"], page=data["page"], request_id=data["request"], by=request.user, **given,
        )  # fmt: skip
    except Refused as refusal:
        field = refusal.facts.get("field")
        form.add_error(field if field in form.fields else None, refusal.message)
        return None
    for number, file in enumerate(request.FILES.getlist("picture")[: pictures.MOST]):
        try:
            key = uuid.uuid5(made.uuid, f"picture {number}")
            pictures.attach(ticket=made, by=request.user, key=key, data=file.read(pictures.BYTES + 1))
        except Refused as refusal:
            refusals.tell(request, refusal)
    return made


def _thanks(request, made):
    messages.success(request, _("Reported as %(number)s.") % {"number": made.number})
    return redirect("ticket", ticket=made.uuid)


def _inquiry(request, form):
    page = form["page"].value()
    may = request.user.has_perm("emr.inquire_record")
    return registry.inquiry_link(page) if page and may else None
