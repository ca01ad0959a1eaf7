"""What the board on the wall shows: how many are open and late, and which are the next to be."""

from datetime import timedelta

from django.db.models import Count, Q
from django.utils import timezone

from maintenance import queue
from maintenance.codes import Severity, TicketState
from maintenance.models import Ticket

SHOWN = 24
SOON = timedelta(hours=4)


def of(user, now) -> dict:
    """{"counts": by severity, "totals", "late": rows, "soon": rows, "now"}. Six queries."""
    seen = Ticket.objects.visible_to(user)
    late = seen.overdue(now)
    soon = seen.open().filter(paused_at=None).exclude(pk__in=late.values("pk"))
    soon = soon.filter(
        Q(resolve_due_at__lte=now + SOON) | Q(responded_at=None, response_due_at__lte=now + SOON)
    )
    return {
        "counts": _counts(seen, late), "late": _listed(late, now), "soon": _listed(soon, now), "now": now,
        "totals": _totals(seen, now),
    }  # fmt: skip


def _counts(seen, late):
    """[(severity, open, overdue)]. Two queries."""
    counted = dict(seen.open().order_by().values_list("severity").annotate(n=Count("pk")))
    over = dict(late.order_by().values_list("severity").annotate(n=Count("pk")))
    return [(Severity(code), counted.get(code, 0), over.get(code, 0)) for code in Severity.values]


def _totals(seen, now):
    today = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
    return {
        "new": seen.filter(reported_at__gte=today).count(),
        "done": seen.filter(closed_at__gte=today).exclude(state=TicketState.MERGED).count(),
    }


def _listed(rows, now):
    rows = rows.select_related("institution", "assignee").defer("words", "failures", "title", "description")
    rows = list(rows.order_by("resolve_due_at", "pk")[:SHOWN])
    for row in rows:
        row.left = queue.left(row, now)
    return rows
