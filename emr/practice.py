"""How an institution works: its own choices, and where it left them open those of the institution above."""

from dataclasses import dataclass, field

from django.db.models import CharField, ExpressionWrapper, F, OuterRef, Subquery

from emr.codes import InsuranceWay, Prompt
from emr.models import Practice

# The chart's fields that are folded unless an institution wants them open.
FOLDING = ("present_illness", "past_history", "signs", "examinations", "vitals")


@dataclass(frozen=True)
class Choices:
    """``prompts``: {rule: on or off}, rules not named are on; ``unfolded``: fields open in the chart."""

    insurance: str = InsuranceWay.BY_HAND
    prompts: dict = field(default_factory=dict)
    unfolded: list = field(default_factory=list)


def of(institution) -> Choices:
    """The choices in force there. One query."""
    return _in_force(list(Practice.objects.along(institution)))


def unfolded_there(path):
    """An expression for a row's SELECT: the fields that stand open, or null. ``path`` leads to the institution's."""
    above = (
        Practice.objects.annotate(there=ExpressionWrapper(OuterRef(path), CharField()))
        .filter(there__startswith=F("institution__path"))
        .exclude(unfolded=[])
        .order_by("-institution__path")
    )
    return Subquery(above.values("unfolded")[:1])


def _in_force(rows) -> Choices:
    """``rows``: the nearest first."""
    prompts = {}
    for row in reversed(rows):
        prompts.update(row.prompts)
    return Choices(
        insurance=next((row.insurance for row in rows if row.insurance), InsuranceWay.BY_HAND),
        prompts=prompts,
        unfolded=next((row.unfolded for row in rows if row.unfolded), []),
    )


@dataclass(frozen=True)
class Source:
    """One choice in force, and whose it is: an institution, or None where nobody chose (the house's default)."""

    value: object
    institution: object = None


def sources(institution) -> dict:
    """Where each choice in force comes from: {"insurance": Source, "unfolded": Source, and each rule: Source}.
    One query."""
    rows = list(Practice.objects.along(institution).select_related("institution"))
    choices = _in_force(rows)

    def whose(chosen):
        return next((row.institution for row in rows if chosen(row)), None)

    return {
        "insurance": Source(choices.insurance, whose(lambda row: row.insurance)),
        "unfolded": Source(choices.unfolded, whose(lambda row: row.unfolded)),
        **{
            rule.value: Source(
                choices.prompts.get(rule, True), whose(lambda row, rule=rule: rule in row.prompts)
            )
            for rule in Prompt
        },
    }
