"""What is done with tickets. Locks: ticket (two by row number), its pause and alarms, number counter last."""

from contextlib import contextmanager

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clinic.errors import Conflict, Forbidden, Refused
from maintenance import alarms, numbers, search
from maintenance.codes import (
    CLOCKED,
    STOPPING,
    TICKET_MOVES,
    Channel,
    Closing,
    EventKind,
    Module,
    Severity,
    Side,
    TicketKind,
    TicketState,
    WaitingFor,
)
from maintenance.events import tell
from maintenance.models import Pause, ServiceLevel, Ticket, TicketEvent

S = TicketState
LONGEST_TITLE, LONGEST_TEXT, LONGEST_REASON = 100, 4000, 200
# Who acts first, unless somebody says otherwise.
FIRST_SIDE = {
    Module.EQUIPMENT: Side.CENTRE_IT,
    Module.NETWORK: Side.CENTRE_IT,
    Module.ACCOUNTS: Side.DISTRICT_IT,
}
# Past this a report is history, not a fault: it is in the papers of the meeting.
OLDEST_DAYS = 365


def report(
    *, key, kind, module, title, by, institution=None, severity=Severity.ORDINARY, description="",
    channel=Channel.SYSTEM, reported_at=None, reporter=None, reporter_name="", reporter_phone="", page="",
    request_id="", failures=(), side=None, equipment=None, now=None,
) -> Ticket:  # fmt: skip
    """Write a ticket; the same ``key`` returns the first one. ``by`` is None for the probe of a link.

    For somebody else (hotline, meeting …) ``reporter`` or ``reporter_name`` says for whom; it takes the right to work on
    tickets. Refused codes: title, text, time, reporter; Conflict code: key.
    """
    now = now or timezone.now()
    for_other = by is not None and (reporter or reporter_name)
    if by is not None and not by.has_perm(
        "maintenance.work_ticket" if for_other else "maintenance.add_ticket"
    ):
        raise Forbidden(_("Your role does not allow this."))
    title, description = (
        _text(title, LONGEST_TITLE, "title"),
        _text(description, LONGEST_TEXT, "description", needed=False),
    )
    reported_at = reported_at or now
    if not 0 <= (now - reported_at).total_seconds() <= OLDEST_DAYS * 86400:
        raise Refused(
            _("The time of the report lies in the last year and not in the future."),
            code="time",
            field="reported_at",
        )
    institution = institution or by.institution
    if by is not None and for_other and not institution.path.startswith(by.institution.path):
        raise Forbidden(_("This institution is not yours."), code="elsewhere")
    with transaction.atomic():
        if known := Ticket.objects.filter(uuid=key).first():
            if known.typed_by_id != (by and by.pk) or known.title != title:
                raise Conflict(_("This key belongs to another ticket."), code="key")
            return known
        side = side or FIRST_SIDE.get(module, Side.VENDOR)
        level = ServiceLevel.objects.filter(usual=True).first() if kind in CLOCKED else None
        ticket = Ticket(
            uuid=key, kind=kind, channel=channel, module=module, severity=severity, institution=institution,
            reporter=reporter or (None if reporter_name else by), reporter_name=reporter_name.strip(),
            reporter_phone=reporter_phone.strip(), title=title, description=description, reported_at=reported_at,
            typed_at=now, typed_by=by, page=page[:200], request_id=request_id[:40], failures=list(failures)[:20],
            state_at=now, side=side, equipment=equipment, vendor_since=now if side == Side.VENDOR else None, level=level,
            words=search.words_of(title, description),
        )  # fmt: skip
        ticket.number = numbers.take(timezone.localdate(now).year)
        ticket.save()
        alarms.set_times(ticket)
        ticket.save(update_fields=["response_due_at", "resolve_due_at"])
        tell(ticket, EventKind.OPENED, by=by, at=now, channel=str(channel))
        return ticket


def accept(*, ticket, by, assignee=None, now=None) -> Ticket:
    """Somebody has it: the response is given."""
    with _held(ticket, by, now) as (row, at):
        _move(row, S.ACCEPTED, by, at)
        row.assignee = assignee or row.assignee or by
        row.responded_at = row.responded_at or at
    return row


def work(*, ticket, by, now=None) -> Ticket:
    """Somebody works on it, again after a wait."""
    with _held(ticket, by, now) as (row, at):
        if row.state in (S.FIXED, S.CONFIRMED, S.CLOSED):
            raise Conflict(_("It is fixed: it is taken up again by reopening it."), code="state")
        _move(row, S.WORKING, by, at)
        row.responded_at = row.responded_at or at
        _end_pause(row, at)
    return row


