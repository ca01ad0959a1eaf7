"""The way of a visit: arrived, being seen, on hold, cancelled. Signing ends it (emr.actions.signing)."""

import uuid

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clinic import audit
from clinic.codes import Act, LifeState, Role
from clinic.errors import Conflict, Forbidden, Refused
from clinic.models import Resident
from emr.actions import drafts
from emr.codes import EncounterStatus
from emr.drafting import prefill
from emr.models import Encounter, Note

WAITING, SEEN, HELD = EncounterStatus.WAITING, EncounterStatus.IN_PROGRESS, EncounterStatus.ON_HOLD
DOCTORS = frozenset({Role.DOCTOR, Role.ASSISTANT})


def check_in(*, resident, institution, by, doctor=None, key=None, request=None):
    """Put a resident on the waiting list of an institution, or of one doctor there; return the visit.

    The same key gives the same visit. Raises Conflict code "waiting" on a second open visit there, Refused
    code "deceased", "closed", "doctor" or "key", Forbidden code "elsewhere".
    """
    try:
        with transaction.atomic():
            person = _welcome(resident, institution, by)
            if again := _by_key(key, person, by):
                return again
            if doctor is not None and not _works_at(doctor, institution):
                raise Refused(_("This doctor does not see patients here."), code="doctor", field="doctor")
            if visit := _open_visit(person, institution):
                raise Conflict(_already_here(visit), code="waiting", encounter=str(visit.uuid))
            return _admit(person, institution, by, doctor, key, request)
    except IntegrityError as error:
        # The key went to another visit between looking and writing; residents are locked, keys are not.
        raise Refused(
            _("This request carries the key of another one. Please load the page again."), code="key"
        ) from error


def start(*, encounter, by, request=None):
    """The doctor takes a waiting visit, or takes up one that is on hold; return it.

    Two doctors at once: one has it, the other gets Conflict code "taken" with the name. A resident of
    another institution wants access with a reason first: Forbidden code "grant".
    """
    with transaction.atomic():
        visit = _lock(encounter)
        if visit.status in (SEEN, HELD) and visit.doctor_id != by.pk:
            raise Conflict(
                _("%(name)s is seeing this resident already.") % {"name": visit.doctor.name}, code="taken"
            )
        _must_be(visit, WAITING, SEEN, HELD)
        if visit.status == SEEN:
            return visit
        _must_be_here(visit, by)
        _must_see(visit.resident, by)
        visit.status, visit.doctor, visit.hold_reason = SEEN, by, ""
        visit.department = by.department or visit.department
        visit.started_at = visit.started_at or timezone.now()
        visit.save(update_fields=["status", "doctor", "hold_reason", "department", "started_at"])
        _open_note(visit, by)
        audit.record(Act.CHANGE, by=by, request=request, resident=visit.resident, obj=visit, reason="start")
        return visit


def start_for(*, resident, by, key=None, request=None):
    """Begin a visit straight from the search: checked in and started in one. An open one here is taken up."""
    with transaction.atomic():
        person = _welcome(resident, by.institution, by)
        visit = _by_key(key, person, by) or _open_visit(person, by.institution)
        if visit is None:
            visit = _admit(person, by.institution, by, by, key, request)
        return start(encounter=visit, by=by, request=request)


def hold(*, encounter, by, reason="", request=None):
    """Set a begun visit aside, for instance while a test is made."""
    _check_length(reason, 100)
    with transaction.atomic():
        visit = _lock(encounter)
        _must_be(visit, SEEN)
        _must_be_mine(visit, by)
        visit.status, visit.hold_reason = HELD, reason.strip()
        visit.save(update_fields=["status", "hold_reason"])
        audit.record(Act.CHANGE, by=by, request=request, resident=visit.resident, obj=visit, reason="hold")
        return visit


def resume(*, encounter, by, request=None):
    """Go on with one's own visit that is on hold."""
    with transaction.atomic():
        visit = _lock(encounter)
        _must_be(visit, HELD, SEEN)
        _must_be_mine(visit, by)
        return start(encounter=visit, by=by, request=request)


def cancel(*, encounter, by, reason, request=None):
    """End a visit that does not take place: a state with a reason, nothing is deleted.

    Whoever receives residents may cancel while they wait; once begun, only its doctor may.
    """
    reason = reason.strip()
    if not reason:
        raise Refused(_("A cancelled visit needs a reason."), code="reason", field="reason")
    _check_length(reason, 200)
    with transaction.atomic():
        visit = _lock(encounter)
        _must_be(visit, WAITING, SEEN, HELD)
        if visit.status == WAITING:
            _must_be_in_reach(visit.institution, by)
        else:
            _must_be_mine(visit, by)
        Note.objects.select_for_update().get(encounter=visit)
        visit.status, visit.cancel_reason, visit.cancelled_by = EncounterStatus.CANCELLED, reason, by
        visit.finished_at = timezone.now()
        visit.save(update_fields=["status", "cancel_reason", "cancelled_by", "finished_at"])
        audit.record(Act.CANCEL, by=by, request=request, resident=visit.resident, obj=visit)
        return visit


