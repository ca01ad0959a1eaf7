"""Proof that the allowance's ledger says what was sent: against the tallies, pair by pair, pot by pot."""

from django.db import connection, transaction
from django.utils.translation import gettext as _

from clinic.verification import Finding, Scope

MOST = 20
# What campaigns that are over have used, by the tallies and by the ledger.
UNLIKE = """
SELECT c.uuid, c.name, coalesce(t.used, 0), e.used, e.reserved
FROM messaging_campaign c
JOIN clinic_institution i ON i.id = c.institution_id
JOIN (SELECT campaign_id, sum(used) AS used, sum(reserved) AS reserved FROM messaging_quotaentry
    WHERE campaign_id IS NOT NULL GROUP BY 1) e ON e.campaign_id = c.id
LEFT JOIN (SELECT campaign_id, sum(segments) FILTER (WHERE state IN ('submitted', 'delivered', 'expired', 'unknown'))
    AS used, sum(segments) FILTER (WHERE state IN ('queued', 'claimed')) AS open
    FROM messaging_tally GROUP BY 1) t ON t.campaign_id = c.id
WHERE i.path LIKE %s AND c.state = 'finished' AND c.ended_at < now() - interval '10 minutes'
    AND (e.used <> coalesce(t.used, 0) OR e.reserved <> coalesce(t.open, 0))
ORDER BY c.id LIMIT %s
"""
LONE = """
SELECT q.year, i.short_name, e.kind, e.free
FROM messaging_quotaentry e
JOIN messaging_quota q ON q.id = e.quota_id JOIN clinic_institution i ON i.id = q.institution_id
WHERE e.kind IN ('share', 'loan', 'loan_return') AND i.path LIKE %s AND NOT EXISTS (
    SELECT FROM messaging_quotaentry o WHERE o.quota_id = e.counterpart_id AND o.counterpart_id = e.quota_id
        AND o.kind = e.kind AND o.free = -e.free AND o.at BETWEEN e.at - interval '1 minute' AND e.at + interval '1 minute')
ORDER BY e.id LIMIT %s
"""
BELOW = """
SELECT q.year, i.short_name, sum(e.reserved), sum(e.used)
FROM messaging_quotaentry e
JOIN messaging_quota q ON q.id = e.quota_id JOIN clinic_institution i ON i.id = q.institution_id
WHERE i.path LIKE %s GROUP BY 1, 2, q.id HAVING sum(e.reserved) < 0 OR sum(e.used) < 0
ORDER BY q.id LIMIT %s
"""
COUNT = """
SELECT count(*) FROM messaging_quotaentry e JOIN messaging_quota q ON q.id = e.quota_id
JOIN clinic_institution i ON i.id = q.institution_id WHERE i.path LIKE %s
"""


def allowances(scope=Scope()) -> Finding:  # noqa: B008 - frozen
    """The check of the allowances, for registry.checks: one snapshot, so that work meanwhile is no false alarm."""
    path = f"{scope.institution.path}%" if scope.institution else "/%"
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        broken = [sentence for look in (_unlike, _lone, _below) for sentence in look(cursor, path)]
        cursor.execute(COUNT, [path])
        count = cursor.fetchone()[0]
    if broken:
        return Finding(False, "\n".join(broken[:MOST]))
    return Finding(True, _("Allowances: %(count)d ledger entries, they add up.") % {"count": count})


def _unlike(cursor, path):
    cursor.execute(UNLIKE, [path, MOST])
    for uuid, name, sent, used, reserved in cursor.fetchall():
        yield _(
            "Campaign %(name)s (%(uuid)s): %(sent)d segments were sent, the ledger says %(used)d used and"
            " %(reserved)d reserved."
        ) % {"name": name, "uuid": uuid, "sent": sent, "used": used, "reserved": reserved}


def _lone(cursor, path):
    cursor.execute(LONE, [path, MOST])
    for year, place, kind, segments in cursor.fetchall():
        yield _("Allowance %(place)s %(year)d: %(kind)s of %(segments)d segments has no other side.") % {
            "place": place, "year": year, "kind": kind, "segments": segments,
        }  # fmt: skip


def _below(cursor, path):
    cursor.execute(BELOW, [path, MOST])
    for year, place, reserved, used in cursor.fetchall():
        yield _("Allowance %(place)s %(year)d: %(reserved)d reserved and %(used)d used; less than nothing.") % {
            "place": place, "year": year, "reserved": reserved, "used": used,
        }  # fmt: skip
