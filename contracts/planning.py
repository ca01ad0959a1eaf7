"""What an agreement promises, as dated lines: each item of its packages in each of its periods of the term."""

import uuid
from datetime import date, timedelta

from contracts import eligibility
from contracts.codes import Period
from contracts.models import PackageItem, PlanItem

MONTHS = {Period.MONTH: 1, Period.QUARTER: 3, Period.YEAR: 12}


def months_later(day: date, months: int) -> date:
    """The same day so many months later, the month's last one where it has none of that number."""
    count = day.year * 12 + day.month - 1 + months
    year, month = divmod(count, 12)
    for number in range(day.day, 27, -1):
        try:
            return date(year, month + 1, number)
        except ValueError:
            continue
    return date(year, month + 1, day.day)


def windows(start: date, end: date, period: str) -> list[tuple[date, date]]:
    """[(first, last day)] of the periods counted from the first day; the last one ends with the term."""
    if period == Period.TERM:
        return [(start, end)]
    step, found, number, first = MONTHS[Period(period)], [], 1, start
    while first <= end:
        following = months_later(start, step * number)
        found.append((first, min(following - timedelta(days=1), end)))
        first, number = following, number + 1
    # A year begun on 29 February ends a day before its twelve months: no window of a single day hangs over.
    if len(found) > 1 and found[-1][0] == found[-1][1] == end:
        found[-2:] = [(found[-2][0], end)]
    return found


def plan_of(agreement, items, resident=None) -> list[PlanItem]:
    """Unsaved lines for the items that the resident is eligible for. ``items``: of the agreement's versions."""
    resident = resident or agreement.resident
    groups = set(agreement.groups)
    return [
        PlanItem(
            uuid=uuid.uuid4(), agreement=agreement, team_id=agreement.team_id, item=item, due_from=first, due_to=last,
            times=item.times,
        )
        for item in items
        if eligibility.why_not(item, resident, groups, agreement.start) is None
        for first, last in windows(agreement.start, agreement.end, item.period)
    ]  # fmt: skip


def items_of(versions) -> dict[int, list[PackageItem]]:
    """{version: its items in order}. One query."""
    items = {}
    for item in PackageItem.objects.filter(version__in=versions).order_by("order", "pk"):
        items.setdefault(item.version_id, []).append(item)
    return items


def make(agreements) -> int:
    """The plans of agreements that have become signed, in two queries; returns how many lines. Those that have a plan
    already keep it."""
    agreements = list(agreements)
    versions = {}
    for agreement in agreements:
        versions[agreement.pk] = [package.version_id for package in agreement.packages.all()]
    items = items_of({version for each in versions.values() for version in each})
    lines = [
        line
        for agreement in agreements
        for line in plan_of(
            agreement, [item for each in versions[agreement.pk] for item in items.get(each, [])]
        )
    ]
    return len(PlanItem.objects.bulk_create(lines, ignore_conflicts=True))


def close(agreement, day) -> int:
    """What is not done by the end is no longer due; returns how many lines."""
    return PlanItem.objects.filter(agreement=agreement).close(day)
