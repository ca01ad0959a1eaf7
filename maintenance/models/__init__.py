"""Tables of maintenance, one file per noun."""

from maintenance.models.backup import Backup
from maintenance.models.calendar import WorkCalendar, WorkDay, WorkSpan
from maintenance.models.contact import Contact
from maintenance.models.contract import Breach, Clause, Payment, Statement, VendorContract
from maintenance.models.emergency import Drill, EmergencyPlan, KitKey, OfflineKit, PaperPad, PlanStep
from maintenance.models.equipment import Equipment, LinkHour, LinkState
from maintenance.models.level import Promise, ServiceLevel
from maintenance.models.report import ActionItem, Attendance, Meeting, WeeklyReport
from maintenance.models.ticket import (
    Alarm,
    Attachment,
    Pause,
    PictureGrant,
    Ticket,
    TicketCounter,
    TicketEvent,
    TicketFilter,
)
from maintenance.models.training import Attempt, Certificate, Course, Question, Session, Trainee
from maintenance.models.upgrade import Notice, Upgrade, UpgradeSite, WatchHour

__all__ = [
    "ActionItem",
    "Alarm",
    "Attachment",
    "Attempt",
    "Attendance",
    "Backup",
    "Breach",
    "Certificate",
    "Clause",
    "Contact",
    "Course",
    "Drill",
    "EmergencyPlan",
    "Equipment",
    "KitKey",
    "LinkHour",
    "LinkState",
    "Meeting",
    "Notice",
    "OfflineKit",
    "PaperPad",
    "Pause",
    "Payment",
    "PictureGrant",
    "PlanStep",
    "Promise",
    "Question",
    "ServiceLevel",
    "Session",
    "Statement",
    "Ticket",
    "TicketCounter",
    "TicketEvent",
    "TicketFilter",
    "Trainee",
    "Upgrade",
    "UpgradeSite",
    "VendorContract",
    "WatchHour",
    "WeeklyReport",
    "WorkCalendar",
    "WorkDay",
    "WorkSpan",
]
