"""Buttons of a visit: begin, take up, set aside, cancel. Each leads on to a page."""

import uuid

from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from clinic import refusals
from clinic.errors import Forbidden, Refused
from clinic.models import Resident
from clinic.permissions import needs
from emr.actions import visits
from emr.models import Encounter
from emr.views.answers import back_to


@needs("emr.start_encounter")
@require_POST
@back_to("home")
def start(request, encounter):
    visit = _visit(request, encounter)
    try:
        visits.start(encounter=visit, by=request.user, request=request)
    except Forbidden as refusal:
        if refusal.code != "grant":
            raise
        refusals.tell(request, refusal)
        return redirect("resident-open", visit.resident.survivor.uuid)
    return redirect("chart", visit.uuid)


@needs("emr.start_encounter")
@require_POST
@back_to("home")
def start_for(request, resident):
    """From the search or a resident's page; ``key`` makes a second click the same visit."""
    person = get_object_or_404(Resident.objects.visible_to(request.user), uuid=resident)
    visit = visits.start_for(resident=person, by=request.user, key=_key(request), request=request)
    return redirect("chart", visit.uuid)


@needs("emr.check_in")
@require_POST
@back_to("home")
def check_in(request, resident):
    """One's own station's waiting list."""
    person = get_object_or_404(Resident.objects.visible_to(request.user), uuid=resident)
    visits.check_in(
        resident=person,
        institution=request.user.institution,
        by=request.user,
        key=_key(request),
        request=request,
    )
    messages.success(request, _("%(name)s is on the waiting list.") % {"name": person.name})
    return redirect("home")


@needs("emr.start_encounter")
@require_POST
@back_to("home")
def hold(request, encounter):
    reason = request.POST.get("reason", "")
    visits.hold(encounter=_visit(request, encounter), by=request.user, reason=reason, request=request)
    messages.success(request, _("The visit is on hold."))
    return redirect("home")


@needs("emr.start_encounter")
@require_POST
@back_to("home")
def resume(request, encounter):
    visit = visits.resume(encounter=_visit(request, encounter), by=request.user, request=request)
    return redirect("chart", visit.uuid)


@needs("emr.cancel_encounter")
@require_http_methods(["GET", "POST"])
def cancel(request, encounter):
    """Asks for the reason on a page of its own: the lists refresh themselves and would wipe it away."""
    visit = _visit(request, encounter)
    reason, refusal = request.POST.get("reason", ""), ""
    if request.method == "POST":
        try:
            visits.cancel(encounter=visit, by=request.user, reason=reason, request=request)
        except Refused as refused:
            refusal = refused
        else:
            messages.success(request, _("The visit is cancelled."))
            return redirect("home")
    context = {"encounter": visit, "reason": reason, "refusal": refusal and refusal.message}
    return render(request, "emr/cancel.html", context, status=refusal.status if refusal else 200)


def _visit(request, encounter):
    return get_object_or_404(
        Encounter.objects.visible_to(request.user).select_related("resident__merged_into", "institution"),
        uuid=encounter,
    )


def _key(request):
    """The page's key; without one (no script) the open visit itself prevents a second."""
    text = request.POST.get("key")
    if not text:
        return None
    try:
        return uuid.UUID(text)
    except ValueError as error:
        raise Refused(_("The request does not have the expected form."), code="form") from error
