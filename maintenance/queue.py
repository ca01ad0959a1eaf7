"""Which tickets somebody looks at: the lists of the queue, their filters, their order, page by page."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db.models import Q
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from clinic.codes import Role
from maintenance import search
from maintenance.codes import OPEN, Module, Severity, Side, TicketKind, TicketState
from maintenance.models import Ticket

SIZE = 40
# Tickets without a promise come last.
NEVER = datetime(9999, 1, 1, tzinfo=UTC)
SIDES = {
    Role.MANAGER: Side.CENTRE_BUSINESS, Role.CENTRE_IT: Side.CENTRE_IT, Role.DISTRICT: Side.DISTRICT_BUSINESS,
    Role.DISTRICT_IT: Side.DISTRICT_IT, Role.VENDOR: Side.VENDOR,
}  # fmt: skip
LISTS = {
    "side": _("for my side"),
    "mine": _("assigned to me"),
    "nobody": _("assigned to nobody"),
    "overdue": _("overdue"),
    "open": _("all open"),
    "fixed": _("fixed, to be confirmed"),
    "reported": _("reported by me"),
    "all": _("all, the newest first"),
}
# Lists where what is due first comes first.
BY_DUE = frozenset({"side", "mine", "nobody", "overdue", "open"})
# {name of a choice: its codes}
CHOICES = {"kind": TicketKind, "module": Module, "severity": Severity, "side": Side, "state": TicketState}


@dataclass(frozen=True)
class Asked:
    """A list and what narrows it; ``institution`` is a path, ``text`` what was typed."""

    show: str
    picked: dict
    institution: str = ""
    text: str = ""


def lists_of(user) -> dict:
    """{code: label} of the lists this person has a use for, the first one being theirs to begin with."""
    if user.has_perm("maintenance.view_ticket"):
        return (
            LISTS
            if user.role in SIDES
            else {key: LISTS[key] for key in ("all", "open", "overdue", "reported")}
        )
    return {"reported": LISTS["reported"]}


def asked_of(user, data, text="") -> Asked:
    """What a form's plain values ask for; what is not known is as if it had not been asked."""
    lists = lists_of(user)
    picked = {name: data.get(name) for name, codes in CHOICES.items() if data.get(name) in codes.values}
    show = data.get("show") if data.get("show") in lists else next(iter(lists))
    return Asked(show, picked, str(data.get("place") or ""), text.strip())


def rows(user, asked: Asked, now):
    """The tickets, in their order, not cut into pages."""
    found = Ticket.objects.visible_to(user)
    found = _narrowed(found, user, asked.show, now).filter(**asked.picked)
    if asked.institution:
        found = found.filter(institution__uuid=asked.institution)
    found = search.matching(found, asked.text)
    if asked.show in BY_DUE:
        return found.annotate(due=Coalesce("resolve_due_at", NEVER)).order_by("due", "pk")
    return found.order_by("-pk")


def following(rows, asked: Asked, last):
    """Those after the last one shown."""
    if asked.show in BY_DUE:
        due = last.resolve_due_at or NEVER
        return rows.filter(Q(due__gt=due) | Q(due=due, pk__gt=last.pk))
    return rows.filter(pk__lt=last.pk)


def _narrowed(found, user, show, now):
    if show == "side":
        return found.open().filter(side=SIDES[user.role])
    if show == "mine":
        return found.open().filter(assignee=user)
    if show == "nobody":
        return found.open().filter(assignee=None)
    if show == "overdue":
        return found.overdue(now)
    if show == "open":
        return found.filter(state__in=OPEN)
    if show == "fixed":
        return found.filter(state=TicketState.FIXED)
    return found.filter(reporter=user) if show == "reported" else found


def left(ticket, now) -> timedelta | None:
    """Time to the nearest promise that is still to be kept, negative when it is over; None where none runs."""
    if ticket.state not in OPEN or ticket.paused_at is not None:
        return None
    dues = [ticket.resolve_due_at, None if ticket.responded_at else ticket.response_due_at]
    dues = [due for due in dues if due is not None]
    return min(dues) - now if dues else None
