"""Every row of a sheet of agreements, checked before anything is written: what is wrong is said by row and column, and
the others are shown as good. Rows are looked up a thousand at a time, so that the number of queries and the memory
stay small."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, timedelta

from django.utils import timezone
from django.utils.translation import gettext as _

from clinic import spreadsheets
from clinic.codes import LifeState
from clinic.errors import Refused
from clinic.models import Resident
from contracts import eligibility, renewing, terms
from contracts.codes import ALIVE, ONCE_IN_FORCE, Group, LineState, Way
from contracts.importing import columns
from contracts.importing.books import NotFound, Packages, Room, Teams, same
from contracts.importing.columns import Wrong
from contracts.models import Agreement, BatchLine

ROWS = 20_000
STEP = 1_000
SHOWN = 200
OLDEST = date(2009, 1, 1)  # family-doctor signing was begun with the reform of 2009
AHEAD = timedelta(days=366)
WORDS = ("foreign_number", "way", "representative", "relation", "representative_phone", "phone", "note")


@dataclass
class Incoming:
    """One row: ``data`` as a batch line keeps it, ``known`` the agreement that it was imported as before."""

    row: int
    values: dict
    wrong: list[Wrong] = field(default_factory=list)
    resident: Resident | None = None
    team: object = None
    data: dict = field(default_factory=dict)
    known: int | None = None

    def fault(self, name, sentence):
        self.wrong.append(Wrong(self.row, columns.label(name), str(sentence)))

    @property
    def is_new(self):
        return not self.wrong and self.known is None


@dataclass
class Report:
    """``lines``: a BatchLine for each row, the wrong ones refused with their sentence."""

    rows: int = 0
    good: int = 0
    known: int = 0
    bad: int = 0
    faults: list[Wrong] = field(default_factory=list)
    lines: list[BatchLine] = field(default_factory=list)

    @property
    def shown(self):
        return self.faults[:SHOWN]

    @property
    def more(self):
        return max(len(self.faults) - SHOWN, 0)

    def add(self, incoming):
        self.rows += 1
        self.good += incoming.is_new
        self.known += not incoming.wrong and incoming.known is not None
        self.bad += bool(incoming.wrong)
        self.faults += incoming.wrong
        self.lines.append(_line(incoming))


def examine(upload, by) -> Report:
    """Check the sheet. Raises Refused where it is none, or lacks a compulsory column."""
    headings, rows = spreadsheets.table(upload, most=ROWS)
    at = columns.places(headings)
    missing = [str(column.label) for column in columns.COLUMNS if column.required and column.name not in at]
    if missing or not {"id_number", "record_number"} & set(at):
        wanted = missing or [columns.label("id_number")]
        raise Refused(
            _("The first row must hold the headings of the template; missing: %(columns)s.")
            % {"columns": "、".join(wanted)},
            code="headings",
        )  # fmt: skip
    checker, report = Checker(by), Report()
    for begin in range(0, len(rows), STEP):
        incoming = [
            Incoming(number, *_read(number, cells, at)) for number, cells in rows[begin : begin + STEP]
        ]
        rows[begin : begin + STEP] = [None] * len(incoming)  # what was read is let go
        checker.check(incoming)
        for one in incoming:
            report.add(one)
    report.faults.sort(key=lambda fault: fault.row)
    return report


def _read(number, cells, at):
    values, wrong = columns.read(cells, at)
    return values, [Wrong(number, columns.label(name), sentence) for name, sentence in wrong.items()]


def _line(incoming):
    line = BatchLine(row=incoming.row, resident=incoming.resident, data=incoming.data)
    if incoming.wrong:
        line.state = LineState.REFUSED
        line.result = " ".join(
            f"{fault.column}: {fault.sentence}" if fault.column else fault.sentence
            for fault in incoming.wrong
        )[:300]
    elif incoming.known is not None:
        line.state, line.made_id, line.result = LineState.DONE, incoming.known, _("Imported before.")
    return line


class Checker:
    """Remembers what the rows before brought: a resident's days, numbers, places taken."""

    def __init__(self, by):
        self.by = by
        self.today = timezone.localdate()
        self.teams, self.packages = Teams(by), Packages(by)
        self.days = defaultdict(list)
        self.numbers = {}
        self.room = Room()

    def check(self, rows):
        for row in rows:
            _term(row, self.today)
            self._team(row)
        self._residents(rows)
        self._known(rows)
        tags = eligibility.tags_of({row.resident.pk for row in rows if row.resident})
        for row in rows:
            if row.resident and row.team and row.data.get("start"):
                self._versions(row, tags.get(row.resident.pk, ()))
            self._twice(row)
        self._places(rows)

    def _team(self, row):
        """Team, doctor; the words that are taken as they are."""
        values = row.values
        row.data |= {name: values.get(name, "") for name in WORDS}
        if values.get("way") == Way.FAMILY and not (values.get("representative") and values.get("relation")):
            row.fault("representative", _("Who signs for the resident, and how are they related?"))
        if "team" not in values:
            return
        try:
            row.team = self.teams.team(values["team"], values.get("institution", ""))
        except NotFound as error:
            row.fault("team", error)
            return
        row.data["team"] = row.team.pk
        try:
            row.data["doctor"] = self.teams.doctor(row.team, values.get("doctor", "")).pk
        except NotFound as error:
            row.fault("doctor", error)

    def _residents(self, rows):
        """By ID number, else by health-record number, in the reader's sight; the name must be the same."""
        ids = {row.values.get("id_number") for row in rows} - {None, ""}
        records = {row.values.get("record_number") for row in rows} - {None, ""}
        seen = Resident.objects.visible_to(self.by).select_related("merged_into__home", "home")
        by_id = {one.id_number: one for one in seen.filter(id_number__in=ids).order_by("merged_into")}
        by_record = {one.record_number: one for one in seen.filter(record_number__in=records)}
        for row in rows:
            number, record = row.values.get("id_number"), row.values.get("record_number")
            name = "id_number" if number or not record else "record_number"
            if name in {fault for fault in ("id_number", "record_number") if fault not in row.values}:
                continue  # said already that it cannot be read
            if not (number or record):
                row.fault(name, _("Either the ID number or the health-record number is needed."))
                continue
            found = by_id.get(number) if number else by_record.get(record)
            if found is None:
                row.fault(name, _("No resident of yours is registered with this number."))
            elif record in by_record and by_record[record].survivor != found.survivor:
                row.fault("record_number", _("The two numbers belong to different residents."))
            elif row.values.get("name") and same(row.values["name"]) not in (
                same(found.name),
                same(found.survivor.name),
            ):
                row.fault("name", _("The resident of this number is registered with another name."))
            else:
                self._person(row, found.survivor)

    def _person(self, row, person):
        row.resident = person
        end = row.data.get("end")
        if person.life_state == LifeState.DECEASED and end and date.fromisoformat(end) >= self.today:
            row.fault("end", _("The resident is deceased; the agreement must have ended."))

    def _known(self, rows):
        """Imported before: of the same old number, or of the same resident, team and first day. Days on which the
        resident has another agreement are wrong."""
        numbers = {row.data.get("foreign_number") for row in rows} - {None, ""}
        people = {row.resident.pk for row in rows if row.resident}
        lived = Agreement.objects.filter(state__in={*ALIVE, *ONCE_IN_FORCE})
        places = {row.team.institution_id for row in rows if row.team}
        numbered = renewing.with_person(
            Agreement.objects.filter(foreign_number__in=numbers, institution__in=places)
        )
        numbered = {(one.institution_id, one.foreign_number): one for one in numbered}
        theirs = defaultdict(list)
        for one in renewing.of_people(lived, people).order_by("pk"):
            theirs[one.person].append(one)
        for row in rows:
            if row.resident and row.team and row.data.get("start"):
                known = numbered.get((row.team.institution_id, row.data["foreign_number"]))
                self._before(row, known, theirs[row.resident.pk])

    def _before(self, row, known, theirs):
        start, end = date.fromisoformat(row.data["start"]), date.fromisoformat(row.data["end"])
        if known is not None and known.person != row.resident.pk:
            row.fault("foreign_number", _("Another resident's agreement has been imported with this number."))
            return
        known = known or next(
            (one for one in theirs if (one.team_id, one.start) == (row.team.pk, start)), None
        )
        if known is not None:
            row.known = known.pk
        elif any(one.start <= end and one.last_day >= start for one in theirs):
            row.fault("start", _("This resident has an agreement at that time already."))

    def _versions(self, row, tags):
        """Each package's version, and whether it is for this resident on the first day."""
        start, chosen = date.fromisoformat(row.data["start"]), []
        groups = groups_on(row.resident, tags, start)
        row.data["groups"] = sorted(groups)
        for code in row.values.get("packages", ()):
            try:
                version = self.packages.version(code, row.team.institution, start)
            except NotFound as error:
                row.fault("packages", error)
                continue
            if why := eligibility.why_not(version, row.resident, groups, start):
                row.fault(
                    "packages",
                    _("%(package)s is not for this resident: %(why)s") % {"package": code, "why": why},
                )
            chosen.append(version)
        row.data["versions"] = [version.pk for version in dict.fromkeys(chosen)]

    def _twice(self, row):
        """Rows of the same sheet that cannot both be."""
        if row.wrong or row.resident is None:
            return
        number = (row.team.institution_id, row.data["foreign_number"])
        if number[1] and number in self.numbers:
            row.fault("foreign_number", _("Row %(n)d has the same number.") % {"n": self.numbers[number]})
            return
        start, end = row.data["start"], row.data["end"]
        for other, first, last in self.days[row.resident.pk]:
            if first <= end and last >= start:
                row.fault("start", _("Row %(n)d is of the same resident at the same time.") % {"n": other})
                return
        self.numbers[number] = row.row
        self.days[row.resident.pk].append((row.row, start, end))

    def _places(self, rows):
        """Agreements in force take a place at the team and the doctor."""
        for row in rows:
            in_force = row.is_new and date.fromisoformat(row.data["end"]) >= self.today
            if in_force and (full := self.room.take(row.team, row.data["doctor"])):
                row.fault("team", full)


