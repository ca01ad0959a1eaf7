"""One agreement on a page: parties, plan, signatures, what became of it, and what can be done with it now."""

import uuid

from django.db.models import Prefetch
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from clinic import audit, refusals
from clinic.codes import Act
from clinic.errors import Refused
from clinic.permissions import needs
from contracts import renewing
from contracts.actions import agreements as actions
from contracts.actions import renewal, switches
from contracts.codes import IN_FORCE, AgreementState, EvidenceState, SwitchState
from contracts.forms.acts import DecideForm, EndForm, NoteForm, RefuseForm, RenewForm, SwitchForm
from contracts.models import Agreement, Evidence, Signature, SwitchRequest
from contracts.reminders import light_of

S = AgreementState


@needs("contracts.view_agreement")
@require_GET
def agreement(request, agreement):
    row = _fetch(request, agreement)
    audit.record(Act.VIEW, request=request, resident=row.resident, obj=row)
    return _page(request, row)


@needs("contracts.view_agreement")
@require_POST
def agreement_act(request, agreement, act):
    """One act; refused, the page comes back with the sentence and what was typed."""
    row = _fetch(request, agreement)
    if act not in ACTS:
        raise Http404
    form = _forms(request, row, request.POST)[act]
    if not form.is_valid():
        return _page(request, row, {act: form}, status=400)
    try:
        done = ACTS[act](request, row, form)
    except Refused as refusal:
        refusals.tell(request, refusal)
        return _page(request, row, {act: form}, status=refusal.status)
    return redirect("agreement", agreement=(done or row).uuid)


@needs("contracts.view_agreement")
@require_GET
def signature_picture(request, signature):
    """The picture itself: never kept by a browser."""
    rows = Signature.objects.visible_to(request.user).filter(uuid=signature)
    row = get_object_or_404(rows.select_related("agreement__resident"))
    audit.record(Act.VIEW, request=request, resident=row.agreement.resident, obj=row)
    answer = HttpResponse(bytes(row.picture), content_type=row.mime)
    answer["Cache-Control"] = "no-store"
    answer["X-Content-Type-Options"] = "nosniff"
    return answer


def _refuse(request, row, form):
    data = form.cleaned_data
    actions.refuse(agreement=row, by=request.user, note=data["note"], why=data["why"], request=request)


def _take_back(request, row, form):
    actions.take_back(agreement=row, by=request.user, note=form.cleaned_data["note"], request=request)


def _end(request, row, form):
    actions.end(agreement=row, by=request.user, request=request, **form.cleaned_data)


def _put(request, row, form):
    actions.put(agreement=row, by=request.user, request=request)


def _renew(request, row, form):
    data = form.cleaned_data
    text = switches.text_for(row.team, timezone.localdate())
    return renewal.renew(
        key=data["key"],
        agreement=row,
        by=request.user,
        text=text,
        read=data["read"],
        years=data["years"],
        request=request,
    )


def _switch(request, row, form):
    to = form.members[form.cleaned_data["to"]]
    switches.ask(
        agreement=row, to_team=to.team, to_doctor=to.person, reason=form.cleaned_data["reason"], by=request.user,
        request=request,
    )  # fmt: skip


def _wish(request, row, form):
    return get_object_or_404(
        SwitchRequest.objects.visible_to(request.user), agreement=row, uuid=form.cleaned_data["switch"]
    )


def _agree(request, row, form):
    wish = _wish(request, row, form)
    text = switches.text_for(wish.to_team, timezone.localdate())
    return switches.agree(switch=wish, by=request.user, text=text, request=request).made


def _decline(request, row, form):
    switches.refuse(
        switch=_wish(request, row, form), by=request.user, reason=form.cleaned_data["reason"], request=request
    )


def _withdraw(request, row, form):
    switches.withdraw(switch=_wish(request, row, form), by=request.user, request=request)


ACTS = {
    "put": _put, "refuse": _refuse, "take-back": _take_back, "end": _end, "renew": _renew, "switch": _switch,
    "agree": _agree, "decline": _decline, "withdraw": _withdraw,
}  # fmt: skip


def _forms(request, row, data=None):
    decide = DecideForm(data)
    return {
        "put": NoteForm(data), "refuse": RefuseForm(data), "take-back": NoteForm(data), "end": EndForm(data),
        "renew": RenewForm(data, initial={"years": row.years, "key": uuid.uuid4()}),
        "switch": SwitchForm(data, user=request.user, agreement=row), "agree": decide, "decline": decide,
        "withdraw": decide,
    }  # fmt: skip


def _fetch(request, key):
    rows = Agreement.objects.visible_to(request.user).select_related(
        "resident__home", "resident__merged_into", "team__institution", "institution", "doctor", "text", "made_by",
        "signed_by", "ended_by", "follows",
    )  # fmt: skip
    return get_object_or_404(rows, uuid=key)


def _page(request, row, tried=None, status=200):
    today, user = timezone.localdate(), request.user
    shown = {**_forms(request, row), **(tried or {})}
    context = {
        "agreement": row,
        "resident": row.resident,
        "packages": row.packages.select_related("version__package"),
        "plan": _plan(row, user),
        "may_serve": user.has_perm("contracts.confirm_evidence"),
        "signatures": row.signatures.defer("picture"),
        "later": Agreement.objects.visible_to(user).filter(follows=row).following().first(),
        "wishes": _wishes(row, user),
        "light": light_of(row.days_left(today)) if row.state in IN_FORCE else None,
        "acts": _possible(row, user, today, shown),
        "forms": shown,
        "mine": row.institution.path.startswith(user.institution.path),
        "may_decide": user.has_perm("contracts.decide_switchrequest"),
        "asked": SwitchState.ASKED,
        "today": today,
    }
    return render(request, "contracts/agreement.html", context, status=status)


def _wishes(row, user):
    """Wishes to change, each with whether this person's side may take it back."""
    rows = row.switches.select_related(
        "to_team__institution", "to_doctor", "asked_by__institution", "decided_by"
    )
    rows = list(rows)
    for wish in rows:
        wish.ours = user.has_perm("contracts.add_switchrequest") and switches.is_asking(wish, user)
    return rows


def _plan(row, user):
    """Planned services, each with what shows that it was done."""
    proofs = Evidence.objects.visible_to(user).exclude(state=EvidenceState.WITHDRAWN)
    proofs = proofs.select_related("done_by", "home_visit").order_by("on", "pk")
    lines = row.plan.select_related("item").order_by("due_to", "pk")
    return lines.prefetch_related(Prefetch("evidence", proofs, to_attr="proofs"))


def _possible(row, user, today, shown):
    """[(name, label, form, whether it stands open)] of what this person may do with it as it is."""
    here = row.institution.path.startswith(user.institution.path)
    may_sign, may_end = (
        here and user.has_perm("contracts.sign_agreement"),
        here and user.has_perm("contracts.end_agreement"),
    )
    acts = []
    if row.state == S.DRAFT and may_sign:
        acts += [("put", _("Put before the resident")), ("take-back", _("Take back"))]
    if row.state == S.PENDING and may_sign:
        acts += [("refuse", _("Does not sign")), ("take-back", _("Take back"))]
    if may_sign and renewing.why_not(row, today, renewing.followed([row.pk])) is None:
        acts.append(("renew", _("Renew")))
    if row.state in IN_FORCE and user.has_perm("contracts.add_switchrequest"):
        acts.append(("switch", _("Ask for a change of team")))
    if row.state in IN_FORCE and may_end:
        acts.append(("end", _("End early")))
    return [(name, label, shown[name], shown[name].is_bound) for name, label in acts]
