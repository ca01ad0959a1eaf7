"""Tables of the record, one file per noun."""

from emr.models.after_visit import AfterVisitItem
from emr.models.correction import ChangeRequest, Correction
from emr.models.encounter import Encounter
from emr.models.fault import SaveFault
from emr.models.filing import InsuranceFiling
from emr.models.lines import Diagnosis, Medication
from emr.models.measure import WritingMeasure
from emr.models.note import Note
from emr.models.papers import CopyIssue, RetentionLine, SealedCopy
from emr.models.practice import Practice
from emr.models.referral import Referral, ReferralCounter
from emr.models.review import NoteReview
from emr.models.save import Save
from emr.models.seal import Seal, SealAnchor, SealLink
from emr.models.standing import StandingHistory
from emr.models.template import NoteTemplate
from emr.models.term import DiagnosisUse, Term, TermRelease

__all__ = [
    "AfterVisitItem",
    "ChangeRequest",
    "CopyIssue",
    "Correction",
    "Diagnosis",
    "DiagnosisUse",
    "Encounter",
    "InsuranceFiling",
    "Medication",
    "Note",
    "NoteReview",
    "NoteTemplate",
    "Practice",
    "Referral",
    "ReferralCounter",
    "RetentionLine",
    "Save",
    "SaveFault",
    "Seal",
    "SealAnchor",
    "SealLink",
    "SealedCopy",
    "StandingHistory",
    "Term",
    "TermRelease",
    "WritingMeasure",
]
