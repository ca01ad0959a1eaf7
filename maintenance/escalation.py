"""The job that warns and escalates: each alarm once, whatever restarts meanwhile.

At three quarters of a promise the one who has the ticket and the contact of the side hear of it; at its end the deputy and the
district's information office as well. By message, and in the ticket's story, which the queue and the board show.
"""

import uuid

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clinic.errors import Refused
from maintenance import contacts, sla
from maintenance.codes import OPEN, EventKind, Side
from maintenance.models import Alarm, TicketEvent
from messaging.actions import staff

# Alarms of one transaction: it holds the allowance of the institutions that send.
STEP = 100


def fire(now=None) -> int:
    """All alarms whose moment has come; returns how many. Two workers share them."""
    now, done = now or timezone.now(), 0
    while count := _fire_some(now):
        done += count
    return done


@transaction.atomic
def _fire_some(now):
    """Marked, told in the story and sent in one transaction: cut off, it is as if it had not begun."""
    rows = Alarm.objects.filter(fired_at=None, at__lte=now).order_by("at", "pk")
    rows = rows.select_related("ticket__institution", "ticket__assignee__institution")
    rows = list(rows.select_for_update(of=("self",), skip_locked=True)[:STEP])
    for row in rows:
        row.fired_at = now
    Alarm.objects.bulk_update(rows, ["fired_at"])
    alive = [row for row in rows if row.ticket.state in OPEN]
    TicketEvent.objects.bulk_create(
        TicketEvent(
            ticket=row.ticket, at=now, facts={"target": row.target, "told": _tell(row, now)},
            kind=EventKind.ESCALATED if row.percent == sla.OVER else EventKind.WARNED,
        )
        for row in alive
    )  # fmt: skip
    return len(rows)


def _tell(row, now) -> list[str]:
    """Names of those to whom a message went. One that cannot go holds up nobody."""
    told = []
    for call in _whom(row):
        key = uuid.uuid5(row.ticket.uuid, f"{row.target} {row.percent} {row.at.isoformat()} {call.phone}")
        try:
            with transaction.atomic():
                staff.tell(
                    phone=call.phone, whose=call.institution, words=_words(row), key=key,
                    institution=row.ticket.institution, now=now,
                )  # fmt: skip
            told.append(call.name)
        except Refused:
            continue
    return told


def _whom(row):
    over, ticket = row.percent == sla.OVER, row.ticket
    sides = {ticket.side, Side.DISTRICT_IT} if over else {ticket.side}
    found = [
        call
        for contact in contacts.nearest(ticket.institution, sides).values()
        for call in contacts.calls(contact, over)
    ]
    if ticket.assignee and ticket.assignee.phone:
        who = ticket.assignee
        found.append(contacts.Call(who.phone, who.name, who.institution, who.pk))
    return list({call.phone: call for call in found}.values())


def _words(row):
    """No title: what somebody typed may name a patient."""
    facts = {
        "number": row.ticket.number,
        "severity": row.ticket.get_severity_display(),
        "target": row.get_target_display(),
    }
    if row.percent == sla.OVER:
        return (
            _("Ticket %(number)s (%(severity)s): the time for its %(target)s is over. Please act now.")
            % facts
        )
    return (
        _("Ticket %(number)s (%(severity)s): three quarters of the time for its %(target)s are over.") % facts
    )
