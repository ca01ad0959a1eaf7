"""Referrals: writing one, the lists, and what becomes of it."""

import uuid

from django.contrib import messages
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from clinic import audit, banner
from clinic.codes import Act
from clinic.errors import Refused
from clinic.models import Resident
from clinic.permissions import needs
from emr.actions import referrals as actions
from emr.codes import EncounterStatus, ReferralState
from emr.models import Encounter, Note, Referral
from emr.referring import lists
from emr.referring import sheet as referral_sheet
from emr.referring.form import ReferralForm, ReturnForm


@needs("emr.write_referral", "emr.view_note")
@require_http_methods(["GET", "POST"])
def refer_visit(request, encounter):
    """From a visit, with the form prefilled from its note: choose where to, and send."""
    note = get_object_or_404(
        Note.objects.visible_to(request.user).select_related(
            "encounter__resident__home", "encounter__resident__merged_into__home", "encounter__institution"
        ),
        encounter__uuid=encounter,
    )
    person = note.encounter.resident.survivor
    if request.method == "POST":
        return _send(request, person, note.encounter)
    audit.record(Act.VIEW, request=request, resident=person, obj=note, detail={"page": "refer"})
    initial = {"key": uuid.uuid4(), **referral_sheet.from_visit(note, request.user)}
    return _ask(request, ReferralForm(initial=initial, by=request.user), person, note.encounter)


@needs("emr.write_referral", "clinic.view_resident")
@require_http_methods(["GET", "POST"])
def refer_resident(request, resident):
    """From the resident's page, without a visit."""
    row = get_object_or_404(
        Resident.objects.visible_to(request.user).select_related("home", "merged_into__home"), uuid=resident
    )
    person = row.survivor
    if request.method == "POST":
        return _send(request, person, None)
    audit.record(Act.VIEW, request=request, resident=person, obj=person, detail={"page": "refer"})
    initial = {"key": uuid.uuid4(), **referral_sheet.from_nothing(request.user)}
    return _ask(request, ReferralForm(initial=initial, by=request.user), person, None)


def _send(request, person, visit):
    form = ReferralForm(request.POST, by=request.user)
    if not form.is_valid():
        return _ask(request, form, person, visit, 400)
    try:
        row = actions.refer(
            encounter=visit, resident=person, by=request.user, key=form.cleaned_data["key"], sheet=form.sheet,
            request=request,
        )  # fmt: skip
    except Refused as refusal:
        form.refuse(refusal)
        return _ask(request, form, person, visit, refusal.status)
    messages.success(request, _("Referral %(number)s is sent.") % {"number": row.number})
    return redirect("referral", row.uuid)


def _ask(request, form, person, visit, status=200):
    context = {
        "form": form,
        "encounter": visit,
        "resident": person,
        "hospitals": referral_sheet.remembered(request.user),
        "running": list(_of(request.user, person).running(timezone.localdate())[:5]),
        **banner.facts(person, request.user).as_context(),
    }
    return render(request, "emr/referrals/refer.html", context, status=status)


@needs("emr.view_referral")
@require_GET
def referrals(request):
    tab = request.GET.get("tab", "waiting")
    if tab not in lists.TABS:
        raise Http404
    today, before = timezone.localdate(), request.GET.get("before")
    last = _referral(request, _uuid_or_404(before)) if before else None
    rows, more = lists.page(request.user, tab, today, last)
    context = {
        "rows": rows,
        "more": more,
        "tab": tab,
        "tabs": lists.TABS,
        "waiting": lists.count_to_receive(request.user, today),
    }
    return render(request, "emr/referrals/list.html", context)


@needs("emr.view_referral")
@require_GET
def referral(request, referral):
    row = _referral(request, referral)
    audit.record(Act.VIEW, request=request, resident=row.resident, obj=row)
    return show(request, row)


def show(request, row, *, refusal=None, reason="", asked=""):
    """The page of one referral. ``refusal`` puts a refused reason back in its place, with the sentence."""
    user, state = request.user, row.state_now
    person = row.resident.survivor
    at_hand = Resident.objects.visible_to(user).filter(pk=person.pk).exists()
    context = {
        "referral": row,
        "resident": person,
        "state": state,
        "at_hand": at_hand,
        "visit": _visit_of(user, row),
        "may": acts_of(user, row, state),
        "key": uuid.uuid4(),
        "refusal": refusal and refusal.message,
        "reason": reason,
        "asked": asked,
    }
    status = refusal.status if refusal else 200
    return render(request, "emr/referrals/referral.html", context, status=status)


