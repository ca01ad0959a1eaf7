"""Rows of a checked sheet become agreements, a chunk at a time: set-wise, since row by row a sheet of 20 000 would take
a quarter of an hour. What may have changed since the sheet was checked is asked again under the locks."""

import uuid
from collections import defaultdict
from datetime import date, datetime, time

from django.contrib.auth import get_user_model
from django.db.models import prefetch_related_objects
from django.utils import timezone
from django.utils.translation import gettext as _
from simple_history.utils import bulk_update_with_history

from clinic import audit, bulk_history, violations
from clinic.codes import Act
from clinic.models import Resident
from contracts import numbers, planning, renewing
from contracts.batching import Outcome
from contracts.codes import ALIVE, ONCE_IN_FORCE, AgreementState, Source, Way
from contracts.importing.books import Room
from contracts.models import Agreement, AgreementPackage, PackageVersion, Team

BATCH = 500


def write(lines, orders, by) -> list[Outcome]:
    """Inside the caller's transaction. Locks: residents, teams, doctors, then the counter."""
    now = timezone.now()
    chunk = Chunk(lines, timezone.localdate(now))
    settled = {}
    for line in lines:
        outcome = chunk.outcome(line)
        if outcome is not None:
            settled[line.pk] = outcome
    waiting = [line for line in lines if line.pk not in settled]
    made = chunk.agreements(waiting, by, now)
    with violations.told(Agreement, AgreementPackage):
        _save(made, by, now, chunk.today)
    done = dict(zip((line.pk for line in waiting), made, strict=True))
    return [settled.get(line.pk) or Outcome(line, made=done[line.pk]) for line in lines]


class Chunk:
    """The rows that the lines name, locked in the house's order."""

    def __init__(self, lines, today):
        self.today = today
        people = Resident.objects.select_for_update(of=("self",)).order_by("pk")
        self.people = people.select_related("merged_into", "home").in_bulk(
            {line.resident_id for line in lines}
        )
        teams = Team.objects.select_for_update(of=("self",)).select_related("institution").order_by("pk")
        self.teams = {team.pk: team for team in teams.filter(pk__in={line.data["team"] for line in lines})}
        doctors = get_user_model().objects.select_for_update(no_key=True, of=("self",)).order_by("pk")
        self.doctors = {one.pk: one for one in doctors.filter(pk__in={line.data["doctor"] for line in lines})}
        wanted = {version for line in lines for version in line.data["versions"]}
        self.versions = PackageVersion.objects.in_bulk(wanted)
        self.room = Room()
        self.theirs = defaultdict(list)
        lived = Agreement.objects.filter(state__in={*ALIVE, *ONCE_IN_FORCE})
        for one in renewing.of_people(lived, self.people).order_by("pk"):
            self.theirs[one.person].append(one)
        numbers_ = {line.data["foreign_number"] for line in lines} - {""}
        places = {team.institution_id for team in self.teams.values()}
        known = renewing.with_person(
            Agreement.objects.filter(foreign_number__in=numbers_, institution__in=places)
        )
        self.numbered = {(one.institution_id, one.foreign_number): one for one in known}

    def outcome(self, line):
        """What becomes of the line at once: it is known already, or no longer possible. None: it is to be written."""
        team, start, end = self.teams[line.data["team"]], *_days(line)
        known = self.numbered.get((team.institution_id, line.data["foreign_number"]))
        theirs = self.theirs[line.resident_id]
        known = known or next((one for one in theirs if (one.team_id, one.start) == (team.pk, start)), None)
        if known is not None and known.person == line.resident_id:
            return Outcome(line, made=known, remark=_("Imported before."))
        if known is not None:
            return Outcome(line, refused=_("An agreement with this number has been imported already."))
        if self.people[line.resident_id].merged_into_id:
            return Outcome(
                line, refused=_("The resident was merged with another row. Please import this row again.")
            )
        if any(one.start <= end and one.last_day >= start for one in theirs):
            return Outcome(line, refused=_("This resident has an agreement at that time already."))
        full = self.room.take(team, line.data["doctor"]) if end >= self.today else ""
        return Outcome(line, refused=full) if full else None

    def agreements(self, lines, by, now):
        """Unsaved, with their packages, in the order of the lines."""
        count = defaultdict(int)
        for line in lines:
            count[self.teams[line.data["team"]].institution] += 1
        given = {
            place.pk: iter(numbers.take(place, timezone.localtime(now).year, n))
            for place, n in sorted(count.items(), key=lambda pair: pair[0].pk)
        }
        made = []
        for line in lines:
            one = self._agreement(line, by, now)
            one.number = next(given[one.institution_id])
            made.append(one)
        self._link(made)
        return made

    def _agreement(self, line, by, now):
        data, (start, end) = line.data, _days(line)
        team = self.teams[data["team"]]
        versions = [self.versions[pk] for pk in data["versions"]]
        signed = timezone.make_aware(datetime.combine(date.fromisoformat(data["signed_on"]), time(12)))
        one = Agreement(
            # The batch and its row: a row of a batch makes one agreement, whatever runs twice.
            uuid=uuid.uuid5(line.batch.uuid, f"row {line.row}"), institution=team.institution, team=team,
            doctor=self.doctors[data["doctor"]], resident=self.people[line.resident_id], groups=data["groups"],
            state=AgreementState.DEEMED if data["way"] == Way.HANDBOOK else AgreementState.SIGNED,
            start=start, end=end, years=data["years"], way=data["way"], source=Source.IMPORT,
            phone=data["phone"], note=data["note"], foreign_number=data["foreign_number"],
            representative=data["representative"], representative_relation=data["relation"],
            representative_phone=data["representative_phone"], made_by=by, made_at=now, signed_by=by,
            signed_at=min(signed, now), fee=sum(v.price for v in versions) * data["years"],
            waived=sum(v.waiver for v in versions) * data["years"],
        )  # fmt: skip
        one.chosen = versions
        return one

    def _link(self, made):
        """One that begins on the morrow of another's last day is its renewal."""
        before = {(one.person, one.last_day): one for theirs in self.theirs.values() for one in theirs}
        followed = set(
            Agreement.objects.filter(follows__in=before.values()).values_list("follows", flat=True)
        )
        for one in made:
            last = before.get((one.resident_id, one.start - date.resolution))
            if last is not None and last.pk not in followed:
                one.follows = last


def _days(line):
    return date.fromisoformat(line.data["start"]), date.fromisoformat(line.data["end"])


def _save(made, by, now, today):
    """Agreements with history, packages, plans of those still in force; those whose last day has passed end with it."""
    bulk_history.copy_new(Agreement.objects.bulk_create(made, batch_size=BATCH), by)
    AgreementPackage.objects.bulk_create(
        AgreementPackage(agreement=one, version=version, price=version.price, waiver=version.waiver)
        for one in made
        for version in one.chosen
    )
    past = [one for one in made if one.end < today]
    present = [one for one in made if one.end >= today]
    prefetch_related_objects(present, "packages")
    planning.make(present)
    for one in past:
        one.state, one.ended_on, one.ended_at = AgreementState.EXPIRED, one.end, now
    if past:
        fields = ["state", "ended_on", "ended_at"]
        bulk_update_with_history(past, Agreement, fields, batch_size=BATCH, default_user=by)
    audit.record_many(Act.IMPORT, by=by, acts=[(one.resident, one) for one in made])
