"""The job that finds broken promises of the vendor and reckons what they cost.

The vendor's clock begins when the ticket came to the vendor. A breach is opened when its promise is broken, and follows its ticket
until that is fixed or somebody has decided; from then on it stands as it is.
"""

from datetime import timedelta

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from maintenance import clock, penalty, sla
from maintenance.codes import OPEN, BreachState, Measure, Target, TicketState
from maintenance.models import Breach, Clause, Pause, Ticket, VendorContract

TARGETS = {Measure.RESPONSE_LATE: Target.RESPONSE, Measure.RESOLVE_LATE: Target.RESOLVE}
STEP = 500
# A ticket that was fixed so long ago has its breaches.
BACK = timedelta(days=40)


def find(now=None) -> int:
    """Open what is broken and bring up to date what goes on; returns how many rows were written. May run any number of
    times and be cut off anywhere."""
    now = now or timezone.now()
    today = timezone.localdate(now)
    contracts = VendorContract.objects.filter(starts__lte=today, ends__gte=today - BACK)
    return sum(_of_contract(contract, now) + _let_go_of_merged(contract, now) for contract in contracts)


def _let_go_of_merged(contract, now):
    """One fault is charged once: what a ticket broke before it was merged into another goes on there."""
    rows = Breach.objects.filter(
        contract=contract,
        ticket__state=TicketState.MERGED,
        state__in=(BreachState.OPEN, BreachState.OBJECTED),
    )
    with transaction.atomic():
        rows = list(rows.select_for_update(of=("self",)).select_related("ticket__merged_into")[:STEP])
        for row in rows:
            row.state, row.decided_at = BreachState.WAIVED, now
            row.decision = _("The ticket was merged into %(number)s.") % {
                "number": row.ticket.merged_into.number
            }
            row.save(update_fields=["state", "decided_at", "decision"])
    return len(rows)


def _of_contract(contract, now):
    clauses = list(Clause.objects.filter(contract=contract).select_related("contract"))
    if not clauses:
        return 0
    book, done, after = sla.Book(), 0, 0
    late = (
        Q(responded_at=None, response_due_at__lt=now) | Q(responded_at__gt=F("response_due_at"))
        | Q(fixed_at=None, resolve_due_at__lt=now) | Q(fixed_at__gt=F("resolve_due_at")) | Q(reopened__gt=0)
    )  # fmt: skip
    rows = Ticket.objects.filter(
        Q(state__in=OPEN) | Q(fixed_at__gte=now - BACK), late, merged_into=None, vendor_since__isnull=False,
        vendor_since__date__range=(contract.starts, contract.ends),
    ).order_by("pk")  # fmt: skip
    while found := list(rows.filter(pk__gt=after)[:STEP]):
        pauses = {}
        for pause in Pause.objects.filter(ticket__in=found):
            pauses.setdefault(pause.ticket_id, []).append((pause.since, pause.until))
        for ticket in found:
            done += _of_ticket(ticket, clauses, book.of(ticket), pauses.get(ticket.pk, []), now)
        after = found[-1].pk
    return done


def _of_ticket(ticket, clauses, terms, pauses, now):
    done = 0
    for clause in clauses:
        if clause.severity and clause.severity != ticket.severity:
            continue
        if clause.measure == Measure.REOPENED:
            facts = [(f"{n}", {"reopened": n}) for n in range(1, ticket.reopened + 1)]
        elif clause.measure in TARGETS and terms is not None:
            broken = facts_of(ticket, terms, TARGETS[clause.measure], pauses, now)
            facts = [("", broken)] if broken else []
        else:
            facts = []
        for part, found in facts:
            done += _keep(clause, ticket, part, {**penalty.terms_of(clause), **found}, now)
    return done


def of_upgrade(upgrade, now=None) -> int:
    """An upgrade was rolled back: one breach for each clause of the contract in force that measures it. Returns how many rows
    were written; asked again it writes none."""
    now = now or timezone.now()
    today = timezone.localdate(upgrade.began_at or now)
    clauses = Clause.objects.filter(
        contract__starts__lte=today, contract__ends__gte=today, measure=Measure.UPGRADE_FAILED
    )
    found = {
        "upgrade": upgrade.release, "began": upgrade.began_at and upgrade.began_at.isoformat(),
        "ended": upgrade.ended_at and upgrade.ended_at.isoformat(),
    }  # fmt: skip
    return sum(
        _keep(clause, None, str(upgrade.uuid), {**penalty.terms_of(clause), **found}, now)
        for clause in clauses.select_related("contract")
    )


def facts_of(ticket, terms, target, pauses, now) -> dict | None:
    """What was promised and what became of it; None while nothing is broken."""
    since = max(ticket.reported_at, ticket.vendor_since)
    standing = [(begun, ended or now) for begun, ended in pauses] if target == Target.RESOLVE else []
    due = sla.due(ticket, terms, target, standing, since=since)
    reached = ticket.responded_at if target == Target.RESPONSE else ticket.fixed_at
    end = reached or now
    if due is None or end <= due:
        return None
    over = clock.worked(terms.hours, due, end, standing)
    if not over:
        return None
    return {
        "target": str(target), "since": since.isoformat(), "due": due.isoformat(), "reached": reached and reached.isoformat(),
        "minutes_promised": int(terms.target(target) / timedelta(minutes=1)),
        "minutes_over": -(-over // timedelta(minutes=1)),
        "segments": [
            [one.since.isoformat(), one.until.isoformat(), one.counts, one.why]
            for one in clock.segments(terms.hours, since, end, standing)
        ],
    }  # fmt: skip


@transaction.atomic
def _keep(clause, ticket, part, facts, now):
    row = Breach.objects.select_for_update().filter(clause=clause, ticket=ticket, part=part).first()
    amount = penalty.reckon(facts, facts.get("minutes_over", 0))
    if row is None:
        Breach.objects.create(
            contract=clause.contract, clause=clause, ticket=ticket, part=part, on=timezone.localdate(now), facts=facts,
            amount=amount, opened_at=now,
        )  # fmt: skip
        return 1
    if row.state != BreachState.OPEN or row.facts.get("reached") or row.facts == facts:
        return 0
    row.facts, row.amount = facts, amount
    row.save(update_fields=["facts", "amount"])
    return 1