def acts_of(user, row, state) -> set:
    """Which buttons the page shows; whether they work is the actions' to say."""
    place = row.from_institution_id if row.is_outside else row.to_institution_id
    answers = user.has_perm("emr.receive_referral") and user.institution_id == place
    sends = user.has_perm("emr.write_referral") and user.institution_id == row.from_institution_id
    pending, accepted = state == ReferralState.PENDING, state == ReferralState.ACCEPTED
    acts = {
        "accept": answers and pending,
        "reject": answers and pending,
        "return": answers and (accepted or (pending and row.is_outside)),
        "visit": answers and accepted and not row.is_outside and user.has_perm("emr.start_encounter"),
        "terminate": sends and (pending or accepted),
    }
    return {name for name, possible in acts.items() if possible}


@needs("emr.receive_referral")
@require_POST
def accept(request, referral):
    return _move(request, referral, actions.accept, _("The referral is received."))


@needs("emr.receive_referral")
@require_POST
def reject(request, referral):
    return _move(request, referral, actions.reject, _("The referral is refused."), "reject")


@needs("emr.write_referral")
@require_POST
def terminate(request, referral):
    return _move(request, referral, actions.terminate, _("The referral is ended."), "terminate")


def _move(request, referral, action, word, asked=""):
    row = _referral(request, referral)
    reason = request.POST.get("reason", "")
    facts = {"reason": reason} if asked else {}
    try:
        action(referral=row, by=request.user, request=request, **facts)
    except Refused as refusal:
        return show(request, _referral(request, referral), refusal=refusal, reason=reason, asked=asked)
    messages.success(request, word)
    return redirect("referral", row.uuid)


@needs("emr.receive_referral", "emr.start_encounter")
@require_POST
def start_visit(request, referral):
    row = _referral(request, referral)
    key = request.POST.get("key")
    try:
        visit = actions.start_visit(
            referral=row, by=request.user, key=_uuid_or_404(key) if key else None, request=request
        )
    except Refused as refusal:
        return show(request, row, refusal=refusal)
    return redirect("chart", visit.uuid)


@needs("emr.receive_referral")
@require_http_methods(["GET", "POST"])
def send_back(request, referral):
    """The return form, prefilled from the signed note of the visit that the referral led to."""
    row = _referral(request, referral)
    if request.method == "POST":
        form = ReturnForm(request.POST)
        if form.is_valid():
            try:
                actions.send_back(referral=row, by=request.user, sheet=form.cleaned_data, request=request)
            except Refused as refusal:
                form.refuse(refusal)
                return _ask_back(request, row, form, refusal.status)
            messages.success(request, _("The referral is sent back."))
            return redirect("referral", row.uuid)
        return _ask_back(request, row, form, 400)
    if "return" not in acts_of(request.user, row, row.state_now):
        return redirect("referral", row.uuid)
    audit.record(Act.VIEW, request=request, resident=row.resident, obj=row, detail={"page": "return"})
    form = ReturnForm(initial=referral_sheet.for_return(row, request.user))
    return _ask_back(request, row, form)


def _ask_back(request, row, form, status=200):
    context = {"form": form, "referral": row, "resident": row.resident.survivor}
    return render(request, "emr/referrals/return.html", context, status=status)


def _referral(request, number):
    rows = Referral.objects.visible_to(request.user).select_related(
        "resident__home", "resident__merged_into__home", "encounter", "from_institution", "to_institution",
        "accepted_by", "closed_by",
    )  # fmt: skip
    return get_object_or_404(rows, uuid=number)


def _of(user, person):
    return Referral.objects.visible_to(user).filter(resident__in=person.record_ids())


def _visit_of(user, row):
    """The visit that the referral led to, where this reader may see it."""
    if row.accepted_at is None or row.is_outside:
        return None
    visits = Encounter.objects.visible_to(user).filter(
        resident__in=row.resident.survivor.record_ids(), institution=row.to_institution_id,
        arrived_at__gte=row.accepted_at,
    )  # fmt: skip
    return visits.exclude(status=EncounterStatus.CANCELLED).order_by("arrived_at").first()


def _uuid_or_404(text):
    try:
        return uuid.UUID(text)
    except ValueError as error:
        raise Http404 from error
