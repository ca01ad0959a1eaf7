"""Choices of the messages."""

from django.db.models import IntegerChoices, TextChoices
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class Carrier(TextChoices):
    """Whose network a number is on now, as far as anybody knows (messaging.routing)."""

    MOBILE = "mobile", _("China Mobile")
    UNICOM = "unicom", _("China Unicom")
    TELECOM = "telecom", _("China Telecom")
    BROADNET = "broadnet", _("China Broadnet")
    OTHER = "other", _("other or virtual operator")


class Protocol(TextChoices):
    CMPP2 = "cmpp2", "CMPP 2.0"
    CMPP3 = "cmpp3", "CMPP 3.0"
    SGIP = "sgip", "SGIP 1.2"
    SMGP = "smgp", "SMGP 3.0"
    SMPP = "smpp", "SMPP 3.4"
    HTTP = "http", _("district platform (HTTP)")


class Purpose(TextChoices):
    """What a message is for (rules B6.2). Consent and refusal are kept per purpose."""

    AGREEMENT = "agreement", _("agreement reminder")
    FOLLOW_UP = "follow_up", _("follow-up")
    EDUCATION = "education", _("health education")
    SERVICE = "service", _("service notice")
    EMERGENCY = "emergency", _("emergency notice")


class CampaignKind(TextChoices):
    BULK = "bulk", _("campaign")
    SINGLES = "singles", _("single messages")
    TEST = "test", _("test send")


class CampaignState(TextChoices):
    DRAFT = "draft", pgettext_lazy("campaign", "draft")
    BUILDING = "building", _("counting the audience")
    READY = "ready", _("ready")
    WAITING = "waiting", _("waiting for approval")
    RUNNING = "running", pgettext_lazy("campaign", "sending")
    PAUSED = "paused", _("paused")
    FINISHED = "finished", pgettext_lazy("campaign", "finished")
    CANCELLED = "cancelled", pgettext_lazy("campaign", "cancelled")


class Policy(TextChoices):
    """What happens to a message of which nobody knows whether it arrived."""

    AT_MOST_ONCE = "at_most_once", _("never twice")
    AT_LEAST_ONCE = "at_least_once", _("rather twice than not at all")


class MessageState(TextChoices):
    QUEUED = "queued", pgettext_lazy("message", "queued")
    CLAIMED = "claimed", pgettext_lazy("message", "being sent")
    SUBMITTED = "submitted", pgettext_lazy("message", "with the carrier")
    DELIVERED = "delivered", pgettext_lazy("message", "delivered")
    FAILED = "failed", pgettext_lazy("message", "failed")
    EXPIRED = "expired", pgettext_lazy("message", "expired")
    UNKNOWN = "unknown", pgettext_lazy("message", "unknown")
    CANCELLED = "cancelled", pgettext_lazy("message", "cancelled")


class Reason(TextChoices):
    """Why a message failed, expired, is unknown or was cancelled."""

    NONE = "", "–"
    # cancelled
    CAMPAIGN = "campaign", _("campaign cancelled")
    OPTED_OUT = "opted_out", _("does not want messages")
    DECEASED = "deceased", pgettext_lazy("message", "deceased")
    MOVED = "moved", pgettext_lazy("message", "moved away")
    QUOTA = "quota", _("allowance used up")
    # failed
    NO_ROUTE = "no_route", _("no gateway takes this number")
    REFUSED = "refused", _("refused by the carrier")
    EMPTY_NUMBER = "empty_number", _("number not in use")
    ABSENT = "absent", _("switched off or out of reach")
    FULL = "full", _("handset memory full")
    BLACKLISTED = "blacklisted", _("blocked by the carrier or the owner")
    UNDELIVERED = "undelivered", _("not delivered, for another reason")
    # expired
    TOO_LATE = "too_late", _("not delivered in time")
    NO_REPORT = "no_report", _("no receipt came")
    # unknown
    IN_DOUBT = "in_doubt", _("connection broke before the answer")


