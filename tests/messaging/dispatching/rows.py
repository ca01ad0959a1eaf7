"""Dispatchers, accounts and messages for tests, without sockets."""

import itertools
import uuid
from datetime import timedelta

from django.utils import timezone

from clinic.models import Lease
from messaging.codes import Carrier
from messaging.dispatching import beginning, booking, claiming
from messaging.dispatching.booking import Result
from messaging.dispatching.claiming import Owner
from messaging.gateways.base import Outcome, Report
from messaging.models import Attempt, Message, Route
from tests.messaging import rows

_serial = itertools.count(1)
HOURS = 48


def owner(gateway, worker=None, seconds=30) -> Owner:
    """A dispatcher that owns the account."""
    worker = worker or f"sms-worker:test:{next(_serial)}"
    until = timezone.now() + timedelta(seconds=seconds)
    for name in (worker, f"sms-gateway:{gateway.pk}"):
        Lease.objects.update_or_create(name=name, defaults={"holder": worker, "until": until})
    return Owner(worker, gateway.pk)


def gateway(carrier=Carrier.MOBILE, position=1, routes=None):
    made = rows.gateway(carrier=carrier)
    for one in routes if routes is not None else [carrier]:
        Route.objects.create(carrier=one, position=position, gateway=made)
    return made


def queue(
    campaign, count=1, carrier=Carrier.MOBILE, text="【社区卫生】您好，请来接种。", segments=1, resident=None
):
    """So many queued messages, each to a phone of its own."""
    now = timezone.now()
    first = next(_serial) * 100_000
    return Message.objects.bulk_create(
        Message(
            uuid=uuid.uuid4(), campaign=campaign, institution=campaign.institution, phone=f"138{first + n:08d}",
            carrier=carrier, text=text, segments=segments, made_at=now, due_at=now, state_at=now, resident=resident,
        )
        for n in range(count)
    )  # fmt: skip


def claim(who, campaign, most=100, carrier="mobile"):
    return claiming.claim(who, [(campaign.pk, carrier, most)], timezone.now())


def begin(who, claimed, parts=1, more=()):
    """Begin all parts of all; returns what ``beginning.begin`` says."""
    work = [
        (one.id, part, parts, f"{next(_serial):08x}", 1) for one in claimed for part in range(1, parts + 1)
    ]
    return beginning.begin(who, work, more, timezone.now())


def on_wire(who, campaign, count=1, **fields):
    """(messages, attempts by (message, part)) that were just written to the wire."""
    messages = queue(campaign, count, **fields)
    begun = begin(who, claim(who, campaign), fields.get("segments", 1))
    return messages, begun.attempts


def answer(who, message, kind="accepted", remote_id=None, now=None, **facts):
    """The answer to all parts of the last try of one message."""
    now = now or timezone.now()
    attempts = Attempt.objects.filter(
        message=message, number=Message.objects.get(pk=message.pk).tries
    ).order_by("pk")
    results = [Result(one.pk, kind, remote_of(one) if kind == "accepted" else "") for one in attempts]
    facts = {"seconds": 0, "report_hours": HOURS, "other_ways": True, **facts}
    decision = booking.decide(message.pk, [kind] * len(results), now=now, **facts)
    booking.book(who, results, [decision], now)
    return attempts


def submitted(who, campaign, count=1, **fields):
    messages, _attempts = on_wire(who, campaign, count, **fields)
    for one in messages:
        answer(who, one)
    return messages


def remote_of(attempt) -> str:
    return f"{attempt.pk:016x}"


def report(attempt, outcome=Outcome.DELIVERED, stat=None, phone=None, remote_id=None, **facts):
    stat = stat or {"delivered": "DELIVRD", "expired": "EXPIRED", "under_way": "ACCEPTD"}.get(
        outcome.value, "UNDELIV"
    )
    return Report(remote_id or remote_of(attempt), phone or attempt.message.phone, outcome, stat, **facts)


def last_attempts(message):
    return list(Attempt.objects.filter(message=message).order_by("-number", "part"))


def fresh(message):
    return Message.objects.get(pk=message.pk)
