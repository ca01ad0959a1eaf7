"""The resident's page: what the ground floor knows, the panels of other apps, and the short forms."""

import uuid

from django.shortcuts import render
from django.template.loader import render_to_string

from clinic import banner, registry
from clinic.codes import LifeState
from clinic.forms.resident_facts import AllergyForm, HouseholdForm, LifeStateForm, ProblemForm, TagForm
from clinic.models import Resident, ResidentMerge


def show(request, resident, *, status=200, **bound):
    """Render the page. ``bound`` puts a form that was refused back in its place (its name: ``allergy_form``…),
    with what was typed."""
    user = request.user
    ids = resident.file_ids
    context = {
        "resident": resident,
        "own": resident.home.path.startswith(user.institution.path),
        **banner.facts(resident, user, ids).as_context(),
        "members": household_of(resident, user),
        "merges": list(merges_into(resident, ids)) if len(ids) > 1 else [],
        "panels": panels_of(request, resident),
        "buttons": buttons_of(user),
        "key": uuid.uuid4(),
        "open": next(iter(bound), ""),
        "allergy_form": AllergyForm(),
        "problem_form": ProblemForm(),
        "tag_form": TagForm(),
        "life_form": LifeStateForm(initial={"state": resident.life_state, "on": resident.life_state_on}),
        "household_form": HouseholdForm(initial={"relation": resident.household_relation}),
        "gone": resident.life_state != LifeState.LIVING,
        **bound,
    }
    return render(request, "clinic/resident.html", context, status=status)


def household_of(resident, user):
    if resident.household_id is None or not user.has_perm("clinic.view_household"):
        return []
    members = Resident.objects.visible_to(user).current().filter(household=resident.household_id)
    return list(members.exclude(pk=resident.pk).order_by("household_relation", "birth_date"))


def merges_into(resident, ids):
    rows = ResidentMerge.objects.filter(undone_at=None, absorbed__in=ids)
    return rows.select_related("absorbed", "by").order_by("at")


def panels_of(request, resident):
    """Each panel that has something to say to this user, as HTML."""
    panels = sorted(registry.resident_panels, key=lambda panel: panel.order)
    built = (
        (panel.template, panel.build(request, resident))
        for panel in panels
        if request.user.has_perm(panel.permission)
    )
    return [
        render_to_string(template, {"panel": context, "resident": resident}, request)
        for template, context in built
        if context is not None
    ]


def buttons_of(user):
    return [button for button in registry.page_buttons if user.has_perm(button.permission)]
