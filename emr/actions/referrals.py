"""The way of a referral 双向转诊 (rules B5.4): sent, received, sent back; or refused, ended, expired.

Institutions of the district do their part themselves. For a hospital outside, which answers on paper, the
sending institution writes down what came back. Whatever is refused stands in the trail.
"""

import logging
from contextlib import contextmanager
from datetime import timedelta

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clinic import audit
from clinic.actions import residents
from clinic.codes import Act, LifeState
from clinic.errors import Conflict, Forbidden, Refused
from clinic.models import Resident
from clinic.old_or_young import old_or_young
from emr.actions import filings, visits
from emr.codes import EncounterStatus, ReferralState
from emr.models import Encounter, Referral
from emr.models.referral import MOVES
from emr.referring import sheet as referral_sheet
from emr.referring.numbers import take_number

log = logging.getLogger("sheyi.referrals")
PENDING, ACCEPTED = ReferralState.PENDING, ReferralState.ACCEPTED
AT_ONCE = 200


def refer(*, by, key, sheet, encounter=None, resident=None, request=None):
    """Send a referral of the visit's resident, or of a resident without a visit; return it, pending.

    ``sheet`` holds the form (emr.referring.sheet.SENT). The same key with the same form is the same referral.
    Raises Refused with ``field``, code "sheet", "to", "key", "deceased", "state"; Forbidden code "elsewhere",
    "grant".
    """
    whom = encounter.resident if encounter is not None else resident
    with _told("refer", by, request, whom), _one_per_key(), transaction.atomic():
        _must_hold("emr.write_referral", by)
        person = _person(whom, by)
        visit = _visit(encounter, by)
        fields = referral_sheet.check_sent(sheet, by)
        if again := Referral.objects.filter(key=key).first():
            return _same(again, person, visit, by, fields)
        _must_be_possible(person, visit)
        return _send(person, visit, by, key, fields, request)


def accept(*, referral, by, request=None):
    """Receive the resident; who receives may open the record, with the referral as the reason.

    Two at once: one has it, the other gets Conflict code "state" with the name.
    """
    with _told("accept", by, request, referral.resident, referral), transaction.atomic():
        row = _lock(referral)
        _must_answer(row, by)
        _must_go(row, ACCEPTED)
        row.accepted_at, row.accepted_by = timezone.now(), by
        _go(row, ACCEPTED, by, request, "accepted_at", "accepted_by")
        if not row.is_outside:
            _open(row, by, request)
        return row


def reject(*, referral, by, reason, request=None):
    """Refuse to receive the resident, with a reason."""
    with _told("reject", by, request, referral.resident, referral), transaction.atomic():
        row = _lock(referral)
        _must_answer(row, by)
        _end(row, ReferralState.REJECTED, by, request, reason=_reason(reason))
        _unfile(row, by)
        return row


def terminate(*, referral, by, reason, request=None):
    """Call a referral off from the sending side, before or after it was received."""
    with _told("terminate", by, request, referral.resident, referral), transaction.atomic():
        row = _lock(referral)
        _must_hold("emr.write_referral", by)
        if row.from_institution_id != by.institution_id:
            raise Forbidden(_("Only the institution that referred may end it."), code="sender")
        _end(row, ReferralState.TERMINATED, by, request, reason=_reason(reason))
        _unfile(row, by)
        return row


def send_back(*, referral, by, sheet, request=None):
    """Write the return form once (emr.referring.sheet.RETURNED). On paper from outside it tells of the
    acceptance too: a pending one is received and returned at once."""
    with _told("return", by, request, referral.resident, referral), transaction.atomic():
        row = _lock(referral)
        _must_answer(row, by)
        fields = referral_sheet.check_returned(sheet)
        if row.is_outside and row.state == PENDING:
            _must_go(row, ACCEPTED)
            row.accepted_at, row.accepted_by = timezone.now(), by
            _go(row, ACCEPTED, by, request, "accepted_at", "accepted_by")
        _end(row, ReferralState.RETURNED, by, request, **fields)
        return row


def start_visit(*, referral, by, key=None, request=None):
    """Begin the visit of a resident whom one's own institution received; return the visit.

    The record opens again, with the referral as the reason, where an earlier opening has run out.
    """
    with _told("visit", by, request, referral.resident, referral), transaction.atomic():
        _must_hold("emr.start_encounter", by)
        row = _lock(referral)
        if row.state != ACCEPTED:
            raise Conflict(_state_sentence(row), code="state")
        if row.to_institution_id != by.institution_id:
            raise Forbidden(_("This referral was sent to another institution."), code="receiver")
        _open(row, by, request)
        return visits.start_for(resident=row.resident, by=by, key=key, request=request)


def expire_due(*, now):
    """Write down that nobody answered in time; return how many. Each stands alone: the job may be cut off."""
    day, count = timezone.localdate(now), 0
    for number in Referral.objects.overdue(day).order_by("due_on").values_list("pk", flat=True)[:AT_ONCE]:
        with transaction.atomic():
            rows = Referral.objects.overdue(day).select_for_update(of=("self",), skip_locked=True)
            row = rows.select_related("resident__home").filter(pk=number).first()
            if row is not None:
                row.closed_at = timezone.now()
                _go(row, ReferralState.EXPIRED, None, None, "closed_at")
                _unfile(row, None)
                count += 1
    return count


# Sending -----------------------------------------------------------------------------------------------


def _person(resident, by):
    """The locked row of the person, in the doctor's sight."""
    person = (
        Resident.objects.select_for_update(of=("self",), no_key=True)
        .select_related("home")
        .get(pk=resident.merged_into_id or resident.pk)
    )
    if not Resident.objects.visible_to(by).filter(pk=person.pk).exists():
        raise Forbidden(
            _("This resident belongs to another institution. Please open the record with a reason first."),
            code="grant",
        )
    return person


