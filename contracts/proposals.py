"""Evidence that proposes itself 一次录入多处记账: a signed visit, a home visit or a delivered message shows for every open
planned service of the resident that names its kind and whose window holds its day. A person only confirms.

Each minute it looks back over some hours, each night over two months: it may stand still for weeks and miss nothing. It never
proposes twice what was proposed, declined or withdrawn, may run any number of times and be cut off anywhere.
"""

from datetime import timedelta

from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from simple_history.utils import bulk_create_with_history

from contracts.actions import fulfilment
from contracts.codes import EvidenceKind
from contracts.models import Evidence, PlanItem
from emr.models import Correction
from messaging.codes import Purpose

LATELY = timedelta(hours=6)
LONG = timedelta(days=60)
STEP = 1000
# What a message can show: that somebody was told or asked, not that an agreement ends.
TELLING = (Purpose.EDUCATION, Purpose.FOLLOW_UP)

# ``seen``: (source row, resident, day, who did it); joined with what is open on that day.
FITTING = """
WITH seen AS MATERIALIZED ({seen})
SELECT p.id, p.team_id, seen.source, seen.day, seen.who
FROM seen
JOIN clinic_resident r ON r.id = seen.resident
CROSS JOIN LATERAL (
    SELECT COALESCE(r.merged_into_id, r.id) AS id
    UNION ALL SELECT absorbed.id FROM clinic_resident absorbed WHERE absorbed.merged_into_id = COALESCE(r.merged_into_id, r.id)
) person
JOIN contracts_agreement a ON a.resident_id = person.id
JOIN contracts_planitem p ON p.agreement_id = a.id AND seen.day BETWEEN p.due_from AND p.due_to
JOIN contracts_packageitem i ON i.id = p.item_id
WHERE a.state IN ('signed', 'deemed') AND p.closed_on IS NULL AND p.done < p.times AND i.evidence ? %(kind)s
    AND NOT EXISTS (SELECT FROM contracts_evidence e WHERE e.plan_id = p.id AND e.{column} = seen.source)
ORDER BY p.id, seen.source
LIMIT %(step)s
"""
VISITS = """
    SELECT e.id AS source, e.resident_id AS resident, (COALESCE(e.started_at, n.signed_at) AT TIME ZONE %(zone)s)::date AS day,
        e.doctor_id AS who
    FROM emr_note n JOIN emr_encounter e ON e.id = n.encounter_id
    WHERE n.signed_at >= %(since)s
        AND NOT EXISTS (SELECT FROM emr_correction c WHERE c.note_id = n.id AND c.void AND c.signed_at IS NOT NULL)
"""
HOME_VISITS = """
    SELECT v.id AS source, v.resident_id AS resident, v."on" AS day, v.by_id AS who
    FROM contracts_homevisit v WHERE v.made_at >= %(since)s
"""
MESSAGES = """
    SELECT m.id AS source, m.resident_id AS resident, (m.state_at AT TIME ZONE %(zone)s)::date AS day, NULL::bigint AS who
    FROM messaging_campaign c JOIN messaging_message m ON m.campaign_id = c.id
    WHERE c.purpose = ANY(%(purposes)s) AND m.state = 'delivered' AND m.state_at >= %(since)s AND c.made_at >= %(campaigns)s
"""
VISITED = (
    (EvidenceKind.VISIT, VISITS, "encounter_id"),
    (EvidenceKind.HOME_VISIT, HOME_VISITS, "home_visit_id"),
)
TOLD = ((EvidenceKind.MESSAGE, MESSAGES, "message_id"),)


def propose(now=None) -> int:
    """What was signed and written in the last hours; returns how many proposals were made."""
    return _propose_each(VISITED, LATELY, now)


def propose_all(now=None) -> int:
    """Visits of two months, and messages, which nobody waits for."""
    return _propose_each(VISITED + TOLD, LONG, now)


def _propose_each(sources, back, now):
    now = now or timezone.now()
    return sum(_propose(kind, sql, column, now - back, now) for kind, sql, column in sources)


def _propose(kind, sql, column, since, now):
    made = 0
    while True:
        try:
            with transaction.atomic():
                count = _propose_some(kind, sql, column, since, now)
        except IntegrityError:  # another worker proposed some of these at the same moment
            return made
        made += count
        if count < STEP:
            return made


def _propose_some(kind, sql, column, since, now):
    values = {
        "kind": kind.value, "since": since, "step": STEP, "zone": settings.TIME_ZONE, "purposes": list(TELLING),
        "campaigns": since - timedelta(days=365),
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(FITTING.format(seen=sql, column=column), values)
        rows = cursor.fetchall()
    # Ended agreements close their plans under the same locks.
    alive = set(
        PlanItem.objects.select_for_update().filter(pk__in={row[0] for row in rows}, closed_on=None).order_by("pk")
        .values_list("pk", flat=True)
    )  # fmt: skip
    evidence = [
        Evidence(
            plan_id=plan, team_id=team, kind=kind, on=day, done_by_id=who, made_at=now, **{column: source}
        )
        for plan, team, source, day, who in rows
        if plan in alive
    ]
    bulk_create_with_history(evidence, Evidence)
    return len(rows) if evidence else 0


def withdraw_undone(now=None) -> int:
    """Proposals of visits whose signature was undone since."""
    undone = Correction.objects.filter(void=True, signed_at__gte=(now or timezone.now()) - LONG)
    rows = Evidence.objects.proposed().filter(encounter__in=undone.values("note__encounter"))
    return sum(fulfilment.retract(evidence=row, now=now) for row in rows.order_by("plan", "pk")[:STEP])
