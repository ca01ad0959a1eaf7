"""What may be sent now: campaigns, re-read every second; and what has come to its end."""

from collections import defaultdict
from dataclasses import dataclass, field

from django.db import transaction

from messaging import quota
from messaging.codes import CampaignKind, CampaignState
from messaging.dispatching import later
from messaging.dispatching.database import rows, together
from messaging.models import Campaign

RUNNING = """
SELECT c.id, c.institution_id, c.urgent, c.quiet_override <> '' FROM messaging_campaign c
WHERE c.state = 'running' AND (c.send_at IS NULL OR c.send_at <= %(now)s)
    AND (c.valid_until IS NULL OR c.valid_until > %(now)s)
ORDER BY c.id
"""
# One look into the queue's index for each campaign and carrier; ORDER BY and LIMIT hold the planner to it.
WAITING = """
SELECT c.id, k.carrier FROM unnest(%(campaigns)s::bigint[]) AS c (id)
CROSS JOIN unnest(%(carriers)s::text[]) AS k (carrier)
CROSS JOIN LATERAL (
    SELECT 1 FROM messaging_message m
    WHERE m.campaign_id = c.id AND m.carrier = k.carrier AND m.state = 'queued' AND m.due_at <= %(now)s
    ORDER BY m.due_at LIMIT 1
) AS one
"""
TURNED_AWAY = """
SELECT k.carrier FROM unnest(%(carriers)s::text[]) AS k (carrier)
CROSS JOIN LATERAL (
    SELECT 1 FROM messaging_message m
    WHERE m.carrier = k.carrier AND m.state = 'queued' AND m.refused_by <> '{}' AND m.due_at <= %(now)s
    ORDER BY m.due_at LIMIT 1
) AS one
"""


@dataclass(frozen=True)
class Work:
    """``allowed``: campaigns that may be sent now. ``urgent`` and ``ordinary``: carrier → campaigns with something
    due. ``turned_away``: carriers with messages that a gateway has refused."""

    allowed: frozenset[int] = frozenset()
    urgent: dict[str, list[int]] = field(default_factory=dict)
    ordinary: dict[str, list[int]] = field(default_factory=dict)
    turned_away: frozenset[str] = frozenset()


def look(carriers, now) -> Work:
    """Three queries, and one for each institution that is sending."""
    found = rows(RUNNING, {"now": now})
    quiet = {key: later.is_quiet(key, now) for key in {line[1] for line in found if not line[3]}}
    allowed = {key: urgent for key, place, urgent, override in found if override or not quiet[place]}
    split = {True: defaultdict(list), False: defaultdict(list)}
    given = {"campaigns": list(allowed), "carriers": list(carriers), "now": now}
    for campaign, carrier in rows(WAITING, given) if allowed else ():
        split[allowed[campaign]][carrier].append(campaign)
    turned_away = frozenset(carrier for (carrier,) in rows(TURNED_AWAY, given))
    return Work(frozenset(allowed), dict(split[True]), dict(split[False]), turned_away)


# The end -------------------------------------------------------------------------------------------------------------

BATCH = 2000
# Of no use any more, or no gateway of its route is left.
TOO_LATE = f"""
WITH whose AS MATERIALIZED (
    SELECT m.id FROM messaging_message m WHERE m.campaign_id = ANY(%(campaigns)s) AND m.state = 'queued'
    ORDER BY m.id LIMIT {BATCH} FOR NO KEY UPDATE SKIP LOCKED
)
UPDATE messaging_message m SET state = 'failed', reason = 'too_late', state_at = %(now)s
FROM whose WHERE m.id = whose.id RETURNING m.id
"""  # noqa: S608
NO_ROUTE = f"""
WITH whose AS MATERIALIZED (
    SELECT m.id FROM messaging_message m
    WHERE m.carrier = %(carrier)s AND m.state = 'queued' AND m.refused_by <> '{{}}'
        AND m.refused_by @> %(route)s::bigint[]
    ORDER BY m.id LIMIT {BATCH} FOR NO KEY UPDATE SKIP LOCKED
)
UPDATE messaging_message m SET state = 'failed', reason = 'no_route', state_at = %(now)s
FROM whose WHERE m.id = whose.id RETURNING m.id
"""  # noqa: S608


