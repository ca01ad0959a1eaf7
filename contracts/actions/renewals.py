"""Renewing agreements by the hundred in one transaction: a few statements for all of them, a sentence for each that
cannot be renewed. Locks as everywhere: residents, teams, doctors, agreements, number counters, each in one order."""

import uuid
from collections import Counter
from dataclasses import dataclass

from django.contrib.auth import get_user_model
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clinic import audit, bulk_history, violations
from clinic.codes import Act, LifeState
from clinic.errors import Refused
from clinic.models import Resident
from contracts import eligibility, load, numbers, planning, practice, renewing, teams, terms
from contracts.codes import AgreementState, Source
from contracts.models import Agreement, AgreementPackage, AgreementText, PlanItem, Team

STEP = 1000


@dataclass
class New:
    """A renewal about to be written."""

    line: object
    agreement: Agreement
    versions: list


def renew_many(lines, orders, by, now=None) -> list[tuple]:
    """[(line, new agreement or None, sentence)] in the order of the lines, which have ``agreement``.

    ``orders``: years (None: as many as before), text (row number of a published one), confirmed (the formalities were
    done: read, understood and agreed to). Refused codes: text, read.
    """
    now = now or timezone.now()
    text = AgreementText.objects.filter(pk=orders.get("text"), published_at__isnull=False).first()
    if text is None:
        raise Refused(_("Please choose a published agreement text."), code="text")
    if not orders.get("confirmed"):
        raise Refused(_("Has the agreement been read and understood? Please tick it."), code="read")
    with violations.told(Agreement), transaction.atomic():
        facts = Facts(lines, now)
        new, sentences = [], {}
        for line in lines:
            why, made = facts.renewed(line, orders, by, text)
            sentences[line.pk] = why or ""
            if made:
                new.append(made)
        _write(new, by, now)
    made = {one.line.pk: one.agreement for one in new}
    return [(line, made.get(line.pk), sentences[line.pk]) for line in lines]


