"""What an account's ``options`` say, read so that a wrong one is the account's fault and nobody's crash."""

import struct

from django.utils.translation import gettext as _

from messaging.gateways.base import GatewayError, Outcome, Verdict

WRONG = (ValueError, TypeError, KeyError, AttributeError, OverflowError, struct.error)

MEANINGS = {
    "delivered": (Outcome.DELIVERED, False),
    "failed": (Outcome.FAILED, False),
    "temporary": (Outcome.FAILED, True),
    "expired": (Outcome.EXPIRED, True),
    "under_way": (Outcome.UNDER_WAY, False),
    # The same words as in Report.cause.
    "empty_number": (Outcome.FAILED, False),
    "absent": (Outcome.FAILED, True),
    "full": (Outcome.FAILED, True),
    "blacklisted": (Outcome.FAILED, False),
    "elsewhere": (Outcome.FAILED, False),
}
CAUSES = ("empty_number", "absent", "full", "blacklisted", "elsewhere")


def settled(fault, build):
    """What ``build()`` gives. Raises ``fault`` (a GatewayError of the protocol) with the code "settings" where an
    option fits nowhere."""
    try:
        return build()
    except GatewayError:
        raise
    except WRONG as error:
        raise fault(_("an option of this gateway does not fit"), code="settings") from error


def codes(options, fault):
    """``options["codes"]``, {"128": "throttled"}: {code: Verdict}, what an operator's own codes mean."""
    given = options.get("codes") or {}
    return settled(fault, lambda: {int(code): Verdict(word) for code, word in given.items()})


def stats(options, fault):
    """``options["stats"]``, {"MI:0013": "temporary"}: {word of a report: (Outcome, temporary)}. Words are those of
    MEANINGS."""
    given = options.get("stats") or {}
    return settled(fault, lambda: {str(stat): MEANINGS[word] for stat, word in given.items()})


def causes(options) -> dict[str, str]:
    """{word of a report: Report.cause} of ``options["stats"]``, where its meaning is one."""
    return {str(stat): word for stat, word in (options.get("stats") or {}).items() if word in CAUSES}


def meanings(options, fault):
    """Both together: {word: (Outcome, temporary, cause)}."""
    why = causes(options)
    return {stat: (*meaning, why.get(stat, "")) for stat, meaning in stats(options, fault).items()}
