"""Short acts on a resident's page, one view each: act, and back to the page; refused, the form stays filled."""

from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from clinic.actions import residents as actions
from clinic.errors import Refused
from clinic.forms.resident_facts import (
    AllergyForm,
    FactForm,
    HouseholdForm,
    LifeStateForm,
    ProblemForm,
    TagForm,
)
from clinic.identifiers import normalise_id
from clinic.models import Allergy, KeyTag, Problem, Resident
from clinic.permissions import needs
from clinic.resident_page import show


@needs("clinic.add_allergy")
@require_POST
def allergy_add(request, resident):
    return _act(request, _resident(request, resident), "allergy_form", AllergyForm, actions.record_allergy)


@needs("clinic.change_allergy")
@require_POST
def allergy_refute(request, allergy):
    row = get_object_or_404(Allergy.objects.visible_to(request.user).select_related("resident"), uuid=allergy)
    return _end(request, row, actions.refute_allergy, allergy=row)


@needs("clinic.add_allergy")
@require_POST
def no_allergies(request, resident):
    return _act(request, _resident(request, resident), "none_form", FactForm, actions.set_no_known_allergies)


@needs("clinic.add_problem")
@require_POST
def problem_add(request, resident):
    return _act(request, _resident(request, resident), "problem_form", ProblemForm, actions.add_problem)


@needs("clinic.change_problem")
@require_POST
def problem_resolve(request, problem):
    row = get_object_or_404(Problem.objects.visible_to(request.user).select_related("resident"), uuid=problem)
    return _end(request, row, actions.resolve_problem, problem=row)


@needs("clinic.add_keytag")
@require_POST
def tag_add(request, resident):
    return _act(request, _resident(request, resident), "tag_form", TagForm, actions.tag)


@needs("clinic.change_keytag")
@require_POST
def tag_end(request, tag):
    row = get_object_or_404(KeyTag.objects.visible_to(request.user).select_related("resident"), uuid=tag)
    return _end(request, row, actions.untag, key_tag=row)


@needs("clinic.change_resident")
@require_POST
def life_state(request, resident):
    return _act(request, _resident(request, resident), "life_form", LifeStateForm, actions.set_life_state)


@needs("clinic.change_household")
@require_POST
def household_set(request, resident):
    """Into the household of a member named by number; without one, a household of one's own."""
    row, form = _resident(request, resident), HouseholdForm(request.POST)
    if not form.is_valid():
        return show(request, row, status=400, household_form=form)
    number = normalise_id(form.cleaned_data["member"])
    try:
        home = actions.household_of_member(number=number, by=request.user) if number else row.household
        actions.set_household(
            resident=row,
            household=home,
            relation=form.cleaned_data["relation"],
            by=request.user,
            request=request,
        )
    except Refused as refusal:
        form.refuse(refusal)
        return show(request, row, status=refusal.status, household_form=form)
    return redirect("resident", row.uuid)


@needs("clinic.change_household")
@require_POST
def household_leave(request, resident):
    return _act(request, _resident(request, resident), "leave_form", FactForm, actions.leave_household)


def _resident(request, uuid):
    rows = Resident.objects.visible_to(request.user)
    return get_object_or_404(rows.select_related("home", "community", "household"), uuid=uuid)


def _act(request, row, name, form_class, action):
    form = form_class(request.POST)
    if not form.is_valid():
        return show(request, row, status=400, **{name: form})
    try:
        action(resident=row, by=request.user, request=request, **form.cleaned_data)
    except Refused as refusal:
        form.refuse(refusal)
        return show(request, row, status=refusal.status, **{name: form})
    return redirect("resident", row.uuid)


def _end(request, row, action, **which):
    """A fact is over as of today."""
    person = _resident(request, row.resident.survivor.uuid)
    form = FactForm(request.POST)
    try:
        action(by=request.user, request=request, **which)
    except Refused as refusal:
        form.full_clean()
        form.refuse(refusal)
        return show(request, person, status=refusal.status, end_form=form)
    return redirect("resident", person.uuid)
