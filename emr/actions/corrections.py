"""Correcting a signed note (病历书写基本规范 art. 7, rules B1.7): a further version, written as a draft, with its own
reason and signature. The note, its visit and the versions before stay as they are."""

import uuid

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clinic import audit
from clinic.codes import Act
from clinic.errors import Conflict, Forbidden, Refused
from emr import prescribing, requirements
from emr.actions import drafts, signing, standing
from emr.actions.correcting import check_correctable, check_reason, find_leave, lock_note
from emr.after_visits import rules
from emr.codes import ChangeKind, ReviewDecision
from emr.models import ChangeRequest, Correction, Note, NoteReview, Save
from emr.sealing import seal
from emr.signed import archive, versions

MOST = 50  # signed corrections of one note: its page and its paper show them all


def open_correction(*, note, by, reason, kind, key, void=False, content=None, request=None):
    """Begin a correction of a signed note with the text in force; return the draft.

    ``content``: {field: value} put on it as its first save (a restored version). ``void``: nothing of the text
    holds; an undoing only. The same key gives the same row. Raises Note.DoesNotExist outside the person's
    reach; Refused code "reason", "kind", "key" or "many"; Conflict code "open" (naming who writes) and what
    check_correctable raises; Forbidden code "author" or "leave".
    """
    if kind not in ChangeKind.values or (void and kind != ChangeKind.UNDO):
        raise Refused(_("Please choose what is to be changed."), code="kind", field="kind")
    reason = check_reason(reason)
    try:
        with transaction.atomic():
            note, visit = lock_note(note, by)
            if again := _by_key(key, note, by, (kind, void, reason)):
                return again
            check_correctable(note, by)
            _check_alone(note)
            leave = find_leave(note, by, kind)
            made = _begin(note, by, leave, kind=kind, void=void, reason=reason, key=key)
            if content:
                drafts.write(made, content, by, uuid.uuid4())
            _tell("open", made, visit, by, request)
            return made
    except IntegrityError as error:
        raise Refused(_("This key stands for another correction."), code="key") from error


def save_correction(*, correction, key, version, changes, by):
    """Store changed fields of the correction with this public id; return the Save. As drafts.save_draft."""
    with transaction.atomic():
        # The correction alone is locked, so that a save never waits for its note's other readers.
        row = _lock(correction, by)
        _must_have_text(row)
        return drafts.store(row, key, version, changes, by)


def sign_correction(*, correction, key, version, by, confirmed=False, request=None):
    """Sign the correction with this public id; return it. The password was asked before.

    The same key again gives the same row. Raises Correction.DoesNotExist outside the person's reach;
    signing.Incomplete; signing.Unconfirmed code "copied"; Refused code "unchanged"; Conflict code "stale",
    "signed" or "withdrawn"; Forbidden code "author" or "leave".
    """
    with transaction.atomic():
        note, visit = lock_note(Correction.objects.visible_to(by).get(uuid=correction).note, by)
        row = _lock(correction, by)
        row.note = note
        if (
            row.is_signed
            and Save.objects.filter(key=key, correction=row, by=by, version=row.version).exists()
        ):
            return row
        drafts.check_writable(row, by)
        if row.version != version:
            raise drafts.stale(row, version, {})
        hints = [] if row.void else _check_text(row, note, visit, confirmed)
        _take_leave(row, note, by)
        _sign(row, note, visit, key, by)
        _tell("sign", row, visit, by, request, version=row.version, hints=[hint["field"] for hint in hints])
        return row


def withdraw(*, correction, by, request=None):
    """Give up an unsigned correction; return it. Its texts stay."""
    with transaction.atomic():
        note, visit = lock_note(Correction.objects.visible_to(by).get(uuid=correction).note, by)
        row = _lock(correction, by)
        row.note = note
        if row.withdrawn_at is None:
            drafts.check_writable(row, by)
            row.withdrawn_at = timezone.now()
            row.save(update_fields=["withdrawn_at"])
            _tell("withdraw", row, visit, by, request)
        elif row.author_id != by.pk:
            raise Forbidden(_("Only the doctor who writes this note may change it."), code="author")
        return row


