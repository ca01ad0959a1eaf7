"""What the carriers answered, written down; and what it means for the message."""

from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings

from messaging.codes import AttemptKind, MessageState, OverrideSource, Reason
from messaging.dispatching import matching
from messaging.dispatching.claiming import Owner
from messaging.dispatching.database import columns, rows

NOTE = """
INSERT INTO messaging_attemptresult (attempt_id, gateway_id, kind, remote_id, code, at)
SELECT g.attempt, %(gateway)s, g.kind, g.remote_id, g.code, %(now)s
FROM unnest(%(attempt)s::bigint[], %(kind)s::text[], %(remote_id)s::text[], %(code)s::text[])
    AS g (attempt, kind, remote_id, code)
"""
# A message that a receipt or a recovery has decided meanwhile stays as it is.
DECIDE = """
WITH whose AS MATERIALIZED (
    SELECT id FROM messaging_message
    WHERE id = ANY(%(ids)s) AND state = 'claimed' AND claimed_by = %(worker)s AND on_wire
    ORDER BY id FOR NO KEY UPDATE
)
UPDATE messaging_message m SET state = d.state, reason = d.reason, state_at = %(now)s, claimed_by = '',
    on_wire = false,
    submitted_at = CASE WHEN d.state = 'submitted' THEN %(now)s ELSE m.submitted_at END,
    decide_at = d.decide_at, due_at = coalesce(d.due_at, m.due_at),
    refused_by = CASE WHEN d.refusing THEN m.refused_by || %(gateway)s::bigint ELSE m.refused_by END
FROM whose JOIN unnest(%(ids)s::bigint[], %(states)s::text[], %(reasons)s::text[], %(decide_ats)s::timestamptz[],
    %(due_ats)s::timestamptz[], %(refusings)s::bool[]) AS d (id, state, reason, decide_at, due_at, refusing)
    ON d.id = whose.id
WHERE m.id = whose.id
RETURNING m.id, m.state, m.phone, m.carrier, m.refused_by
"""
# Receipts that came before the answer.
EARLY = """
SELECT r.id, g.attempt FROM unnest(%(attempt)s::bigint[], %(remote_id)s::text[]) AS g (attempt, remote_id)
JOIN messaging_receipt r ON r.gateway_id = %(gateway)s AND r.remote_id = g.remote_id AND r.attempt_id IS NULL
WHERE g.remote_id <> ''
"""


@dataclass(frozen=True, slots=True)
class Result:
    """One attempt's answer. ``kind``: AttemptKind."""

    attempt: int
    kind: str
    remote_id: str = ""
    code: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of a message whose parts have all been answered."""

    message: int
    state: str
    reason: str = ""
    decide_at: object = None
    due_at: object = None
    refusing: bool = False


def note(owner: Owner, results, now):
    """The results as rows; what had a receipt already is matched now."""
    attempt, kind, remote_id, code = columns([(r.attempt, r.kind, r.remote_id, r.code) for r in results], 4)
    given = {
        **owner.words, "attempt": attempt, "kind": kind, "remote_id": remote_id, "code": code, "now": now,
    }  # fmt: skip
    rows(NOTE, given)
    return given


def book(owner: Owner, results, decisions, now):
    """Results and decisions of one batch, in a transaction of the caller's. The same batch again adds rows that say
    the same and changes no message."""
    given = note(owner, results, now) if results else None
    if decisions:
        decisions = sorted(decisions, key=lambda one: one.message)
        ids, states, reasons, decide_ats, due_ats, refusings = columns(
            [(d.message, d.state, d.reason, d.decide_at, d.due_at, d.refusing) for d in decisions], 6
        )
        decided = rows(
            DECIDE,
            {
                **owner.words, "ids": ids, "states": states, "reasons": reasons, "decide_ats": decide_ats,
                "due_ats": due_ats, "refusings": refusings, "now": now,
            },
        )  # fmt: skip
        for _key, state, phone, carrier, refused_by in decided:
            if refused_by and state == MessageState.SUBMITTED:
                matching.learn(phone, carrier, owner.gateway, OverrideSource.REFUSAL, now)
    if given and any(given["remote_id"]):
        matching.match(rows(EARLY, given), now)


# Verdicts of a whole message ------------------------------------------------------------------------------------------

THROTTLED_SECONDS = 2
NOT_TAKEN = {AttemptKind.THROTTLED, AttemptKind.CLOSED, AttemptKind.NOT_SENT, AttemptKind.ELSEWHERE}


def decide(message, kinds, *, seconds, report_hours, other_ways, now) -> Decision:
    """``kinds``: what each part's attempt came to. ``other_ways``: whether another gateway of the route is left once
    this one has refused. ``seconds``: how long the carrier asked us to wait."""
    kinds = set(kinds)
    if AttemptKind.REFUSED in kinds:
        return Decision(message, MessageState.FAILED, Reason.REFUSED)
    if AttemptKind.IN_DOUBT in kinds:
        return Decision(message, MessageState.UNKNOWN, Reason.IN_DOUBT, decide_at=now + doubt())
    if kinds == {AttemptKind.ACCEPTED}:
        return Decision(message, MessageState.SUBMITTED, decide_at=now + timedelta(hours=report_hours))
    if AttemptKind.ELSEWHERE in kinds:
        if not other_ways:
            return Decision(message, MessageState.FAILED, Reason.NO_ROUTE, refusing=True)
        return Decision(message, MessageState.QUEUED, due_at=now, refusing=True)
    if AttemptKind.THROTTLED in kinds:
        pause = timedelta(seconds=seconds or THROTTLED_SECONDS)
        return Decision(message, MessageState.QUEUED, due_at=now + pause)
    return Decision(message, MessageState.QUEUED)


def doubt():
    return timedelta(minutes=settings.SMS_DOUBT_MINUTES)


# Late answers ---------------------------------------------------------------------------------------------------------

# What the whole last try has come to, the latest word on each part.
LATE = """
SELECT m.id, m.carrier, m.refused_by, array_agg(last.kind), count(*) = max(a.parts)
FROM messaging_message m
JOIN messaging_attempt a ON a.message_id = m.id AND a.number = m.tries
CROSS JOIN LATERAL (
    SELECT kind FROM messaging_attemptresult r WHERE r.attempt_id = a.id
    ORDER BY (kind = 'in_doubt'), id DESC LIMIT 1) AS last
