"""The weekly meeting: its agenda, who was there, what was decided, who does what until when. Locks: meeting, item."""

from contextlib import contextmanager

from django.contrib.auth import get_user_model
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clinic import audit
from clinic.codes import Act
from clinic.errors import Conflict, Forbidden, Refused
from clinic.permissions import ROLES
from maintenance.codes import ActionState, Module
from maintenance.models import ActionItem, Attendance, Meeting, Ticket, WeeklyReport

LONGEST, LONGEST_ITEM = 4000, 300


def call(*, key, held_at, by, place="", now=None, request=None) -> Meeting:
    """A meeting with its agenda: the last report, what it says hurt most, what earlier meetings left undone. The same ``key``
    calls it once."""
    _may(by, "maintenance.add_meeting")
    with transaction.atomic():
        made, fresh = Meeting.objects.get_or_create(
            uuid=key,
            defaults={
                "held_at": held_at,
                "place": place.strip()[:100],
                "report": WeeklyReport.objects.first(),
            },
        )
        if fresh:
            made.agenda = agenda_of(made.report)
            made.save()
            audit.record(Act.CREATE, by=by, request=request, obj=made)
        return made


def agenda_of(report) -> list[str]:
    lines = []
    if report is not None:
        told = report.figures
        lines.append(
            _("Week from %(day)s: %(new)d new, %(closed)d closed, %(open)d open, %(breached)d breaches")
            % {
                "day": report.monday,
                **{name: told.get(name, 0) for name in ("new", "closed", "open", "breached")},
            }
        )
        lines += [
            _("%(module)s: %(n)d tickets") % {"module": Module(module).label, "n": count}
            for module, count, _merged in told.get("problems", [])[:5] if module in Module.values
        ]  # fmt: skip
    undone = ActionItem.objects.filter(state=ActionState.OPEN).count()
    if undone:
        lines.append(_("Actions left from earlier meetings: %(n)d") % {"n": undone})
    return lines


def minute(*, meeting, by, decisions, people, request=None) -> Meeting:
    """What was decided and who was there. Conflict code: closed."""
    _may(by, "maintenance.change_meeting")
    decisions = _text(decisions, LONGEST, "decisions", needed=False)
    with _held(meeting) as row:
        row.decisions = decisions
        row.save()
        there = {one.person_id: one for one in Attendance.objects.filter(meeting=row)}
        wanted = {person.pk: person for person in people}
        for gone in there.keys() - wanted.keys():
            there[gone].delete()
        for fresh in wanted.keys() - there.keys():
            Attendance.objects.create(meeting=row, person=wanted[fresh])
        audit.record(Act.CHANGE, by=by, request=request, obj=row)
        return row


def ask(*, meeting, key, by, words, owner, due_on, ticket_number="", request=None) -> ActionItem:
    """Somebody has something to do. Refused codes: words, due_on, ticket."""
    _may(by, "maintenance.add_actionitem")
    words = _text(words, LONGEST_ITEM, "words")
    if due_on < timezone.localdate(meeting.held_at):
        raise Refused(_("It is due before the meeting."), code="due_on", field="due_on")
    ticket = _ticket(by, ticket_number)
    with _held(meeting) as row:
        made, _fresh = ActionItem.objects.get_or_create(
            uuid=key,
            defaults={"meeting": row, "words": words, "owner": owner, "due_on": due_on, "ticket": ticket},
        )
        return made


def end(*, item, by, state, note="", now=None, request=None) -> ActionItem:
    """Done or dropped, by its owner or who keeps the minutes. Refused code: note; Conflict code: state."""
    if item.owner_id != by.pk:
        _may(by, "maintenance.change_actionitem")
    if state == ActionState.DROPPED:
        note = _text(note, LONGEST_ITEM, "note")
    with transaction.atomic():
        row = ActionItem.objects.select_for_update().get(pk=item.pk)
        if row.state == state:
            return row
        if row.state != ActionState.OPEN or state not in (ActionState.DONE, ActionState.DROPPED):
            raise Conflict(_("This has ended already."), code="state")
        row.state, row.note, row.ended_at = state, note.strip()[:LONGEST_ITEM], now or timezone.now()
        row.save()
        audit.record(Act.DECIDE, by=by, request=request, obj=row, detail={"state": str(state)})
        return row


def close(*, meeting, by, now=None, request=None) -> Meeting:
    """The minutes stand from now on."""
    _may(by, "maintenance.change_meeting")
    with _held(meeting, again=True) as row:
        if row.closed_at is None:
            row.closed_at = now or timezone.now()
            row.save()
            audit.record(Act.SIGN, by=by, request=request, obj=row)
        return row


def who_may_come():
    """Those who see the reports, and so may be at the table."""
    roles = [role for role, grant in ROLES.items() if "maintenance.view_meeting" in grant.permissions]
    rows = get_user_model().objects.filter(is_active=True, role__in=roles)
    return rows.select_related("institution").order_by("role", "name")


def _may(by, right):
    if not by.has_perm(right):
        raise Forbidden(_("Your role does not allow this."))


@contextmanager
def _held(meeting, again=False):
    """The locked row; closed minutes are changed by nobody."""
    with transaction.atomic():
        row = Meeting.objects.select_for_update().get(pk=meeting.pk)
        if row.closed_at is not None and not again:
            raise Conflict(_("The minutes are closed."), code="closed")
        yield row


def _ticket(by, number):
    number = number.strip()
    if not number:
        return None
    found = Ticket.objects.visible_to(by).filter(number=number).first()
    if found is None:
        raise Refused(_("There is no ticket of this number."), code="ticket", field="ticket_number")
    return found


def _text(text, longest, field, needed=True):
    text = text.strip()
    if needed and not text:
        raise Refused(_("Please write something."), code=field, field=field)
    if len(text) > longest:
        raise Refused(_("At most %(n)d characters.") % {"n": longest}, code=field, field=field)
    return text
