"""What receipts say of the messages they belong to.

A message is delivered when all its parts are, and failed when one is (sms-protocols 2.5). A receipt counts for the
latest attempt of its part: what an earlier try came to says nothing against a later one under way, but a delivery is a
delivery whenever it was.
"""

from collections import defaultdict
from datetime import timedelta

from messaging import routing
from messaging.codes import MessageState, OverrideSource, Reason, ReceiptOutcome
from messaging.dispatching import later, reasons
from messaging.dispatching.database import columns, rows

ELSEWHERE = "elsewhere"  # Report.cause
# What a late receipt may still find: everything that was tried and is not decided.
OPEN = "(m.state IN ('claimed', 'submitted', 'unknown', 'expired') OR (m.state = 'queued' AND m.tries > 0))"
DELIVERED = f"""
WITH whose AS MATERIALIZED (
    SELECT m.id FROM messaging_message m
    WHERE m.id = ANY(ARRAY(
        SELECT message_id FROM messaging_attempt WHERE id = ANY(%(attempts)s) AND parts = 1)) AND {OPEN}
    ORDER BY m.id FOR NO KEY UPDATE
)
UPDATE messaging_message m SET state = 'delivered', reason = '', state_at = %(now)s, decide_at = NULL,
    claimed_by = '', on_wire = false
FROM whose WHERE m.id = whose.id AND {OPEN}
RETURNING m.id, m.phone, m.carrier, m.gateway_id, m.refused_by
"""  # noqa: S608
# Long messages: delivered once every part is, by the same gateway; parts of a try that failed do not count.
DELIVERED_LONG = f"""
WITH whose AS MATERIALIZED (
    SELECT m.id FROM messaging_message m WHERE m.id = ANY(%(messages)s) AND {OPEN}
    ORDER BY m.id FOR NO KEY UPDATE
), whole AS (
    SELECT a.message_id FROM whose JOIN messaging_attempt a ON a.message_id = whose.id
    JOIN messaging_receipt r ON r.attempt_id = a.id AND r.outcome = 'delivered'
    WHERE a.number > coalesce((
        SELECT max(b.number) FROM messaging_attempt b JOIN messaging_receipt f ON f.attempt_id = b.id
        WHERE b.message_id = a.message_id AND f.outcome IN ('failed', 'expired')), 0)
    GROUP BY a.message_id, a.gateway_id HAVING count(DISTINCT a.part) = max(a.parts)
)
UPDATE messaging_message m SET state = 'delivered', reason = '', state_at = %(now)s, decide_at = NULL,
    claimed_by = '', on_wire = false
FROM whole WHERE m.id = whole.message_id
RETURNING m.id, m.phone, m.carrier, m.gateway_id, m.refused_by
"""  # noqa: S608
# Those of whose part no later attempt exists.
UNDELIVERED = f"""
SELECT a.id, a.gateway_id, m.id, m.state, m.retried, m.carrier, m.refused_by, c.state, c.valid_until, c.institution_id
FROM messaging_attempt a
JOIN messaging_message m ON m.id = a.message_id
JOIN messaging_campaign c ON c.id = m.campaign_id
WHERE a.id = ANY(%(attempts)s) AND {OPEN} AND NOT EXISTS (
    SELECT FROM messaging_attempt b
    WHERE b.message_id = a.message_id AND b.part = a.part AND b.number > a.number)
ORDER BY m.id FOR NO KEY UPDATE OF m
"""  # noqa: S608
MOVE = """
UPDATE messaging_message m SET state = d.state, reason = d.reason, state_at = %(now)s, decide_at = NULL,
    claimed_by = '', on_wire = false, retried = m.retried OR d.state = 'queued', due_at = coalesce(d.due_at, m.due_at),
    refused_by = CASE WHEN d.refusing IS NULL THEN m.refused_by ELSE m.refused_by || d.refusing END
FROM unnest(%(ids)s::bigint[], %(states)s::text[], %(reasons)s::text[], %(dues)s::timestamptz[], %(refusings)s::bigint[])
    AS d (id, state, reason, due_at, refusing)
WHERE m.id = d.id
"""


def apply(matched, now):
    """``matched``: (attempt, outcome, cause, temporary) of new receipts. In the transaction that keeps them."""
    by_outcome = defaultdict(list)
    for line in matched:
        by_outcome[line[1]].append(line)
    if delivered := [line[0] for line in by_outcome[ReceiptOutcome.DELIVERED]]:
        _deliver(delivered, now)
    lost = [*by_outcome[ReceiptOutcome.FAILED], *by_outcome[ReceiptOutcome.EXPIRED]]
    if lost:
        _lose(lost, now)


def _deliver(attempts, now):
    done = rows(DELIVERED, {"attempts": attempts, "now": now})
    if len(done) < len(attempts):
        long = rows(
            "SELECT DISTINCT message_id FROM messaging_attempt WHERE id = ANY(%s) AND parts > 1", [attempts]
        )
        if long:
            done += rows(DELIVERED_LONG, {"messages": [key for (key,) in long], "now": now})
    for _key, phone, carrier, gateway, refused_by in done:
        if refused_by:
            learn(phone, carrier, gateway, OverrideSource.RECEIPT, now)


