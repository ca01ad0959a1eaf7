"""Signing a resident now, on one page; and the signature below an agreement that waits for it."""

import uuid

from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from clinic import refusals
from clinic.errors import Conflict, Refused
from clinic.models import Resident
from clinic.permissions import needs
from contracts.actions import agreements as actions
from contracts.codes import AgreementState, Relation, Way
from contracts.forms.sign import PageSignForm, PendingForm, chosen_picture
from contracts.models import Agreement

S = AgreementState
STATES = (S.DRAFT, S.PENDING, S.SIGNED)
CHILD = 14


@needs("contracts.sign_agreement")
@require_http_methods(["GET", "POST"])
def sign(request, resident):
    """GET the form; POST with ``state`` of STATES makes the agreement, with ``look`` another team or day was chosen."""
    person = resident_of(request, resident)
    standing = Agreement.objects.of_resident(person).alive().select_related("team", "institution").first()
    if request.method == "GET":
        form = PageSignForm(initial=beginning(person), by=request.user, resident=person)
        return _page(request, person, form, standing)
    if "look" in request.POST:
        shown = {
            name: request.POST.getlist(name) if name == "versions" else request.POST[name]
            for name in request.POST
        }
        shown.pop("versions", None)  # of another team
        return _page(request, person, PageSignForm(initial=shown, by=request.user, resident=person), standing)
    state = request.POST.get("state")
    if state not in STATES:
        raise Http404
    form = PageSignForm(request.POST, request.FILES, by=request.user, resident=person)
    if form.is_valid() and (made := _made(request, form, state)):
        return redirect("agreement", agreement=made.uuid)
    return _page(request, person, form, standing, status=400)


def _made(request, form, state):
    try:
        return actions.make(**form.terms(state), by=request.user, request=request)
    except Refused as refusal:
        told(request, form, refusal)
        return None


def told(request, form, refusal):
    """At its field, or above the form."""
    if isinstance(refusal, Conflict):
        refusals.tell(request, refusal)
    names = {"representative_relation": "relation", "signature": "drawing"}
    field = names.get(refusal.facts.get("field"), refusal.facts.get("field"))
    form.add_error(field if field in form.fields else None, refusal.message)


@needs("contracts.sign_agreement")
@require_http_methods(["GET", "POST"])
def sign_agreement(request, agreement):
    """The pending one is signed; a draft is put before the resident first."""
    rows = Agreement.objects.visible_to(request.user).select_related(
        "resident", "team__institution", "text", "doctor"
    )
    row = get_object_or_404(rows, uuid=agreement)
    if row.state not in (S.DRAFT, S.PENDING):
        return redirect("agreement", agreement=row.uuid)
    signer = row.representative or row.resident.name
    form = PendingForm(
        request.POST or None, request.FILES or None, initial={"key": uuid.uuid4(), "signer": signer}
    )
    if request.method == "POST" and form.is_valid():
        try:
            _sign(request, row, form.cleaned_data)
            return redirect("agreement", agreement=row.uuid)
        except Refused as refusal:
            told(request, form, refusal)
    context = {"agreement": row, "resident": row.resident, "form": form, "text": row.text,
               "packages": row.packages.select_related("version__package")}  # fmt: skip
    return render(request, "contracts/sign_agreement.html", context, status=400 if form.errors else 200)


def _sign(request, row, data):
    if row.state == S.DRAFT:
        row = actions.put(agreement=row, by=request.user, request=request)
    actions.sign(
        agreement=row, by=request.user, signature=chosen_picture(data), signer=data["signer"], read=data["read"],
        key=data["key"], request=request,
    )  # fmt: skip


def resident_of(request, key):
    rows = Resident.objects.visible_to(request.user).select_related("home", "merged_into__home", "household")
    return get_object_or_404(rows, uuid=key).survivor


def beginning(person):
    """What is known already; a child's guardian is the head of the household, or its eldest."""
    given = {
        "key": uuid.uuid4(), "start": timezone.localdate(), "years": 1, "way": Way.IN_PERSON, "phone": person.phone,
        "address": person.address, "signer": person.name,
    }  # fmt: skip
    if person.age < CHILD and (guardian := _guardian(person)):
        given |= {
            "way": Way.FAMILY, "representative": guardian.name, "relation": Relation.GUARDIAN, "signer": guardian.name,
            "representative_phone": guardian.phone,
        }  # fmt: skip
    return given


def _guardian(person):
    if person.household_id is None:
        return None
    others = Resident.objects.current().filter(household=person.household_id).exclude(pk=person.pk)
    return others.order_by("birth_date").first()


def _page(request, person, form, standing, status=200):
    context = {"resident": person, "form": form, "standing": standing, "household": _others(person)}
    return render(request, "contracts/sign.html", context, status=status)


def _others(person):
    """Whether somebody lives with the resident who could be signed in the same go."""
    rows = Resident.objects.current().filter(household=person.household_id).exclude(pk=person.pk)
    return person.household_id is not None and rows.exists()
