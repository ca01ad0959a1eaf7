"""Leave to change an archived note or to undo a signature: asked for by who writes, decided by another person of
the centre's medical administration (电子病历应用管理规范 art. 17, rules B2.3)."""

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clinic import audit
from clinic.codes import Act
from clinic.errors import Conflict, Forbidden, Refused
from emr.actions.correcting import check_correctable, check_reason, lock_note
from emr.codes import ChangeKind, RequestState
from emr.models import ChangeRequest
from emr.signed import archive

ANSWER_LIMIT = 500


def ask(*, note, by, kind, reason, key, request=None):
    """Ask for leave to correct an archived note, or to undo its signature; return the ChangeRequest.

    The same key gives the same row. Raises Note.DoesNotExist outside the person's reach; Refused code "key",
    "kind", "reason" or "needless"; Conflict code "waiting"; what check_correctable raises.
    """
    if kind not in ChangeKind.values:
        raise Refused(_("Please choose what is to be changed."), code="kind", field="kind")
    reason = check_reason(reason)
    try:
        with transaction.atomic():
            note, visit = lock_note(note, by)
            if again := _by_key(key, note, by, kind, reason):
                return again
            check_correctable(note, by)
            if kind == ChangeKind.CORRECT and archive.since(note) is None:
                raise Refused(
                    _("This note is not archived yet: it can be corrected without leave."), code="needless"
                )
            if note.change_requests.filter(requested_by=by, state=RequestState.WAITING).exists():
                raise Conflict(_("You have asked for this already."), code="waiting")
            row = ChangeRequest.objects.create(note=note, kind=kind, reason=reason, requested_by=by, key=key)
            audit.record(
                Act.REQUEST, by=by, request=request, resident=visit.resident, obj=row, detail={"kind": kind}
            )
            return row
    except IntegrityError as error:
        raise Refused(_("This key stands for another request."), code="key") from error


def decide(*, change_request, by, approve, answer="", request=None):
    """Approve or refuse a waiting request; return it. A refusal wants an answer.

    Raises ChangeRequest.DoesNotExist outside the person's reach; Forbidden code "right", "own" or "elsewhere";
    Conflict code "decided"; Refused code "answer".
    """
    if not by.has_perm("emr.approve_archive_change"):
        raise Forbidden(_("Only the centre's medical administration decides on this."), code="right")
    answer = _check_answer(answer, approve)
    with transaction.atomic():
        row = _lock(change_request, by)
        if row.requested_by_id == by.pk:
            raise Forbidden(_("Nobody decides on their own request."), code="own")
        if not row.note.encounter.institution.path.startswith(by.institution.path):
            raise Forbidden(_("This institution is not within your reach."), code="elsewhere")
        _must_wait(row)
        row.state = RequestState.APPROVED if approve else RequestState.REFUSED
        row.decided_by, row.decided_at, row.answer = by, timezone.now(), answer
        row.save(update_fields=["state", "decided_by", "decided_at", "answer"])
        audit.record(
            Act.DECIDE, by=by, request=request, resident=row.note.encounter.resident, obj=row,
            detail={"state": row.state, "kind": row.kind},
        )  # fmt: skip
        return row


def withdraw_request(*, change_request, by, request=None):
    """Take back one's own waiting request; return it. The row stays."""
    with transaction.atomic():
        row = _lock(change_request, by)
        if row.requested_by_id != by.pk:
            raise Forbidden(_("This request is another person's."), code="author")
        _must_wait(row)
        row.state = RequestState.WITHDRAWN
        row.save(update_fields=["state"])
        audit.record(
            Act.REQUEST, by=by, request=request, resident=row.note.encounter.resident, obj=row,
            detail={"state": row.state, "kind": row.kind},
        )  # fmt: skip
        return row


def _check_answer(answer, approve):
    answer = answer.strip()
    if not approve and not answer:
        raise Refused(_("Please write why it is refused."), code="answer", field="answer")
    if len(answer) > ANSWER_LIMIT:
        words = {"limit": ANSWER_LIMIT, "count": len(answer)}
        raise Refused(
            _("At most %(limit)d characters; these are %(count)d.") % words, code="answer", field="answer"
        )
    return answer


def _lock(change_request, by):
    """The locked row. Who decided is not joined: after waiting for the lock, joined columns are of before."""
    return (
        ChangeRequest.objects.visible_to(by)
        .select_for_update(of=("self",), no_key=True)
        .select_related("note__encounter__resident__home", "note__encounter__institution")
        .get(pk=change_request.pk)
    )


def _must_wait(row):
    if row.state == RequestState.WITHDRAWN:
        raise Conflict(_("This request was withdrawn."), code="decided")
    if row.state != RequestState.WAITING:
        words = {"name": row.decided_by.name, "state": row.get_state_display()}
        raise Conflict(_("%(name)s has decided on it already: %(state)s.") % words, code="decided")


def _by_key(key, note, by, kind, reason):
    row = ChangeRequest.objects.filter(key=key).first()
    if row and (row.note_id, row.requested_by_id, row.kind, row.reason) != (note.pk, by.pk, kind, reason):
        raise Refused(_("This key stands for another request."), code="key")
    return row