class Left(TextChoices):
    """Why a resident of the audience gets no message."""

    NO_PHONE = "no_phone", _("no phone")
    BAD_PHONE = "bad_phone", _("phone number cannot be read")
    LANDLINE = "landline", _("landline")
    OPTED_OUT = "opted_out", _("does not want messages")
    NO_CONSENT = "no_consent", _("has not agreed to this purpose")
    DECEASED = "deceased", pgettext_lazy("message", "deceased")
    MOVED = "moved", pgettext_lazy("message", "moved away")
    SAME_PHONE = "same_phone", _("shares a phone with somebody who gets it")
    NO_VALUE = "no_value", _("the text has no value for a variable")


class AttemptKind(TextChoices):
    """What became of one attempt (messaging.gateways.base.Verdict)."""

    ACCEPTED = "accepted", pgettext_lazy("attempt", "accepted")
    THROTTLED = "throttled", pgettext_lazy("attempt", "throttled")
    ELSEWHERE = "elsewhere", pgettext_lazy("attempt", "not this carrier's number")
    CLOSED = "closed", pgettext_lazy("attempt", "account closed for now")
    REFUSED = "refused", pgettext_lazy("attempt", "refused")
    IN_DOUBT = "in_doubt", pgettext_lazy("attempt", "no answer")
    NOT_SENT = "not_sent", pgettext_lazy("attempt", "not sent")


class ReceiptOutcome(TextChoices):
    DELIVERED = "delivered", pgettext_lazy("message", "delivered")
    FAILED = "failed", pgettext_lazy("message", "failed")
    EXPIRED = "expired", pgettext_lazy("message", "expired")
    UNDER_WAY = "under_way", _("under way")


class GatewayState(TextChoices):
    OFF = "off", pgettext_lazy("gateway", "switched off")
    CONNECTING = "connecting", pgettext_lazy("gateway", "connecting")
    UP = "up", pgettext_lazy("gateway", "up")
    THROTTLED = "throttled", pgettext_lazy("gateway", "throttled")
    DOWN = "down", pgettext_lazy("gateway", "down")


class OverrideSource(TextChoices):
    """How we learnt that a number is not on the network its prefix says."""

    RECEIPT = "receipt", _("a receipt")
    REFUSAL = "refusal", _("a refusal")
    IMPORT = "import", _("an imported list")
    PERSON = "person", _("a person")


class ConsentSource(TextChoices):
    SMS = "sms", _("text message")
    DESK = "desk", _("said at the desk")
    FORM = "form", _("signed form")
    IMPORT = "import", _("an imported list")


class Meaning(TextChoices):
    """What a message from a handset meant."""

    OPT_OUT = "opt_out", _("wants no more messages")
    OTHER = "other", pgettext_lazy("incoming", "something else")


class QuotaKind(TextChoices):
    """Entries of the ledger. Segments move between three pots: free, reserved, used."""

    ALLOTMENT = "allotment", _("allotment of the year")
    TOP_UP = "top_up", _("top-up")
    SHARE = "share", _("share given to or got from another institution")
    LOAN = "loan", _("loan")
    LOAN_RETURN = "loan_return", _("loan returned")
    RESERVATION = "reservation", _("reserved for a campaign")
    CONSUMPTION = "consumption", _("used")
    REFUND = "refund", _("given back: not sent")
    RELEASE = "release", _("reservation lifted")
    CORRECTION = "correction", _("ledger correction")


class AtLimit(TextChoices):
    BLOCK = "block", _("nothing is sent")
    APPROVE = "approve", _("the district approves each campaign")


class LoanState(TextChoices):
    ASKED = "asked", pgettext_lazy("loan", "asked for")
    APPROVED = "approved", pgettext_lazy("loan", "approved")
    REFUSED = "refused", pgettext_lazy("loan", "refused")
    RETURNED = "returned", pgettext_lazy("loan", "returned")


class WarningLevel(IntegerChoices):
    EIGHTY = 80, "80 %"
    NINETY_FIVE = 95, "95 %"
    FULL = 100, "100 %"


class CallState(TextChoices):
    OPEN = "open", pgettext_lazy("call", "to call")
    REACHED = "reached", pgettext_lazy("call", "reached")
    NOT_REACHED = "not_reached", pgettext_lazy("call", "not reached")
    WRONG_NUMBER = "wrong_number", pgettext_lazy("call", "wrong number")
    DROPPED = "dropped", pgettext_lazy("call", "no call needed")
