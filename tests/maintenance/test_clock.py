"""Working time against a slow reference that looks at every minute."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maintenance import clock
from maintenance.clock import ALL_DAY, ROUND_THE_CLOCK, Hours

ZONE = ZoneInfo("Asia/Shanghai")
MINUTE = timedelta(minutes=1)
OFFICE = ((510, 720), (810, 1050))
OFFICE_WEEK = Hours((OFFICE,) * 5 + ((),) * 2)
MONDAY = datetime(2026, 11, 23, tzinfo=ZONE)


def reference(hours, start, end, pauses):
    """Minutes of [start, end) that count, one after the other."""
    count, at = 0, start
    while at < end:
        local = at.astimezone(ZONE)
        minute = local.hour * 60 + local.minute
        spans = hours.days.get(local.date(), hours.week[local.weekday()])
        opened = any(begins <= minute < ends for begins, ends in spans)
        count += opened and not any(since <= at < until for since, until in pauses)
        at += MINUTE
    return count


@st.composite
def day_spans(draw):
    edges = sorted(draw(st.sets(st.integers(0, 1440), max_size=6)))
    return tuple(zip(edges[::2], edges[1::2], strict=False))


moments = st.integers(0, 9 * 1440).map(lambda minutes: MONDAY + minutes * MINUTE)
calendars = st.builds(
    Hours,
    st.tuples(*[day_spans()] * 7),
    st.dictionaries(
        st.integers(0, 9).map(lambda n: (MONDAY + timedelta(days=n)).date()), day_spans(), max_size=3
    ),
)
pauses = st.lists(st.tuples(moments, moments), max_size=4)


@settings(max_examples=150, deadline=None)
@given(calendars, moments, moments, pauses)
def test_working_time_is_what_counting_minutes_gives(hours, start, end, paused):
    straight = [(since, until) for since, until in paused if since < until]
    assert clock.worked(hours, start, end, paused) == reference(hours, start, end, straight) * MINUTE


@settings(max_examples=150, deadline=None)
@given(calendars, moments, st.integers(1, 2000), pauses)
def test_due_is_the_first_moment_at_which_the_target_has_passed(hours, start, minutes, paused):
    straight = [(since, until) for since, until in paused if since < until]
    try:
        at = clock.due(hours, start, minutes * MINUTE, paused)
    except clock.NeverDue:
        assert not any(hours.week)
        return
    assert clock.worked(hours, start, at, straight) == minutes * MINUTE
    assert clock.worked(hours, start, at - MINUTE, straight) == (minutes - 1) * MINUTE


@settings(max_examples=80, deadline=None)
@given(calendars, moments, moments, pauses)
def test_segments_are_the_whole_without_gap_or_overlap(hours, start, end, paused):
    found = clock.segments(hours, start, end, paused)
    edges = [edge for one in found for edge in (one.since, one.until)]
    assert edges == sorted(edges)
    assert sum((one.length for one in found), timedelta()) == max(end - start, timedelta())
    assert all(one.counts == (one.why == "") for one in found)


@pytest.mark.parametrize(
    ("start", "minutes", "expected"),
    [
        ("2026-11-23 11:50", 20, "2026-11-23 13:40"),  # lunch
        ("2026-11-27 17:00", 60, "2026-11-30 09:00"),  # over the week-end
        ("2026-11-28 10:00", 1, "2026-11-30 08:31"),  # asked on a Saturday
        ("2026-11-23 08:00", 450, "2026-11-23 17:30"),  # a whole day
    ],
    ids=["lunch", "week-end", "saturday", "day"],
)
def test_office_hours(start, minutes, expected):
    begun = datetime.fromisoformat(start).replace(tzinfo=ZONE)
    assert clock.due(OFFICE_WEEK, begun, minutes * MINUTE) == datetime.fromisoformat(expected).replace(
        tzinfo=ZONE
    )


def test_a_holiday_stands_still_and_a_moved_working_day_runs():
    moved = Hours(OFFICE_WEEK.week, {date(2026, 10, 1): (), date(2026, 10, 10): OFFICE})
    holiday = datetime(2026, 10, 1, 9, tzinfo=ZONE)
    assert clock.worked(moved, holiday, holiday + timedelta(hours=8)) == timedelta()
    saturday = datetime(2026, 10, 10, 9, tzinfo=ZONE)
    assert clock.worked(moved, saturday, saturday + timedelta(hours=3)) == timedelta(hours=3)


def test_other_zones_count_the_same():
    start = datetime(2026, 11, 23, 0, 30, tzinfo=UTC)  # 8:30 there
    assert clock.worked(OFFICE_WEEK, start, start + timedelta(hours=3)) == timedelta(hours=3)


def test_round_the_clock_is_plain_time():
    assert ROUND_THE_CLOCK.always
    assert clock.due(ROUND_THE_CLOCK, MONDAY, timedelta(hours=30)) == MONDAY + timedelta(hours=30)


@pytest.mark.parametrize(
    "spans", [((9, 9),), ((600, 500),), ((0, 1441),), ((-1, 5),), ((0, 100), (50, 200))], ids=str
)
def test_a_day_that_is_none_is_refused(spans):
    with pytest.raises(ValueError, match="spans"):
        Hours((spans, *[ALL_DAY] * 6))
