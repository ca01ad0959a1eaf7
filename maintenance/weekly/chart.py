"""New and closed tickets by week, as plain numbers for an SVG template: presentation attributes alone, since the content policy
forbids inline styles."""

from dataclasses import dataclass

STEP, BAR, HEIGHT = 64, 22, 120


@dataclass(frozen=True)
class Bars:
    """Two bars of a week, edges from the left and the top."""

    x: int
    label: str
    new: int
    closed: int
    new_height: int
    closed_height: int

    @property
    def closed_x(self):
        return self.x + BAR + 2

    @property
    def middle(self):
        return self.x + BAR

    @property
    def new_y(self):
        return HEIGHT - self.new_height

    @property
    def closed_y(self):
        return HEIGHT - self.closed_height


@dataclass(frozen=True)
class Chart:
    bars: list[Bars]
    highest: int
    width: int
    height: int = HEIGHT
    bar: int = BAR


def of(weeks) -> Chart | None:
    """``weeks``: [[Monday, new, closed]]; None where nothing happened in any of them."""
    highest = max((max(new, closed) for _day, new, closed in weeks), default=0)
    if not highest:
        return None
    bars = [
        Bars(place * STEP, day[5:], new, closed, _high(new, highest), _high(closed, highest))
        for place, (day, new, closed) in enumerate(weeks)
    ]
    return Chart(bars, highest, len(bars) * STEP)


def _high(count, highest):
    return max(2, count * (HEIGHT - 14) // highest) if count else 0
