"""A week's figures, from data alone: the same rows give the same figures."""

from datetime import date, datetime, time, timedelta
from math import floor

from django.db import connection
from django.db.models import Count, Q, Sum
from django.utils import timezone

from clinic import registry
from maintenance.codes import OPEN, EventKind, TicketState
from maintenance.models import Backup, Breach, LinkHour, Ticket, TicketEvent
from messaging.codes import MessageState
from messaging.models import Tally

WEEK = timedelta(days=7)
WEEKS, MOST = 8, 8
MEDIANS = """
    SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM responded_at - reported_at))
               FILTER (WHERE responded_at >= %(since)s AND responded_at < %(until)s),
           percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM fixed_at - reported_at))
               FILTER (WHERE fixed_at >= %(since)s AND fixed_at < %(until)s)
    FROM maintenance_ticket
    WHERE kind <> 'suggestion' AND merged_into_id IS NULL
        AND (responded_at >= %(since)s AND responded_at < %(until)s OR fixed_at >= %(since)s AND fixed_at < %(until)s)
"""


def monday_of(day: date) -> date:
    return day - timedelta(days=day.weekday())


def bounds(monday: date) -> tuple[datetime, datetime]:
    """From Monday's midnight to the next one, by the house's clock."""
    since = timezone.make_aware(datetime.combine(monday, time()))
    return since, timezone.make_aware(datetime.combine(monday + WEEK, time()))


def of_week(monday: date) -> dict:
    """Plain JSON. Fifteen queries at most, whatever the number of tickets."""
    since, until = bounds(monday)
    told = Ticket.objects.filter(reported_at__gte=since, reported_at__lt=until)
    severity, kind = _sorts(told)
    return {
        **_counts(since, until), "new": sum(kind.values()), "severity": severity, "kind": kind,
        "medians": _medians(since, until), "problems": _problems(told), "places": _places(told),
        "weeks": _weeks(monday), "messages": _messages(since, until), "house": registry.counts_of(since, until),
        "backups": _backups(since, until), "lines": _lines(since, until),
    }  # fmt: skip


def _counts(since, until):
    """Four queries."""
    closed = Ticket.objects.filter(closed_at__gte=since, closed_at__lt=until).exclude(
        state=TicketState.MERGED
    )
    broken = Breach.objects.filter(opened_at__gte=since, opened_at__lt=until).aggregate(
        n=Count("pk"), sum=Sum("amount")
    )
    reopened = TicketEvent.objects.filter(
        kind=EventKind.STATE, at__gte=since, at__lt=until, facts__has_key="reopened"
    )
    return {
        "closed": closed.count(), "open": Ticket.objects.filter(state__in=OPEN, reported_at__lt=until).count(),
        "breached": broken["n"], "penalty": str(broken["sum"] or 0), "reopened": reopened.count(),
    }  # fmt: skip


def _sorts(told):
    """({severity: tickets}, {kind: tickets}). One query."""
    severity, kind = {}, {}
    for one, other, count in told.order_by().values_list("severity", "kind").annotate(n=Count("pk")):
        severity[one] = severity.get(one, 0) + count
        kind[other] = kind.get(other, 0) + count
    return severity, kind


def _medians(since, until):
    """Minutes from the report to the response and to the repair; None where there was none."""
    with connection.cursor() as cursor:
        cursor.execute(MEDIANS, {"since": since, "until": until})
        response, resolve = cursor.fetchone()
    return {"response": _minutes(response), "resolve": _minutes(resolve)}


def _minutes(seconds):
    return None if seconds is None else floor(float(seconds) / 60)


def _grouped(rows, name):
    return dict(rows.order_by().values_list(name).annotate(n=Count("pk")))


def _problems(told):
    """[[module, tickets, of these merged into another]], the most first: what hurt."""
    merged = Count("pk", filter=Q(state=TicketState.MERGED))
    rows = told.order_by().values_list("module").annotate(n=Count("pk"), merged=merged)
    return [list(row) for row in rows.order_by("-n", "module")[:MOST]]


def _places(told):
    rows = told.order_by().values_list("institution__short_name").annotate(n=Count("pk"))
    return [list(row) for row in rows.order_by("-n", "institution__short_name")[:MOST]]


def _weeks(monday):
    """[[Monday, new, closed]] of this week and those before it."""
    first = monday - WEEK * (WEEKS - 1)
    since, until = bounds(first)[0], bounds(monday)[1]
    new = _by_week(Ticket.objects.filter(reported_at__gte=since, reported_at__lt=until), "reported_at")
    gone = Ticket.objects.filter(closed_at__gte=since, closed_at__lt=until).exclude(state=TicketState.MERGED)
    closed = _by_week(gone, "closed_at")
    days = [first + WEEK * n for n in range(WEEKS)]
    return [[day.isoformat(), new.get(day, 0), closed.get(day, 0)] for day in days]


def _by_week(rows, name):
    found: dict[date, int] = {}
    for moment in rows.order_by().values_list(name, flat=True).iterator():
        day = monday_of(timezone.localdate(moment))
        found[day] = found.get(day, 0) + 1
    return found


def _messages(since, until):
    """Of the messages whose fate was settled in the week, how many arrived; percent rounded down."""
    rows = Tally.objects.filter(hour__gte=since, hour__lt=until).order_by().values_list("state")
    counted = dict(rows.annotate(n=Sum("messages")))
    arrived = max(counted.get(MessageState.DELIVERED, 0), 0)
    lost = max(sum(counted.get(state, 0) for state in FAILED), 0)
    return {"delivered": arrived, "failed": lost, "percent": percent(arrived, arrived + lost)}


# As the pages of campaigns count what did not arrive.
FAILED = (MessageState.FAILED, MessageState.EXPIRED, MessageState.UNKNOWN)


def percent(part, whole):
    """Hundredths, rounded down: 100 is said of what is whole alone. None of nothing."""
    return floor(part * 10_000 / whole) / 100 if whole else None


def _backups(since, until):
    return _grouped(Backup.objects.filter(began_at__gte=since, began_at__lt=until), "state")


def _lines(since, until):
    found = LinkHour.objects.filter(hour__gte=since, hour__lt=until).aggregate(
        all=Sum("probes"), failed=Sum("failed")
    )
    whole = found["all"] or 0
    return {
        "probes": whole,
        "failed": found["failed"] or 0,
        "percent": percent(whole - (found["failed"] or 0), whole),
    }
