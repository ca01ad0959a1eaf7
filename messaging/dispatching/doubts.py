"""What is decided when the waiting is over (``Message.decide_at``)."""

from messaging.dispatching.database import rows, together

BATCH = 1000
# Rather twice than not at all has its end, too.
MOST_TRIES = 5
DUE = f"""
WITH due AS MATERIALIZED (
    SELECT m.id, m.state, m.tries, m.campaign_id, m.gateway_id FROM messaging_message m
    WHERE m.state IN ('submitted', 'unknown') AND m.decide_at <= %(now)s
    ORDER BY m.decide_at LIMIT {BATCH} FOR NO KEY UPDATE SKIP LOCKED
), judged AS (
    SELECT d.id, CASE
        WHEN d.state = 'submitted' THEN 'expired'
        -- A late answer has said that the carrier has every part of it; only the receipt is missing.
        WHEN (SELECT count(*) > 0 AND bool_and(EXISTS (SELECT FROM messaging_attemptresult r
                WHERE r.attempt_id = a.id AND r.kind = 'accepted'))
            FROM messaging_attempt a WHERE a.message_id = d.id AND a.number = d.tries) THEN 'expired'
        WHEN c.policy = 'at_least_once' AND c.state IN ('running', 'paused') AND d.tries < {MOST_TRIES}
            AND (c.valid_until IS NULL OR c.valid_until > %(now)s) THEN 'queued'
        ELSE 'unknown' END AS state
    FROM due d JOIN messaging_campaign c ON c.id = d.campaign_id
)
UPDATE messaging_message m SET state = j.state, decide_at = NULL,
    state_at = CASE WHEN m.state = j.state THEN m.state_at ELSE %(now)s END,
    reason = CASE j.state WHEN 'expired' THEN 'no_report' WHEN 'unknown' THEN m.reason ELSE '' END,
    due_at = CASE j.state WHEN 'queued' THEN %(now)s ELSE m.due_at END,
    -- By another gateway, where the route has one that has not refused it.
    refused_by = CASE WHEN j.state = 'queued' AND EXISTS (
        SELECT FROM unnest(%(gateways)s::bigint[], %(carriers)s::text[]) AS route (gateway, carrier)
        WHERE route.carrier = m.carrier AND route.gateway <> m.gateway_id
            AND NOT m.refused_by @> ARRAY[route.gateway])
        THEN m.refused_by || m.gateway_id ELSE m.refused_by END
FROM judged j WHERE m.id = j.id
RETURNING m.state
"""  # noqa: S608


def decide(table, now) -> list[str]:
    """The states of those whose time has come: no receipt came (expired), or nobody knows and the campaign's policy
    decides (unknown for good, or queued again). ``table``: messaging.routing.table(). Call again while it gives
    something."""
    pairs = [(gateway, carrier) for carrier, gateways in table.items() for gateway in gateways]
    given = {
        "now": now, "gateways": [gateway for gateway, _ in pairs], "carriers": [str(one) for _, one in pairs],
    }  # fmt: skip
    with together():
        return [state for (state,) in rows(DUE, given)]


# Gateways that can be asked ------------------------------------------------------------------------------------------

# Once it is known that the carrier has it, its receipt is waited for like any other.
ASK = """
SELECT m.id, a.id, a.sequence, coalesce((
    SELECT remote_id FROM messaging_attemptresult r WHERE r.attempt_id = a.id AND r.remote_id <> '' LIMIT 1), ''),
    m.phone
FROM messaging_message m JOIN messaging_attempt a ON a.message_id = m.id AND a.number = m.tries
WHERE m.state = 'unknown' AND m.decide_at IS NOT NULL AND m.gateway_id = %(gateway)s AND a.gateway_id = %(gateway)s
    AND m.id > %(after)s
    AND NOT EXISTS (SELECT FROM messaging_receipt r WHERE r.attempt_id = a.id AND r.outcome <> 'under_way')
    AND NOT EXISTS (SELECT FROM messaging_attemptresult r WHERE r.attempt_id = a.id AND r.kind <> 'in_doubt')
ORDER BY m.id, a.id LIMIT %(most)s
"""


def to_ask(gateway, most, after=0) -> list[tuple[int, int, str, str, str]]:
    """(message, attempt, sequence, the carrier's number or "", phone) of what this gateway may be asked about."""
    return rows(ASK, {"gateway": gateway, "most": most, "after": after})
