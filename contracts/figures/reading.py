"""Figures of signing as the page and the sheet show them: sums of counts, and rates made of those sums.

Coverage is signed ÷ people of the area (rules B4.8, deemed ones included), beside it always who was served too
(B4.9). Stocks are those of the month's last day; what comes and goes is added up since January.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime

from django.db.models import Max, Q, Sum

from contracts.codes import Group
from contracts.figures.adding_up import before
from contracts.models import Figure, Population

TREND = 13
STOCKS = ("signed", "served")
FLOWS = ("added", "ended", "due", "renewed", "planned", "done")


def percent(part, whole) -> float | None:
    """Percent; None where there is nothing to divide by."""
    return 100 * part / whole if whole else None


@dataclass(frozen=True)
class Numbers:
    """Counts of one line. ``people`` is None where nobody entered how many live there."""

    signed: int = 0
    served: int = 0
    added: int = 0
    ended: int = 0
    due: int = 0
    renewed: int = 0
    planned: int = 0
    done: int = 0
    people: int | None = None

    def among(self, people):
        return Numbers(**{each: getattr(self, each) for each in (*STOCKS, *FLOWS)}, people=people)

    @property
    def coverage(self):
        return percent(self.signed, self.people)

    @property
    def served_coverage(self):
        return percent(self.served, self.people)

    @property
    def served_rate(self):
        return percent(self.served, self.signed)

    @property
    def renewal_rate(self):
        return percent(self.renewed, self.due)

    @property
    def fulfilment_rate(self):
        return percent(self.done, self.planned)


@dataclass(frozen=True)
class Line:
    """``key``: the public id of an institution that can be opened; empty for teams, months and groups."""

    label: str
    numbers: Numbers
    key: str = ""
    code: str = ""


@dataclass(frozen=True)
class Report:
    whole: Numbers
    places: list[Line]
    groups: list[Line]
    months: list[Line]
    # The oldest adding up among the rows of the month; None of none.
    refreshed_at: datetime | None
    # Of which year the people are; None where nobody entered any.
    people_of: int | None


@dataclass
class Crowd:
    """How many people live where, of the newest year up to the one asked for."""

    found: dict = field(default_factory=dict)
    years: set = field(default_factory=set)
    children: dict = field(default_factory=lambda: defaultdict(list))

    def of(self, place, group) -> int | None:
        """As entered for the place, else the sum of what is below it; key populations overlap, yet not over places."""
        if (place.pk, group) in self.found:
            year, people = self.found[place.pk, group]
            self.years.add(year)
            return people
        below = [self.of(child, group) for child in self.children[place.pk]]
        known = [people for people in below if people is not None]
        return sum(known) if known else None


def crowd(user, places, year) -> Crowd:
    made = Crowd()
    for place in places:
        made.children[place.parent_id].append(place)
    rows = Population.objects.filter(institution__in=places, year__lte=year).order_by("year")
    for place, when, group, people in rows.values_list("institution", "year", "group", "people"):
        made.found[place, group] = (when, people)
    return made


def report(user, place, below, month, group) -> Report:
    """``below``: the place and every institution under it that the user sees; ``month``: its first day."""
    figures = Figure.objects.visible_to(user)
    people = crowd(user, below, month.year)
    near = [place, *people.children[place.pk]]
    year = figures.filter(month__range=(month.replace(month=1), month))
    places = _sums(year.of_places().filter(institution__in=near, group=group), month, "institution")
    places = {pk: numbers for (pk,), numbers in places}
    teams = _sums(year.of_teams().filter(institution=place, group=group), month, "team", "team__name")
    own = figures.of_places().filter(institution=place)
    crowded = people.of(place, group)
    return Report(
        whole=places.get(place.pk, Numbers()).among(crowded),
        places=[
            Line(
                str(child),
                places.get(child.pk, Numbers()).among(people.of(child, group)),
                key=str(child.uuid),
            )
            for child in sorted(people.children[place.pk], key=lambda each: each.path)
        ]
        + [Line(name, numbers) for (_team, name), numbers in teams],
        groups=[
            Line(Group(code).label, numbers.among(people.of(place, code)), code=code)
            for (code,), numbers in sorted(
                _sums(year.of_places().filter(institution=place), month, "group"), key=_order
            )
        ],
        months=_trend(
            own.filter(group=group, month__range=(before(month, TREND - 1), month)), month, crowded
        ),
        refreshed_at=own.filter(month=month).aggregate(at=Max("refreshed_at"))["at"],
        people_of=min(people.years, default=None),
    )


def _order(entry):
    return Group.values.index(entry[0][0])


def _sums(rows, month, *by):
    """[(values of ``by``, Numbers)]: stocks of the month, flows of all rows."""
    rows = rows.values_list(*by).order_by(*by)
    sums = {each: Sum(each, filter=Q(month=month), default=0) for each in STOCKS} | {
        each: Sum(each, default=0) for each in FLOWS
    }
    rows = rows.annotate(**{f"sum_{each}": value for each, value in sums.items()})
    return [(row[: len(by)], Numbers(*row[len(by) :])) for row in rows]


def _trend(rows, month, people):
    """Thirteen months, the same of the year before first. Months without figures are empty, not left out."""
    found = {row.month: row for row in rows}
    lines = []
    for back in range(TREND - 1, -1, -1):
        when = before(month, back)
        row = found.get(when)
        numbers = Numbers(**{each: getattr(row, each, 0) for each in (*STOCKS, *FLOWS)}, people=people)
        lines.append(Line(f"{when:%Y-%m}", numbers, code=when.isoformat()))
    return lines


def months(user) -> list[date]:
    """Months with figures in the user's reach, the newest first."""
    rows = Figure.objects.visible_to(user).of_places()
    rows = rows.filter(institution=user.institution_id, group=Group.ALL)
    return list(rows.order_by("-month").values_list("month", flat=True)[:36])
