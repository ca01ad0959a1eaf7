"""Choices of family-doctor signing (rules B4)."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from clinic.codes import KeyPopulation


class TeamRole(TextChoices):
    """Rules B4.2. A family doctor and a nurse are compulsory; the leader is the one first responsible."""

    LEADER = "leader", _("leader (family doctor)")
    DOCTOR = "doctor", _("family doctor")
    NURSE = "nurse", _("community nurse")
    PUBLIC_HEALTH = "public_health", _("public-health doctor")
    PHARMACIST = "pharmacist", _("pharmacist")
    HEALTH_MANAGER = "health_manager", _("health manager")
    TCM = "tcm", _("TCM doctor")
    SPECIALIST = "specialist", _("specialist")
    TECHNICIAN = "technician", _("medical technician")
    ASSISTANT = "assistant", _("team assistant")


FAMILY_DOCTORS = (TeamRole.LEADER, TeamRole.DOCTOR)


class PackageKind(TextChoices):
    BASIC = "basic", _("basic services")
    PERSONAL = "personal", _("personal services")


class ServiceKind(TextChoices):
    """The eleven kinds of rules B4.4."""

    MEDICAL = "medical", _("basic medical care")
    PUBLIC_HEALTH = "public_health", _("public health")
    MANAGEMENT = "management", _("health management")
    EDUCATION = "education", _("health education and advice")
    APPOINTMENT = "appointment", _("appointments first")
    REFERRAL = "referral", _("referrals first")
    HOME = "home", _("care at home")
    MEDICINES = "medicines", _("delivery and use of medicines")
    LONG_PRESCRIPTION = "long_prescription", _("long-term prescriptions")
    TCM = "tcm", _("TCM prevention")
    OTHER = "other", pgettext_lazy("service", "other")


class Period(TextChoices):
    """In which time an item's services are due; the plan has one line for each of them in the term."""

    MONTH = "month", _("a month")
    QUARTER = "quarter", _("a quarter")
    YEAR = "year", _("a year")
    TERM = "term", _("the whole term")


class EvidenceKind(TextChoices):
    VISIT = "visit", _("signed visit")
    HOME_VISIT = "home_visit", _("home visit")
    MESSAGE = "message", _("delivered message")
    BY_HAND = "by_hand", _("entered by hand")


class EvidenceState(TextChoices):
    PROPOSED = "proposed", _("to be confirmed")
    CONFIRMED = "confirmed", pgettext_lazy("evidence", "confirmed")
    DECLINED = "declined", _("does not count")
    WITHDRAWN = "withdrawn", pgettext_lazy("evidence", "withdrawn")


class AgreementState(TextChoices):
    """Rules B4.7. What is about to end is derived, not stored."""

    DRAFT = "draft", pgettext_lazy("agreement", "draft")
    PENDING = "pending", _("waiting for signature")
    SIGNED = "signed", pgettext_lazy("agreement", "signed")
    DEEMED = "deemed", _("deemed signed")
    EXPIRED = "expired", pgettext_lazy("agreement", "expired")
    TERMINATED = "terminated", pgettext_lazy("agreement", "ended early")
    SWITCHED = "switched", _("changed team")
    RENEWED = "renewed", pgettext_lazy("agreement", "renewed")
    REFUSED = "refused", _("refused to sign")
    REVOKED = "revoked", pgettext_lazy("agreement", "taken back")


S = AgreementState
# One person has one agreement in these states on any day, over all institutions (constraint agreement_one_alive).
ALIVE = (S.PENDING, S.SIGNED, S.DEEMED)
# It is, or was, in force.
IN_FORCE = (S.SIGNED, S.DEEMED)
ONCE_IN_FORCE = (S.SIGNED, S.DEEMED, S.EXPIRED, S.TERMINATED, S.SWITCHED, S.RENEWED)
OVER = (S.EXPIRED, S.TERMINATED, S.SWITCHED, S.RENEWED, S.REFUSED, S.REVOKED)
BORN = (S.DRAFT, S.PENDING, S.SIGNED, S.DEEMED)
# The lawful moves, held by the trigger contracts_agreement_hold too.
MOVES = {
    S.DRAFT: {S.PENDING, S.REVOKED},
    S.PENDING: {S.SIGNED, S.REFUSED, S.REVOKED},
    S.SIGNED: {S.EXPIRED, S.TERMINATED, S.SWITCHED, S.RENEWED},
    S.DEEMED: {S.EXPIRED, S.TERMINATED, S.SWITCHED, S.RENEWED},
}


class Way(TextChoices):
    """How it was signed."""

    IN_PERSON = "in_person", _("in person")
    HOME = "home", _("at home")
    FAMILY = "family", _("by the family")
    HANDBOOK = "handbook", _("by the mother-and-child handbook")


class Source(TextChoices):
    """Where it was typed."""

    PAGE = "page", _("at the institution")
    RENEWAL = "renewal", pgettext_lazy("source", "renewal")
    SWITCH = "switch", _("change of team")
    INTERFACE = "interface", _("interface")
    IMPORT = "import", _("import")


