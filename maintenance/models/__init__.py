"""Tables of maintenance, one file per noun."""

from maintenance.models.calendar import WorkCalendar, WorkDay, WorkSpan
from maintenance.models.contact import Contact
from maintenance.models.contract import Breach, Clause, Payment, Statement, VendorContract
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
    "Breach",
    "Clause",
    "Contact",
    "Pause",
    "Payment",
    "PictureGrant",
    "Promise",
    "ServiceLevel",
    "Statement",
    "Ticket",
    "TicketCounter",
    "TicketEvent",
    "VendorContract",
    "WorkCalendar",
    "WorkDay",
    "WorkSpan",
]