class Facts:
    """Everything that is asked about these agreements, locked, in a fixed number of statements."""

    def __init__(self, lines, now):
        self.now, self.today = now, timezone.localdate(now)
        ids = [line.agreement_id for line in lines]
        known = list(Agreement.objects.filter(pk__in=ids).select_related("resident__merged_into"))
        self.people = _locked(Resident, {one.resident.survivor.pk for one in known}, "home")
        self.teams = _locked(Team, {one.team_id for one in known}, "institution")
        people = {one.doctor_id for one in known}
        self.crews = renewing.crews(self.teams, self.today)
        people |= {person for crew in self.crews.values() for person in renewing.doctors_among(crew)}
        self.staff = _locked(get_user_model(), people, no_key=True)
        self.olds = _locked(Agreement, set(ids), "resident", "institution")
        self.followed = renewing.followed(ids)
        starts = {pk: terms.renewal_start(old, self.today) for pk, old in self.olds.items()}
        self.starts = starts
        self.versions = renewing.versions_of(list(self.olds.values()), starts)
        self.tags = eligibility.tags_of(list(self.people))
        self.alive = self._alive()
        self.load, self.stops = self._load(
            [old for old in self.olds.values() if self._places(old, self._doctor(old))]
        )

    def _alive(self):
        """{person: [(first, last day, agreement)]} of what is alive."""
        rows = renewing.of_people(Agreement.objects.alive(), self.people)
        found = {}
        for person, first, last, pk in rows.values_list("person", "start", "end", "pk"):
            found.setdefault(person, []).append((first, last, pk))
        return found

    def _load(self, taking):
        """({team or doctor: places left}, {institution: whether its cap stops hard}) of those that take a place."""
        left, stops = {}, {}
        own = {old.team_id: self.teams[old.team_id] for old in taking}
        for pk, one in load.of_teams(own.values()).items():
            left["team", pk] = one.cap - one.signed
        caps = {}
        for team in own.values():
            if team.institution_id not in stops:
                choice = practice.of(team.institution)
                stops[team.institution_id], caps[team.institution_id] = choice.hard_stop, choice.cap_doctor
        doctors = {
            person: caps[own[pk].institution_id]
            for pk in own
            for person in renewing.doctors_among(self.crews[pk])
        }
        signed = load.of_people(doctors)
        left.update({("doctor", pk): cap - signed.get(pk, 0) for pk, cap in doctors.items()})
        return left, stops

    def renewed(self, line, orders, by, text):
        """(sentence, None) or (None, New)."""
        old = self.olds.get(line.agreement_id)
        if old is None:
            return _("This agreement is not found any more."), None
        if not old.institution.path.startswith(by.institution.path):
            return _("This team is another institution's."), None
        person, team, start = (
            self.people[old.resident.survivor.pk],
            self.teams[old.team_id],
            self.starts[old.pk],
        )
        doctor = self._doctor(old)
        years = orders.get("years") or old.years
        end = terms.last_day(start, years)
        groups = eligibility.groups_on(person, self.tags.get(person.pk, ()), start)
        versions = renewing.fitting(self.versions[old.pk], person, groups, start)
        if why := self._why_not(old, person, team, doctor, versions, start, end):
            return why, None
        self.followed.add(old.pk)
        self.alive.setdefault(person.pk, []).append((start, end, None))
        self._take_place(old, doctor)
        who = renewing.representative_of(old)
        made = Agreement(
            uuid=uuid.uuid4(), state=AgreementState.SIGNED, institution=team.institution, team=team, doctor=doctor,
            resident=person, phone=old.phone, address=old.address, representative=who["name"],
            representative_relation=who["relation"], representative_phone=who["phone"], groups=sorted(groups), start=start,
            end=end, years=years, fee=years * sum(one.price for one in versions),
            waived=years * sum(one.waiver for one in versions), text=text, read_at=self.now, way=renewing.way_of(old),
            source=Source.RENEWAL, follows=old, made_by=by, made_at=self.now, signed_by=by, signed_at=self.now,
        )  # fmt: skip
        return None, New(line, made, versions)

    def _doctor(self, old):
        doctors = renewing.doctors_among(self._there(old))
        return self.staff[old.doctor_id if old.doctor_id in doctors else doctors[0]] if doctors else None

    def _there(self, old):
        """Who belongs to the team on the first day of the renewal."""
        return renewing.there(self.crews[old.team_id], self.starts[old.pk])

    def _why_not(self, old, person, team, doctor, versions, start, end):
        if why := renewing.why_not(old, self.today, self.followed):
            return why
        if person.life_state != LifeState.LIVING:
            return _("This resident has died or moved away.")
        if not team.active:
            return _("This team is not in use.")
        lacks = teams.without({member.role for member in self._there(old)})
        if lacks or doctor is None:
            return (lacks or [_("The team has no leader.")])[0]
        if not versions:
            return _("None of its packages is offered any more, or for this resident.")
        if any(
            first <= end and start <= last
            for first, last, pk in self.alive.get(person.pk, ())
            if pk != old.pk
        ):
            return _("This resident has an agreement at that time already.")
        full = any(self.load.get(whose, 1) < 1 for whose in self._places(old, doctor))
        if full and self.stops[team.institution_id]:
            return _("The team or its doctor has reached the cap.")
        return None

    def _places(self, old, doctor):
        """Who has lapsed takes a place anew; who gets another doctor takes one with that doctor."""
        whose = [] if old.is_alive else [("team", old.team_id)]
        if doctor and (whose or doctor.pk != old.doctor_id):
            whose.append(("doctor", doctor.pk))
        return whose

    def _take_place(self, old, doctor):
        for whose in self._places(old, doctor):
            if whose in self.load:
                self.load[whose] -= 1


def _locked(model, ids, *related, no_key=False):
    rows = model.objects.select_for_update(of=("self",), no_key=no_key).order_by("pk").filter(pk__in=ids)
    return {row.pk: row for row in (rows.select_related(*related) if related else rows)}


def _write(new, by, now):
    wanted = Counter(one.agreement.institution_id for one in new)
    places = {one.agreement.institution_id: one.agreement.institution for one in new}
    year = timezone.localdate(now).year
    given = {pk: iter(numbers.take(places[pk], year, wanted[pk])) for pk in sorted(wanted)}
    for one in new:
        one.agreement.number = next(given[one.agreement.institution_id])
    if not new:
        return
    made = Agreement.objects.bulk_create([one.agreement for one in new], batch_size=STEP)
    bulk_history.copy_new(made, by, now)
    AgreementPackage.objects.bulk_create(
        AgreementPackage(agreement=one.agreement, version=version, price=version.price, waiver=version.waiver)
        for one in new for version in one.versions
    )  # fmt: skip
    items = planning.items_of({version.pk for one in new for version in one.versions})
    PlanItem.objects.bulk_create(
        (
            line
            for one in new
            for line in planning.plan_of(
                one.agreement, [item for each in one.versions for item in items.get(each.pk, ())]
            )
        ),
        batch_size=STEP,
    )
    audit.record_many(
        Act.AGREE, by=by, acts=[(one.agreement.resident, one.agreement) for one in new], detail={"state": "signed", "batch": True}
    )  # fmt: skip
