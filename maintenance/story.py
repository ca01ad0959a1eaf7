"""What is told of a ticket: its clock's stretches and everything that happened, in words."""

from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from maintenance import masking, sla
from maintenance.codes import Closing, EventKind, Severity, Side, Target, TicketState, WaitingFor
from maintenance.models import Pause, TicketEvent


def clock_of(ticket, now, most) -> dict | None:
    """{"terms", "spent" (timedelta), "late": bool, "segments": the last ``most``, "cut": how many came before, "pauses"}; None
    where nothing is promised. At most six queries."""
    terms = sla.Book().of(ticket)
    if terms is None:
        return None
    pauses = list(Pause.objects.filter(ticket=ticket))
    stretches = sla.segments(ticket, terms, now, [(one.since, one.until) for one in pauses])
    return {
        "terms": terms, "spent": sla.spent(ticket, terms, now, [(one.since, one.until) for one in pauses]),
        "segments": stretches[-most:], "cut": max(len(stretches) - most, 0), "pauses": pauses,
        "response_late": _is_late(ticket.responded_at, ticket.response_due_at, now),
        "resolve_late": ticket.paused_at is None and _is_late(ticket.fixed_at or ticket.closed_at, ticket.resolve_due_at, now),
    }  # fmt: skip


def _is_late(reached, due, now):
    return due is not None and (reached or now) > due


def events_of(ticket, user) -> list[dict]:
    """[{"at", "who", "what", "words", "kind"}] as this person may read them. One query."""
    rows = TicketEvent.objects.visible_to(user).filter(ticket=ticket).select_related("by")
    return [
        {
            "at": row.at, "who": row.by.name if row.by else _("the system"), "what": _what(row), "kind": row.kind,
            "words": masking.read_by(user, row.words),
        }
        for row in rows
    ]  # fmt: skip


def _what(row):
    facts, told = row.facts, row.get_kind_display()
    if row.kind == EventKind.STATE:
        told = _state(facts)
    elif row.kind == EventKind.SEVERITY:
        told = _("severity: %(to)s") % {"to": _label(Severity, facts.get("to"))}
    elif row.kind == EventKind.LEVEL:
        told = _("service level: %(to)s") % {"to": facts.get("to")}
    elif row.kind == EventKind.ASSIGNED:
        told = _("given to %(side)s") % {"side": _label(Side, facts.get("to"))}
    elif row.kind == EventKind.MERGED:
        into = facts.get("into")
        told = _("merged into %(number)s") % {"number": into} if into else _("%(number)s was merged into this one") % {"number": facts.get("other")}  # fmt: skip
    elif row.kind in (EventKind.WARNED, EventKind.ESCALATED):
        names = "、".join(facts.get("told") or []) or _("nobody who has a telephone here")
        target = _label(Target, facts.get("target"))
        told = _("%(target)s: %(what)s; told: %(names)s") % {"target": target, "what": told, "names": names}
    elif row.kind == EventKind.RECOMPUTED and facts.get("due"):
        told = _("times computed anew; resolution due %(due)s") % {
            "due": f"{timezone.localtime(parse_datetime(facts['due'])):%m-%d %H:%M}"
        }
    return told


def _state(facts):
    told = _label(TicketState, facts.get("to"))
    if facts.get("reopened"):
        told = _("came back (%(n)s)") % {"n": facts["reopened"]}
    if waits := facts.get("waiting_for"):
        told = _("%(state)s for %(whom)s") % {"state": told, "whom": _label(WaitingFor, waits)}
    if closing := facts.get("closing"):
        told = f"{told}: {_label(Closing, closing)}"
    return told


def _label(codes, value):
    return codes(value).label if value in codes.values else ""
