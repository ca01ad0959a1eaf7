"""What a person may do with one agreement now: put, sign, refuse, take back, end, renew, ask a change of team. Each is a
page with the few things it asks for, then one POST to an action."""

import uuid
from dataclasses import dataclass

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from clinic import refusals
from clinic.errors import Refused
from contracts import renewing
from contracts.actions import agreements, renewal, switches
from contracts.codes import ALIVE, IN_FORCE, ONCE_IN_FORCE, AgreementState, SwitchState
from contracts.forms.desk_acts import (
    EndForm,
    KeyForm,
    NoteForm,
    ReassignForm,
    RefuseForm,
    RenewForm,
    ScanForm,
    SwitchForm,
)
from contracts.models import Agreement

SIGN, END, ASK = "contracts.sign_agreement", "contracts.end_agreement", "contracts.add_switchrequest"
S = AgreementState
ONCE_ALIVE = {*ALIVE, *ONCE_IN_FORCE}


@dataclass(frozen=True)
class Act:
    """``states``: from which it is lawful; ``form``: what it asks for; ``keyed``: the action takes the form's key."""

    right: str
    states: tuple
    run: object
    form: type
    label: str
    done: str
    hint: str = ""
    main: bool = False
    keyed: bool = False


ACTS = {
    "put": Act(
        SIGN, (S.DRAFT,), agreements.put, KeyForm, gettext_lazy("Put before the resident"),
        gettext_lazy("It waits for the signature."),
        gettext_lazy("From now on it never changes, and nobody else can sign this resident."), main=True,
    ),
    "sign": Act(
        SIGN, (S.PENDING,), agreements.sign, ScanForm, gettext_lazy("Sign, with the scan"), gettext_lazy("Signed."),
        main=True, keyed=True,
    ),
    "refuse": Act(
        SIGN, (S.PENDING,), agreements.refuse, RefuseForm, gettext_lazy("The resident does not sign"),
        gettext_lazy("Written down."),
    ),
    "take-back": Act(
        SIGN, (S.DRAFT, S.PENDING), agreements.take_back, NoteForm, gettext_lazy("Take back"), gettext_lazy("Taken back."),
        gettext_lazy("Made by mistake, or given up before it was signed."),
    ),
    "renew": Act(
        SIGN, renewing.RENEWABLE, renewal.renew, RenewForm, pgettext_lazy("agreement", "Renew"), gettext_lazy("Renewed."), main=True,
        keyed=True,
    ),
    "switch": Act(
        ASK, IN_FORCE, switches.ask, SwitchForm, gettext_lazy("Ask for a change of team"),
        gettext_lazy("Asked. The old team's institution decides."),
        gettext_lazy("Once agreed, this agreement ends as the new one begins; there is no gap."),
    ),
    "reassign": Act(
        SIGN, ALIVE, agreements.reassign, ReassignForm, gettext_lazy("Give to another doctor of the team"),
        gettext_lazy("Given."),
    ),
    "end": Act(
        END, IN_FORCE, agreements.end, EndForm, pgettext_lazy("agreement", "End early"), gettext_lazy("Ended."),
        gettext_lazy(
            "What is not done by then is no longer due; a renewal that has not begun ends with it. This cannot be undone."
        ),
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Button:
    name: str
    address: str
    label: str
    main: bool = False


class AgreementActs:
    """Mixed into AgreementAdmin."""

    def act_urls(self):
        return [self.own_page("<uuid:agreement>/act/<slug:name>/", self.act, "act")]

    def lawful(self, request, row, today, follower, asked) -> list[Button]:
        """The buttons for this person now. ``follower``: what renews or replaces it; ``asked``: its changes of team.
        What is refused all the same the action says."""
        own = row.institution.path.startswith(request.user.institution.path)
        soon = row.days_left(today) <= settings.CONTRACTS_LIGHTS[0]
        fits = dict.fromkeys(ACTS, own) | {
            "renew": own and soon and (follower is None or follower.state not in ONCE_ALIVE),
            # Another institution asks for whom it looks after by now.
            "switch": not any(one.state == SwitchState.ASKED for one in asked),
        }
        found = [
            Button(name, reverse("admin:contracts_agreement_act", args=[row.uuid, name]), act.label, act.main)
            for name, act in ACTS.items()
            if row.state in act.states and request.user.has_perm(act.right) and fits[name]
        ]
        if row.state != S.DRAFT and (address := _print_address(row)):
            found.append(Button("print", address, _("Print")))
        return found

    def act(self, request, agreement, name):
        row = self.fetch(request, str(agreement))
        act = ACTS.get(name)
        if act is None:
            raise Http404
        if not request.user.has_perm(act.right):
            raise PermissionDenied
        form = self._form(request, row, act, name)
        if request.method == "GET":
            self.seen(request, row, page=name)
        if request.method == "POST" and form.is_valid():
            answer = self._do(request, row, act, form)
            if answer is not None:
                return answer
        context = {
            **self.admin_site.each_context(request), "opts": self.opts, "agreement": row, "form": form, "act": act,
            "title": _("%(act)s: %(name)s") % {"act": act.label, "name": row.resident.name}, "name": name,
            "text": row.text if name == "sign" else None,
        }  # fmt: skip
        return TemplateResponse(
            request, "admin/contracts/agreement_act.html", context, status=400 if form.errors else 200
        )

    def _form(self, request, row, act, name):
        more = {}
        if name == "renew":
            more["institution"] = row.institution
        elif name == "switch":
            more["agreement"] = row
        elif name == "reassign":
            more["team"] = row.team
        given = (request.POST, request.FILES) if request.method == "POST" else (None, None)
        start = {"key": uuid.uuid4(), "signer": row.representative or row.resident.name, "years": row.years}
        return act.form(*given, initial=start, **more)

    def _do(self, request, row, act, form):
        """The page that follows, or None where the form is shown again with the sentence."""
        given = form.given() if hasattr(form, "given") else {}
        if act.keyed:
            given["key"] = form.cleaned_data["key"]
        try:
            made = act.run(agreement=row, by=request.user, request=request, **given)
        except Refused as refusal:
            if refusal.status != 400:
                refusals.tell(request, refusal)
                return HttpResponseRedirect(self.address_of(row))
            field = refusal.facts.get("field")
            form.add_error(field if field in form.fields else None, refusal.message)
            return None
        messages.success(request, act.done)
        return HttpResponseRedirect(self.address_of(made if isinstance(made, Agreement) else row))


def _print_address(row):
    try:
        return reverse("agreement-print", args=[row.uuid])
    except NoReverseMatch:
        return None
