"""Correcting a signed note: the reason, the chart page again, and its own signature."""

import uuid

from django.contrib import messages
from django.http import JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from clinic import audit, banner, payload
from clinic.codes import Act
from clinic.errors import Refused
from clinic.permissions import needs
from emr import chart_data, prescribing, previous_visits, requirements
from emr.actions import corrections as actions
from emr.actions import faults, signing
from emr.actions.correcting import leaves
from emr.codes import RequestState
from emr.drafting import fields
from emr.models import Correction, Note
from emr.signed import archive, reading
from emr.signed.forms import CorrectionForm
from emr.views.answers import for_script
from emr.views.draft import key_of, receipt, version_of
from emr.views.refusing import attempt, trail

PAGE = ("encounter__resident__home", "encounter__resident__merged_into__home", "encounter__institution")


@needs("emr.correct_note")
@require_http_methods(["GET", "POST"])
def begin(request, encounter):
    """Asks why, then leads to the chart page of the correction; or says whose leave it takes first."""
    note = get_object_or_404(
        Note.objects.visible_to(request.user).select_related(*PAGE), encounter__uuid=encounter
    )
    form, refusal = CorrectionForm(request.POST if request.method == "POST" else None), None
    if request.method == "POST" and form.is_valid():
        made, refusal = attempt(
            request,
            note,
            lambda: actions.open_correction(note=note, by=request.user, request=request, **form.asked()),
        )
        if made:
            return redirect("correction", made.uuid)
    return show_ways(request, note, form, refusal)


def show_ways(request, note, form, refusal=None):
    """The page that asks why; with what was typed and a sentence where it was refused."""
    person = note.encounter.resident.survivor
    audit.record(Act.VIEW, request=request, resident=person, obj=note, detail={"page": "correct"})
    context = {"form": form, "note": note, "encounter": note.encounter, "resident": person}
    context |= {**banner.facts(person, request.user).as_context(), **ways(note, request.user)}
    context["refusal"] = refusal.message if refusal else context.get("refusal")
    status = refusal.status if refusal else 400 if form.errors else 200
    return render(request, "emr/correct.html", context, status=status)


def ways(note, user) -> dict:
    """What the person may do to the note today, for templates/emr/correct.html."""
    if not note.is_signed:
        return {"refusal": _("Only a signed note is corrected.")}
    facts = reading.of(note, user)
    held = {leave.kind: leave for leave in leaves(note, user).select_related("decided_by")}
    asked = note.change_requests.filter(requested_by=user, state=RequestState.WAITING).first()
    return {
        **facts,
        "key": uuid.uuid4(),
        "request_key": uuid.uuid4(),
        "leave": held.get("correct"),
        "undo_leave": held.get("undo"),
        "asked": asked,
        "archive_due": archive.due(note),
    }


@needs("emr.correct_note")
@require_GET
def correction(request, correction):
    """The chart page of one's own open correction; of a void one, the text struck and the password."""
    row = _row(request, correction)
    if row.author_id != request.user.pk or row.is_readonly:
        return redirect("chart", row.note.encounter.uuid)
    visit, person = row.encounter, row.encounter.resident.survivor
    head = banner.facts(person, request.user)
    audit.record(Act.VIEW, request=request, resident=person, obj=row)
    context = {"correction": row, "note": row, "encounter": visit, "resident": person, "banner": head}
    context |= head.as_context()
    if row.void:
        context |= {**_readable(row), "key": uuid.uuid4()}
        return render(request, "emr/correction_void.html", context)
    previous, more = previous_visits.page(request.user, person.record_ids(), than=visit)
    substances = [allergy.substance for allergy in head.allergies]
    context |= {
        "previous": previous,
        "previous_more": more,
        "writable": True,
        "chart": chart_data.of(row, substances, request.user),
    }
    return render(request, "emr/chart.html", context)


