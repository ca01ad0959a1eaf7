"""A household signed in one go: all of the chosen, or nobody."""

import uuid

from django import forms
from django.contrib import messages
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from clinic import audit
from clinic.codes import Act
from clinic.errors import Refused
from clinic.models import Resident
from clinic.permissions import needs
from contracts import relations
from contracts.actions import agreements as actions
from contracts.codes import AgreementState, Relation, Way
from contracts.forms.household import HouseholdForm, members_of
from contracts.models import Agreement
from contracts.views.sign import resident_of, told, typed

S = AgreementState
MOST = 20


@needs("contracts.sign_agreement")
@require_http_methods(["GET", "POST"])
def sign_household(request, resident):
    """GET the form; POST with ``state`` makes the agreements of all who are ticked, signed or to be signed later; with
    ``look`` (team, signer) something was chosen that changes the rest of the page."""
    person = resident_of(request, resident)
    people = _household(request.user, person)
    data = request.POST if request.method == "POST" else None
    acting = data is not None and "look" not in data
    shared = {"by": request.user, "resident": person, "people": people}
    if acting:
        form = HouseholdForm(data, request.FILES, **shared)
    else:
        form = HouseholdForm(initial=typed(data) if data else _beginning(person, people), **shared)
    sitting = _sitting(data)
    members = members_of(
        people, _standing(request.user, people), form, data, anew=data and data.get("look") == "signer"
    )
    if acting and form.is_valid() and _made(request, form, members, sitting):
        return redirect("agreement-print-sitting", sitting=sitting)
    if data is None:
        audit.record(
            Act.VIEW, request=request, resident=person, obj=person, detail={"page": "sign-household"}
        )
    context = {"resident": person, "members": members, "form": form, "sitting": sitting,
               "nobody": all(one.why_not for one in members)}  # fmt: skip
    return render(request, "contracts/household.html", context, status=400 if acting else 200)


def _made(request, form, members, sitting):
    """Whether all are made; else the sentence stands on the page, at whom it is about."""
    state = request.POST.get("state")
    if state not in (S.PENDING, S.SIGNED):
        raise Http404
    chosen = [one for one in members if one.ticked and not _hindered(request.user, one, sitting)]
    if _unrelated(form, chosen):
        return False
    people = [one.terms(sitting, form) for one in chosen]
    try:
        made = actions.sign_household(
            sitting=sitting, people=people, by=request.user, request=request, **form.shared(state)
        )
    except Refused as refusal:
        told(request, form, refusal)
        for one in members:
            one.error = refusal.message if str(one.person.uuid) == refusal.facts.get("resident") else ""
        return False
    if any(row.state != state for row in made):
        messages.warning(request, _("These agreements were made before; each is as it says itself."))
    return True


def _unrelated(form, chosen):
    """All of whom nobody said how the signer is related to them, in one sentence."""
    found = [one for one in chosen if not one.signs and one.relation not in Relation.values]
    for one in found:
        one.error = _("How is the signer related to this person?")
    if found:
        names = _(", ").join(one.person.name for one in found)
        form.add_error(None, _("%(names)s: how is the signer related?") % {"names": names})
    return bool(found)


def _hindered(user, member, sitting):
    """Signed elsewhere before; what this very page made a moment ago is no hindrance (a second click)."""
    if member.why_not is None:
        return False
    return not Agreement.objects.visible_to(user).filter(uuid=uuid.uuid5(sitting, member.name)).exists()


def _sitting(data):
    if data is None:
        return uuid.uuid4()
    try:
        return forms.UUIDField().clean(data.get("sitting"))
    except forms.ValidationError as error:
        raise Http404 from error


def _household(user, person):
    """Those of the household whom the reader may see, the eldest first."""
    if person.household_id is None:
        return [person]
    rows = Resident.objects.visible_to(user).current().filter(household=person.household_id)
    return list(rows.select_related("home", "household", "merged_into").order_by("birth_date", "pk")[:MOST])


def _standing(user, people):
    alive = (
        Agreement.objects.visible_to(user)
        .alive()
        .filter(resident__in=people)
        .select_related("team", "institution")
    )
    return {row.resident_id: row for row in alive.order_by("start")}


def _beginning(person, people):
    """Whoever's page it is signs, or the eldest where that is a child."""
    adults = [one for one in people if one.age >= relations.OF_AGE]
    signer = person if person in adults or not adults else adults[0]
    return {
        "key": uuid.uuid4(), "start": timezone.localdate(), "years": 1, "way": Way.IN_PERSON,
        "signer": str(signer.uuid) if signer in adults else "", "signer_phone": signer.phone,
    }  # fmt: skip
