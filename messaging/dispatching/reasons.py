"""Why a message did not arrive, from the carrier's own words (sms-protocols 2.1 to 2.3, 2.7 no. 14).

The words differ from carrier to carrier and are kept raw beside it; what is known of none of them is "not delivered".
"""

from messaging.codes import Reason, ReceiptOutcome

EMPTY = {
    "MK:0000", "MK:0001", "MK:0005", "MK:0010", "MK:0012", "MK:0013", "MI:0001", "ID:0012", "SGIP:29", "SGIP:6",
    "SMGP:003", "SMGP:004", "SMGP:008", "29", "003", "004",
}  # fmt: skip
FULL = {"MK:0015", "MB:1042", "26", "007", "SMGP:007", "SGIP:26"}
ABSENT = {"MK:0017", "MK:0022", "MK:0024", "25", "001", "002", "SGIP:25"}
BLOCKED = {"MA:0001", "MA:0022", "005", "SMGP:005", "MBBLACK", "BLACK", "MK:0006", "DB:0144", "REJECTD"}


def of_report(outcome, stat, error, temporary) -> str:
    """The Reason for a report's words; "" for a delivery."""
    if outcome == ReceiptOutcome.DELIVERED:
        return Reason.NONE
    for word in (stat.strip().upper(), error.strip().upper()):
        for words, reason in (
            (EMPTY, Reason.EMPTY_NUMBER), (FULL, Reason.FULL), (ABSENT, Reason.ABSENT), (BLOCKED, Reason.BLACKLISTED)
        ):  # fmt: skip
            if word in words:
                return reason
    if outcome == ReceiptOutcome.EXPIRED:
        return Reason.TOO_LATE
    return Reason.ABSENT if temporary else Reason.UNDELIVERED
