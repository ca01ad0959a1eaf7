"""Why a message did not arrive, as people read it. What the carrier's words mean is each protocol's matter and may be
changed for an account (messaging.gateways.base.Report.cause); the words themselves are kept raw."""

from messaging.codes import Reason, ReceiptOutcome

BY_CAUSE = {
    "empty_number": Reason.EMPTY_NUMBER,
    "absent": Reason.ABSENT,
    "full": Reason.FULL,
    "blacklisted": Reason.BLACKLISTED,
}


def of_report(outcome, cause, temporary) -> str:
    """The Reason for a report; "" for a delivery."""
    if outcome == ReceiptOutcome.DELIVERED:
        return Reason.NONE
    if cause in BY_CAUSE:
        return BY_CAUSE[cause]
    if outcome == ReceiptOutcome.EXPIRED:
        return Reason.TOO_LATE
    return Reason.ABSENT if temporary else Reason.UNDELIVERED
