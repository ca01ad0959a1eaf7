"""Tables of the record, one file per noun."""

from emr.models.encounter import Encounter
from emr.models.note import Diagnosis, Medication, Note, NoteReview
from emr.models.save import Save
from emr.models.term import DiagnosisUse, Term, TermRelease

__all__ = [
    "Diagnosis",
    "DiagnosisUse",
    "Encounter",
    "Medication",
    "Note",
    "NoteReview",
    "Save",
    "Term",
    "TermRelease",
]
