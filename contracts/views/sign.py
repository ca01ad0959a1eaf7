"""Signing a resident now, on one page; and the signature below an agreement that waits for it."""

import uuid

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from clinic import audit, refusals
from clinic.codes import Act, LifeState
from clinic.errors import Conflict, Forbidden, Refused
from clinic.models import Resident
from clinic.permissions import needs
from contracts import relations
from contracts.actions import agreements as actions
from contracts.actions import drafts
from contracts.codes import ALIVE, AgreementState, Way
from contracts.forms.sign import PageSignForm, PendingForm, chosen_picture
from contracts.models import Agreement

S = AgreementState
STATES = (S.DRAFT, S.PENDING, S.SIGNED)
FIELDS = {"representative_relation": "relation", "signature": "drawing"}


@needs("contracts.sign_agreement")
@require_http_methods(["GET", "POST"])
def sign(request, resident):
    """GET the form; POST with ``state`` of STATES makes the agreement, with ``look`` another team or day was chosen."""
    person = resident_of(request, resident)
    return _write(request, person, None)


@needs("contracts.sign_agreement")
@require_http_methods(["GET", "POST"])
def sign_agreement(request, agreement):
    """A draft goes on where it was left; one that waits gets its signature, and nothing else of it changes."""
    rows = Agreement.objects.visible_to(request.user).select_related(
        "resident__home", "resident__merged_into", "team__institution", "institution", "text", "doctor"
    )
    row = get_object_or_404(rows, uuid=agreement)
    if not row.institution.path.startswith(request.user.institution.path):
        raise PermissionDenied  # seen because the resident is ours; the team is not
    if row.state == S.DRAFT:
        return _write(request, row.resident, row)
    if row.state != S.PENDING:
        return redirect("agreement", agreement=row.uuid)
    return _sign_pending(request, row)


def _write(request, person, draft):
    """The page with all terms on it: of a new agreement, or of a draft."""
    shared = {"by": request.user, "resident": person}
    if request.method == "GET":
        audit.record(Act.VIEW, request=request, resident=person, obj=draft or person, detail={"page": "sign"})
        start = _as_typed(draft) if draft else beginning(request.user, person)
        return _page(request, person, PageSignForm(initial=start, **shared), draft)
    if "look" in request.POST:
        return _page(request, person, PageSignForm(initial=typed(request.POST), **shared), draft)
    state = request.POST.get("state")
    if state not in STATES:
        raise Http404
    form = PageSignForm(request.POST, request.FILES, **shared)
    if form.is_valid() and (made := _made(request, form, state, draft)):
        waits = made.state == S.PENDING and state == S.SIGNED
        return redirect("sign-agreement" if waits else "agreement", agreement=made.uuid)
    return _page(request, person, form, draft, status=400)


def _made(request, form, state, draft):
    """The agreement; None where it was refused, the sentence standing in the form."""
    terms, now = form.terms(state), timezone.now()
    by = {"by": request.user, "request": request, "now": now}
    try:
        made = draft or actions.make(**terms, **by)
        known = draft is not None or made.made_at != now
        if known and made.state == S.DRAFT:  # the draft itself, or one kept a moment ago with the same key
            return drafts.carry_on(agreement=made, terms=terms, state=terms["state"], key=terms["key"], **by)
        if known and made.state == S.PENDING and state == S.SIGNED:
            messages.warning(
                request, _("This agreement waits for its signature already; nothing else of it changes.")
            )
        return made
    except Refused as refusal:
        told(request, form, refusal)
        return None


def told(request, form, refusal):
    """At its field, or above the form."""
    if isinstance(refusal, Forbidden):
        refusals.tell(request, refusal)
    field = refusal.facts.get("field")
    field = FIELDS.get(field, field)
    if refusal.code == "cap":
        field = "doctor"
    form.add_error(field if field in form.fields else None, refusal.message)


def _sign_pending(request, row):
    signer = row.representative or row.resident.name
    form = PendingForm(
        request.POST or None, request.FILES or None, initial={"key": uuid.uuid4(), "signer": signer}
    )
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            actions.sign(
                agreement=row, by=request.user, signature=chosen_picture(data), signer=data["signer"], read=data["read"],
                key=data["key"], request=request,
            )  # fmt: skip
            return redirect("agreement", agreement=row.uuid)
        except Conflict as refusal:  # somebody else was there first: the agreement says what it is
            refusals.tell(request, refusal)
            return redirect("agreement", agreement=row.uuid)
        except Refused as refusal:
            told(request, form, refusal)
    if request.method == "GET":
        audit.record(Act.VIEW, request=request, resident=row.resident, obj=row, detail={"page": "sign"})
    packages = row.packages.select_related("version__package").prefetch_related("version__items")
    context = {"agreement": row, "resident": row.resident, "form": form, "text": row.text, "packages": packages,
               "due": row.fee - row.waived}  # fmt: skip
    return render(request, "contracts/sign_agreement.html", context, status=400 if form.errors else 200)


def resident_of(request, key):
    rows = Resident.objects.visible_to(request.user).select_related("home", "merged_into__home", "household")
    return get_object_or_404(rows, uuid=key).survivor


def typed(post):
    """What stands in the boxes, as a beginning; of the packages none is ticked anew."""
    return {name: post.getlist(name) if name == "versions" else post[name] for name in post} | {
        "versions": post.getlist("versions")
    }


def beginning(user, person):
    """What is known already. A child is signed by its family: a parent, else a grandparent."""
    given = {
        "key": uuid.uuid4(), "start": timezone.localdate(), "years": 1, "way": Way.IN_PERSON, "phone": person.phone,
        "address": person.address,
    }  # fmt: skip
    if person.age < relations.OF_AGE:
        given["way"] = Way.FAMILY
        if found := _elder(user, person):
            elder, relation = found
            given |= {"representative": elder.name, "representative_phone": elder.phone, "relation": relation}
    return given


def _as_typed(draft):
    """A draft's terms. Its first day is not in the past, and the key is that of the signature to come."""
    return {
        "key": uuid.uuid4(), "team": draft.team.uuid, "doctor": str(draft.doctor.uuid), "years": draft.years,
        "start": max(draft.start, timezone.localdate()), "way": draft.way, "phone": draft.phone, "address": draft.address,
        "note": draft.note, "representative": draft.representative, "relation": draft.representative_relation,
        "representative_phone": draft.representative_phone,
        "versions": [str(key) for key in draft.packages.values_list("version__uuid", flat=True)],
    }  # fmt: skip


def _elder(user, person):
    """(parent or grandparent in the household, which of both); None where the cover sheets do not tell."""
    if person.household_id is None:
        return None
    people = (
        Resident.objects.visible_to(user)
        .current()
        .filter(household=person.household_id, life_state=LifeState.LIVING)
    )
    related = [
        (one, relations.between(one, person))
        for one in people.order_by("birth_date")
        if one.age >= relations.OF_AGE
    ]
    elders = [pair for pair in related if pair[1] in relations.ELDERS]
    return min(elders, key=lambda pair: relations.ELDERS.index(pair[1]), default=None)


def _page(request, person, form, draft, status=200):
    own = Agreement.objects.visible_to(request.user).of_resident(person).select_related("team", "institution")
    rows = list(own.filter(state__in=(*ALIVE, S.DRAFT))[:5])
    context = {
        "resident": person,
        "form": form,
        "draft": draft,
        "standing": next((row for row in rows if row.is_alive), None),
        "drafts": [row for row in rows if row.state == S.DRAFT and row != draft],
        "household": person.household_id is not None and draft is None,
        "here": request.path,
    }
    return render(request, "contracts/sign.html", context, status=status)
