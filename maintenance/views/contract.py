"""The vendor's contract on pages: what was promised, what was broken and what it costs, month by month."""

import uuid
from datetime import date

from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from clinic import audit, refusals, spreadsheets
from clinic.codes import Act
from clinic.errors import Refused
from clinic.permissions import needs
from maintenance import penalty, settling
from maintenance.actions import breaches as actions
from maintenance.codes import BREACH_MOVES, BreachState
from maintenance.forms.contract import ChargeForm, ConfirmForm, FreezeForm, WordsForm
from maintenance.models import Breach, Clause, Statement, VendorContract

B = BreachState
SHOWN = 100


@needs("maintenance.view_vendorcontract")
@require_GET
def contract(request):
    """``of``: a contract's public id, else the one in force or the last; ``state`` of BreachState, ``month`` as 2026-11."""
    rows = VendorContract.objects.visible_to(request.user).select_related("level")
    contracts = list(rows)
    chosen = _chosen(contracts, request.GET.get("of"))
    return _page(request, contracts, chosen)


@needs("maintenance.view_breach")
@require_GET
def breach(request, breach):
    return _breach_page(request, _breach(request, breach))


@needs("maintenance.view_breach")
@require_POST
def breach_act(request, breach, act):
    row = _breach(request, breach)
    if act not in ACTS:
        raise Http404
    form_class, run = ACTS[act]
    form = form_class(request.POST)
    if not form.is_valid():
        return _breach_page(request, row, {act: form}, status=400)
    try:
        run(breach=row, by=request.user, request=request, **form.cleaned_data)
    except Refused as refusal:
        refusals.tell(request, refusal)
        return _breach_page(request, _breach(request, breach), {act: form}, status=refusal.status)
    return redirect("breach", breach=row.uuid)


@needs("maintenance.view_vendorcontract", "maintenance.decide_breach")
@require_POST
def charge(request, contract):
    """Something that was broken and no job could see."""
    chosen = get_object_or_404(
        VendorContract.objects.visible_to(request.user).select_related("level"), uuid=contract
    )
    form = ChargeForm(request.POST, contract=chosen)
    if form.is_valid():
        data = form.cleaned_data
        try:
            made = actions.charge(
                clause=form.clauses[data["clause"]], on=data["on"], words=data["words"], key=data["key"], by=request.user,
                request=request,
            )  # fmt: skip
            return redirect("breach", breach=made.uuid)
        except Refused as refusal:
            field = refusal.facts.get("field")
            form.add_error(field if field in form.fields else None, refusal.message)
    contracts = list(VendorContract.objects.visible_to(request.user))
    return _page(request, contracts, chosen, charge_form=form, status=400)


@needs("maintenance.view_vendorcontract", "maintenance.add_statement")
@require_POST
def freeze(request, contract):
    chosen = get_object_or_404(VendorContract.objects.visible_to(request.user), uuid=contract)
    month = _month(request.POST.get("month", ""))
    if month is None:
        raise Http404
    try:
        made = actions.freeze(contract=chosen, month=month, by=request.user, request=request)
    except Refused as refusal:
        refusals.tell(request, refusal)
        return redirect("contract")
    return redirect("statement", contract=chosen.uuid, month=f"{made.month:%Y-%m}")


@needs("maintenance.view_statement")
@require_GET
def statement(request, contract, month):
    """A frozen month, for the screen and the paper."""
    row = _statement(request, contract, month)
    whole = actions.hash_of(row.contract, row.month, row.lines, row.total) == row.sha256
    return render(
        request, "maintenance/contract/statement.html", {"statement": row, "whole": whole, "month": month}
    )


@needs("maintenance.view_statement")
@require_GET
def statement_sheet(request, contract, month):
    row = _statement(request, contract, month)
    audit.record(Act.EXPORT, request=request, obj=row)
    headings = [
        _("Day"),
        _("Clause"),
        _("Ticket"),
        _("Formula"),
        _("Penalty, CNY"),
        _("State"),
        _("Objection"),
        _("Decision"),
    ]
    lines = (
        [one["on"], one["clause"], one["ticket"] or "", one["formula"], one["amount"], B(one["state"]).label, one["objection"],
         one["decision"]]
        for one in row.lines
    )  # fmt: skip
    return spreadsheets.answer(f"{row.contract.number}-{row.month:%Y-%m}", "xlsx", headings, lines)


