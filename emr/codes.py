"""Choices and code tables of the record."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from clinic.codes import OldOrYoung as OldOrYoung  # the record's tables name it from here


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


class ChangeKind(TextChoices):
    CORRECT = "correct", _("correction")
    UNDO = "undo", _("undoing a signature")


class RequestState(TextChoices):
    WAITING = "waiting", _("waiting for a decision")
    APPROVED = "approved", pgettext_lazy("request", "approved")
    REFUSED = "refused", pgettext_lazy("request", "refused")
    WITHDRAWN = "withdrawn", _("withdrawn")


class FaultSource(TextChoices):
    SERVER = "server", _("the server")
    BROWSER = "browser", _("the browser")


class TemplateKind(TextChoices):
    TEXT = "text", _("text of one field")
    PLAN = "plan", _("plan of treatment")


class StandingKind(TextChoices):
    PAST = "past", _("past history")
    FAMILY = "family", _("family history")
    ALLERGY = "allergy", _("allergies")
    MEDICATION = "medication", _("long-term medication")


class Prompt(TextChoices):
    """What may come onto the after-visit list (emr.after_visits.rules)."""

    BLOOD_PRESSURE = "blood_pressure", _("first visit over 35: blood pressure")
    INFECTIOUS = "infectious", _("infectious-disease report card")
    CHRONIC = "chronic", _("management of a chronic disease")
    EDUCATION = "education", _("health education")
    NO_FIRM_DIAGNOSIS = "no_firm", _("three visits without a firm diagnosis")


class ItemState(TextChoices):
    OPEN = "open", _("to do")
    DONE = "done", _("done")
    DISMISSED = "dismissed", _("not needed")


class Relation(TextChoices):
    """Who asks for a copy (医疗机构病历管理规定 art. 17)."""

    SELF = "self", _("the patient")
    AGENT = "agent", _("agent of the patient")
    HEIR = "heir", _("close relative of the deceased")
    HEIR_AGENT = "heir_agent", _("agent of a close relative")
    INSURER = "insurer", _("insurance company")
    COURT = "court", _("court, prosecution or police")
    OTHER = "other", _("other")


class ReferralDirection(TextChoices):
    UP = "up", _("up")
    DOWN = "down", _("down")


class ReferralState(TextChoices):
    PENDING = "pending", pgettext_lazy("referral", "waiting to be received")
    ACCEPTED = "accepted", pgettext_lazy("referral", "received")
    RETURNED = "returned", pgettext_lazy("referral", "sent back")
    REJECTED = "rejected", pgettext_lazy("referral", "refused")
    TERMINATED = "terminated", pgettext_lazy("referral", "ended")
    EXPIRED = "expired", pgettext_lazy("referral", "expired")


class InsuranceWay(TextChoices):
    BY_HAND = "by_hand", _("by hand")
    SANDBOX = "sandbox", _("sandbox")


class FilingState(TextChoices):
    TO_DO = "todo", _("to be filed by hand")
    SENDING = "sending", _("being sent")
    CONFIRMED = "confirmed", _("filed")
    CANCELLING = "cancelling", _("being cancelled")
    TO_CANCEL = "tocancel", _("to be cancelled by hand")
    CANCELLED = "cancelled", _("cancelled")


class FilingFault(TextChoices):
    """Why an interface of city insurance did not do it; the errors of emr.insurance."""

    UNREACHABLE = "unreachable", _("the interface cannot be reached")
    TOO_SLOW = "too_slow", _("the interface did not answer in time")
    REFUSED = "refused", _("the insurance refused it")
    GARBLED = "garbled", _("the interface answered something unreadable")
    LATE = "late", _("sending took too long")


class FilingFinding(TextChoices):
    """What comparing with the interface found."""

    UNKNOWN = "unknown", _("the interface does not know the number")
    DIFFERS = "differs", _("the interface has another number")
    STILL = "still", _("cancelled here, still filed at the interface")
