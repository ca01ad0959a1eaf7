"""What a sealed copy and a copy for the patient hold: one shape, as JSON that is readable on its own.

Format: docs/copies.md and docs/copy.schema.json. The text is canonical (keys sorted, UTF-8), so that the hash of
the file handed out is the hash in the register.
"""

import hashlib
import json
from dataclasses import asdict, dataclass

from django.conf import settings
from django.db import connection
from django.utils import timezone, translation

from clinic.codes import IdType
from emr.codes import (
    Certainty,
    ChangeKind,
    EncounterStatus,
    Frequency,
    Relation,
    ReviewDecision,
    Route,
    System,
    VisitKind,
)
from emr.drafting.fields import VITALS
from emr.models import Correction, Encounter, Note, NoteReview, Seal
from emr.printing import SECTIONS
from emr.sealing import keys
from emr.sealing.seal import covered

FORMAT = "sheyi-record/1"
LIMIT = 200  # visits in one copy
SIGNED, IMPORTED, DRAFT, WITHDRAWN = "signed", "imported", "draft", "withdrawn"
PRINTED = ("name", "sex", "birth_date", "record_number")  # of the resident, at the head of each page
CODES = {
    "status": EncounterStatus,
    "visit_kind": VisitKind,
    "system": System,
    "certainty": Certainty,
    "route": Route,
    "frequency": Frequency,
    "decision": ReviewDecision,
    "change": ChangeKind,
    "relation": Relation,
    "id_type": IdType,
}


@dataclass(frozen=True)
class Person:
    """Somebody at the counter: the patient, or whoever may act for them, with the papers they showed."""

    name: str
    relation: str
    id_type: str
    id_number: str = ""


def canonical(content) -> str:
    """The one text of this content. Line breaks, so that a person can read it too."""
    return json.dumps(content, ensure_ascii=False, sort_keys=True, indent=1)


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def kept_here(user, resident):
    """The file's visits at the user's institution and below it, newest first. Whoever keeps a record copies it."""
    return (
        Encounter.objects.in_scope(user)
        .of_resident(resident)
        .filter(note__in=Note.objects.visible_to(user))
        .select_related("institution", "doctor", "resident", "note__author")
    )


def state_of(note) -> str:
    return IMPORTED if note.imported else SIGNED if note.is_signed else DRAFT


def items(record) -> list[dict]:
    """What lists show of each visit without reading the content. ``state`` is the first version's, or "open"
    for a signed note that somebody is correcting."""
    found = []
    for visit in record:
        first, *later = (version["state"] for version in visit["versions"])
        state = "open" if first != DRAFT and DRAFT in later else first
        found.append(
            {"visit": visit["id"], "at": visit["arrived_at"], "state": state, "versions": len(later) + 1}
        )
    return found


def is_unchanged(paper) -> bool | None:
    """Whether a sealed copy or copy is what its hash says, and what its signature says where it has one.
    None when the key of the signature is not at hand, so that nobody can tell."""
    if digest(paper.content) != paper.sha256:
        return False
    if not getattr(paper, "signature", ""):
        return True
    try:
        return keys.check(paper.key_id, paper.content.encode(), paper.signature)
    except keys.PublicKeyMissing:
        return None


def has_gone_on(copy, visits) -> bool:
    """Whether the record, printed today, would say something else than the copy: versions or reviews that came
    since, or other words at the head of the page."""
    content = json.loads(copy.content)
    with translation.override(settings.LANGUAGE_CODE):
        today = _resident(copy.resident)
    heads = any(content["resident"].get(name) != today[name] for name in PRINTED)
    return heads or _gist(content["visits"]) != _gist(record(visits, unfinished=False))


def _gist(visits):
    """What tells two states of a record apart: a signed version itself never changes."""
    return [
        (visit["id"], [(one["id"], one["state"], len(one["reviews"])) for one in visit["versions"]])
        for visit in visits
    ]


def may_be_copied(visit) -> bool:
    """A draft never leaves the house as a copy; it may be sealed as it stands."""
    return state_of(visit.note) != DRAFT


def record(visits, *, unfinished) -> list[dict]:
    """The visits, oldest first, each with every version of its note: the first, the signed corrections, and
    with ``unfinished`` also drafts and withdrawn corrections. Three queries however many visits."""
    notes = [visit.note for visit in visits]
    corrections = _by_note(
        Correction.objects.filter(note__in=notes).select_related("author").order_by("number"), "note_id"
    )
    reviews = _by_note(NoteReview.objects.filter(note__in=notes).order_by("at", "pk"), "note_id")
    seals = {(seal.note_id, seal.correction_id): seal for seal in Seal.objects.filter(note__in=notes)}
    covers = covered(seals.values())
    return [
        {
            **_visit(visit),
            "versions": [
                _version(number, text, reviews.get(visit.note.pk, []), seals, covers)
                for number, text in enumerate([visit.note, *corrections.get(visit.note.pk, [])], start=1)
                if unfinished or _state(text) in (SIGNED, IMPORTED)
            ],
        }
        for visit in sorted(visits, key=lambda visit: (visit.arrived_at, visit.pk))
    ]


