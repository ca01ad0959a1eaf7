"""The committed step before the wire: every message is looked at once more, and its attempts are written down."""

from dataclasses import dataclass

from messaging.dispatching.claiming import MINE, Owner
from messaging.dispatching.database import columns, rows

# One statement. Rows that somebody else holds are left out; what an opt-out or a cancelled campaign has changed until
# the lock is held does not fit any more. ``more``: long messages whose first parts are on the wire already.
BEGIN = (
    MINE  # noqa: S608
    + """locked AS MATERIALIZED (
    SELECT m.id, m.campaign_id, m.resident_id, m.phone, m.on_wire, m.tries FROM messaging_message m
    WHERE m.id = ANY(%(ids)s) AND m.state = 'claimed' AND m.claimed_by = %(worker)s
        AND m.on_wire = (m.id = ANY(%(more)s)) AND (SELECT so FROM mine)
    ORDER BY m.id FOR NO KEY UPDATE SKIP LOCKED
), judged AS MATERIALIZED (
    SELECT l.id, l.on_wire, l.tries, CASE
        WHEN l.on_wire THEN 'go'
        WHEN c.state = 'cancelled' THEN 'campaign'
        WHEN EXISTS (SELECT FROM messaging_optout o WHERE o.phone = l.phone AND o.ended_at IS NULL) THEN 'opted_out'
        WHEN r.life_state IN ('deceased', 'moved') THEN r.life_state
        WHEN c.state <> 'running' OR c.valid_until <= %(now)s THEN 'wait'
        ELSE 'go' END AS word
    FROM locked l JOIN messaging_campaign c ON c.id = l.campaign_id
    LEFT JOIN clinic_resident r ON r.id = l.resident_id
), begun AS (
    UPDATE messaging_message m SET on_wire = true, tries = m.tries + 1
    WHERE m.id = ANY(ARRAY(SELECT id FROM judged WHERE word = 'go' AND NOT on_wire))
    RETURNING m.id, m.tries
), stopped AS (
    UPDATE messaging_message m SET state = CASE j.word WHEN 'wait' THEN 'queued' ELSE 'cancelled' END,
        reason = CASE j.word WHEN 'wait' THEN '' ELSE j.word END, claimed_by = '', state_at = %(now)s,
        gateway_id = CASE WHEN m.tries > 0 THEN m.gateway_id END
    FROM judged j WHERE m.id = j.id AND j.word <> 'go'
), noted AS (
    INSERT INTO messaging_attempt (message_id, gateway_id, number, part, parts, sequence, connection, worker, at)
    SELECT n.id, %(gateway)s, n.tries, s.part, s.parts, s.sequence, s.connection, %(worker)s, %(now)s
    FROM (SELECT id, tries FROM begun UNION ALL SELECT id, tries FROM judged WHERE on_wire) AS n
    JOIN unnest(%(messages)s::bigint[], %(part)s::int[], %(parts)s::int[], %(sequence)s::text[],
        %(connection)s::int[]) AS s (message, part, parts, sequence, connection) ON s.message = n.id
    RETURNING id, message_id, part
)
SELECT id, message_id, part, '' FROM noted
UNION ALL SELECT 0, id, 0, word FROM judged WHERE word <> 'go'
"""
)


@dataclass
class Begun:
    """``attempts``: (message, part) → attempt. ``stopped``: message → why it is not ours any more."""

    attempts: dict[tuple[int, int], int]
    stopped: dict[int, str]


def begin(owner: Owner, work, more, now) -> Begun:
    """``work``: (message, part, parts, sequence, connection) of what will be written to the wire once this is
    committed. What is in neither of the answer's lists was not ours, or somebody is just changing it: give it back."""
    messages, part, parts, sequence, connection = columns(work, 5)
    given = {
        **owner.words, "ids": sorted(set(messages)), "more": list(more), "messages": messages, "part": part,
        "parts": parts, "sequence": sequence, "connection": connection, "now": now,
    }  # fmt: skip
    begun = Begun({}, {})
    for attempt, message, which, word in rows(BEGIN, given):
        if attempt:
            begun.attempts[message, which] = attempt
        else:
            begun.stopped[message] = word
    return begun
