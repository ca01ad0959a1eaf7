"""Warnings at three quarters of a promise and escalations at its end: rows with a time, kept true to their ticket."""

from maintenance import sla
from maintenance.codes import OPEN, Target
from maintenance.models import Alarm, Pause


def set_times(ticket, book: sla.Book | None = None, pauses=None) -> None:
    """Compute a locked ticket's times anew, and its alarms with them; the ticket is not saved.

    An alarm that has told somebody stays silent, unless its moment has moved to after that.
    """
    terms = (book or sla.Book()).of(ticket)
    if pauses is None:
        pauses = list(Pause.objects.filter(ticket=ticket).values_list("since", "until"))
    found = {
        (target, percent): sla.due(ticket, terms, target, pauses, percent) if terms else None
        for target in Target.values
        for percent in sla.PERCENTS
    }
    if terms is None:
        ticket.response_due_at = ticket.resolve_due_at = None
    else:
        ticket.response_due_at = found[Target.RESPONSE, sla.OVER]
        # While the clock stands the last known end is shown beside the pause.
        ticket.resolve_due_at = found[Target.RESOLVE, sla.OVER] or ticket.resolve_due_at
    _keep(ticket, {key: at if _watched(ticket, key[0]) else None for key, at in found.items()})


def _watched(ticket, target):
    if target == Target.RESPONSE:
        return ticket.state in OPEN and ticket.responded_at is None
    return ticket.state in OPEN and ticket.paused_at is None


def _keep(ticket, times):
    rows = {(row.target, row.percent): row for row in Alarm.objects.filter(ticket=ticket)}
    fresh, changed = [], []
    for (target, percent), at in times.items():
        row = rows.get((target, percent))
        if row is None:
            if at is not None:
                fresh.append(Alarm(ticket=ticket, target=target, percent=percent, at=at))
            continue
        again = row.fired_at is not None and at is not None and at > row.fired_at
        if row.at != at or again:
            row.at, row.fired_at = at, None if again else row.fired_at
            changed.append(row)
    Alarm.objects.bulk_create(fresh)
    Alarm.objects.bulk_update(changed, ["at", "fired_at"])