WHERE m.state = 'unknown' AND m.id = ANY(ARRAY(
    SELECT message_id FROM messaging_attempt WHERE id = ANY(%(attempts)s)))
GROUP BY m.id
"""
SETTLE = """
UPDATE messaging_message m SET state = d.state, reason = d.reason,
    state_at = CASE WHEN m.state = d.state THEN m.state_at ELSE %(now)s END,
    decide_at = d.decide_at, due_at = coalesce(d.due_at, m.due_at),
    refused_by = CASE WHEN d.refusing THEN m.refused_by || %(gateway)s::bigint ELSE m.refused_by END
FROM unnest(%(ids)s::bigint[], %(states)s::text[], %(reasons)s::text[], %(decide_ats)s::timestamptz[],
    %(due_ats)s::timestamptz[], %(refusings)s::bool[]) AS d (id, state, reason, decide_at, due_at, refusing)
WHERE m.id = d.id AND m.state = 'unknown'
"""


def late(owner: Owner, results, *, report_hours, ways, now):
    """Answers to attempts that were given up: after "no answer", after a recovery, or from a query. A doubt ends where
    they tell: taken, and a receipt is waited for; refused; or never taken, and it is queued again. ``ways(carrier,
    refused_by)``: whether a gateway is left."""
    note_given = note(owner, results, now)
    attempts = [one.attempt for one in results]
    decisions = []
    for key, carrier, refused_by, kinds, _whole in rows(LATE, {"attempts": attempts}):
        other = ways(carrier, [*refused_by, owner.gateway])
        one = decide(key, kinds, seconds=0, report_hours=report_hours, other_ways=other, now=now)
        if one.state == MessageState.SUBMITTED:  # unknown does not move back; its receipt will decide
            one = Decision(key, MessageState.UNKNOWN, Reason.IN_DOUBT, decide_at=one.decide_at)
        if set(kinds) - NOT_TAKEN and one.state == MessageState.QUEUED:
            continue  # a part of it may have arrived
        if AttemptKind.IN_DOUBT not in kinds:
            decisions.append(one)
    if decisions:
        ids, states, reasons, decide_ats, due_ats, refusings = columns(
            [(d.message, d.state, d.reason, d.decide_at, d.due_at, d.refusing) for d in decisions], 6
        )
        rows(
            SETTLE,
            {
                **owner.words, "ids": ids, "states": states, "reasons": reasons, "decide_ats": decide_ats,
                "due_ats": due_ats, "refusings": refusings, "now": now,
            },
        )  # fmt: skip
    matching.match(rows(EARLY, note_given), now)
