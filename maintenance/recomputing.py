"""After a promise, a calendar or a single day has changed, the times of every open ticket are computed anew."""

from django.db import transaction
from django.utils import timezone

from maintenance import alarms, sla
from maintenance.codes import OPEN, EventKind
from maintenance.events import tell
from maintenance.models import Pause, Ticket

STEP = 200


def recompute(now=None) -> int:
    """Returns how many tickets got another time. Each step in its own transaction: it may be cut off and begin again."""
    book, after, moved = sla.Book(), 0, 0
    while found := _step(book, after, now or timezone.now()):
        after, count = found
        moved += count
    return moved


@transaction.atomic
def _step(book, after, now):
    rows = (
        Ticket.objects.select_for_update().filter(state__in=OPEN, pk__gt=after).defer("words").order_by("pk")
    )
    rows = list(rows[:STEP])
    if not rows:
        return None
    pauses = {}
    for pause in Pause.objects.filter(ticket__in=rows):
        pauses.setdefault(pause.ticket_id, []).append((pause.since, pause.until))
    moved = 0
    for row in rows:
        before = row.response_due_at, row.resolve_due_at
        alarms.set_times(row, book, pauses.get(row.pk, []))
        if (row.response_due_at, row.resolve_due_at) != before:
            row.save(update_fields=["response_due_at", "resolve_due_at"])
            due = row.resolve_due_at
            tell(row, EventKind.RECOMPUTED, at=now, due=due and due.isoformat())
            moved += 1
    return rows[-1].pk, moved