def _visit(encounter, by):
    if encounter is None:
        return None
    visit = Encounter.objects.select_for_update(of=("self",), no_key=True).get(pk=encounter.pk)
    if visit.institution_id != by.institution_id:
        raise Forbidden(_("This visit was at another institution."), code="elsewhere")
    return visit


def _must_be_possible(person, visit):
    """Asked of a new referral only: the answer to a repeated request is the one of the first time."""
    if person.life_state == LifeState.DECEASED:
        raise Refused(_("This resident is registered as deceased."), code="deceased")
    if visit is not None and visit.status == EncounterStatus.CANCELLED:
        raise Conflict(_("A cancelled visit leads to no referral."), code="state")


def _send(person, visit, by, key, fields, request):
    now = timezone.now()
    day = timezone.localdate(now)
    row = Referral.objects.create(
        number=take_number(day), key=key, resident=person, encounter=visit, group=old_or_young(person, day),
        person=referral_sheet.head_of(person), from_institution=by.institution, doctor=by, doctor_name=by.name,
        sent_at=now, due_on=day + timedelta(days=settings.REFERRAL_DAYS), **fields,
    )  # fmt: skip
    audit.record(
        Act.REFER, by=by, request=request, resident=person, obj=row,
        detail={"state": row.state, "direction": row.direction, "outside": row.is_outside},
    )  # fmt: skip
    if row.group:
        _aside(filings.open_filing, referral=row, by=by, request=request)
    return row


def _same(row, person, visit, by, fields):
    same = (
        row.doctor_id == by.pk
        and row.resident_id in person.record_ids()
        and row.encounter_id == (visit and visit.pk)
        and all(getattr(row, name) == value for name, value in fields.items())
    )
    if not same:
        raise Refused(_foreign_key(), code="key")
    return row


@contextmanager
def _one_per_key():
    try:
        yield
    except IntegrityError as error:
        # The key went to another referral between looking and writing; residents are locked, keys are not.
        raise Refused(_foreign_key(), code="key") from error


def _foreign_key():
    return _("This request carries the key of another one. Please load the page again.")


# Moves -------------------------------------------------------------------------------------------------


def _lock(referral):
    """The locked row. People are not joined: after waiting for the lock, joined columns are of before."""
    return _fresh(Referral.objects.select_for_update(of=("self",)), referral)


def _fresh(rows, referral):
    return rows.select_related(
        "resident__home", "resident__merged_into__home", "from_institution", "to_institution"
    ).get(pk=referral.pk)


def _must_hold(permission, by):
    if not by.has_perm(permission):
        raise Forbidden(_("Your role does not allow this."), code="role")


def _must_answer(row, by):
    """Doctors of the institution addressed; for a hospital outside, those who have its paper."""
    _must_hold("emr.receive_referral", by)
    if by.institution_id != (row.from_institution_id if row.is_outside else row.to_institution_id):
        raise Forbidden(_("This referral was sent to another institution."), code="receiver")


def _must_go(row, state):
    if state not in MOVES.get(row.state_now, ()):
        raise Conflict(_state_sentence(row), code="state")


def _state_sentence(row):
    """Why it cannot go on: who was there first, or that its time is over."""
    if row.state == ACCEPTED:
        return _("%(name)s has received this referral already.") % {"name": row.accepted_by.name}
    if row.state_now == ReferralState.EXPIRED:
        return _("This referral was valid until %(day)s; it has expired.") % {"day": row.due_on.isoformat()}
    if row.state == PENDING:
        return _("This referral has not been received yet.")
    return _("This referral is closed: %(state)s.") % {"state": row.get_state_display()}


def _go(row, state, by, request, *fields):
    row.state = state
    row.save(update_fields=["state", *fields])
    audit.record(
        Act.REFER, by=by, request=request, resident=row.resident, obj=row, detail={"state": state.value}
    )


def _end(row, state, by, request, **fields):
    _must_go(row, state)
    row.closed_at, row.closed_by = timezone.now(), by
    for name, value in fields.items():
        setattr(row, name, value)
    _go(row, state, by, request, "closed_at", "closed_by", *fields)


def _reason(text):
    reason = " ".join((text or "").split())
    if not reason:
        raise Refused(_("Please give a reason."), code="reason", field="reason")
    referral_sheet.check_text("reason", reason, 200)
    return reason


def _open(row, by, request):
    """Who received may look at the record, which others open with a reason of their own."""
    person = row.resident.survivor
    if not Resident.objects.visible_to(by).filter(pk=person.pk).exists():
        reason = _("Referral %(number)s") % {"number": row.number}
        residents.open_with_reason(resident=person, reason=reason, by=by, request=request)


def _unfile(row, by):
    if row.group:
        _aside(filings.cancel_filing, referral=row, by=by)


def _aside(act, **facts):
    """City insurance never holds up a referral: what fails there is undone alone, and told in the log."""
    try:
        with transaction.atomic():
            act(**facts)
    except Exception as error:
        log.error("filing failed", extra={"facts": {"act": act.__name__, "kind": type(error).__name__}})


@contextmanager
def _told(move, by, request, resident, referral=None):
    """A refused move stands in the trail, written when its own transaction is undone."""
    try:
        yield
    except Refused as refusal:
        audit.record(
            Act.REFUSED, by=by, request=request, resident=resident, obj=referral,
            detail={"referral": move, "code": refusal.code},
        )  # fmt: skip
        raise
