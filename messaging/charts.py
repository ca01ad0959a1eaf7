"""Charts as plain numbers for SVG templates (templates/messaging/_*.html): presentation attributes alone, since the
content policy forbids inline styles; whole numbers, which no language writes differently."""

from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from messaging.codes import MessageState
from messaging.progress import Rate

COLUMNS = 48  # more hours than that are shown as days
NARROWEST = 24  # columns a chart has room for at the least: few of them are not blown up
STEP, HEIGHT = 22, 120


@dataclass(frozen=True)
class Part:
    """A stretch of the bar: ``kind`` is its CSS class, ``x`` and ``width`` are thousandths of the bar."""

    kind: str
    label: str
    count: int
    x: int
    width: int


def bar(parts) -> list[Part]:
    """One bar of (kind, label, count); what is there at all is wide enough to be seen."""
    parts = [part for part in parts if part[2] > 0]
    whole = sum(count for _kind, _label, count in parts)
    widths = [max(8, count * 1000 // whole) for _kind, _label, count in parts]
    if widths:
        widest = widths.index(max(widths))
        widths[widest] += 1000 - sum(widths)
    made, x = [], 0
    for (kind, label, count), width in zip(parts, widths, strict=True):
        made.append(Part(kind, label, count, x, width))
        x += width
    return made


@dataclass(frozen=True)
class Column:
    """One column: heights and upper edges in the chart's units, from the top."""

    x: int
    label: str
    delivered: int
    lost: int
    delivered_y: int
    delivered_height: int
    lost_y: int
    lost_height: int
    tick: str  # written below, where there is room


@dataclass(frozen=True)
class Columns:
    columns: list[Column]
    width: int
    height: int
    highest: int
    daily: bool

    @property
    def span(self):
        """From when to when, in words: there is little room below the columns."""
        first, last = self.columns[0].label, self.columns[-1].label
        return first if first == last else f"{first} – {last}"


def columns(hours) -> Columns | None:
    """Of (hour, Rate) in order of time. None of nothing."""
    if not hours:
        return None
    spread = _hourly(hours)
    daily = len(spread) > COLUMNS
    spread = _daily(spread) if daily else spread
    spread = spread[-COLUMNS:]
    highest = max(delivered + lost for _when, delivered, lost in spread)
    drawn, day = [], None
    for place, (when, delivered, lost) in enumerate(spread):
        up, down = _high(delivered, highest), _high(lost, highest)
        tick = ""
        if place % 4 == 0:
            new = daily or when.date() != day
            tick, day = date_format(when, "m-d" if new else "H:i"), when.date()
        drawn.append(
            Column(
                place * STEP,
                date_format(when, "m-d" if daily else "m-d H:00"),
                delivered,
                lost,
                HEIGHT - up,
                up,
                HEIGHT - up - down,
                down,
                tick,
            )  # fmt: skip
        )
    return Columns(drawn, max(len(spread), NARROWEST) * STEP, HEIGHT, highest, daily)


def _high(count, highest):
    return max(2, count * (HEIGHT - 10) // highest) if count else 0


def _hourly(hours):
    """Every hour between the first and the last, the empty ones too: a gap is to be seen. As local time."""
    found = {timezone.localtime(hour): (rate.delivered, rate.lost) for hour, rate in hours}
    when, last = min(found), max(found)
    if last - when > timedelta(days=COLUMNS):
        when = last - timedelta(days=COLUMNS)
    made = []
    while when <= last:
        made.append((when, *found.get(when, (0, 0))))
        when += timedelta(hours=1)
    return made


def _daily(spread):
    days = {}
    for when, delivered, lost in spread:
        day = when.replace(hour=0)
        sums = days.get(day, (0, 0))
        days[day] = (sums[0] + delivered, sums[1] + lost)
    return [(day, *sums) for day, sums in days.items()]


@dataclass(frozen=True)
class Line:
    """A rate with its bar."""

    rate: Rate
    parts: list[Part]


def lines(rates) -> list[Line]:
    return [Line(rate, bar(_shares(rate))) for rate in rates]


def _shares(rate):
    return [
        ("delivered", MessageState.DELIVERED.label, rate.delivered),
        ("lost", _("not delivered"), rate.lost),
        ("submitted", MessageState.SUBMITTED.label, rate.under_way),
    ]


def states(progress) -> list[Part]:
    """The bar of a campaign: what arrived first, what waits last."""
    order = [
        MessageState.DELIVERED, MessageState.FAILED, MessageState.EXPIRED, MessageState.UNKNOWN,
        MessageState.SUBMITTED, MessageState.CLAIMED, MessageState.QUEUED, MessageState.CANCELLED,
    ]  # fmt: skip
    return bar([(state.value, state.label, progress.messages[state]) for state in order])
