"""A few windows of messages ahead of the wire: claimed without waiting for anybody, given back when not begun."""

from dataclasses import dataclass, field

from messaging.dispatching.database import columns, rows

MINE = """
WITH mine AS MATERIALIZED (
    SELECT count(*) = 2 AS so FROM clinic_lease
    WHERE name IN (%(worker)s, %(account)s) AND holder = %(worker)s AND until > clock_timestamp()
), """
TAKE = """
UPDATE messaging_message m SET state = 'claimed', claimed_by = %(worker)s, gateway_id = %(gateway)s,
    state_at = %(now)s
WHERE m.id = ANY(ARRAY(SELECT id FROM found)) AND m.state = 'queued'
RETURNING m.id, m.campaign_id, m.phone, m.carrier, m.text, m.segments, m.tries, m.refused_by
"""
# From each queue (campaign and carrier) so many, in the order they are due.
CLAIM = (
    MINE  # noqa: S608
    + """found AS MATERIALIZED (
    SELECT one.id FROM unnest(%(campaigns)s::bigint[], %(carriers)s::text[], %(most)s::int[])
        AS queue (campaign, carrier, most)
    JOIN messaging_campaign c ON c.id = queue.campaign AND c.state = 'running'
    CROSS JOIN LATERAL (
        SELECT m.id FROM messaging_message m
        WHERE m.campaign_id = queue.campaign AND m.carrier = queue.carrier AND m.state = 'queued'
            AND m.due_at <= %(now)s AND NOT m.refused_by @> ARRAY[%(gateway)s::bigint]
        ORDER BY m.due_at, m.id LIMIT queue.most FOR NO KEY UPDATE SKIP LOCKED
    ) AS one
    WHERE (SELECT so FROM mine)
)
"""
    + TAKE
)
# What the gateways before this one would not take (their row numbers), of one carrier; they are few, and indexed.
CLAIM_TURNED_AWAY = (
    MINE  # noqa: S608
    + """found AS MATERIALIZED (
    SELECT m.id FROM messaging_message m
    WHERE m.carrier = %(carrier)s AND m.state = 'queued' AND m.refused_by <> '{}' AND m.due_at <= %(now)s
        AND m.refused_by @> %(before)s::bigint[] AND NOT m.refused_by @> ARRAY[%(gateway)s::bigint]
        AND m.campaign_id = ANY(%(campaigns)s) AND (SELECT so FROM mine)
        AND (SELECT state FROM messaging_campaign c WHERE c.id = m.campaign_id) = 'running'
    ORDER BY m.due_at, m.id LIMIT %(most)s FOR NO KEY UPDATE SKIP LOCKED
)
"""
    + TAKE
)
# A message that never was on a wire has no gateway.
GIVE_BACK = """
WITH whose AS MATERIALIZED (
    SELECT id FROM messaging_message
    WHERE id = ANY(%(ids)s) AND state = 'claimed' AND claimed_by = %(worker)s AND NOT on_wire
    ORDER BY id FOR NO KEY UPDATE
)
UPDATE messaging_message m SET state = 'queued', claimed_by = '', state_at = %(now)s,
    gateway_id = CASE WHEN m.tries > 0 THEN m.gateway_id END
FROM whose WHERE m.id = whose.id
RETURNING m.id
"""
# Parts of a long message that the same gateway took a moment ago: only the others are sent again, under the same
# reference. Handsets wait about so long for the rest.
TAKEN_PARTS = """
SELECT a.message_id, a.part FROM messaging_attempt a
JOIN messaging_attemptresult r ON r.attempt_id = a.id AND r.kind = 'accepted'
WHERE a.message_id = ANY(%(ids)s) AND a.gateway_id = %(gateway)s
    AND r.at > %(now)s::timestamptz - interval '10 minutes'
"""


@dataclass(frozen=True)
class Owner:
    """Who claims for which account."""

    worker: str
    gateway: int

    @property
    def words(self):
        return {"worker": self.worker, "gateway": self.gateway, "account": f"sms-gateway:{self.gateway}"}


@dataclass(slots=True)
class Claimed:
    id: int
    campaign: int
    phone: str
    carrier: str
    text: str
    segments: int
    tries: int
    refused_by: list[int]
    taken: frozenset[int] = field(default=frozenset())


def claim(owner: Owner, queues, now) -> list[Claimed]:
    """``queues``: (campaign, carrier, at most so many). [] too when the lease is not ours any more."""
    campaigns, carriers, most = columns(queues, 3)
    given = {**owner.words, "campaigns": campaigns, "carriers": carriers, "most": most, "now": now}
    return _with_parts(owner, rows(CLAIM, given), now)


def claim_turned_away(owner: Owner, carrier, before, campaigns, most, now) -> list[Claimed]:
    """Messages of the carrier that all gateways ``before`` have refused."""
    given = {
        **owner.words, "carrier": carrier, "before": list(before), "campaigns": list(campaigns), "most": most,
        "now": now,
    }  # fmt: skip
    return _with_parts(owner, rows(CLAIM_TURNED_AWAY, given), now)


def _with_parts(owner, lines, now):
    made = [Claimed(*line) for line in lines]
    long = [one.id for one in made if one.tries and one.segments > 1]
    if long:
        taken = {}
        for key, part in rows(TAKEN_PARTS, {**owner.words, "ids": long, "now": now}):
            taken.setdefault(key, set()).add(part)
        for one in made:
            one.taken = frozenset(taken.get(one.id, ()))
    return made


def give_back(owner: Owner, ids, now) -> int:
    """What was claimed and not begun."""
    return len(rows(GIVE_BACK, {**owner.words, "ids": list(ids), "now": now})) if ids else 0