@require_POST
@for_script("emr.correct_note", failed=faults.of_correction)
def save(request, correction):
    """As a note's save: JSON {"key", "version", "changes"} → the receipt; 409 "stale" with both texts."""
    body = payload.read(request)
    saved = actions.save_correction(
        correction=correction,
        key=key_of(body),
        version=version_of(body),
        changes=body.get("changes"),
        by=request.user,
    )
    return JsonResponse(receipt(saved))


@require_POST
@for_script("emr.correct_note")
def check(request, correction):
    """What is missing and what is worth a second look."""
    row = Correction.objects.visible_to(request.user).select_related(f"note__{PAGE[1]}").get(uuid=correction)
    missing, hints = requirements.check(row, prescribing.allergies_of(row.encounter.resident))
    return JsonResponse({"missing": missing, "hints": hints}, json_dumps_params={"ensure_ascii": False})


@require_POST
@for_script("emr.correct_note", failed=faults.of_correction)
@sensitive_variables("body")
def sign(request, correction):
    """JSON {"key", "version", "password", "confirmed"} → as a note's (emr.views.sign)."""
    body = payload.read(request)
    if not isinstance(body.get("password"), str):
        raise Refused(_("The request does not have the expected form."), code="form")
    asked = {"key": key_of(body), "version": version_of(body), "confirmed": body.get("confirmed") is True}
    before = _row(request, correction)
    signing.confirm_password(by=request.user, password=body["password"], request=request)
    row, refusal = attempt(
        request,
        before,
        lambda: actions.sign_correction(correction=correction, by=request.user, request=request, **asked),
    )
    if refusal:
        raise refusal
    return JsonResponse(_signed(row))


def _signed(row):
    return {
        "signed_at": f"{timezone.localtime(row.signed_at):%Y-%m-%d %H:%M:%S}",
        "signer": row.signer,
        "needs_review": row.needs_review,
        "print": reverse("print-note", args=[row.note.encounter.uuid]),
        "home": reverse("home"),
    }


@needs("emr.correct_note")
@require_POST
@sensitive_post_parameters("password")
def make_void(request, correction):
    """The signature of a correction that makes the whole note void: a form, since there is nothing to write."""
    row = _row(request, correction)
    try:
        if not row.void:
            raise Refused(_("The request does not have the expected form."), code="form")
        signing.confirm_password(by=request.user, password=request.POST.get("password", ""), request=request)
        body = {"key": request.POST.get("key")}
        actions.sign_correction(
            correction=row.uuid, key=key_of(body), version=row.version, by=request.user, request=request
        )
    except Refused as refusal:
        trail(request, row, refusal)
        context = {"correction": row, "note": row, "encounter": row.encounter, "refusal": refusal.message}
        person = row.encounter.resident.survivor
        context |= {"resident": person, **banner.facts(person, request.user).as_context(), **_readable(row)}
        context |= {"key": request.POST.get("key", "")}
        return render(request, "emr/correction_void.html", context, status=refusal.status)
    messages.success(request, _("The note is void. Its text stays legible, struck through."))
    return redirect("chart", row.encounter.uuid)


@needs("emr.correct_note")
@require_http_methods(["GET", "POST"])
def withdraw(request, correction):
    """Asks once: nothing is deleted, the texts stay with the saves."""
    row = _row(request, correction)
    refusal = None
    if request.method == "POST":
        _done, refusal = attempt(
            request, row, lambda: actions.withdraw(correction=row.uuid, by=request.user, request=request)
        )
        if not refusal:
            messages.success(request, _("The correction is withdrawn. The note stands as it was."))
            return redirect("chart", row.encounter.uuid)
    context = {"correction": row, "encounter": row.encounter, "refusal": refusal and refusal.message}
    return render(request, "emr/correction_withdraw.html", context, status=refusal.status if refusal else 200)


def _row(request, correction):
    places = [f"note__{place}" for place in PAGE]
    return get_object_or_404(
        Correction.objects.visible_to(request.user).select_related(*places, "author"), uuid=correction
    )


def _readable(row):
    return {
        "vitals": fields.readable_vitals(row.vitals),
        "medications": prescribing.readable(row.medications),
        "void": True,
    }
