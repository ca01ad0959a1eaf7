"""Working time 工作时间: how much of it lies between two moments, and when so much of it will have passed.

Pure arithmetic on aware datetimes; days and hours are those of ``Hours.zone``. Intervals are half open, [from, to): two that
touch do not overlap. tests/maintenance/test_clock.py holds it against a reference that counts every minute.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cached_property
from itertools import pairwise
from zoneinfo import ZoneInfo

MINUTES = 24 * 60
ALL_DAY = ((0, MINUTES),)
# Nobody is given longer; a calendar without one open minute ends here and does not hang.
LONGEST = timedelta(days=3 * 366)

Span = tuple[int, int]
Interval = tuple[datetime, datetime]


class NeverDue(ValueError):
    """The calendar holds not enough working time within LONGEST."""


def _check(spans):
    edges = [edge for span in spans for edge in span]
    apart = all(one[1] <= other[0] for one, other in pairwise(spans))
    if (
        not apart
        or any(not begins < ends for begins, ends in spans)
        or any(not 0 <= e <= MINUTES for e in edges)
    ):
        raise ValueError("spans of a day are in order, apart and within the day")


@dataclass(frozen=True)
class Hours:
    """When the clock runs. ``week``: for each weekday from Monday its spans, in minutes of the day, in order and apart;
    ``days``: what single days have instead (holidays none, moved working days those of a working day)."""

    week: tuple[tuple[Span, ...], ...]
    days: Mapping[date, tuple[Span, ...]] = field(default_factory=dict)
    zone: ZoneInfo = ZoneInfo("Asia/Shanghai")

    def __post_init__(self):
        if len(self.week) != 7:
            raise ValueError("a week has seven days")
        for spans in (*self.week, *self.days.values()):
            _check(spans)

    def spans(self, day: date) -> tuple[Span, ...]:
        return self.days.get(day, self.week[day.weekday()])

    @cached_property
    def always(self) -> bool:
        return not self.days and all(spans == ALL_DAY for spans in self.week)

    def open_from(self, start: datetime) -> Iterator[Interval]:
        """Open time from ``start`` on, in order, up to LONGEST."""
        day, last = start.astimezone(self.zone).date(), (start + LONGEST).astimezone(self.zone).date()
        while day <= last:
            midnight = datetime(day.year, day.month, day.day, tzinfo=self.zone)
            for begins, ends in self.spans(day):
                since = max(start, midnight + timedelta(minutes=begins))
                until = midnight + timedelta(minutes=ends)
                if since < until:
                    yield since, until
            day += timedelta(days=1)

    def open_between(self, start: datetime, end: datetime) -> Iterator[Interval]:
        for since, until in self.open_from(start):
            if since >= end:
                return
            yield since, min(until, end)


ROUND_THE_CLOCK = Hours((ALL_DAY,) * 7)


@dataclass(frozen=True)
class Segment:
    """A stretch of the clock's life: it ran (``counts``), or stood still because of ``why``: "closed" outside the working
    hours, "paused" within them."""

    since: datetime
    until: datetime
    counts: bool
    why: str = ""

    @property
    def length(self) -> timedelta:
        return self.until - self.since


def segments(hours: Hours, start: datetime, end: datetime, pauses=()) -> list[Segment]:
    """The whole of [start, end), without gaps. ``pauses``: intervals in any order, which may overlap."""
    found, at = [], start
    standing = union(pauses)
    for since, until in hours.open_between(start, end):
        if at < since:
            found.append(Segment(at, since, False, "closed"))
        found += _pieces(since, until, standing)
        at = until
    if at < end:
        found.append(Segment(at, end, False, "closed"))
    return found


def _pieces(since, until, standing):
    at = since
    for begins, ends in standing:
        begins, ends = max(begins, at), min(ends, until)
        if begins >= ends:
            continue
        if at < begins:
            yield Segment(at, begins, True)
        yield Segment(begins, ends, False, "paused")
        at = ends
    if at < until:
        yield Segment(at, until, True)


def worked(hours: Hours, start: datetime, end: datetime, pauses=()) -> timedelta:
    """Working time of [start, end) without the pauses; none where the end lies before."""
    found = segments(hours, start, end, pauses) if start < end else ()
    return sum((one.length for one in found if one.counts), timedelta())


def due(hours: Hours, start: datetime, target: timedelta, pauses=()) -> datetime:
    """The first moment at which ``target`` of working time has passed. Pauses have an end; of one that goes on the
    caller says until when. Raises NeverDue."""
    left, standing = target, union(pauses)
    if left <= timedelta():
        return start
    for since, until in hours.open_from(start):
        for piece in _pieces(since, until, standing):
            if piece.counts and piece.length >= left:
                return piece.since + left
            left -= piece.length if piece.counts else timedelta()
    raise NeverDue("not enough working time")


def union(intervals) -> list[Interval]:
    """In order, joined where they overlap or touch; empty and upside-down ones are none."""
    joined: list[Interval] = []
    for since, until in sorted(one for one in intervals if one[0] < one[1]):
        if joined and since <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], until))
        else:
            joined.append((since, until))
    return joined
