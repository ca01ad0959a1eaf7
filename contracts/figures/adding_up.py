"""Adds up one month of agreements, services and proofs by team and group (model ``Figure``), in one statement each."""

from datetime import date, timedelta

from django.db import connection, transaction
from django.utils import timezone

from contracts.codes import ONCE_IN_FORCE
from contracts.models import Agreement, Figure

COUNTS = ("signed", "served", "added", "ended", "due", "renewed", "planned", "done")
# So many months are kept up with every night: what is imported or ended late changes the past.
MONTHS = 24

# ``over`` is the last day of an agreement that was in force at all; a term that ended before it began never was.
# Everybody counts among all, whoever has a group among the key populations (rules B4.5) and in each group of his.
ADD_UP = """
WITH agreements AS MATERIALIZED (
    SELECT id, team_id, resident_id, groups, start, "end", COALESCE(ended_on, "end") AS over
    FROM contracts_agreement
    WHERE state = ANY(%(once)s) AND start <= %(day)s AND COALESCE(ended_on, "end") >= %(first)s
      AND COALESCE(ended_on, "end") >= start
), served AS MATERIALIZED (
    SELECT DISTINCT a.resident_id
    FROM contracts_evidence e JOIN contracts_planitem p ON p.id = e.plan_id JOIN contracts_agreement a ON a.id = p.agreement_id
    WHERE e.state = 'confirmed' AND e."on" BETWEEN %(january)s AND %(day)s
), followed AS MATERIALIZED (
    SELECT DISTINCT follows_id AS id FROM contracts_agreement
    WHERE follows_id IS NOT NULL AND state = ANY(%(once)s) AND COALESCE(ended_on, "end") >= start
), promised AS MATERIALIZED (
    SELECT agreement_id, sum(times) AS planned, sum(LEAST(done, times)) AS done
    FROM contracts_planitem
    WHERE due_to BETWEEN %(first)s AND %(day)s AND (closed_on IS NULL OR closed_on >= due_to)
    GROUP BY agreement_id
), counted AS (
    SELECT a.team_id, a.groups,
        (a.over >= %(day)s)::int AS signed,
        (a.over >= %(day)s AND s.resident_id IS NOT NULL)::int AS served,
        (a.start >= %(first)s)::int AS added,
        (a.over BETWEEN %(first)s AND %(day)s)::int AS ended,
        (a."end" BETWEEN %(first)s AND %(day)s AND a.over = a."end")::int AS due,
        (a."end" BETWEEN %(first)s AND %(day)s AND a.over = a."end" AND f.id IS NOT NULL)::int AS renewed,
        0 AS planned, 0 AS done
    FROM agreements a LEFT JOIN served s USING (resident_id) LEFT JOIN followed f ON f.id = a.id
    UNION ALL
    SELECT a.team_id, a.groups, 0, 0, 0, 0, 0, 0, p.planned, p.done
    FROM promised p JOIN contracts_agreement a ON a.id = p.agreement_id
)
INSERT INTO contracts_figure
    (month, institution_id, team_id, "group", signed, served, added, ended, due, renewed, planned, done, refreshed_at)
SELECT %(first)s, t.institution_id, c.team_id, g.code, sum(c.signed), sum(c.served), sum(c.added), sum(c.ended), sum(c.due),
    sum(c.renewed), sum(c.planned), sum(c.done), %(now)s
FROM counted c JOIN contracts_team t ON t.id = c.team_id
    CROSS JOIN LATERAL (
        SELECT 'all' AS code
        UNION ALL SELECT 'key' WHERE jsonb_array_length(c.groups) > 0
        UNION ALL SELECT jsonb_array_elements_text(c.groups)
    ) g
GROUP BY t.institution_id, c.team_id, g.code
ORDER BY c.team_id, g.code -- two at once take the rows in one order
ON CONFLICT (month, team_id, "group") DO UPDATE SET institution_id = EXCLUDED.institution_id, {set}
"""
# Of an institution and all below it: a page of the district adds up no teams.
GATHER = """
INSERT INTO contracts_figure (month, institution_id, "group", {counts}, refreshed_at)
SELECT f.month, above.id, f."group", {sums}, %(now)s
FROM contracts_figure f JOIN clinic_institution own ON own.id = f.institution_id
    JOIN clinic_institution above ON starts_with(own.path, above.path)
WHERE f.month = %(first)s AND f.team_id IS NOT NULL
GROUP BY f.month, above.id, f."group"
ORDER BY above.id, f."group"
ON CONFLICT (month, institution_id, "group") WHERE team_id IS NULL DO UPDATE SET {set}
"""

PARTS = {
    "counts": ", ".join(COUNTS),
    "sums": ", ".join(f"sum(f.{count})" for count in COUNTS),
    "set": ", ".join(f"{each} = EXCLUDED.{each}" for each in (*COUNTS, "refreshed_at")),
}


def month_of(day) -> date:
    return day.replace(day=1)


def last_of(month) -> date:
    return (month + timedelta(days=31)).replace(day=1) - timedelta(days=1)


def before(month, months=1) -> date:
    """The first day of so many months earlier."""
    count = month.year * 12 + month.month - 1 - months
    return date(count // 12, count % 12 + 1, 1)


def add_up(month, now=None):
    """One month, up to its last day or to today. Harmless to repeat, also at the same time."""
    now = now or timezone.now()
    day = min(last_of(month), timezone.localdate(now))
    values = {
        "first": month, "day": day, "january": day.replace(month=1, day=1), "now": now, "once": list(ONCE_IN_FORCE),
    }  # fmt: skip
    with transaction.atomic():
        with connection.cursor() as cursor:
            for statement, rows in (
                (ADD_UP, Figure.objects.of_teams()),
                (GATHER, Figure.objects.of_places()),
            ):
                cursor.execute(statement.format(**PARTS), values)
                # Those that have nothing left in this month.
                rows.filter(month=month, refreshed_at__lt=now).delete()


def add_up_lately(now=None):
    """The running month and the one before; all that were never added up."""
    now = now or timezone.now()
    running = month_of(timezone.localdate(now))
    known = set(
        Figure.objects.filter(month__gte=before(running, MONTHS)).values_list("month", flat=True).distinct()
    )
    for back in range(MONTHS + 1):
        month = before(running, back)
        if back < 2 or (month not in known and _begun(month)):
            add_up(month, now)


def _begun(month) -> bool:
    """Whether there was any agreement then; months before the first one stay without figures."""
    return Agreement.objects.filter(start__lte=last_of(month), state__in=ONCE_IN_FORCE).exists()


def add_up_all(now=None):
    """Every month that the pages show."""
    now = now or timezone.now()
    running = month_of(timezone.localdate(now))
    for back in range(MONTHS + 1):
        if back < 2 or _begun(before(running, back)):
            add_up(before(running, back), now)
