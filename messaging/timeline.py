"""Everything that happened to one message, in order: every message accounted for."""

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from messaging.codes import AttemptKind, MessageState, ReceiptOutcome
from messaging.models import Attempt, AttemptResult, Receipt

# Far more than any message has; one that was refused for a day by a throttled gateway comes near.
SHOWN = 200
GOOD = {AttemptKind.ACCEPTED, ReceiptOutcome.DELIVERED, MessageState.DELIVERED}
BAD = {
    AttemptKind.REFUSED,
    ReceiptOutcome.FAILED,
    ReceiptOutcome.EXPIRED,
    MessageState.FAILED,
    MessageState.EXPIRED,
}


@dataclass(frozen=True)
class Event:
    """``place``: the gateway. ``detail``: the carrier's own words and numbers. ``mood``: good, bad or nothing."""

    at: datetime
    what: str
    place: str = ""
    detail: str = ""
    mood: str = ""


def of(message) -> list[Event]:
    """Three queries."""
    events = [Event(message.made_at, _("Queued"))]
    events += map(_attempt, Attempt.objects.filter(message=message).select_related("gateway")[:SHOWN])
    results = AttemptResult.objects.filter(attempt__message=message).select_related("attempt", "gateway")
    events += map(_result, results[:SHOWN])
    receipts = Receipt.objects.filter(attempt__message=message).select_related("attempt", "gateway")
    events += map(_receipt, receipts.order_by("pk")[:SHOWN])
    events.sort(key=lambda event: event.at)
    if message.state != MessageState.QUEUED or message.tries:
        events.append(_now(message))
    return events


def _part(attempt):
    if attempt.parts == 1:
        return ""
    return _("part %(part)d of %(parts)d") % {"part": attempt.part, "parts": attempt.parts}


def _attempt(row):
    words = [
        _("try %(n)d") % {"n": row.number}, _part(row), f"{_('connection')} {row.connection}",
        f"{_('sequence')} {row.sequence}", row.worker,
    ]  # fmt: skip
    return Event(row.at, _("Given to the wire"), row.gateway.name, _joined(words))


def _result(row):
    words = [
        _part(row.attempt), f"{_('code')} {row.code}" if row.code else "",
        f"{_('number')} {row.remote_id}" if row.remote_id else "",
    ]  # fmt: skip
    label = AttemptKind(row.kind).label
    return Event(
        row.at, _("Answer: %(what)s") % {"what": label}, row.gateway.name, _joined(words), _mood(row.kind)
    )


def _receipt(row):
    words = [_part(row.attempt), row.stat, f"{_('code')} {row.error}" if row.error else ""]
    if row.matched_at and (row.matched_at - row.received_at).total_seconds() > 60:
        words.append(_("matched later"))
    label = ReceiptOutcome(row.outcome).label
    what = _("Receipt: %(what)s") % {"what": label}
    return Event(row.received_at, what, row.gateway.name, _joined(words), _mood(row.outcome))


def _now(message):
    reason = message.get_reason_display() if message.reason else ""
    return Event(
        message.state_at, _("State now: %(state)s") % {"state": message.get_state_display()}, "", reason,
        _mood(message.state),
    )  # fmt: skip


def _joined(words):
    return " · ".join(str(word) for word in words if word)


def _mood(code):
    return "good" if code in GOOD else "bad" if code in BAD else ""
