"""Choices of maintenance."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class TicketKind(TextChoices):
    FAULT = "fault", _("fault")
    QUESTION = "question", _("question")
    # How a page looks or flows: answered, never clocked.
    SUGGESTION = "suggestion", _("suggestion")


CLOCKED = (TicketKind.FAULT, TicketKind.QUESTION)


class Channel(TextChoices):
    """How it reached us. Somebody types in what came by telephone; the time reported is not the time typed."""

    SYSTEM = "system", _("in the system")
    WECHAT = "wechat", _("WeChat group")
    QQ = "qq", _("QQ group")
    HOTLINE = "hotline", _("hotline")
    ON_SITE = "on_site", _("on site")
    MEETING = "meeting", _("weekly meeting")
    PROBE = "probe", _("probe of a link")


class Module(TextChoices):
    CHART = "chart", _("chart")
    RECEPTION = "reception", _("residents and waiting list")
    SIGNING = "signing", _("family-doctor signing")
    MESSAGES = "messages", _("messages")
    REPORTS = "reports", _("figures and lists")
    ACCOUNTS = "accounts", _("accounts and signing in")
    NETWORK = "network", _("network and lines")
    EQUIPMENT = "equipment", _("computers and printers")
    OTHER = "other", pgettext_lazy("module", "other")


class Severity(TextChoices):
    """How bad, with an example each (``EXAMPLES``); the service level gives each its times."""

    CRITICAL = "critical", _("critical")
    SERIOUS = "serious", _("serious")
    ORDINARY = "ordinary", _("ordinary")
    SLIGHT = "slight", _("slight")


EXAMPLES = {
    Severity.CRITICAL: _("Nobody can chart or sign; records are lost; patients are queueing."),
    Severity.SERIOUS: _("One centre or station cannot work, or a main function fails for all."),
    Severity.ORDINARY: _("A function fails for some, and there is a way round it."),
    Severity.SLIGHT: _("A wording, a layout, a wish."),
}


class Side(TextChoices):
    """Who has to act."""

    DISTRICT_BUSINESS = "district_business", _("district business")
    DISTRICT_IT = "district_it", _("district information")
    CENTRE_BUSINESS = "centre_business", _("centre business")
    CENTRE_IT = "centre_it", _("centre information")
    VENDOR = "vendor", _("vendor")


class TicketState(TextChoices):
    NEW = "new", pgettext_lazy("ticket", "new")
    ACCEPTED = "accepted", pgettext_lazy("ticket", "accepted")
    WORKING = "working", pgettext_lazy("ticket", "being worked on")
    WAITING = "waiting", pgettext_lazy("ticket", "waiting")
    FIXED = "fixed", pgettext_lazy("ticket", "fixed")
    CONFIRMED = "confirmed", pgettext_lazy("ticket", "confirmed")
    CLOSED = "closed", pgettext_lazy("ticket", "closed")
    MERGED = "merged", pgettext_lazy("ticket", "merged into another")


T = TicketState
OPEN = (T.NEW, T.ACCEPTED, T.WORKING, T.WAITING)
# {state: those it may become}; the trigger of the migration says the same. Reopened is WORKING with a count.
TICKET_MOVES = {
    T.NEW: {T.ACCEPTED, T.WORKING, T.MERGED, T.CLOSED},
    T.ACCEPTED: {T.WORKING, T.WAITING, T.FIXED, T.MERGED, T.CLOSED},
    T.WORKING: {T.WAITING, T.FIXED, T.MERGED, T.CLOSED},
    T.WAITING: {T.WORKING, T.FIXED, T.MERGED, T.CLOSED},
    T.FIXED: {T.CONFIRMED, T.WORKING, T.CLOSED, T.MERGED},
    T.CONFIRMED: {T.CLOSED, T.WORKING},
    T.CLOSED: {T.WORKING},
    T.MERGED: set(),
}


class WaitingFor(TextChoices):
    """Waiting inside the vendor does not stop the clock; every other pause says why."""

    USER = "user", _("the reporter")
    VENDOR = "vendor", _("another of the vendor")
    OTHER = "other", _("somebody else")


STOPPING = (WaitingFor.USER, WaitingFor.OTHER)


class Closing(TextChoices):
    CONFIRMED = "confirmed", _("the reporter confirmed")
    SILENCE = "silence", _("nobody objected in time")
    ANSWERED = "answered", _("answered")
    NO_FAULT = "no_fault", _("no fault found")
    WITHDRAWN = "withdrawn", _("withdrawn by the reporter")


class EventKind(TextChoices):
    OPENED = "opened", _("reported")
    STATE = "state", _("state")
    SEVERITY = "severity", _("severity")
    LEVEL = "level", _("service level")
    ASSIGNED = "assigned", _("assigned")
    COMMENT = "comment", pgettext_lazy("ticket", "comment")
    INTERNAL = "internal", _("internal note")
    ATTACHED = "attached", _("picture attached")
    MERGED = "merged", _("merged")
    WARNED = "warned", _("three quarters of the time are over")
    ESCALATED = "escalated", _("the time is over")
    RECOMPUTED = "recomputed", _("times computed anew")


class Target(TextChoices):
    """What a service level promises."""

    RESPONSE = "response", _("response")
    RESOLVE = "resolve", _("resolution")


class Measure(TextChoices):
    """What a clause of the contract measures."""

    RESPONSE_LATE = "response_late", _("response later than promised")
    RESOLVE_LATE = "resolve_late", _("resolution later than promised")
    REOPENED = "reopened", _("came back after it was fixed")
    SAVES_LOST = "saves_lost", _("records lost")
    UPGRADE_FAILED = "upgrade_failed", _("upgrade rolled back")


class Formula(TextChoices):
    """How the penalty is reckoned, each up to the clause's cap."""

    EACH = "each", _("an amount for each breach")
    PER_HOUR = "per_hour", _("an amount for each begun working hour over")
    PERCENT = "percent", _("a percentage of the payment for each breach")


