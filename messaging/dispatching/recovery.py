"""Claims nobody works on any more.

A dispatcher that died left two kinds: claimed and not begun, which goes back to the queue; and begun, with attempts of
which nobody knows whether they were written to the wire: those without an answer are in doubt. Whoever sees them does
it; two at once each take what the other does not hold.
"""

from collections import defaultdict

from messaging.codes import AttemptKind, MessageState
from messaging.dispatching import booking
from messaging.dispatching.booking import Result
from messaging.dispatching.claiming import Owner
from messaging.dispatching.database import rows, together

BATCH = 500
NO_DISPATCHER = """
    NOT EXISTS (SELECT FROM clinic_lease l WHERE l.name = m.claimed_by AND l.until > clock_timestamp())
"""
ORPHANS = f"""
SELECT m.id, m.claimed_by, m.gateway_id, m.on_wire, m.tries, m.segments FROM messaging_message m
WHERE m.state = 'claimed' AND {NO_DISPATCHER}
ORDER BY m.id LIMIT {BATCH} FOR NO KEY UPDATE SKIP LOCKED
"""  # noqa: S608
# Of a living dispatcher's own account: what it does not know of, after a transaction whose end it never heard.
STRAYS = f"""
SELECT m.id, m.claimed_by, m.gateway_id, m.on_wire, m.tries, m.segments FROM messaging_message m
WHERE m.state = 'claimed' AND m.claimed_by = %(worker)s AND m.gateway_id = %(gateway)s AND m.id <> ALL(%(known)s)
ORDER BY m.id LIMIT {BATCH} FOR NO KEY UPDATE SKIP LOCKED
"""  # noqa: S608
BACK = """
UPDATE messaging_message m SET state = 'queued', claimed_by = '', state_at = %(now)s,
    gateway_id = CASE WHEN m.tries > 0 THEN m.gateway_id END
WHERE m.id = ANY(%(ids)s)
"""
# SGIP's sequence of twelve bytes is the carrier's number too: receipts still find what was in doubt.
LAST_TRY = """
SELECT a.message_id, a.id, (
    SELECT kind FROM messaging_attemptresult r WHERE r.attempt_id = a.id ORDER BY id DESC LIMIT 1),
    CASE WHEN length(a.sequence) = 24 THEN a.sequence ELSE '' END
FROM messaging_attempt a JOIN messaging_message m ON m.id = a.message_id AND a.number = m.tries
WHERE m.id = ANY(%(ids)s)
"""
# Parts the carrier has, of whichever try.
TAKEN = """
SELECT a.message_id, count(DISTINCT a.part) FROM messaging_attempt a
JOIN messaging_attemptresult r ON r.attempt_id = a.id AND r.kind = 'accepted'
WHERE a.message_id = ANY(%(ids)s) GROUP BY a.message_id
"""


def recover(now) -> int:
    """Claims of dispatchers without a lease; how many were dealt with. Call again while it is not 0."""
    with together():
        return _settle(rows(ORPHANS, []), AttemptKind.IN_DOUBT, now)


def strays(owner: Owner, known, now) -> int:
    """Messages this dispatcher holds in the database and not in its memory. None of them was written to the wire: that
    happens only after it has heard that the attempt is committed."""
    with together():
        return _settle(rows(STRAYS, {**owner.words, "known": list(known) or [0]}), AttemptKind.NOT_SENT, now)


def _settle(found, open_means, now):
    waiting = [line[0] for line in found if not line[3]]
    if waiting:
        rows(BACK, {"ids": waiting, "now": now})
    begun = {line[0]: line for line in found if line[3]}
    attempts = defaultdict(list)
    for message, *attempt in rows(LAST_TRY, {"ids": list(begun)}) if begun else ():
        attempts[message].append(attempt)
    by_owner = defaultdict(lambda: ([], []))
    for key, line in begun.items():
        results, decisions = by_owner[Owner(line[1], line[2])]
        results += [
            Result(attempt, open_means, number) for attempt, kind, number in attempts[key] if kind is None
        ]
        decisions.append(_decision(line, [kind or open_means for _attempt, kind, _ in attempts[key]], now))
    for owner, (results, decisions) in by_owner.items():
        booking.book(owner, results, decisions, now)
    return len(found)


def _decision(line, kinds, now):
    """A long message whose other parts were never begun is queued for the rest, unless one is in doubt."""
    key, _worker, gateway, _wire, _tries, segments = line
    if set(kinds) == {AttemptKind.ACCEPTED} and dict(rows(TAKEN, {"ids": [key]}))[key] < segments:
        return booking.Decision(key, MessageState.QUEUED)
    hours = _report_hours(gateway)
    return booking.decide(key, kinds, seconds=0, report_hours=hours, other_ways=True, now=now)


def _report_hours(gateway):
    return rows("SELECT report_hours FROM messaging_gateway WHERE id = %s", [gateway])[0][0]
