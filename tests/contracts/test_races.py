"""Two at the same second, two hundred times: real transactions on connections of their own, judged by what stands there
afterwards."""

import threading
import uuid
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from clinic.codes import Role
from clinic.errors import Refused
from contracts import batching, lifecycle
from contracts.actions import agreements, batches, renewal, renewals, switches
from contracts.codes import AgreementState, Way
from contracts.importing import checking
from contracts.models import Agreement, AgreementCounter, AgreementPackage
from tests import factories
from tests.contracts import desk_build as build

ROUNDS = 200

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def scene(station):
    return {
        "station": station, "teams": [build.team(station), build.team(station, "二队")], "text": build.text(station),
        "clerks": [factories.user(Role.CLERK, station) for _n in range(2)], "version": build.version(station),
    }  # fmt: skip


def given(scene, whom, team, by, **more):
    return {
        "key": uuid.uuid4(), "resident": whom, "team": team, "doctor": build.leader(team), "by": by,
        "start": timezone.localdate(), "years": 1, "versions": [scene["version"]], "way": Way.IN_PERSON,
        "text": scene["text"], "state": AgreementState.PENDING, **more,
    }  # fmt: skip


def race(*rounds, before=lambda: None):
    """Each of two threads acts its own column of the rounds, both beginning each round together, after ``before``.
    Returns for each round the sentences of those who were refused."""
    barrier, refused = threading.Barrier(2, action=before), [[] for _round in rounds]

    def run(side):
        for number, acts in enumerate(rounds):
            barrier.wait()
            try:
                acts[side]()
            except Refused as refusal:
                refused[number].append(refusal.message)
        connection.close()

    crew = [threading.Thread(target=run, args=[side]) for side in range(2)]
    for one in crew:
        one.start()
    for one in crew:
        one.join()
    return refused


def test_two_clerks_sign_one_resident_into_two_teams(scene):
    people = [factories.resident(scene["station"]) for _n in range(ROUNDS)]
    sides = list(zip(scene["teams"], scene["clerks"], strict=True))
    rounds = [
        [
            lambda who=who, team=team, by=by: agreements.make(**given(scene, who, team, by))
            for team, by in sides
        ]
        for who in people
    ]
    refused = race(*rounds)
    assert [len(each) for each in refused] == [1] * ROUNDS
    assert all("队" in each[0] for each in refused)  # it names the team that was first
    assert Agreement.objects.count() == AgreementPackage.objects.count() == ROUNDS
    assert set(Agreement.objects.values_list("resident", flat=True)) == {who.pk for who in people}
    assert AgreementCounter.objects.get().last == ROUNDS  # the refused took no number


def test_the_last_place_of_a_team_goes_to_one_of_two(scene):
    team = scene["teams"][0]
    people = [factories.resident(scene["station"]) for _n in range(ROUNDS * 2)]

    def sign(who, by):
        return lambda: agreements.make(**given(scene, who, team, by))

    def one_more_place():
        team.cap = (team.cap or 0) + 1
        team.save()

    pairs = zip(people[::2], people[1::2], strict=True)
    rounds = [[sign(who, by) for who, by in zip(two, scene["clerks"], strict=True)] for two in pairs]
    refused = race(*rounds, before=one_more_place)
    assert [len(each) for each in refused] == [1] * ROUNDS
    assert Agreement.objects.filter(team=team).count() == ROUNDS


def test_one_key_twice_at_once_is_one_agreement(scene):
    rounds = []
    for _n in range(20):
        terms = given(scene, factories.resident(scene["station"]), scene["teams"][0], scene["clerks"][0])
        rounds.append([lambda terms=terms: agreements.make(**terms)] * 2)
    assert race(*rounds) == [[]] * 20
    assert Agreement.objects.count() == 20


class Line:
    def __init__(self, agreement):
        self.agreement, self.agreement_id, self.pk = agreement, agreement.pk, agreement.pk