def _term(row, today):
    """First and last day, years, the day of signing."""
    values = row.values
    start, end, years = values.get("start"), values.get("end"), values.get("years")
    if start is None or {"end", "years"} - values.keys():
        return
    if not OLDEST <= start <= today + AHEAD:
        row.fault("start", _("This day lies too far away."))
        return
    end = end or terms.last_day(start, years or 1)
    if end < start:
        row.fault("end", _("The end lies before the beginning."))
        return
    # Old sheets often end on the same day of the next year: a day too long is taken as it is meant.
    fits = [n for n in (1, 2, 3) if end <= terms.last_day(start, n) + timedelta(days=1)]
    if not fits or (years and fits[0] > years):
        row.fault(
            "end",
            _("The last day lies beyond the years.")
            if years
            else _("An agreement is for one to three years."),
        )
        return
    end = min(end, terms.last_day(start, years or fits[0]))
    signed = values.get("signed_on") or min(start, today)
    if signed > today or signed > end or signed < OLDEST:
        row.fault(
            "signed_on",
            _("This day lies in the future.") if signed > today else _("This day lies too far away."),
        )
        return
    row.data |= {
        "start": start.isoformat(), "end": end.isoformat(), "years": years or fits[0], "signed_on": signed.isoformat(),
    }  # fmt: skip


def groups_on(resident, tags, day) -> set[str]:
    """The computed age groups on that day, and the tags, even those that were written down later than the agreement:
    an old system rarely says since when somebody has had a disease."""
    known = {code for code, _since, until in tags if until is None or until > day}
    return known.intersection(Group.values) | eligibility.groups_on(resident, (), day)
