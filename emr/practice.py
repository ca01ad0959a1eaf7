"""How an institution works: its own choices, and where it left them open those of the institution above."""

from dataclasses import dataclass, field

from emr.codes import InsuranceWay
from emr.models import Practice


@dataclass(frozen=True)
class Choices:
    """``prompts``: {rule: on or off}, rules not named are on; ``unfolded``: fields open in the chart."""

    insurance: str = InsuranceWay.BY_HAND
    prompts: dict = field(default_factory=dict)
    unfolded: list = field(default_factory=list)


def of(institution) -> Choices:
    """The choices in force there. One query."""
    rows = list(Practice.objects.along(institution))
    prompts = {}
    for row in reversed(rows):
        prompts.update(row.prompts)
    return Choices(
        insurance=next((row.insurance for row in rows if row.insurance), InsuranceWay.BY_HAND),
        prompts=prompts,
        unfolded=next((row.unfolded for row in rows if row.unfolded), []),
    )
