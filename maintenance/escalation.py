"""The job that warns and escalates: each alarm once, whatever restarts meanwhile."""

from django.db import transaction
from django.utils import timezone

from maintenance import sla
from maintenance.codes import OPEN, EventKind
from maintenance.models import Alarm, TicketEvent

STEP = 500


def fire(now=None) -> int:
    """All alarms whose moment has come; returns how many. Two workers share them."""
    now, done = now or timezone.now(), 0
    while count := _fire_some(now):
        done += count
    return done


@transaction.atomic
def _fire_some(now):
    """Marked, told in the story and announced in one transaction: cut off, it is as if it had not begun."""
    rows = Alarm.objects.filter(fired_at=None, at__lte=now).order_by("at", "pk").select_related("ticket")
    rows = list(rows.select_for_update(of=("self",), skip_locked=True)[:STEP])
    if not rows:
        return 0
    for row in rows:
        row.fired_at = now
    Alarm.objects.bulk_update(rows, ["fired_at"])
    alive = [row for row in rows if row.ticket.state in OPEN]
    TicketEvent.objects.bulk_create(
        TicketEvent(
            ticket=row.ticket, at=now, facts={"target": row.target},
            kind=EventKind.ESCALATED if row.percent == sla.OVER else EventKind.WARNED,
        )
        for row in alive
    )  # fmt: skip
    return len(rows)
