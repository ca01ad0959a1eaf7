"""What everybody may know of an account: written by its owner every second."""

from messaging.codes import GatewayState
from messaging.dispatching.database import columns, rows

WRITE = """
INSERT INTO messaging_gatewayhealth AS h (gateway_id, state, since, seen_at, holder, up, held_until, last_error,
    last_error_at, per_second, round_trip)
SELECT g.gateway, g.state, now(), clock_timestamp(), %(worker)s, g.up, g.held_until, coalesce(g.error, ''),
    g.error_at, g.per_second, g.round_trip
FROM unnest(%(gateways)s::bigint[], %(states)s::text[], %(ups)s::int[], %(helds)s::timestamptz[],
    %(errors)s::text[], %(error_ats)s::timestamptz[], %(rates)s::float[], %(trips)s::float[])
    AS g (gateway, state, up, held_until, error, error_at, per_second, round_trip)
ON CONFLICT (gateway_id) DO UPDATE SET state = excluded.state, seen_at = excluded.seen_at,
    since = CASE WHEN h.state = excluded.state THEN h.since ELSE excluded.since END,
    holder = excluded.holder, up = excluded.up, held_until = excluded.held_until,
    last_error = CASE WHEN excluded.last_error_at IS NULL THEN h.last_error ELSE excluded.last_error END,
    last_error_at = coalesce(excluded.last_error_at, h.last_error_at),
    per_second = excluded.per_second, round_trip = excluded.round_trip
"""
LEAVE = """
UPDATE messaging_gatewayhealth SET state = %s, since = now(), seen_at = clock_timestamp(), holder = '', up = 0,
    per_second = 0
WHERE gateway_id = %s AND holder = %s
"""


def write(worker, lines):
    """``lines``: (gateway, state, connections up, held until, error, when, answers a second, ms)."""
    gateways, states, ups, helds, errors, error_ats, rates, trips = columns(sorted(lines), 8)
    rows(
        WRITE,
        {
            "worker": worker, "gateways": gateways, "states": [str(one) for one in states], "ups": ups, "helds": helds,
            "errors": errors, "error_ats": error_ats, "rates": rates, "trips": trips,
        },
    )  # fmt: skip


def leave(gateway, worker, state=GatewayState.DOWN):
    """Its owner lets it go: whoever takes it writes next."""
    rows(LEAVE, [str(state), gateway, worker])
