"""What a seal covers, as the rows of the database have it. Sealing and verifying read it by the same SQL, so
that nothing that passed through memory alone is ever sealed."""

from datetime import UTC
from typing import NamedTuple

from django.db import connection

TEXT = (
    "visit_kind", "chief_complaint", "present_illness", "past_history", "signs", "examinations", "treatment",
    "vitals", "diagnoses", "medications", "marks", "signer", "signer_title", "signer_licence", "signed_at",
    "needs_review",
)  # fmt: skip


def _lines(table, columns):
    """The signed rows of the version as JSON: an array of arrays, in their order. A row that says another
    resident is none of them."""
    row = ", ".join(f'l."{name}"' for name in columns)
    return (
        f"(SELECT jsonb_agg(jsonb_build_array({row}) ORDER BY l.position)::text FROM {table} l"  # noqa: S608
        " WHERE l.note_id = b.note_id AND l.correction_id IS NOT DISTINCT FROM b.correction_id"
        " AND l.resident_id = e.resident_id)"
    )


DIAGNOSIS = ("position", "system", "release", "code", "name", "certainty", "primary")
MEDICATION = ("position", "drug", "dose", "route", "frequency", "days", "reason")
_text = ", ".join(f"CASE WHEN b.correction_id IS NULL THEN n.{name} ELSE c.{name} END" for name in TEXT)
PERSON = (
    "(SELECT u.uuid::text FROM clinic_user u"
    " WHERE u.id = CASE WHEN b.correction_id IS NULL THEN n.signed_by_id ELSE c.signed_by_id END)"
)
RESIDENT = "(SELECT r.uuid::text FROM clinic_resident r WHERE r.id = e.resident_id)"
DOCTOR = "(SELECT d.uuid::text FROM clinic_user d WHERE d.id = e.doctor_id)"
VISIT = (
    "n.id, n.uuid::text, e.id, e.uuid::text, e.institution_id", RESIDENT, DOCTOR,
    "e.department, e.status, e.arrived_at, e.started_at, e.finished_at, n.imported",
)  # fmt: skip
CORRECTION = "c.id, c.note_id, c.number, c.kind, c.void, c.reason"
LINES = _lines("emr_diagnosis", DIAGNOSIS), _lines("emr_medication", MEDICATION)
COLUMNS = ", ".join((*VISIT, CORRECTION, PERSON, _text, *LINES))
# b is what names the note and the correction: a seal, or nothing but the two numbers.
JOINS = (
    "LEFT JOIN emr_note n ON n.id = b.note_id LEFT JOIN emr_encounter e ON e.id = n.encounter_id"
    " LEFT JOIN emr_correction c ON c.id = b.correction_id"
)


class Sealed(NamedTuple):
    """One version of a note. JSON columns are text as PostgreSQL gives it, ids are None where a row is missing."""

    note_id: int | None
    note: str | None
    visit_id: int | None
    visit: str | None
    institution_id: int
    resident: str | None
    doctor: str | None
    department: str
    status: str
    arrived_at: object
    started_at: object
    finished_at: object
    imported: bool
    correction_id: int | None
    corrects: int | None
    number: int | None
    kind: str | None
    void: bool | None
    reason: str | None
    signed_by: str | None
    visit_kind: str
    chief_complaint: str
    present_illness: str
    past_history: str
    signs: str
    examinations: str
    treatment: str
    vitals: str
    diagnoses: str
    medications: str
    marks: str
    signer: str
    signer_title: str
    signer_licence: str
    signed_at: object
    needs_review: bool
    diagnosis_rows: str | None
    medication_rows: str | None

    @property
    def version(self):
        return 1 if self.number is None else 1 + self.number


WIDTH = len(Sealed._fields)
GIVEN = (
    f"SELECT {COLUMNS}, (SELECT i.code FROM clinic_institution i WHERE i.id = e.institution_id)"  # noqa: S608 - own names
    " FROM unnest(%s::bigint[], %s::bigint[]) WITH ORDINALITY b (note_id, correction_id, place)"
    f" {JOINS} ORDER BY b.place"
)


def of(note_id, correction_id=None) -> tuple[Sealed, str]:
    """The version and its institution's code."""
    return of_all([(note_id, correction_id)])[0]


def of_all(versions) -> list[tuple[Sealed, str]]:
    """The versions of these (note, correction or None), in their order, and their institutions' codes."""
    notes, corrections = zip(*versions, strict=True)
    with connection.cursor() as cursor:
        cursor.execute(GIVEN, [list(notes), list(corrections)])
        return [(Sealed(*row[:WIDTH]), row[WIDTH]) for row in cursor.fetchall()]


def moment(at) -> str | None:
    """UTC with microseconds, "2026-11-22T02:12:13.000456Z"."""
    return at and at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"
