"""Who may change a signed note, and when: what corrections and requests for leave share."""

from django.utils import timezone
from django.utils.translation import gettext as _

from clinic.errors import Conflict, Forbidden, Refused
from emr.codes import ChangeKind, EncounterStatus, RequestState
from emr.models import Correction, Encounter, Note
from emr.signed import archive

REASON_LIMIT = 500


def lock_note(note, by):
    """(note, visit), locked in the house's order. Without their keys: saves of a correction point at the note
    while its signature is being written, and neither shall wait for the other."""
    visit = (
        Encounter.objects.visible_to(by)
        .select_for_update(of=("self",), no_key=True)
        .select_related("resident__home", "resident__merged_into", "institution")
        .get(pk=note.encounter_id)
    )
    note = Note.objects.visible_to(by).select_for_update(of=("self",), no_key=True).get(pk=note.pk)
    note.encounter = visit
    return note, visit


def check_reason(reason) -> str:
    reason = reason.strip()
    if not reason:
        raise Refused(_("A correction needs a reason."), code="reason", field="reason")
    if len(reason) > REASON_LIMIT:
        words = {"limit": REASON_LIMIT, "count": len(reason)}
        raise Refused(
            _("At most %(limit)d characters; these are %(count)d.") % words, code="reason", field="reason"
        )
    return reason


def check_correctable(note, by):
    """Raise Conflict code "cancelled", "imported", "unsigned" or "void"; Forbidden code "author"."""
    if note.encounter.status == EncounterStatus.CANCELLED:
        raise Conflict(_("This visit was cancelled."), code="cancelled")
    if note.imported:
        raise Conflict(_("Visits of the old system are read-only."), code="imported")
    if not note.is_signed:
        raise Conflict(_("This note is not signed yet: its writer simply goes on writing."), code="unsigned")
    if not may_correct(note, by):
        raise Forbidden(
            _("Only the note's writer corrects it, or the reviewing doctor of an assistant's note."),
            code="author",
        )
    if Correction.objects.signed().filter(note=note, void=True).exists():
        raise Conflict(_("This note is void; it is corrected no more."), code="void")


def may_correct(note, by) -> bool:
    """Its writer, or a doctor who reviews what assistants sign (rules B1.7)."""
    if not by.has_perm("emr.correct_note"):
        return False
    return note.author_id == by.pk or (note.needs_review and by.has_perm("emr.review_note"))


def leaves(note, by):
    """The person's approved requests for this note that may still be used."""
    begin = timezone.now() - archive.leave_lasts()
    unused = note.change_requests.filter(requested_by=by, correction=None)
    return unused.filter(state=RequestState.APPROVED, decided_at__gt=begin).order_by("decided_at")


def find_leave(note, by, kind):
    """The approved request that allows this change, or None where none is needed. Raises Forbidden code
    "leave"."""
    archived = archive.since(note)
    if kind == ChangeKind.CORRECT and archived is None:
        return None
    found = leaves(note, by).filter(kind=kind).exclude(decided_by=by).first()
    if found is not None:
        return found
    if kind == ChangeKind.CORRECT:
        raise Forbidden(
            _("This note is archived since %(time)s: changing it needs the medical administration's leave.")
            % {"time": f"{timezone.localtime(archived):%Y-%m-%d %H:%M}"},
            code="leave",
        )
    raise Forbidden(_("Undoing a signature needs the medical administration's leave."), code="leave")
