"""Objecting to a breach, deciding on it, and freezing a month. Locks: contract, breach."""

import hashlib
import json
from datetime import date, timedelta
from decimal import Decimal

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clinic import audit
from clinic.codes import Act
from clinic.errors import Conflict, Forbidden, Refused
from maintenance import penalty
from maintenance.codes import BREACH_MOVES, BreachState, Measure
from maintenance.models import Breach, Statement, VendorContract

LONGEST = 500
# What a person has to see: a job finds no trace of it.
BY_HAND = (Measure.SAVES_LOST, Measure.UPGRADE_FAILED)


def object_to(*, breach, by, words, now=None, request=None) -> Breach:
    """The vendor's word against it, line by line. Refused code: words; Conflict code: state."""
    return _decide(breach, BreachState.OBJECTED, "maintenance.object_breach", by, _words(words), now, request)


def confirm(*, breach, by, words="", now=None, request=None) -> Breach:
    """It counts."""
    return _decide(
        breach, BreachState.CONFIRMED, "maintenance.decide_breach", by, words.strip()[:LONGEST], now, request
    )


def waive(*, breach, by, words, now=None, request=None) -> Breach:
    """It does not count, with reason."""
    return _decide(breach, BreachState.WAIVED, "maintenance.decide_breach", by, _words(words), now, request)


def charge(*, clause, on: date, words, key, by, now=None, request=None) -> Breach:
    """A breach that no job can measure (records lost), opened by a person with the facts in words; the same ``key`` opens it
    once. Refused codes: words, on, measure."""
    if not by.has_perm("maintenance.decide_breach"):
        raise Forbidden(_("Your role does not allow this."))
    words, now = _words(words), now or timezone.now()
    if clause.measure not in BY_HAND:
        raise Refused(
            _("The system finds breaches of this clause by itself."), code="measure", field="clause"
        )
    contract = clause.contract
    if not contract.starts <= on <= min(contract.ends, timezone.localdate(now)):
        raise Refused(_("The day lies in the contract's term and not in the future."), code="on", field="on")
    with transaction.atomic():
        VendorContract.objects.select_for_update().get(pk=contract.pk)
        if known := Breach.objects.filter(uuid=key).first():
            return known
        if Statement.objects.filter(contract=contract, month=on.replace(day=1)).exists():
            raise Conflict(_("The statement of this month is frozen."), code="frozen")
        facts = {**penalty.terms_of(clause), "words": words, "by": by.name}
        made = Breach.objects.create(
            uuid=key, contract=contract, clause=clause, part=str(key), on=on, facts=facts, amount=penalty.reckon(facts),
            opened_at=now,
        )  # fmt: skip
        audit.record(Act.CREATE, by=by, request=request, obj=made)
        return made


def freeze(*, contract, month: date, by, now=None, request=None) -> Statement:
    """The month's statement: every confirmed and waived line, the sum, and a hash over both. The same month twice is the same
    statement. Refused codes: month (not over yet), open (lines wait for a decision)."""
    if not by.has_perm("maintenance.add_statement"):
        raise Forbidden(_("Your role does not allow this."))
    month, now = month.replace(day=1), now or timezone.now()
    following = (month + timedelta(days=32)).replace(day=1)
    if following > timezone.localdate(now):
        raise Refused(_("This month is not over yet."), code="month", field="month")
    with transaction.atomic():
        held = VendorContract.objects.select_for_update().get(pk=contract.pk)
        if known := Statement.objects.filter(contract=held, month=month).first():
            return known
        rows = Breach.objects.filter(contract=held, on__gte=month, on__lt=following).select_related(
            "clause", "ticket"
        )
        rows = list(rows.select_for_update(of=("self",)).order_by("on", "pk"))
        if any(row.state in (BreachState.OPEN, BreachState.OBJECTED) for row in rows):
            raise Refused(_("Some lines of this month wait for a decision."), code="open")
        lines = [_line(row) for row in rows]
        total = sum((row.amount for row in rows if row.state == BreachState.CONFIRMED), Decimal(0))
        made = Statement.objects.create(
            contract=held, month=month, lines=lines, total=total, sha256=hash_of(held, month, lines, total), made_at=now,
            made_by=by,
        )  # fmt: skip
        audit.record(Act.DECIDE, by=by, request=request, obj=made, detail={"month": f"{month:%Y-%m}"})
        return made


def hash_of(contract, month, lines, total) -> str:
    """SHA-256 in hex over the canonical text: keys in order, no spaces, UTF-8."""
    whole = {"contract": contract.number, "month": f"{month:%Y-%m}", "lines": lines, "total": f"{total:.2f}"}
    return hashlib.sha256(
        json.dumps(whole, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    ).hexdigest()


def _line(row):
    return {
        "ticket": row.ticket and row.ticket.number, "clause": row.clause.number, "words": row.clause.words,
        "on": row.on.isoformat(), "facts": row.facts, "amount": str(row.amount), "state": str(row.state),
        "formula": penalty.explain(row.facts, row.facts.get("minutes_over", 0)), "objection": row.objection,
        "decision": row.decision,
    }  # fmt: skip


def _decide(breach, state, right, by, words, now, request):
    if not by.has_perm(right):
        raise Forbidden(_("Your role does not allow this."))
    with transaction.atomic():
        VendorContract.objects.select_for_update().get(pk=breach.contract_id)
        row = Breach.objects.select_for_update().get(pk=breach.pk)
        if row.state == state:
            return row
        if state not in BREACH_MOVES[BreachState(row.state)]:
            raise Conflict(_("This has been decided already."), code="state")
        if Statement.objects.filter(contract=row.contract_id, month=row.on.replace(day=1)).exists():
            raise Conflict(_("The statement of this month is frozen."), code="frozen")
        row.state = state
        if state == BreachState.OBJECTED:
            row.objection, row.objected_by, row.objected_at = words, by, now or timezone.now()
        else:
            row.decision, row.decided_by, row.decided_at = words, by, now or timezone.now()
        row.save()
        audit.record(Act.DECIDE, by=by, request=request, obj=row, detail={"state": str(state)})
        return row


def _words(words):
    words = words.strip()
    if not words:
        raise Refused(_("Please give a short reason."), code="words", field="words")
    if len(words) > LONGEST:
        raise Refused(_("At most %(n)d characters.") % {"n": LONGEST}, code="words", field="words")
    return words