def wait(*, ticket, by, waiting_for, reason, now=None) -> Ticket:
    """It waits. Inside the vendor the clock goes on; else it stands, and the reason is told. Refused code: reason."""
    reason = _text(reason, LONGEST_REASON, "reason")
    if waiting_for not in WaitingFor.values:
        raise Refused(_("Whom does it wait for?"), code="waiting_for", field="waiting_for")
    with _held(ticket, by, now) as (row, at):
        _move(row, S.WAITING, by, at, reason, waiting_for=str(waiting_for))
        row.waiting_for, row.responded_at = waiting_for, row.responded_at or at
        if waiting_for in STOPPING:
            _begin_pause(row, waiting_for, reason, by, at)
    return row


def fix(*, ticket, by, words, now=None) -> Ticket:
    """Mended, as whoever did it says; the clock stands until somebody confirms or reopens."""
    words = _text(words, LONGEST_TEXT, "words")
    with _held(ticket, by, now) as (row, at):
        _move(row, S.FIXED, by, at, words)
        _end_pause(row, at)
        row.fixed_at, row.responded_at = at, row.responded_at or at
    return row


def confirm(*, ticket, by, now=None) -> Ticket:
    """The reporter says that it works; that closes it."""
    with _held(ticket, by, now, reporter=True) as (row, at):
        _move(row, S.CONFIRMED, by, at)
        _close(row, Closing.CONFIRMED, by, at)
    return row


def reopen(*, ticket, by, reason, now=None) -> Ticket:
    """It does not work after all. What lay between counts for nobody: the clock goes on from here."""
    reason = _text(reason, LONGEST_REASON, "reason")
    with _held(ticket, by, now, reporter=True) as (row, at):
        if row.state not in (S.FIXED, S.CONFIRMED, S.CLOSED):
            raise Conflict(_("It is open."), code="state")
        since = row.fixed_at or row.closed_at
        _move(row, S.WORKING, by, at, reason, reopened=row.reopened + 1)
        Pause.objects.create(ticket=row, since=since, until=at, reason=reason, by=by)
        row.fixed_at, row.closed_at, row.closing, row.reopened = None, None, "", row.reopened + 1
    return row


def close(*, ticket, by, closing, words="", now=None) -> Ticket:
    """Closed without a repair: answered, no fault, withdrawn. Refused code: words."""
    words = _text(words, LONGEST_TEXT, "words")
    if closing not in (Closing.ANSWERED, Closing.NO_FAULT, Closing.WITHDRAWN):
        raise Refused(_("Why is it closed?"), code="closing", field="closing")
    own = closing == Closing.WITHDRAWN
    with _held(ticket, by, now, reporter=own) as (row, at):
        _close(row, closing, by, at, words)
    return row


def close_silent(*, ticket, now=None) -> Ticket:
    """By the job: fixed, and nobody objected in time. What is no longer so is left."""
    with transaction.atomic():
        row, at = Ticket.objects.select_for_update().get(pk=ticket.pk), now or timezone.now()
        if row.state == S.FIXED:
            _close(row, Closing.SILENCE, None, at)
            row.save()
    return row


def assign(*, ticket, by, side=None, assignee=None, words="", now=None) -> Ticket:
    """Another side, another person."""
    with _held(ticket, by, now) as (row, at):
        if row.state in (S.CLOSED, S.MERGED):
            raise Conflict(_("It is closed."), code="state")
        facts = {"from": row.side, "to": str(side or row.side)}
        row.side, row.assignee = side or row.side, assignee
        if row.side == Side.VENDOR:
            row.vendor_since = row.vendor_since or at
        tell(
            row,
            EventKind.ASSIGNED,
            by=by,
            words=words.strip()[:LONGEST_TEXT],
            at=at,
            who=assignee and str(assignee.uuid),
            **facts,
        )
    return row


def rate(*, ticket, by, reason, severity=None, level=None, kind=None, now=None) -> Ticket:
    """Another severity, level or kind: all times are computed anew."""
    reason = _text(reason, LONGEST_REASON, "reason")
    with _held(ticket, by, now) as (row, at):
        if severity and severity != row.severity:
            tell(
                row,
                EventKind.SEVERITY,
                by=by,
                words=reason,
                at=at,
                **{"from": row.severity, "to": str(severity)},
            )
            row.severity = severity
        if kind and kind != row.kind:
            row.kind = kind
            row.level = (
                None
                if kind == TicketKind.SUGGESTION
                else row.level or ServiceLevel.objects.filter(usual=True).first()
            )
        if level and row.kind in CLOCKED and level != row.level:
            tell(
                row,
                EventKind.LEVEL,
                by=by,
                words=reason,
                at=at,
                **{"from": str(row.level or ""), "to": str(level)},
            )
            row.level = level
    return row