class Relation(TextChoices):
    """Who signs for the resident."""

    SPOUSE = "spouse", _("spouse")
    CHILD = "child", pgettext_lazy("representative", "son or daughter")
    PARENT = "parent", _("parent")
    GRANDPARENT = "grandparent", _("grandparent")
    SIBLING = "sibling", _("sibling")
    GUARDIAN = "guardian", _("guardian")
    OTHER = "other", pgettext_lazy("relation", "other")


class EndReason(TextChoices):
    """Rules B4.7."""

    LOST = "lost", _("lost to follow-up")
    MOVED = "moved", pgettext_lazy("end of agreement", "moved away")
    DECEASED = "deceased", pgettext_lazy("end of agreement", "deceased")
    OWN_WISH = "own_wish", _("at the resident's wish")
    SWITCHED = "switched", _("changed team or signed anew")
    MISTAKE = "mistake", _("entered by mistake")
    OTHER = "other", pgettext_lazy("end of agreement", "other")


class WhyNot(TextChoices):
    """Why somebody does not sign."""

    UNAWARE = "unaware", _("does not know of it")
    NO_NEED = "no_need", _("sees no need")
    ELSEWHERE = "elsewhere", _("goes to another doctor")
    AWAY = "away", _("lives elsewhere most of the time")
    DISTRUST = "distrust", _("does not trust it")
    PRICE = "price", _("fee too high")
    UNREACHED = "unreached", _("could not be reached")
    OTHER = "other", pgettext_lazy("why not signed", "other")


class SignatureKind(TextChoices):
    DRAWN = "drawn", _("drawn on the screen")
    SCAN = "scan", _("scan of the paper")


class Party(TextChoices):
    RESIDENT = "resident", _("resident or representative")
    DOCTOR = "doctor", _("family doctor")


class SwitchState(TextChoices):
    ASKED = "asked", pgettext_lazy("switch", "asked")
    AGREED = "agreed", pgettext_lazy("switch", "agreed")
    REFUSED = "refused", pgettext_lazy("switch", "refused")
    WITHDRAWN = "withdrawn", pgettext_lazy("switch", "withdrawn")


class RemindBy(TextChoices):
    MESSAGE = "message", _("message")
    CALL = "call", _("phone call")
    NOBODY = "nobody", _("no reminder")


class ReminderState(TextChoices):
    """Of a message: queued, and its own state says the rest. Of a call: open until somebody has called."""

    QUEUED = "queued", _("message queued")
    OPEN = "open", _("to be called")
    DONE = "done", pgettext_lazy("reminder", "done")
    MOOT = "moot", _("no longer needed")


class BatchKind(TextChoices):
    RENEW = "renew", pgettext_lazy("batch", "renew")
    TERMINATE = "terminate", pgettext_lazy("batch", "end early")
    REASSIGN = "reassign", _("give to another doctor of the team")
    IMPORT = "import", _("import of agreements")


class BatchState(TextChoices):
    WAITING = "waiting", pgettext_lazy("batch", "waiting")
    RUNNING = "running", pgettext_lazy("batch", "running")
    DONE = "done", pgettext_lazy("batch", "done")
    STOPPED = "stopped", pgettext_lazy("batch", "stopped")


class LineState(TextChoices):
    WAITING = "waiting", pgettext_lazy("batch line", "waiting")
    DONE = "done", pgettext_lazy("batch line", "done")
    REFUSED = "refused", pgettext_lazy("batch line", "refused")


class Group(TextChoices):
    """Whom a figure or a population counts: everybody, a computed age group, a key population."""

    ALL = "all", _("all residents")
    KEY = "key", _("all key populations")
    CHILD = "child", _("child 0–6")
    SENIOR = "senior", _("senior")
    PREGNANT = KeyPopulation.PREGNANT.value, KeyPopulation.PREGNANT.label
    DISABLED = KeyPopulation.DISABLED.value, KeyPopulation.DISABLED.label
    LOW_INCOME = KeyPopulation.LOW_INCOME.value, KeyPopulation.LOW_INCOME.label
    FAMILY_PLANNING = KeyPopulation.FAMILY_PLANNING.value, KeyPopulation.FAMILY_PLANNING.label
    HYPERTENSION = KeyPopulation.HYPERTENSION.value, KeyPopulation.HYPERTENSION.label
    DIABETES = KeyPopulation.DIABETES.value, KeyPopulation.DIABETES.label
    TUBERCULOSIS = KeyPopulation.TUBERCULOSIS.value, KeyPopulation.TUBERCULOSIS.label
    MENTAL = KeyPopulation.MENTAL.value, KeyPopulation.MENTAL.label
    COPD = KeyPopulation.COPD.value, KeyPopulation.COPD.label
    TUMOUR = KeyPopulation.TUMOUR.value, KeyPopulation.TUMOUR.label
    VETERAN = KeyPopulation.VETERAN.value, KeyPopulation.VETERAN.label
