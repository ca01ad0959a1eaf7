"""The hours of a line as plain numbers for an SVG template: round trips, and where it did not answer."""

from dataclasses import dataclass

STEP, HEIGHT = 6, 90


@dataclass(frozen=True)
class Bar:
    x: int
    height: int
    failed: int
    label: str

    @property
    def y(self):
        return HEIGHT - self.height


@dataclass(frozen=True)
class Chart:
    bars: list[Bar]
    highest: int
    width: int
    height: int = HEIGHT
    bar: int = STEP - 1


def of(hours) -> Chart | None:
    """``hours``: dicts of hour (text), mean (µs or None), probes, failed, the oldest first. None of nothing."""
    highest = max((one["mean"] or 0 for one in hours), default=0)
    if not hours:
        return None
    bars = []
    for place, one in enumerate(hours):
        tall = max(2, (one["mean"] or 0) * (HEIGHT - 12) // highest) if highest else 2
        failed = HEIGHT * one["failed"] // one["probes"] if one["probes"] else 0
        bars.append(Bar(place * STEP, tall, failed, f"{one['hour']} {(one['mean'] or 0) / 1000:.1f} ms"))
    return Chart(bars, highest, len(bars) * STEP)