class BreachState(TextChoices):
    OPEN = "open", pgettext_lazy("breach", "open")
    OBJECTED = "objected", _("the vendor objects")
    CONFIRMED = "confirmed", pgettext_lazy("breach", "confirmed")
    WAIVED = "waived", pgettext_lazy("breach", "waived")


B = BreachState
BREACH_MOVES = {
    B.OPEN: {B.OBJECTED, B.CONFIRMED, B.WAIVED},
    B.OBJECTED: {B.CONFIRMED, B.WAIVED},
    B.CONFIRMED: set(),
    B.WAIVED: set(),
}


class UpgradeState(TextChoices):
    DRAFT = "draft", pgettext_lazy("upgrade", "draft")
    ASSESSED = "assessed", pgettext_lazy("upgrade", "assessed")
    APPROVED = "approved", pgettext_lazy("upgrade", "approved")
    ANNOUNCED = "announced", pgettext_lazy("upgrade", "announced")
    RUNNING = "running", pgettext_lazy("upgrade", "running")
    WATCHING = "watching", pgettext_lazy("upgrade", "being watched")
    CLOSED = "closed", pgettext_lazy("upgrade", "closed")
    ROLLED_BACK = "rolled_back", pgettext_lazy("upgrade", "rolled back")
    CANCELLED = "cancelled", pgettext_lazy("upgrade", "cancelled")


U = UpgradeState
UPGRADE_MOVES = {
    U.DRAFT: {U.ASSESSED, U.CANCELLED},
    # Changed afterwards, it is a draft again.
    U.ASSESSED: {U.APPROVED, U.DRAFT, U.CANCELLED},
    U.APPROVED: {U.ANNOUNCED, U.DRAFT, U.CANCELLED},
    U.ANNOUNCED: {U.RUNNING, U.CANCELLED},
    U.RUNNING: {U.WATCHING, U.ROLLED_BACK},
    U.WATCHING: {U.CLOSED, U.ROLLED_BACK},
    U.CLOSED: set(),
    U.ROLLED_BACK: set(),
    U.CANCELLED: set(),
}


class Business(TextChoices):
    """What stands still, or may, while an upgrade runs."""

    CHARTING = "charting", _("charting")
    RECEPTION = "reception", _("registration and waiting list")
    SIGNING = "signing", _("family-doctor signing")
    MESSAGES = "messages", _("messages")
    ALL = "all", _("everything")


class NoticeKind(TextChoices):
    COMING = "coming", _("announced")
    MOVED = "moved", _("moved")
    RUNNING = "running", _("running now")
    OVER = "over", _("over")
    CANCELLED = "cancelled", pgettext_lazy("notice", "cancelled")


class EquipmentKind(TextChoices):
    FIREWALL = "firewall", _("firewall")
    SWITCH = "switch", _("switch")
    SERVER = "server", _("server")
    TERMINAL = "terminal", _("terminal")
    PRINTER = "printer", _("printer")
    LINE = "line", _("network line")
    OTHER = "other", pgettext_lazy("equipment", "other")


class BackupState(TextChoices):
    RUNNING = "running", pgettext_lazy("backup", "running")
    DONE = "done", pgettext_lazy("backup", "done")
    FAILED = "failed", pgettext_lazy("backup", "failed")
    CHECKED = "checked", _("checked by restoring")
    DAMAGED = "damaged", _("damaged")


class CourseWay(TextChoices):
    MEETING = "meeting", _("meeting")
    ON_SITE = "on_site", pgettext_lazy("course", "on site")
    REMOTE = "remote", _("remote")
    LESSON = "lesson", _("short lesson on the screen")


class ActionState(TextChoices):
    OPEN = "open", pgettext_lazy("action", "open")
    DONE = "done", pgettext_lazy("action", "done")
    DROPPED = "dropped", pgettext_lazy("action", "dropped")
