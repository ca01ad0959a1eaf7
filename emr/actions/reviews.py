"""A doctor's word on an assistant's signed note (病历书写基本规范 art. 8, rules B1.7). The note itself stays."""

from django.db import transaction
from django.utils.translation import gettext as _

from clinic import audit
from clinic.codes import Act
from clinic.errors import Conflict, Forbidden, Refused
from emr.codes import ReviewDecision
from emr.models import Note, NoteReview

COMMENT_LIMIT = 2000


def review(*, note, by, decision, comment="", request=None):
    """Approve the note, or return it with a comment; return the NoteReview.

    Not by its author; a returned note may be reviewed again, an approved one not.
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
        _check(note, by)
        row = NoteReview.objects.create(
            note=note, reviewer=by, reviewer_name=by.name, decision=decision, comment=comment
        )
        audit.record(
            Act.REVIEW, by=by, request=request, resident=note.encounter.resident, obj=note,
            detail={"decision": decision},
        )  # fmt: skip
        return row


def _check(note, by):
    if not note.is_signed or not note.needs_review:
        raise Refused(_("This note does not wait for a review."), code="review")
    if note.author_id == by.pk or not by.has_perm("emr.review_note"):
        raise Forbidden(_("Nobody reviews their own note."), code="own")
    if note.reviews.filter(decision=ReviewDecision.APPROVED).exists():
        raise Conflict(_("This note was approved already."), code="approved")
