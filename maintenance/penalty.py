"""What a breach costs 违约金可复算: reckoned from the clause's numbers and the facts stored with the breach, so that anybody
comes to the same amount."""

from decimal import ROUND_HALF_UP, Decimal

from django.utils.translation import gettext as _

from maintenance.codes import Formula

CENT = Decimal("0.01")
HOUR = 60


def terms_of(clause) -> dict:
    """The numbers of a clause as they stand, for a breach's facts (plain JSON)."""
    return {
        "formula": str(clause.formula),
        "amount": _plain(clause.amount),
        "percent": _plain(clause.percent),
        "cap": _plain(clause.cap),
        "contract_amount": _plain(clause.contract.amount),
    }


def reckon(terms: dict, minutes_over: int = 0) -> Decimal:
    """CNY, to the cent. ``minutes_over``: working minutes beyond the promise; a begun hour counts whole."""
    formula = terms["formula"]
    if formula == Formula.EACH:
        sum_ = Decimal(terms["amount"])
    elif formula == Formula.PER_HOUR:
        sum_ = Decimal(terms["amount"]) * hours_begun(minutes_over)
    else:
        sum_ = Decimal(terms["contract_amount"]) * Decimal(terms["percent"]) / 100
    if terms["cap"] is not None:
        sum_ = min(sum_, Decimal(terms["cap"]))
    return sum_.quantize(CENT, ROUND_HALF_UP)


def hours_begun(minutes: int) -> int:
    return -(-max(minutes, 0) // HOUR)


def explain(terms: dict, minutes_over: int = 0) -> str:
    """The formula with its numbers, as it stands on the statement."""
    formula = terms["formula"]
    if formula == Formula.EACH:
        text = f"{terms['amount']}"
    elif formula == Formula.PER_HOUR:
        text = _("%(amount)s × %(hours)d begun hours (%(minutes)d working minutes over)") % {
            "amount": terms["amount"], "hours": hours_begun(minutes_over), "minutes": minutes_over,
        }  # fmt: skip
    else:
        text = f"{terms['contract_amount']} × {terms['percent']} %"
    if terms["cap"] is not None:
        text += _(", at most %(cap)s") % {"cap": terms["cap"]}
    return f"{text} = {reckon(terms, minutes_over)}"


def _plain(number):
    return None if number is None else str(number)
