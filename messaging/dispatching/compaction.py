"""Tallies added up: the triggers write a row for every change, the sum alone matters."""

from messaging.dispatching.database import rows, together

LEAST = 200
# While a campaign is being sent: often, and only where it is worth it.
LEAST_RUNNING, MOST = 5_000, 50_000
CAMPAIGNS = """
SELECT campaign_id FROM messaging_tally
WHERE %(campaigns)s::bigint[] IS NULL OR campaign_id = ANY(%(campaigns)s::bigint[])
GROUP BY campaign_id
HAVING count(*) - count(DISTINCT (institution_id, gateway_id, carrier, state, reason, hour)) >= %(least)s
ORDER BY campaign_id
"""
# Rows that a sum has to see are locked first; what another transaction adds meanwhile stays as it is. A sum of nothing
# leaves no row.
ADD_UP = """
WITH old AS (
    DELETE FROM messaging_tally WHERE id = ANY(ARRAY(
        SELECT id FROM messaging_tally WHERE campaign_id = %(campaign)s ORDER BY id LIMIT %(most)s FOR UPDATE SKIP LOCKED))
    RETURNING institution_id, gateway_id, carrier, state, reason, hour, messages, segments
), made AS (
    INSERT INTO messaging_tally (campaign_id, institution_id, gateway_id, carrier, state, reason, hour, messages, segments)
    SELECT %(campaign)s, institution_id, gateway_id, carrier, state, reason, hour, sum(messages), sum(segments)
    FROM old GROUP BY institution_id, gateway_id, carrier, state, reason, hour
    HAVING sum(messages) <> 0 OR sum(segments) <> 0
    RETURNING 1
)
SELECT (SELECT count(*) FROM old), (SELECT count(*) FROM made)
"""


def add_up(campaigns=None, least=None) -> int:
    """So many rows fewer, of these campaigns or of all. A reader sees either all the old rows or the new ones: it is
    one statement."""
    fewer = 0
    for (campaign,) in rows(CAMPAIGNS, {"campaigns": campaigns, "least": least or LEAST}):
        with together():
            ((old, made),) = rows(ADD_UP, {"campaign": campaign, "most": MOST})
        fewer += old - made
    return fewer
