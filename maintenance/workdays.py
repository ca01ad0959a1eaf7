"""Calendars as the clock wants them: weeks from their rows, national holidays and moved working days from the package
holidays, single days from the rows that the district enters, which count before it."""

from datetime import date
from functools import lru_cache

import holidays
from django.utils import timezone

from maintenance.clock import ROUND_THE_CLOCK, Hours
from maintenance.models import WorkCalendar, WorkDay, WorkSpan

# Years for which the national list is looked up, around this one: tickets older or promises longer there are none.
BACK, AHEAD = 5, 3


@lru_cache(maxsize=8)
def national(first: int, last: int) -> dict[date, bool]:
    """{day: whether one works} of the days that are otherwise than their weekday has it."""
    found = holidays.country_holidays("CN", years=range(first, last + 1))
    days = dict.fromkeys(found, False)
    return days | {day: True for day in found.weekend_workdays if first <= day.year <= last}


def hours_of(calendars, today=None) -> dict[int | None, Hours]:
    """{calendar: its hours}, and {None: round the clock}. Two queries for any number."""
    calendars = [calendar for calendar in calendars if calendar is not None]
    ids = {calendar.pk for calendar in calendars}
    spans, edits = {}, {}
    for span in WorkSpan.objects.filter(calendar__in=ids).order_by("weekday", "begins"):
        spans.setdefault((span.calendar_id, span.weekday), []).append((span.begins, span.ends))
    for row in WorkDay.objects.filter(calendar__in=[*ids]) | WorkDay.objects.filter(calendar=None):
        edits.setdefault(row.calendar_id, {})[row.day] = row.works
    year = (today or timezone.localdate()).year
    found: dict[int | None, Hours] = {None: ROUND_THE_CLOCK}
    for calendar in calendars:
        week = tuple(tuple(spans.get((calendar.pk, day), ())) for day in range(7))
        own = dict(national(year - BACK, year + AHEAD)) if calendar.holidays else {}
        own |= edits.get(None, {}) if calendar.holidays else {}
        own |= edits.get(calendar.pk, {})
        found[calendar.pk] = Hours(week, {day: _spans(week, day, works) for day, works in own.items()})
    return found


def hours(calendar: WorkCalendar | None) -> Hours:
    return hours_of([calendar])[calendar and calendar.pk]


def _spans(week, day, works):
    """A moved working day is worked as its weekday is, or, where that is free, as the first day that is not."""
    if not works:
        return ()
    return week[day.weekday()] or next((spans for spans in week if spans), ())
