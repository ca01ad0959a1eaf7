"""What the words of a report mean where a protocol leaves them to the carrier (SMPP, HTTP)."""

from messaging.gateways.base import Outcome
from messaging.gateways.options import MEANINGS

# The words of SMPP's appendix B, which most platforms use whatever they speak. What is not here failed.
OUTCOMES = {
    "DELIVRD": "delivered",
    "DELIVED": "delivered",
    "EXPIRED": "expired",
    "ACCEPTD": "under_way",
    "ENROUTE": "under_way",
    "SCHEDULED": "under_way",
}


def outcome_of(stat, error, own) -> tuple[Outcome, bool, str]:
    """(outcome, whether it may arrive at another hour, Report.cause) of a report's word and error. ``own``: the
    account's options.meanings; one of "UNDELIV 027" counts for the word with that error only."""
    said = own.get(f"{stat} {error}") or own.get(stat)
    return said or (*MEANINGS[OUTCOMES.get(stat.upper(), "failed")], "")
