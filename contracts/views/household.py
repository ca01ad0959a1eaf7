"""A household signed in one go: all of the chosen, or nobody."""

import uuid

from django import forms
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from clinic.errors import Refused
from clinic.models import Resident
from clinic.permissions import needs
from contracts import eligibility
from contracts.actions import agreements as actions
from contracts.codes import AgreementState, Relation, Way
from contracts.forms.sign import PageSignForm
from contracts.models import Agreement
from contracts.views.sign import CHILD, beginning, resident_of, told

S = AgreementState
MOST = 20


class HouseholdForm(PageSignForm):
    """What is shared: team, doctor, term, text, the signature of whoever signs for all. ``versions`` are each one's."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        del self.fields["versions"], self.fields["phone"], self.fields["address"]

    def _of_team(self):
        super()._of_team()
        self.initial.pop("versions", None)

    def shared(self, state):
        self.cleaned_data |= {"versions": [], "phone": "", "address": ""}
        terms = super().terms(state)
        return {
            name: terms[name]
            for name in terms
            if name not in ("key", "resident", "versions", "phone", "address")
        }


class Member:
    """One person of the household on the page."""

    def __init__(self, person, form, data):
        self.person, name = person, person.uuid.hex
        self.standing = None
        self.offers = eligibility.offered(form.team.institution, person, form.day) if form.team else []
        self.fit = [version for version, why in self.offers if why is None]
        self.ticked = f"who-{name}" in data if data else True
        wanted = data.getlist(f"versions-{name}") if data else None
        self.chosen = [
            version for version in self.fit
            if (str(version.uuid) in wanted if wanted is not None else version.package.kind == "basic" or version.groups)
        ]  # fmt: skip
        self.key = _key(data.get(f"key-{name}")) if data else uuid.uuid4()

    @property
    def boxes(self):
        return [(version, version in self.chosen) for version in self.fit]


def _key(text):
    try:
        return forms.UUIDField().clean(text)
    except forms.ValidationError as error:
        raise Http404 from error


@needs("contracts.sign_agreement")
@require_http_methods(["GET", "POST"])
def sign_household(request, resident):
    """GET the form; POST makes the agreements of all who are ticked, signed or to be signed later."""
    person = resident_of(request, resident)
    people = _household(request, person)
    data = request.POST if request.method == "POST" else None
    form = HouseholdForm(
        data, request.FILES or None, by=request.user, resident=person, initial=_beginning(person, request)
    ) if data is None or "look" not in data else HouseholdForm(
        initial={name: data[name] for name in data}, by=request.user, resident=person
    )  # fmt: skip
    members = [Member(one, form, data if data and "look" not in data else None) for one in people]
    _mark_standing(members)
    status = 200
    if data is not None and "look" not in data:
        if form.is_valid() and (sitting := _signed(request, form, members, data)):
            return redirect("agreement-print-sitting", sitting=sitting)
        status = 400
    context = {"resident": person, "members": members, "form": form, "sitting": _sitting(data)}
    return render(request, "contracts/household.html", context, status=status)


def _signed(request, form, members, data):
    state = data.get("state")
    if state not in (S.PENDING, S.SIGNED):
        raise Http404
    people = [
        {"key": one.key, "resident": one.person, "versions": one.chosen, "phone": one.person.phone,
         "address": one.person.address, **_who_signs(one.person, form)}
        for one in members if one.ticked and one.standing is None
    ]  # fmt: skip
    sitting = _sitting(data)
    try:
        actions.sign_household(
            sitting=sitting, people=people, by=request.user, request=request, **form.shared(state)
        )
    except Refused as refusal:
        told(request, form, refusal)
        return None
    return sitting


def _who_signs(person, form):
    """Whoever signs for all signs for himself in person, for the others as their family."""
    data = form.cleaned_data
    signer = data["signer"] or data["representative"]
    if person.name == signer:
        return {"way": Way.IN_PERSON if data["way"] == Way.FAMILY else data["way"], "representative": {}}
    return {
        "way": Way.FAMILY,
        "representative": {
            "name": signer, "phone": data["representative_phone"],
            "relation": data["relation"] or (Relation.GUARDIAN if person.age < CHILD else Relation.OTHER),
        },
    }  # fmt: skip


def _sitting(data):
    return _key(data.get("sitting")) if data else uuid.uuid4()


def _household(request, person):
    if person.household_id is None:
        raise Http404
    rows = Resident.objects.visible_to(request.user).current().filter(household=person.household_id)
    return list(rows.select_related("home", "household").order_by("birth_date")[:MOST])


def _mark_standing(members):
    alive = Agreement.objects.alive().filter(resident__in=[one.person for one in members])
    found = {row.resident_id: row for row in alive.select_related("team", "institution")}
    for one in members:
        one.standing = found.get(one.person.pk)


def _beginning(person, request):
    given = beginning(person)
    eldest = _household(request, person)[0]
    adult = person if person.age >= CHILD else eldest
    return {**given, "signer": adult.name, "representative": "", "relation": "", "way": Way.IN_PERSON,
            "representative_phone": adult.phone, "note": _("Household signed together")}  # fmt: skip