def _welcome(resident, institution, by):
    """The locked row of the person who may be seen here: alive, and the survivor of a merge.

    Locked without its key: a signature holds the visit and points lines at the person, which a full lock
    would keep waiting while we wait for its visit.
    """
    person = (
        Resident.objects.select_for_update(of=("self",), no_key=True)
        .select_related("home")
        .get(pk=resident.merged_into_id or resident.pk)
    )
    if person.life_state == LifeState.DECEASED:
        raise Refused(_("This resident is registered as deceased."), code="deceased")
    if not institution.active:
        raise Refused(_("This institution is closed."), code="closed")
    _must_be_in_reach(institution, by)
    return person


def _admit(person, institution, by, doctor, key, request):
    visit = Encounter(
        resident=person, institution=institution, doctor=doctor, checked_in_by=by, key=key,
        **({"department": doctor.department} if doctor and doctor.department else {}),
    )  # fmt: skip
    visit.save(force_insert=True)
    note = Note(encounter=visit)
    note.skip_history_when_saving = True  # rule 5: a draft's history begins with its signature
    note.save(force_insert=True)
    audit.record(Act.CHECK_IN, by=by, request=request, resident=person, obj=visit)
    return visit


def _by_key(key, person, by):
    visit = key and Encounter.objects.filter(key=key).first()
    if visit and (visit.checked_in_by_id != by.pk or visit.resident_id not in person.record_ids()):
        raise Refused(
            _("This request carries the key of another one. Please load the page again."), code="key"
        )
    return visit or None


def _open_visit(person, institution):
    """The file's open visit there; after a merge it may hang on the absorbed row."""
    return (
        Encounter.objects.open()
        .filter(resident__in=person.record_ids(), institution=institution)
        .select_related("doctor")
        .first()
    )


def _already_here(visit):
    if visit.doctor_id is None or visit.status == WAITING:
        return _("This resident is on the waiting list already.")
    return _("%(name)s is seeing this resident already.") % {"name": visit.doctor.name}


def _lock(encounter):
    """The locked row. Its doctor is not joined: after waiting for the lock, joined columns are of before."""
    return (
        Encounter.objects.select_for_update(of=("self",))
        .select_related("resident__home", "resident__merged_into", "institution")
        .get(pk=encounter.pk)
    )


def _works_at(doctor, institution):
    return doctor.is_active and doctor.role in DOCTORS and doctor.institution_id == institution.pk


def _must_be(visit, *states):
    if visit.status not in states:
        raise Conflict(
            _("This visit is over: %(status)s.") % {"status": visit.get_status_display()}
            if not visit.is_open
            else _("This cannot be done now: %(status)s.") % {"status": visit.get_status_display()},
            code="state",
        )


def _must_be_mine(visit, by):
    if visit.doctor_id != by.pk:
        raise Forbidden(_("This visit belongs to another doctor."), code="author")


def _must_be_in_reach(institution, by):
    if not institution.path.startswith(by.institution.path):
        raise Forbidden(_("This institution is not within your reach."), code="elsewhere")


def _must_be_here(visit, by):
    if visit.institution_id != by.institution_id:
        raise Forbidden(_("The resident is waiting at another institution."), code="elsewhere")


def _must_see(resident, by):
    if not Resident.objects.visible_to(by).filter(pk=resident.survivor.pk).exists():
        raise Forbidden(
            _("This resident belongs to another institution. Please open the record with a reason first."),
            code="grant",
        )


def _check_length(text, limit):
    if len(text) > limit:
        raise Refused(
            _("At most %(limit)d characters; these are %(count)d.") % {"limit": limit, "count": len(text)},
            code="reason",
            field="reason",
        )


def _open_note(visit, by):
    """Give the note its author, and what may be carried over. As a save, so that a draft is the sum of its
    saves from the first word on."""
    note = Note.objects.select_for_update().get(encounter=visit)
    if note.author_id == by.pk:
        return
    Note.objects.filter(pk=note.pk).update(author=by)
    if fields := prefill.for_start(visit):
        drafts.write(note, fields, by, uuid.uuid4())