def _lose(lines, now):
    """Failed or expired. Once it goes back to the queue: what is temporary, for another hour of the next day; and a
    number that is another carrier's by now (SGIP says that in a report only), for the next gateway of its route."""
    said = {line[0]: line for line in lines}
    table = routing.table() if any(line[2] == ELSEWHERE for line in lines) else {}
    moves = {}
    for attempt, gateway, key, state, retried, carrier, refused_by, campaign, valid_until, place in rows(
        UNDELIVERED, {"attempts": list(said)}
    ):
        _attempt, outcome, cause, temporary = said[attempt]
        moved = cause == ELSEWHERE
        if moves.get(key, ("", ""))[1] == MessageState.FAILED or (
            state == "queued" and retried and (temporary or (moved and gateway in refused_by))
        ):
            continue  # another part of it has said so
        due, reason = None, str(reasons.of_report(outcome, cause, temporary))
        if not retried and state in ("submitted", "claimed") and campaign in ("running", "paused"):
            if moved:
                due = now if set(table.get(carrier, ())) - {gateway, *refused_by} else None
            elif temporary:
                due = later.next_day(place, now)
        if due is not None and (valid_until is None or due < valid_until):
            moves[key] = (key, MessageState.QUEUED.value, "", due, gateway if moved else None)
        elif outcome == ReceiptOutcome.EXPIRED and state != "queued":
            if state != "expired" and key not in moves:
                moves[key] = (key, MessageState.EXPIRED.value, reason, None, None)
        else:
            moves[key] = (key, MessageState.FAILED.value, reason or Reason.UNDELIVERED.value, None, None)
    if moves:
        keys, states, why, dues, refusings = columns(list(moves.values()), 5)
        rows(
            MOVE,
            {"ids": keys, "states": states, "reasons": why, "dues": dues, "refusings": refusings, "now": now},
        )


def learn(phone, carrier, gateway, source, now):
    """A number that its own carrier's gateway would not take, and this one did."""
    ((theirs,),) = rows("SELECT carrier FROM messaging_gateway WHERE id = %s", [gateway])
    if theirs != carrier:
        routing.learn(phone, theirs, source, now)


# Receipts that found nothing when they came ---------------------------------------------------------------------------

# A connection that broke before the answer leaves us without the carrier's number: then the phone tells, if one message
# alone is in doubt for it. Younger receipts may belong to an answer that is still being written down.
PHONE_AFTER = timedelta(seconds=5)
LOOK_BACK = timedelta(hours=3)
# Also what raced with its own answer.
BY_NUMBER = """
SELECT r.id, found.attempt_id FROM messaging_receipt r
CROSS JOIN LATERAL (
    SELECT attempt_id FROM messaging_attemptresult a
    WHERE a.gateway_id = r.gateway_id AND a.remote_id = r.remote_id AND a.remote_id <> ''
        AND a.at > r.received_at - interval '30 days'
    ORDER BY a.id DESC LIMIT 1) AS found
WHERE r.attempt_id IS NULL AND r.received_at > %(since)s AND r.remote_id <> ''
LIMIT 2000
"""
# Parts of one message are taken in the order they were sent in: all must arrive, so it matters little which is which.
BY_PHONE = """
WITH loose AS (
    SELECT r.id, r.gateway_id, r.phone, r.received_at,
        row_number() OVER (PARTITION BY r.gateway_id, r.phone ORDER BY r.id) AS n
    FROM messaging_receipt r
    WHERE r.attempt_id IS NULL AND r.received_at > %(since)s AND r.received_at <= %(before)s
        AND r.outcome <> 'under_way'
        AND EXISTS (SELECT FROM messaging_message m WHERE m.phone = r.phone AND m.state = 'unknown')
    ORDER BY r.id LIMIT 2000
), doubts AS (
    SELECT loose.gateway_id, loose.phone, a.id, a.at, m.state,
        row_number() OVER (PARTITION BY loose.gateway_id, loose.phone ORDER BY a.id) AS n,
        min(m.id) OVER (PARTITION BY loose.gateway_id, loose.phone) AS least,
        max(m.id) OVER (PARTITION BY loose.gateway_id, loose.phone) AS most
    FROM (SELECT DISTINCT gateway_id, phone FROM loose) AS loose
    JOIN messaging_message m ON m.phone = loose.phone AND (m.state = 'unknown' OR m.on_wire)
    JOIN messaging_attempt a ON a.message_id = m.id AND a.gateway_id = loose.gateway_id
    WHERE NOT EXISTS (SELECT FROM messaging_receipt x WHERE x.attempt_id = a.id)
        AND NOT EXISTS (SELECT FROM messaging_attemptresult x WHERE x.attempt_id = a.id AND x.kind <> 'in_doubt')
)
SELECT loose.id, doubts.id FROM loose JOIN doubts USING (gateway_id, phone, n)
WHERE doubts.least = doubts.most AND doubts.state = 'unknown' AND loose.received_at >= doubts.at
"""
MATCH = """
UPDATE messaging_receipt r SET attempt_id = g.attempt, matched_at = %(now)s
FROM unnest(%(receipts)s::bigint[], %(attempts)s::bigint[]) AS g (receipt, attempt)
WHERE r.id = g.receipt AND r.attempt_id IS NULL
RETURNING r.attempt_id, r.outcome, r.cause, r.temporary
"""


def match(pairs, now) -> int:
    """Write (receipt, attempt) onto the receipts and let them speak. In a transaction of the caller's."""
    if not pairs:
        return 0
    receipts, attempts = columns(sorted(pairs), 2)
    matched = rows(MATCH, {"receipts": receipts, "attempts": attempts, "now": now})
    apply(matched, now)
    return len(matched)


def sweep(now) -> int:
    """Receipts of the last hours that wait: by the carrier's number, then by phone after a doubt."""
    found = match(rows(BY_NUMBER, {"since": now - LOOK_BACK}), now)
    return found + match(rows(BY_PHONE, {"since": now - LOOK_BACK, "before": now - PHONE_AFTER}), now)