def close_late(now) -> int:
    """Fail what campaigns past their ``valid_until`` still have in the queue; so many were done."""
    late = Campaign.objects.filter(
        state__in=[CampaignState.RUNNING, CampaignState.PAUSED], valid_until__lte=now
    )
    campaigns = list(late.values_list("pk", flat=True))
    if not campaigns:
        return 0
    with together():
        return len(rows(TOO_LATE, {"campaigns": campaigns, "now": now}))


def close_routeless(table, now) -> int:
    """Fail what every gateway of its route has refused. A carrier without any route waits for one."""
    done = 0
    for carrier, route in table.items():
        if route:
            with together():
                done += len(rows(NO_ROUTE, {"carrier": str(carrier), "route": route, "now": now}))
    return done


# Something of it may still go out: what waits, what is with a carrier, what may be sent again after a doubt, what is
# not even there yet.
UNFINISHED = """
SELECT c.id FROM messaging_campaign c
LEFT JOIN (SELECT campaign_id, sum(messages) AS n FROM messaging_tally WHERE campaign_id = ANY(%(campaigns)s)
    GROUP BY campaign_id) AS made ON made.campaign_id = c.id
WHERE c.id = ANY(%(campaigns)s) AND (coalesce(made.n, 0) < c.recipients
    OR (coalesce(made.n, 0) = 0 AND c.made_at > %(now)s::timestamptz - interval '1 minute'))
UNION
SELECT t.campaign_id FROM (
    SELECT campaign_id, state, sum(messages) AS n FROM messaging_tally WHERE campaign_id = ANY(%(campaigns)s)
    GROUP BY campaign_id, state) AS t
JOIN messaging_campaign c ON c.id = t.campaign_id
WHERE t.n > 0 AND (t.state IN ('queued', 'claimed', 'submitted') OR (
    t.state = 'unknown' AND c.policy = 'at_least_once' AND EXISTS (SELECT FROM messaging_message m
        WHERE m.campaign_id = c.id AND m.state = 'unknown' AND m.decide_at IS NOT NULL)))
"""
TOUCHED = "SELECT DISTINCT campaign_id FROM messaging_tally WHERE id > %(after)s"


def finish(now) -> int:
    """Campaigns of which nothing is under way any more are finished. Single messages' standing ones never are."""
    running = Campaign.objects.filter(state=CampaignState.RUNNING).exclude(kind=CampaignKind.SINGLES)
    candidates = set(running.values_list("pk", flat=True))
    if not candidates:
        return 0
    candidates -= {key for (key,) in rows(UNFINISHED, {"campaigns": list(candidates), "now": now})}
    return sum(_finish(key, now) for key in sorted(candidates))


@transaction.atomic
def _finish(key, now):
    campaign = Campaign.objects.select_for_update().get(pk=key)
    unfinished = rows(UNFINISHED, {"campaigns": [key], "now": now})
    if campaign.state != CampaignState.RUNNING or unfinished:
        return 0
    campaign.state, campaign.ended_at = CampaignState.FINISHED, now
    campaign.save(update_fields=["state", "ended_at"])
    quota.settle(campaign, now)
    return 1


def settle(after, now) -> int:
    """Post to the ledger what has changed since the tally row ``after``; returns the last row seen. Late receipts count
    too: whatever touches a campaign's tallies settles it."""
    last = last_tally()
    touched = [key for (key,) in rows(TOUCHED, {"after": after})]
    for campaign in Campaign.objects.filter(pk__in=touched).order_by("pk"):
        quota.settle(campaign, now)
    return last


def last_tally() -> int:
    return rows("SELECT coalesce(max(id), 0) FROM messaging_tally", [])[0][0]
