"""What comes in: delivery reports and messages from handsets. Committed first, acknowledged then.

Called by the dispatcher for what its connections hear, and by the receipt hook for what the HTTP platform posts. Both
may be called again with the same: nothing changes then.
"""

import uuid
from collections.abc import Sequence

from django.db import transaction
from django.utils import timezone

from messaging import optout
from messaging.codes import Meaning
from messaging.dispatching import matching
from messaging.dispatching.database import columns, rows
from messaging.gateways.base import Incoming, Outcome, Report
from messaging.models import IncomingMessage

# A report that says "delivered" of a number known from an answer finds its attempt at once.
KEEP = """
INSERT INTO messaging_receipt (gateway_id, remote_id, phone, outcome, stat, error, temporary, cause, done_at, raw, year,
    received_at, attempt_id, matched_at)
SELECT %(gateway)s, g.remote_id, g.phone, g.outcome, g.stat, g.error, g.temporary, g.cause, g.done_at, g.raw, %(year)s,
    %(now)s, g.attempt, CASE WHEN g.attempt IS NOT NULL THEN %(now)s END
FROM (
    SELECT given.*, CASE WHEN given.remote_id <> '' THEN (
        SELECT r.attempt_id FROM messaging_attemptresult r
        WHERE r.gateway_id = %(gateway)s AND r.remote_id = given.remote_id AND r.remote_id <> ''
            AND r.at > %(now)s::timestamptz - interval '30 days'
        ORDER BY r.id DESC LIMIT 1) END AS attempt
    FROM unnest(%(remote_id)s::text[], %(phone)s::text[], %(outcome)s::text[], %(stat)s::text[], %(error)s::text[],
        %(temporary)s::bool[], %(cause)s::text[], %(done_at)s::timestamptz[], %(raw)s::bytea[])
        AS given (remote_id, phone, outcome, stat, error, temporary, cause, done_at, raw)
) AS g
ON CONFLICT DO NOTHING
RETURNING attempt_id, outcome, cause, temporary
"""
KEEP_ONE = """
INSERT INTO messaging_receipt (gateway_id, remote_id, phone, outcome, stat, error, temporary, cause, done_at, raw, year,
    received_at, attempt_id, matched_at)
SELECT %(gateway)s, g.remote_id, g.phone, g.outcome, g.stat, g.error, g.temporary, g.cause, g.done_at, g.raw, %(year)s,
    %(now)s, %(attempt)s, %(now)s
FROM unnest(%(remote_id)s::text[], %(phone)s::text[], %(outcome)s::text[], %(stat)s::text[], %(error)s::text[],
    %(temporary)s::bool[], %(cause)s::text[], %(done_at)s::timestamptz[], %(raw)s::bytea[])
    AS g (remote_id, phone, outcome, stat, error, temporary, cause, done_at, raw)
ON CONFLICT DO NOTHING
RETURNING attempt_id, outcome, cause, temporary
"""
COLUMNS = ("remote_id", "phone", "outcome", "stat", "error", "temporary", "cause", "done_at", "raw")


@transaction.atomic
def keep_reports(gateway_id: int, reports: Sequence[Report], now) -> int:
    """Write the reports down and let them say what they say of their messages. Returns how many were new. Committed
    when it returns, unless the caller has a transaction of its own. Raises only what the database raises."""
    if not reports:
        return 0
    # In one order, so that two doors with the same reports do not wait for each other.
    plain = sorted((_plain(one) for one in reports), key=lambda one: one[:4])
    given = dict(zip(COLUMNS, columns(plain, len(COLUMNS)), strict=True))
    kept = rows(KEEP, {**given, "gateway": gateway_id, "year": timezone.localtime(now).year, "now": now})
    matching.apply([line for line in kept if line[0] is not None], now)
    return len(kept)


@transaction.atomic
def keep_said(gateway_id: int, attempt: int, report: Report, now) -> int:
    """A report that was asked for: it is about this attempt, whatever number it bears."""
    given = dict(zip(COLUMNS, columns([_plain(report)], len(COLUMNS)), strict=True))
    kept = rows(
        KEEP_ONE,
        {
            **given,
            "gateway": gateway_id,
            "year": timezone.localtime(now).year,
            "now": now,
            "attempt": attempt,
        },
    )
    matching.apply(kept, now)
    return len(kept)


def _plain(report):
    return (
        clean(report.remote_id, 65), clean(report.phone, 20), Outcome(report.outcome).value, clean(report.stat, 40),
        clean(report.error, 40), bool(report.temporary), clean(report.cause, 12), report.done_at, bytes(report.raw[:2000]),
    )  # fmt: skip


@transaction.atomic
def keep_incoming(gateway_id: int, messages: Sequence[Incoming], now) -> int:
    """Write messages from handsets down and honour those that want no more, in one transaction. Returns how many were
    new. The same delivered twice is one row."""
    made = [
        IncomingMessage(
            uuid=uuid.uuid4(), gateway_id=gateway_id, remote_id=clean(one.remote_id, 65),
            phone=clean(one.phone, 20), to=clean(one.to, 30), text=clean(one.text, 2000), part=one.part,
            parts=one.parts, reference=one.reference & 0x7FFF, meaning=optout.meaning(one.text),
            received_at=now, year=timezone.localtime(now).year, raw=bytes(one.raw[:2000]),
        )
        for one in sorted(messages, key=lambda one: one.remote_id)
    ]  # fmt: skip
    IncomingMessage.objects.bulk_create(made, ignore_conflicts=True)
    new = list(IncomingMessage.objects.filter(uuid__in=[one.uuid for one in made]).order_by("pk"))
    optout.honour([(one.phone, one) for one in new if one.meaning == Meaning.OPT_OUT], now)
    return len(new)


def clean(text, length) -> str:
    """What a carrier says, as far as a column holds it."""
    return str(text or "").replace("\0", "").encode("utf-8", "replace").decode()[:length]
