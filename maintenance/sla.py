"""A ticket's promises: until when somebody has to respond and to resolve, and when somebody is warned.

Everything is computed from what is stored (reported, pauses, level, severity, calendar), so that it may be computed anew
whenever one of these changes. Suggestions, and tickets without a level, promise nothing.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from maintenance import clock, workdays
from maintenance.codes import CLOCKED, Target
from maintenance.models import Promise

WARN, OVER = 75, 100
PERCENTS = (WARN, OVER)


@dataclass(frozen=True)
class Terms:
    """What is promised, in working time of ``hours``."""

    response: timedelta
    resolve: timedelta
    hours: clock.Hours

    def target(self, target: str) -> timedelta:
        return self.response if target == Target.RESPONSE else self.resolve


class Book:
    """The promises of levels, read once for any number of tickets. Three queries."""

    def __init__(self):
        promises = list(Promise.objects.select_related("calendar"))
        hours = workdays.hours_of({promise.calendar for promise in promises})
        self._terms = {
            (promise.level_id, promise.severity): Terms(
                timedelta(minutes=promise.response), timedelta(minutes=promise.resolve), hours[promise.calendar_id]
            )
            for promise in promises
        }  # fmt: skip

    def of(self, ticket) -> Terms | None:
        if ticket.kind not in CLOCKED or ticket.level_id is None:
            return None
        return self._terms.get((ticket.level_id, ticket.severity))


def due(ticket, terms: Terms, target: str, pauses, percent: int = OVER, since=None) -> datetime | None:
    """When so many percent of the promised working time are over. ``pauses``: (since, until) of the ticket; an open one has
    no end: then there is no such moment yet, and None is returned. The response waits for nobody: its clock never
    stands. ``since``: another beginning than the report."""
    if target == Target.RESOLVE and any(until is None for _since, until in pauses):
        return None
    standing = pauses if target == Target.RESOLVE else ()
    try:
        return clock.due(
            terms.hours, since or ticket.reported_at, terms.target(target) * percent / OVER, standing
        )
    except clock.NeverDue:
        return None


def spent(ticket, terms: Terms, now: datetime, pauses) -> timedelta:
    """Working time that the resolution has taken so far, or took."""
    ended = [(since, until or now) for since, until in pauses]
    return clock.worked(terms.hours, ticket.reported_at, ticket.fixed_at or now, ended)


def segments(ticket, terms: Terms, now: datetime, pauses) -> list[clock.Segment]:
    """Every stretch from the report to the end, for people: what counted and what did not."""
    ended = [(since, until or now) for since, until in pauses]
    return clock.segments(terms.hours, ticket.reported_at, ticket.fixed_at or now, ended)
