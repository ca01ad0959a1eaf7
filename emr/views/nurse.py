"""Vital signs and allergies of who waits. The nurse's list itself is the day's (emr.views.day)."""

import uuid

from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from clinic import audit, refusals
from clinic.actions.residents.health import record_allergy, set_no_known_allergies
from clinic.banner import facts
from clinic.codes import Act
from clinic.errors import Refused
from clinic.permissions import needs
from emr.actions.vitals import record_vitals
from emr.forms import AllergyForm, VitalsForm
from emr.models import Note


@needs("emr.record_vitals")
@require_http_methods(["GET", "POST"])
def vitals(request, encounter):
    """Vital signs of one open visit, with the banner that tells what the nurse must know."""
    note = _note(request, encounter)
    if not note.encounter.is_open:
        messages.warning(request, _("This visit is over."))
        return redirect("home")
    form = VitalsForm(
        request.POST if request.method == "POST" else None,
        initial={"key": uuid.uuid4(), "version": note.version, **note.vitals},
    )
    if request.method == "POST" and form.is_valid() and _record(request, form, encounter):
        messages.success(request, _("Vital signs saved."))
        return redirect("home")
    person = note.encounter.resident.survivor
    audit.record(Act.VIEW, request=request, resident=person, obj=note, detail={"page": "vitals"})
    context = {
        "form": form,
        "allergy_form": AllergyForm(),
        "encounter": note.encounter,
        "resident": person,
        **facts(person, request.user).as_context(),
    }
    return render(request, "emr/vitals.html", context, status=400 if form.errors else 200)


@needs("clinic.add_allergy")
@require_POST
def allergy(request, encounter):
    """What the resident says of allergies: a substance, or none at all. Back to the vital signs."""
    person = _note(request, encounter).encounter.resident.survivor
    form = AllergyForm(request.POST)
    try:
        if "none" in request.POST:
            set_no_known_allergies(resident=person, by=request.user, request=request)
        elif form.is_valid():
            record_allergy(resident=person, by=request.user, request=request, **form.cleaned_data)
        else:
            raise Refused(
                form.errors["substance"][0] if "substance" in form.errors else form.errors["reaction"][0]
            )
        messages.success(request, _("The allergies are recorded."))
    except Refused as refusal:
        refusals.tell(request, refusal)
    return redirect("vitals", encounter)


def _note(request, encounter):
    return get_object_or_404(
        Note.objects.visible_to(request.user).select_related(
            "encounter__resident__home", "encounter__resident__merged_into__home"
        ),
        encounter__uuid=encounter,
    )


def _record(request, form, encounter):
    try:
        return record_vitals(
            encounter=encounter,
            key=form.cleaned_data["key"],
            version=form.cleaned_data["version"],
            vitals=form.vitals(),
            by=request.user,
        )
    except Refused as refusal:
        form.add_error(None, refusal.message)
        return None