def test_two_bulk_renewals_of_the_same_renew_each_once(scene):
    today = timezone.localdate()
    olds = []
    for _n in range(40):
        made = build.agreement(
            factories.resident(scene["station"]), scene["teams"][0], start=today.replace(year=today.year - 1)
        )
        made.packages.create(version=scene["version"], price=1, waiver=0)
        olds.append(made)
    orders, done = {"text": scene["text"].pk, "confirmed": True, "years": None}, []
    lines = [Line(old) for old in olds]
    run = [lambda by=by: done.append(renewals.renew_many(lines, orders, by)) for by in scene["clerks"]]
    assert race(run) == [[]]
    made = [one for answer in done for _line, one, _why in answer if one]
    assert len(made) == Agreement.objects.filter(follows__isnull=False).count() == 40


def test_the_last_places_are_taken_once_by_whatever_way(scene):
    """From the page, by a change of team, by a renewal in bulk and by an import, all at once."""
    team = scene["teams"][0]
    team.cap = 12
    team.save()
    ways = [way(scene, people(scene, 10), team) for way in (by_page, by_change, by_renewal, by_sheet)]
    assert all_at_once(*ways) == []
    alive = Agreement.objects.alive().filter(team=team)
    assert alive.count() == alive.values("resident").distinct().count() == 12


def test_a_change_of_team_an_end_and_a_renewal_at_once(scene):
    """Whoever comes first; the others read a sentence, and nobody waits for the other for ever."""
    to, own = scene["teams"]
    olds = [ending(scene, whom, own) for whom in people(scene, 20)]
    clerk, shared = scene["clerks"][0], {"text": scene["text"], "read": True}
    given = [{"agreement": old, "by": clerk} for old in olds]
    ways = (
        [change(scene, old, to) for old in olds],
        [lambda one=one: agreements.end(reason="moved", **one) for one in given],
        [lambda one=one: renewal.renew(key=uuid.uuid4(), **one, **shared) for one in given],
    )
    assert all_at_once(*ways) == []
    assert not Agreement.objects.filter(state="signed", follows__state="terminated").exists()
    assert not Agreement.objects.filter(pk__in=[old.pk for old in olds], state="signed").exists()


def people(scene, count):
    return [factories.resident(scene["station"]) for _n in range(count)]


def ending(scene, whom, team, days=20):
    end = timezone.localdate() + timedelta(days=days)
    made = build.agreement(whom, team, start=end - timedelta(days=364), end=end)
    made.packages.create(version=scene["version"], price=1, waiver=0)
    return made


def change(scene, old, to):
    """The act of agreeing to a wish that is asked now."""
    wish = switches.ask(
        agreement=old, to_team=to, to_doctor=build.leader(to), reason="搬家", by=scene["clerks"][0]
    )
    return lambda: switches.agree(switch=wish, by=build.leader(scene["teams"][0]), text=scene["text"])


def by_page(scene, whom, team):
    made = [given(scene, who, team, scene["clerks"][0]) for who in whom]
    return [lambda one=one: agreements.make(**one) for one in made]


def by_change(scene, whom, team):
    return [change(scene, ending(scene, who, scene["teams"][1]), team) for who in whom]


def by_renewal(scene, whom, team):
    olds = [ending(scene, who, team, -400) for who in whom]
    lifecycle.pass_last_days(timezone.now())
    orders = {"text": scene["text"].pk, "confirmed": True, "years": None}
    return [lambda: renewals.renew_many([Line(old) for old in olds], orders, scene["clerks"][0])]


def by_sheet(scene, whom, team):
    today, clerk = timezone.localdate(), scene["clerks"][0]
    rows = [[who.name, who.id_number, team.name, "BASE", today] for who in whom]
    sheet = build.upload(rows, ["name", "id_number", "team", "packages", "start"])
    batch = batches.start(
        key=uuid.uuid4(), kind="import", institution=clerk.institution, orders={}, by=clerk,
        rows=checking.examine(sheet, clerk).lines,
    )  # fmt: skip
    return [lambda: batching.work(batch.pk)]


def all_at_once(*columns):
    """Each column in a thread of its own; what a person would not read as a sentence is returned."""
    barrier, faults = threading.Barrier(len(columns)), []

    def run(acts):
        barrier.wait()
        for act in acts:
            try:
                act()
            except Refused:
                pass
            except Exception as fault:
                faults.append(fault)
        connection.close()

    crew = [threading.Thread(target=run, args=[acts]) for acts in columns]
    for one in crew:
        one.start()
    for one in crew:
        one.join()
    return faults
