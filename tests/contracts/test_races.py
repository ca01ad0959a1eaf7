"""Two at the same second, two hundred times: real transactions on connections of their own, judged by what stands there
afterwards."""

import threading
import uuid

import pytest
from django.db import connection
from django.utils import timezone

from clinic.codes import Role
from clinic.errors import Refused
from contracts.actions import agreements, renewals
from contracts.codes import AgreementState, Way
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