def _begin(note, by, leave, **facts):
    last = note.corrections.order_by("-number").first()
    text = versions.text_in_force(note)
    return Correction.objects.create(
        note=note,
        author=by,
        request=leave,
        number=last.number + 1 if last else 1,
        # Withdrawn ones count on, too: a version's number never stands for two texts.
        version=last.version if last else note.version,
        **{name: getattr(text, name) for name in Note.DRAFT_FIELDS},
        **facts,
    )


def _check_alone(note):
    other = note.corrections.open().select_related("author").first()
    if other is not None:
        raise Conflict(
            _("%(name)s is writing a correction of this note already.") % {"name": other.author.name},
            code="open",
            correction=str(other.uuid),
        )
    if note.corrections.signed().count() >= MOST:
        raise Refused(_("A note takes at most %(n)d corrections.") % {"n": MOST}, code="many")


def _lock(correction, by):
    """The locked draft. Signed or not is asked after the wait, so nothing that changes is joined."""
    return (
        Correction.objects.visible_to(by)
        .select_for_update(of=("self",), no_key=True)
        .select_related("note__encounter")
        .get(uuid=correction)
    )


def _must_have_text(row):
    if row.void:
        raise Conflict(
            _("This correction makes the whole note void; it has no text of its own."), code="void"
        )


def _check_text(row, note, visit, confirmed):
    """What signing demands of the text; return the hints."""
    before = versions.text_in_force(note)
    if all(getattr(row, name) == getattr(before, name) for name in Note.CONTENT_FIELDS):
        raise Refused(
            _("Nothing was changed yet. A correction that changes nothing is not signed."), code="unchanged"
        )
    missing, hints = requirements.check(row, prescribing.allergies_of(visit.resident))
    if missing:
        raise signing.Incomplete(
            _("Some entries are missing before signing."), code="incomplete", missing=missing, hints=hints
        )
    signing.ask_about_copied(requirements.unconfirmed(row, before), confirmed)
    return hints


def _take_leave(row, note, by):
    """The leave must hold on the day of the signature; a draft begun before the archive may get one later."""
    given = row.request
    if given is not None and given.decided_by_id != by.pk and archive.leave_ends(given) > timezone.now():
        return
    leave = find_leave(note, by, row.kind)
    if leave is not None:
        row.request = ChangeRequest.objects.select_for_update(no_key=True).get(pk=leave.pk)
        row.save_without_historical_record(update_fields=["request"])


def _sign(row, note, visit, key, by):
    now, before = timezone.now(), versions.text_in_force(note).past_history
    signing.put_signature(row, visit, key, by, now)
    seal.make(row, visit)
    standing.follow(before, None if row.void else row.past_history, visit, by)
    if row.void:
        return
    rules.gather(row, visit, by, now)
    if note.needs_review and not row.needs_review:
        # The supervisor's own words need nobody else's: the correction is the review (rules B1.7).
        NoteReview.objects.create(
            note=note,
            correction=row,
            reviewer=by,
            reviewer_name=by.name,
            decision=ReviewDecision.APPROVED,
            at=now,
        )


def _tell(event, row, visit, by, request, **more):
    facts = {"event": event, "number": row.number, "kind": row.kind, "void": row.void, **more}
    audit.record(Act.CORRECT, by=by, request=request, resident=visit.resident, obj=row, detail=facts)


def _by_key(key, note, by, asked):
    row = Correction.objects.filter(key=key).first()
    if row and (row.note_id, row.author_id, (row.kind, row.void, row.reason)) != (note.pk, by.pk, asked):
        raise Refused(_("This key stands for another correction."), code="key")
    return row