def document(kind, *, number, made_at, by, resident, occasion, visits) -> dict:
    """The whole of a copy. ``occasion`` tells who was there, why, and on what."""
    with translation.override(settings.LANGUAGE_CODE):
        return {
            "format": FORMAT,
            "kind": kind,
            "number": number,
            "made_at": moment(made_at),
            "made_by": {"name": by.name, "title": by.title},
            "institution": _institution(by.institution),
            "resident": _resident(resident),
            "occasion": {
                name: asdict(value) if isinstance(value, Person) else value
                for name, value in occasion.items()
            },
            "visits": visits,
            "legend": legend(),
        }


def legend() -> dict:
    """What the codes in it mean, in the language of the moment."""
    words = {name: {code: str(label) for code, label in codes.choices} for name, codes in CODES.items()}
    words["text"] = {field: str(label) for field, label in SECTIONS if label}
    words["vitals"] = {name: f"{label} {unit}".strip() for name, label, unit in VITALS}
    return words


def moment(at):
    """ISO 8601 with the clinic's offset, or None."""
    return timezone.localtime(at).isoformat() if at else None


def take_number(model, prefix, day) -> str:
    """The day's next number, "FC-20261122-001". Nobody else takes one until the caller's transaction ends, and
    no row ever goes, so counting is enough."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [model._meta.db_table])
    head = f"{prefix}-{day:%Y%m%d}-"
    return f"{head}{model.objects.filter(number__startswith=head).count() + 1:03d}"


def _by_note(rows, name):
    found = {}
    for row in rows:
        found.setdefault(getattr(row, name), []).append(row)
    return found


def _resident(row):
    return {
        "id": str(row.uuid),
        "name": row.name,
        "sex": row.get_sex_display(),
        "birth_date": row.birth_date.isoformat(),
        "record_number": row.record_number or "",
        "id_type": row.id_type,
        "id_number": row.id_number,
    }


def _institution(row):
    return {"code": row.code, "name": row.name}


def _visit(visit):
    return {
        "id": str(visit.uuid),
        "resident": str(visit.resident.uuid),
        "institution": _institution(visit.institution),
        "department": visit.department,
        "doctor": visit.doctor.name if visit.doctor else visit.note.imported_doctor,
        "status": visit.status,
        "cancel_reason": visit.cancel_reason,
        "arrived_at": moment(visit.arrived_at),
        "started_at": moment(visit.started_at),
        "finished_at": moment(visit.finished_at),
        "imported": visit.note.imported,
    }


def _version(number, text, reviews, seals, covers):
    """``text`` is the note or one of its corrections: they share their columns. Withdrawn corrections take a
    number too, so a copy without them may skip one."""
    correction = text if isinstance(text, Correction) else None
    note_id = correction.note_id if correction else text.pk
    seal = seals.get((note_id, correction and correction.pk))
    return {
        "id": str(text.uuid),
        "number": number,
        "state": _state(text),
        "change": correction and _change(correction),
        "author": text.author.name if text.author else "",
        "draft_version": text.version,
        "saved_at": moment(text.saved_at),
        "signed_at": moment(text.signed_at),
        "signer": {"name": text.signer, "title": text.signer_title, "licence": text.signer_licence}
        if text.is_signed
        else None,
        "needs_review": text.needs_review,
        "reviews": [
            _review(review) for review in reviews if review.correction_id == (correction and correction.pk)
        ],
        "text": {name: getattr(text, name) for name in text.CONTENT_FIELDS},
        "taken_over": text.marks,
        "seal": seal and _seal(seal, covers[seal.pk]),
    }


def _state(text):
    if isinstance(text, Correction) and text.withdrawn_at:
        return WITHDRAWN
    return SIGNED if text.is_signed else IMPORTED if getattr(text, "imported", False) else DRAFT


def _change(correction):
    return {
        "kind": correction.kind,
        "void": correction.void,
        "reason": correction.reason,
        "opened_at": moment(correction.opened_at),
        "withdrawn_at": moment(correction.withdrawn_at),
    }


def _review(review):
    return {
        "by": review.reviewer_name,
        "decision": review.decision,
        "comment": review.comment,
        "at": moment(review.at),
    }


def _seal(seal, covers):
    """With what it covers, so that the copy proves itself (docs/seal.md)."""
    return {
        "format": seal.format,
        "sha256": seal.sha256,
        "key_id": seal.key_id,
        "signature": seal.signature,
        "sealed_at": moment(seal.sealed_at),
        "covers": covers,
    }
