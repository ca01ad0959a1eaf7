"""A doctor's word on an assistant's signed note (病历书写基本规范 art. 8, rules B1.7). The note itself stays."""

from django.db import transaction
from django.utils.translation import gettext as _

from clinic import audit
from clinic.codes import Act
from clinic.errors import Conflict, Forbidden, Refused
from emr.codes import ReviewDecision
from emr.models import Note, NoteReview
from emr.signed import versions

COMMENT_LIMIT = 2000


def review(*, note, by, decision, comment="", seen=None, request=None):
    """Approve what is in force of the note, or return it with a comment; return the NoteReview.

    Not by its author; a returned note may be reviewed again, an approved one not, unless it was corrected since.
    ``seen`` is the number of the version read (emr.signed.versions): Conflict code "stale" where it is not the last.
    """
    comment = comment.strip()
    if decision not in ReviewDecision.values:
        raise Refused(_("Please choose: approve or return."), code="decision")
    if decision == ReviewDecision.RETURNED and not comment:
        raise Refused(_("Please write what is to be corrected."), code="comment")
    if len(comment) > COMMENT_LIMIT:
        words = {"limit": COMMENT_LIMIT, "count": len(comment)}
        raise Refused(_("At most %(limit)d characters; these are %(count)d.") % words, code="comment")
    with transaction.atomic():
        note = (
            Note.objects.visible_to(by)
            .select_for_update(of=("self",))
            .select_related("encounter__resident__home")
            .get(pk=note.pk)
        )
        last = versions.last_of(note)
        _check(note, last, by)
        if seen is not None and seen != 1 + note.corrections.signed().count():
            raise Conflict(_("This note was corrected meanwhile. Please read it again."), code="stale")
        row = NoteReview.objects.create(
            note=note, correction=last, reviewer=by, reviewer_name=by.name, decision=decision, comment=comment
        )
        audit.record(
            Act.REVIEW, by=by, request=request, resident=note.encounter.resident, obj=note,
            detail={"decision": decision, "correction": last.number if last else 0},
        )  # fmt: skip
        return row


def _check(note, last, by):
    if not note.is_signed or not note.needs_review or (last is not None and last.void):
        raise Refused(_("This note does not wait for a review."), code="review")
    if by.pk in (note.author_id, last and last.author_id) or not by.has_perm("emr.review_note"):
        raise Forbidden(_("Nobody reviews their own note."), code="own")
    if last is not None and not last.needs_review:
        raise Conflict(_("This note was approved already."), code="approved")
    if note.reviews.filter(decision=ReviewDecision.APPROVED, correction=last).exists():
        raise Conflict(_("This note was approved already."), code="approved")
