"""All signed versions of a note, and the text in force: the last signed correction's, else the note's own."""

import copy
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import OuterRef, Subquery
from django.db.models.functions import JSONObject
from django.utils.translation import gettext as _

from emr.codes import ChangeKind
from emr.models import Correction, Note, NoteReview
from emr.models.note_text import NoteText

TOLD = ("number", "void", "reason", "signer", "signed_at")


@dataclass(frozen=True)
class Version:
    """One signed version. ``text`` is the Note or the Correction; ``number`` counts from 1, the note's own.

    ``kind`` is None for the first. ``supervising`` tells that somebody else than the note's writer wrote it.
    ``reviews`` are the doctors' words on this version, the last first.
    """

    number: int
    text: NoteText
    kind: str | None = None
    void: bool = False
    reason: str = ""
    signer: str = ""
    signer_title: str = ""
    signed_at: datetime | None = None
    supervising: bool = False
    reviews: list = field(default_factory=list)

    @property
    def review(self):
        return next(iter(self.reviews), None)

    @property
    def correction(self):
        """Its number among the corrections, 0 for the first version."""
        return self.number - 1

    @property
    def title(self):
        """首次签名, 修正 2, 作废…"""
        if self.kind is None:
            return _("First signature")
        if self.void:
            return _("Void, signed in error")
        words = _("Undone and rewritten (%(n)d)") if self.kind == ChangeKind.UNDO else _("Correction %(n)d")
        return words % {"n": self.correction}


def of(note) -> list[Version]:
    """First version and signed corrections, oldest first. Two queries at any length."""
    return with_open(note)[0]


def with_open(note) -> tuple[list[Version], Correction | None]:
    """The same, and the correction that is being written."""
    rows = _corrections([note])
    signed = [row for row in rows if row.is_signed]
    writing = next((row for row in rows if not row.is_signed), None)
    return _told(note, signed, _reviews([note], signed)), writing


def of_all(notes) -> dict[int, list[Version]]:
    """The versions of many notes by the note's number. Two queries."""
    notes = list(notes)
    signed = [row for row in _corrections(notes) if row.is_signed] if notes else []
    reviews, of_note = _reviews(notes, signed), defaultdict(list)
    for row in signed:
        of_note[row.note_id].append(row)
    return {note.pk: _told(note, of_note[note.pk], reviews) for note in notes}


def _corrections(notes):
    kept = Correction.objects.filter(note__in=[note.pk for note in notes], withdrawn_at=None)
    return list(kept.select_related("author").order_by("note", "number"))


def _reviews(notes, signed):
    """{(note, correction): reviews, the last first}; asked for where an assistant signed something."""
    found = defaultdict(list)
    if any(text.needs_review for text in (*notes, *signed)):
        of_notes = NoteReview.objects.filter(note__in=[note.pk for note in notes])
        for review in of_notes.order_by("-at", "-pk"):
            found[review.note_id, review.correction_id].append(review)
    return found


def _told(note, signed, reviews):
    first = Version(
        1, _as_signed(note), signer=note.signer, signer_title=note.signer_title, signed_at=note.signed_at,
        reviews=reviews.get((note.pk, None), []),
    )  # fmt: skip
    later = (
        Version(
            number, row, kind=row.kind, void=row.void, reason=row.reason, signer=row.signer,
            signer_title=row.signer_title, signed_at=row.signed_at,
            supervising=row.author_id != note.author_id, reviews=reviews.get((note.pk, row.pk), []),
        )
        for number, row in enumerate(signed, 2)
    )  # fmt: skip
    return [first, *later]


def _as_signed(note):
    """The note's own text, whatever is put onto the note in memory before or after."""
    return Note.objects.get(pk=note.pk) if getattr(note, "in_force", None) else copy.copy(note)


def last_of(note) -> Correction | None:
    """The last signed correction."""
    return Correction.objects.signed().filter(note=note.pk).order_by("-number").first()


def text_in_force(note) -> NoteText:
    return last_of(note) or note


def overlay(notes) -> list[Note]:
    """Put the text in force onto the notes in memory, for reading only; return them. One query.

    Each note gets ``in_force``: the last signed correction or None, and ``void``.
    """
    notes = [note for note in notes if note is not None]
    found = (
        Correction.objects.signed()
        .filter(note__in=[note.pk for note in notes])
        .order_by("note", "-number")
        .distinct("note")
    )
    last = {row.note_id: row for row in found} if notes else {}
    for note in notes:
        put(note, last.get(note.pk))
    return notes


def in_force(note="pk"):
    """An expression for lists that must not ask twice: the last correction's text as JSON, or null.

    ``note`` leads from the listed row to the note's number; ``take`` puts what it finds onto a note.
    """
    fields = {name: name for name in (*Note.DRAFT_FIELDS, *TOLD)}
    signed = Correction.objects.signed().filter(note=OuterRef(note)).order_by("-number")
    return Subquery(signed.values(found=JSONObject(**fields))[:1])


def take(note, found) -> Note:
    """Put what ``in_force`` found onto the note; ``note.in_force`` is then a dict of number, void, reason…"""
    note.in_force = found and {name: found[name] for name in TOLD}
    note.void = bool(found and found["void"])
    for name in Note.DRAFT_FIELDS if found else ():
        setattr(note, name, found[name])
    return note


def put(note, correction):
    """The text of the last signed correction, if there is one, onto the note in memory."""
    note.in_force, note.void = correction, correction is not None and correction.void
    for name in Note.DRAFT_FIELDS if correction is not None else ():
        setattr(note, name, getattr(correction, name))
