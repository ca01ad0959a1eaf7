"""Choices and code tables of the record."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class EncounterStatus(TextChoices):
    """FHIR R4 names: arrived, in-progress, onhold, finished, cancelled."""

    WAITING = "arrived", _("waiting")
    IN_PROGRESS = "in-progress", _("being seen")
    ON_HOLD = "onhold", _("on hold")
    FINISHED = "finished", _("done")
    CANCELLED = "cancelled", _("cancelled")


OPEN_STATUSES = (EncounterStatus.WAITING, EncounterStatus.IN_PROGRESS, EncounterStatus.ON_HOLD)


class VisitKind(TextChoices):
    FIRST = "first", _("first visit")
    RETURN = "return", _("return visit")
    EMERGENCY = "emergency", _("emergency")


class System(TextChoices):
    ICD10 = "icd10", _("ICD-10")
    TCM_DISEASE = "tcm_disease", _("TCM disease")
    TCM_SYNDROME = "tcm_syndrome", _("TCM syndrome")
    MEDICINE = "medicine", _("medicine")


DIAGNOSIS_SYSTEMS = (System.ICD10, System.TCM_DISEASE, System.TCM_SYNDROME)


class Certainty(TextChoices):
    CONFIRMED = "confirmed", _("confirmed")
    SUSPECTED = "suspected", _("suspected")


class Route(TextChoices):
    ORAL = "po", _("by mouth")
    TOPICAL = "top", _("on the skin")
    INHALED = "inh", _("inhaled")
    EYE = "eye", _("in the eye")
    NASAL = "nas", _("in the nose")
    SUBLINGUAL = "sl", _("under the tongue")
    INTRAMUSCULAR = "im", _("into the muscle")
    INTRAVENOUS = "iv", _("into the vein")
    SUBCUTANEOUS = "sc", _("under the skin")
    RECTAL = "pr", _("rectal")
    OTHER = "other", _("other")


class Frequency(TextChoices):
    ONCE_DAILY = "qd", _("once a day")
    TWICE_DAILY = "bid", _("twice a day")
    THREE_DAILY = "tid", _("three times a day")
    FOUR_DAILY = "qid", _("four times a day")
    NIGHTLY = "qn", _("every night")
    MORNING = "qm", _("every morning")
    EVERY_6H = "q6h", _("every 6 hours")
    EVERY_8H = "q8h", _("every 8 hours")
    EVERY_12H = "q12h", _("every 12 hours")
    ALTERNATE = "qod", _("every other day")
    WEEKLY = "qw", _("once a week")
    AS_NEEDED = "prn", _("when needed")
    ONCE = "st", _("once, now")


class ReviewDecision(TextChoices):
    APPROVED = "approved", _("approved")
    RETURNED = "returned", _("to be corrected")
