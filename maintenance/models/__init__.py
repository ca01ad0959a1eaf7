"""Tables of maintenance, one file per noun."""

from maintenance.models.calendar import WorkCalendar, WorkDay, WorkSpan
from maintenance.models.contact import Contact
from maintenance.models.level import Promise, ServiceLevel
from maintenance.models.ticket import (
    Alarm,
    Attachment,
    Pause,
    PictureGrant,
    Ticket,
    TicketCounter,
    TicketEvent,
)

__all__ = [
    "Alarm",
    "Attachment",
    "Contact",
    "Pause",
    "PictureGrant",
    "Promise",
    "ServiceLevel",
    "Ticket",
    "TicketCounter",
    "TicketEvent",
    "WorkCalendar",
    "WorkDay",
    "WorkSpan",
]