def comment(*, ticket, by, words, key, internal=False, now=None) -> TicketEvent:
    """Say something; the same ``key`` says it once. Internal notes take the right to work on tickets."""
    words = _text(words, LONGEST_TEXT, "words")
    if internal and not by.has_perm("maintenance.work_ticket"):
        raise Forbidden(_("Your role does not allow this."))
    if not Ticket.objects.visible_to(by).filter(pk=ticket.pk).exists():
        raise Forbidden(_("This ticket is not yours."), code="elsewhere")
    with transaction.atomic():
        row = Ticket.objects.select_for_update().get(pk=ticket.pk)
        if known := TicketEvent.objects.filter(key=key).first():
            if (known.ticket_id, known.by_id) != (row.pk, by.pk):
                raise Conflict(_("This key belongs to something else."), code="key")
            return known
        return tell(
            row, EventKind.INTERNAL if internal else EventKind.COMMENT, by=by, words=words, key=key, at=now
        )


def merge(*, ticket, into, by, now=None) -> Ticket:
    """The same fault twice: this one goes on in the other, which hears of it. Conflict codes: state, loop."""
    if not by.has_perm("maintenance.merge_ticket"):
        raise Forbidden(_("Your role does not allow this."))
    at = now or timezone.now()
    if ticket.pk == into.pk:
        raise Refused(_("A ticket is not merged into itself."), code="loop")
    reach = Ticket.objects.visible_to(by).filter(pk__in=[ticket.pk, into.pk])
    if reach.count() != 2:
        raise Forbidden(_("This ticket is not yours."), code="elsewhere")
    with transaction.atomic():
        rows = {
            row.pk: row
            for row in Ticket.objects.select_for_update().filter(pk__in=[ticket.pk, into.pk]).order_by("pk")
        }
        row, other = rows[ticket.pk], rows[into.pk]
        if other.state in (S.MERGED, S.CLOSED):
            raise Conflict(_("That ticket is closed."), code="state")
        if row.state == S.MERGED:
            if row.merged_into_id == other.pk:
                return row
            raise Conflict(_("It is merged already."), code="state")
        _move(row, S.MERGED, by, at)
        _end_pause(row, at)
        row.merged_into, row.closed_at = other, at
        alarms.set_times(row)
        row.save()
        Ticket.objects.filter(merged_into=row).update(merged_into=other)
        tell(row, EventKind.MERGED, by=by, at=at, into=other.number)
        tell(other, EventKind.MERGED, by=by, at=at, other=row.number)
        return row


@contextmanager
def _held(ticket, by, now, *, reporter=False):
    """(the locked row, the moment); saved with its times at the end. ``reporter``: theirs to do as well."""
    at = now or timezone.now()
    if not Ticket.objects.visible_to(by).filter(pk=ticket.pk).exists():
        raise Forbidden(_("This ticket is not yours."), code="elsewhere")
    with transaction.atomic():
        row = Ticket.objects.select_for_update().get(pk=ticket.pk)
        own = reporter and row.reporter_id == by.pk
        if not own and not by.has_perm("maintenance.work_ticket"):
            raise Forbidden(_("Your role does not allow this."))
        yield row, at
        alarms.set_times(row)
        row.save()


def _move(row, state, by, at, words="", **facts):
    if row.state == state or state not in TICKET_MOVES[TicketState(row.state)]:
        raise Conflict(
            _("It is “%(now)s” and cannot become “%(then)s”.")
            % {"now": row.get_state_display(), "then": TicketState(state).label}, code="state",
        )  # fmt: skip
    tell(row, EventKind.STATE, by=by, words=words, at=at, **{"from": row.state, "to": str(state)}, **facts)
    row.state, row.state_at, row.waiting_for = state, at, ""


def _close(row, closing, by, at, words=""):
    _move(row, S.CLOSED, by, at, words, closing=str(closing))
    _end_pause(row, at)
    row.closing, row.closed_at, row.responded_at = closing, at, row.responded_at or at


def _begin_pause(row, waiting_for, reason, by, at):
    Pause.objects.create(ticket=row, since=at, waiting_for=waiting_for, reason=reason, by=by)
    row.paused_at = at


def _end_pause(row, at):
    if row.paused_at is not None:
        Pause.objects.filter(ticket=row, until=None).update(until=at)
        row.paused_at = None


def _text(text, longest, field, needed=True):
    text = text.strip()
    if needed and not text:
        raise Refused(_("Please write something."), code=field, field=field)
    if len(text) > longest:
        raise Refused(_("At most %(n)d characters.") % {"n": longest}, code=field, field=field)
    return text
