"""What a batch does to a chunk of agreements (contracts.batching.WORK)."""

from django.contrib.auth import get_user_model
from django.db import transaction
from django.utils.dateparse import parse_date

from clinic.errors import Refused
from contracts.actions import agreements, renewals
from contracts.batching import Outcome
from contracts.codes import EndReason


def renew(lines, orders, by) -> list[Outcome]:
    """Orders: years, text (row number of the agreement text), confirmed, team (None: the same)."""
    return [
        Outcome(line, made=made, refused="" if made else sentence, remark=sentence if made else "")
        for line, made, sentence in renewals.renew_many(lines, orders, by)
    ]


def terminate(lines, orders, by) -> list[Outcome]:
    """Orders: reason, note, on (a day as text, or None: today)."""
    given = {"reason": EndReason(orders["reason"]), "note": orders.get("note", ""), "by": by}
    on = parse_date(orders["on"]) if orders.get("on") else None
    return _one_by_one(lines, lambda agreement: agreements.end(agreement=agreement, on=on, **given))


def reassign(lines, orders, by) -> list[Outcome]:
    """Orders: doctor (row number)."""
    doctor = get_user_model().objects.get(pk=orders["doctor"])
    return _one_by_one(
        lines, lambda agreement: agreements.reassign(agreement=agreement, doctor=doctor, by=by)
    )


def _one_by_one(lines, act):
    """In the order of their row numbers, whatever order they were ticked in: two batches cannot wait for each other."""
    done = {}
    for line in sorted(lines, key=lambda line: (line.resident_id, line.agreement_id)):
        try:
            with transaction.atomic():
                act(line.agreement)
            done[line.pk] = Outcome(line)
        except Refused as refusal:
            done[line.pk] = Outcome(line, refused=refusal.message)
    return [done[line.pk] for line in lines]