ACTS = {
    "object": (WordsForm, actions.object_to),
    "confirm": (ConfirmForm, actions.confirm),
    "waive": (WordsForm, actions.waive),
}


def _breach(request, key):
    rows = Breach.objects.visible_to(request.user).select_related(
        "contract", "clause", "ticket__institution", "objected_by", "decided_by"
    )
    return get_object_or_404(rows, uuid=key)


def _statement(request, contract, month):
    rows = Statement.objects.visible_to(request.user).select_related("contract", "made_by")
    return get_object_or_404(rows, contract__uuid=contract, month=_month(month))


def _breach_page(request, row, tried=None, status=200):
    user, moves, tried = request.user, BREACH_MOVES[B(row.state)], tried or {}
    acts = []
    if user.has_perm("maintenance.object_breach") and B.OBJECTED in moves:
        acts.append(("object", _("Object")))
    if user.has_perm("maintenance.decide_breach") and B.CONFIRMED in moves:
        acts += [("confirm", _("Confirm the penalty")), ("waive", _("Waive"))]
    context = {
        "breach": row, "minutes": row.facts.get("minutes_over", 0), "formula": penalty.explain(row.facts, row.facts.get("minutes_over", 0)),
        "same": penalty.reckon(row.facts, row.facts.get("minutes_over", 0)) == row.amount, "segments": row.facts.get("segments", []),
        "acts": [(act, label, tried.get(act) or ACTS[act][0](), act in tried) for act, label in acts],
    }  # fmt: skip
    return render(request, "maintenance/contract/breach.html", context, status=status)


def _page(request, contracts, chosen, charge_form=None, status=200):
    context = {"contracts": contracts, "contract": chosen}
    if chosen:
        rows = Breach.objects.visible_to(request.user).filter(contract=chosen)
        statements = list(Statement.objects.visible_to(request.user).filter(contract=chosen).defer("lines"))
        dues, left_over = settling.of_contract(chosen)
        state, month = request.GET.get("state", ""), _month(request.GET.get("month", ""))
        frozen, months = {one.month for one in statements}, _months(rows)
        over = [
            one for one, _n, _sum in months if one not in frozen and one < timezone.localdate().replace(day=1)
        ]
        may = request.user.has_perm("maintenance.decide_breach")
        context |= {
            "clauses": Clause.objects.visible_to(request.user).filter(contract=chosen), "dues": dues, "left_over": left_over,
            "statements": statements, "months": months, "state": state, "month": month, "states": B.choices,
            "breaches": _filtered(rows, state, month)[:SHOWN], "freeze": FreezeForm(months=over) if over else None,
            "charge": (charge_form or ChargeForm(contract=chosen, initial={"key": uuid.uuid4()})) if may else None,
            "waiting": rows.filter(state__in=(B.OPEN, B.OBJECTED) if may else (B.OPEN,)).count(),
        }  # fmt: skip
    return render(request, "maintenance/contract/contract.html", context, status=status)


def _chosen(contracts, asked):
    if asked:
        found = [one for one in contracts if str(one.uuid) == asked]
        if not found:
            raise Http404
        return found[0]
    today = timezone.localdate()
    in_force = [one for one in contracts if one.starts <= today <= one.ends]
    return next(iter(in_force or contracts), None)


def _month(text):
    try:
        return date.fromisoformat(f"{text}-01") if text else None
    except ValueError as error:
        raise Http404 from error


def _months(rows):
    """[(month, breaches, CNY of those that were not waived)], the latest first. One query."""
    counted = {}
    for on, state, amount in rows.order_by("-on").values_list("on", "state", "amount"):
        number, total = counted.get(on.replace(day=1), (0, settling.NOTHING))
        counted[on.replace(day=1)] = number + 1, total + (settling.NOTHING if state == B.WAIVED else amount)
    return [(month, *numbers) for month, numbers in counted.items()]


def _filtered(rows, state, month):
    if state in B.values:
        rows = rows.filter(state=state)
    if month:
        rows = rows.filter(on__year=month.year, on__month=month.month)
    return rows.select_related("clause", "ticket").order_by("-on", "-pk")
