"""An upgrade's window against the visits of past weeks: how many people it would meet, and when there would be fewer."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

from django.utils import timezone

from clinic import registry

WEEKS, HOUR, DAY, WEEK = 4, timedelta(hours=1), timedelta(days=1), timedelta(days=7)


@dataclass(frozen=True)
class Traffic:
    """``visits``: as many as came in the same hours of the past weeks, a week's mean; ``quieter``: the beginning of the quietest
    window of the same length in the week of the window, where it meets fewer; ``then``: how many there."""

    visits: float
    quieter: datetime | None = None
    then: float = 0


def look(starts_at, ends_at, paths, now) -> Traffic:
    """One query. Hours that a window cuts count by their part."""
    counted = registry.visits_by_hour(now - WEEK * WEEKS, now, paths)
    usual: dict[int, float] = {}
    for hour, count in counted.items():
        place = _place(hour)
        usual[place] = usual.get(place, 0) + count / WEEKS
    visits = _met(usual, starts_at, ends_at)
    length = ends_at - starts_at
    monday = timezone.localtime(starts_at).replace(hour=0, minute=0, second=0, microsecond=0)
    monday -= DAY * monday.weekday()
    later = [begin for n in range(7 * 24) if (begin := monday + HOUR * n) > now]
    quietest = min(later, key=lambda begin: (_met(usual, begin, begin + length), begin), default=None)
    if quietest is None:
        return Traffic(round(visits, 1))
    then = _met(usual, quietest, quietest + length)
    return Traffic(round(visits, 1), quietest if then < visits else None, round(then, 1))


def _place(moment):
    """The hour of the week, by the house's clock."""
    local = timezone.localtime(moment)
    return local.weekday() * 24 + local.hour


def _met(usual, since, until):
    first = timezone.localtime(since).replace(minute=0, second=0, microsecond=0)
    total = 0.0
    for n in range(ceil((until - first) / HOUR)):
        begin = first + HOUR * n
        part = (min(until, begin + HOUR) - max(since, begin)) / HOUR
        total += usual.get(_place(begin), 0) * max(part, 0)
    return total
