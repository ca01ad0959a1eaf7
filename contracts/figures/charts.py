"""The chart of thirteen months as plain numbers for an SVG template: whole numbers, which no language writes
differently, and presentation attributes alone, since the content policy forbids inline styles."""

from dataclasses import dataclass

STEP, WIDTH, HEIGHT = 44, 32, 130


@dataclass(frozen=True)
class Column:
    """``served`` stands on the ground, the rest of ``signed`` upon it; edges from the top."""

    x: int
    label: str
    signed: int
    served: int
    served_y: int
    served_height: int
    signed_y: int
    signed_height: int

    @property
    def middle(self):
        return self.x + WIDTH // 2


@dataclass(frozen=True)
class Chart:
    columns: list[Column]
    width: int
    height: int
    highest: int
    column: int = WIDTH


def chart(months) -> Chart | None:
    """Of the lines of ``reading.Report.months``; None where nobody was signed in any of them."""
    highest = max((line.numbers.signed for line in months), default=0)
    if not highest:
        return None
    columns = []
    for place, line in enumerate(months):
        signed, served = _high(line.numbers.signed, highest), _high(line.numbers.served, highest)
        columns.append(
            Column(
                place * STEP,
                line.label,
                line.numbers.signed,
                line.numbers.served,
                HEIGHT - served,
                served,
                HEIGHT - signed,
                signed - served,
            )  # fmt: skip
        )
    return Chart(columns, len(columns) * STEP, HEIGHT, highest)


def _high(count, highest):
    return max(2, count * (HEIGHT - 10) // highest) if count else 0
