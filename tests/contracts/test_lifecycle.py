"""What time and death do to agreements, and a change of team."""

import uuid
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.utils import timezone

from clinic.codes import InstitutionKind, LifeState, Role
from clinic.errors import Conflict, Forbidden, Refused
from contracts import lifecycle
from contracts.actions import agreements, switches
from contracts.figures import adding_up
from contracts.models import Agreement, Figure, PlanItem
from tests import factories
from tests.contracts import desk_build as build

TODAY = timezone.localdate


@pytest.fixture
def scene(db, district):
    station = factories.institution(InstitutionKind.STATION, "S1", "东站", district)
    return {
        "team": build.team(station), "other": build.team(station, "二队"), "text": build.text(district),
        "version": build.version(district), "station": station, "resident": factories.resident(station),
        "doctor": factories.user(Role.DOCTOR, station),
    }  # fmt: skip


def signed(scene, **given):
    made = build.agreement(given.pop("whom", scene["resident"]), scene["team"], **given)
    made.packages.create(version=scene["version"], price=120, waiver=100)
    PlanItem.objects.create(
        uuid=uuid.uuid4(), agreement=made, team=scene["team"], item=scene["version"].items.get(), due_from=made.start,
        due_to=made.end, times=4,
    )  # fmt: skip
    return made


def test_the_dead_are_let_go_the_same_day(scene):
    made, pending = signed(scene), signed(scene, state="pending", whom=factories.resident(scene["station"]))
    for row in (made, pending):
        row.resident.life_state, row.resident.life_state_on = LifeState.DECEASED, TODAY()
        row.resident.save()
    assert lifecycle.tend() == 2
    made.refresh_from_db(), pending.refresh_from_db()
    assert (made.state, made.end_reason, made.ended_on) == ("terminated", "deceased", TODAY())
    assert pending.state == "revoked"
    assert not made.plan.open().exists()
    assert lifecycle.tend() == 0


def test_the_last_day_passes_with_and_without_a_follower(scene):
    start = TODAY() - timedelta(days=366)
    old = signed(scene, start=start, end=TODAY() - timedelta(days=1))
    lapsed = signed(
        scene, start=start, end=TODAY() - timedelta(days=1), whom=factories.resident(scene["station"])
    )
    still = signed(scene, start=start, end=TODAY(), whom=factories.resident(scene["station"]))
    build.agreement(scene["resident"], scene["team"], follows=old)
    assert lifecycle.tend() == 2
    states = dict(Agreement.objects.values_list("pk", "state"))
    assert (states[old.pk], states[lapsed.pk], states[still.pk]) == ("renewed", "expired", "signed")
    assert old.history.first().state == "renewed"


def test_what_nobody_signed_is_taken_back(scene):
    signed(scene, state="pending")
    fresh = signed(scene, state="pending", whom=factories.resident(scene["station"]))
    assert lifecycle.tend(timezone.now() + timedelta(days=29)) == 0
    assert lifecycle.tend(timezone.now() + timedelta(days=31)) == 2
    fresh.refresh_from_db()
    assert fresh.state == "revoked"


def asked(scene, made):
    return switches.ask(
        agreement=made,
        to_team=scene["other"],
        to_doctor=build.leader(scene["other"]),
        reason="搬家",
        by=scene["doctor"],
    )


def test_an_agreed_change_ends_the_old_as_the_new_begins(scene):
    made = signed(scene, start=TODAY() - timedelta(days=9))
    switch = asked(scene, made)
    assert asked(scene, made) == switch
    done = switches.agree(switch=switch, by=scene["doctor"], text=scene["text"])
    made.refresh_from_db()
    assert (made.state, made.ended_on) == ("switched", TODAY() - timedelta(days=1))
    assert (done.made.team, done.made.start, done.made.state) == (scene["other"], TODAY(), "pending")
    assert switches.agree(switch=switch, by=scene["doctor"], text=scene["text"]).made == done.made
    with pytest.raises(Conflict):
        switches.refuse(switch=switch, by=scene["doctor"], reason="不行")


def test_a_change_is_refused_with_a_reason_and_by_the_old_side_alone(scene, district):
    made = signed(scene)
    switch = asked(scene, made)
    with pytest.raises(Refused):
        switches.refuse(switch=switch, by=scene["doctor"], reason=" ")
    far = factories.institution(InstitutionKind.STATION, "S2", "西站", district)
    with pytest.raises(Forbidden):
        switches.agree(switch=switch, by=factories.user(Role.DOCTOR, far), text=scene["text"])
    assert switches.refuse(switch=switch, by=scene["doctor"], reason="名额已满").state == "refused"
    made.refresh_from_db()
    assert made.state == "signed"


def test_two_people_with_live_agreements_do_not_become_one(scene):
    other = factories.resident(scene["station"])
    signed(scene), signed(scene, whom=other)
    assert lifecycle.merge_obstacle(scene["resident"], other)
    assert lifecycle.merge_obstacle(scene["resident"], factories.resident(scene["station"])) is None


def test_a_run_of_minutes_writes_each_end_with_its_own_time(scene, monkeypatch):
    """The database takes no end that was written more than a minute ago."""
    made = signed(scene, start=TODAY() - timedelta(days=366), end=TODAY() - timedelta(days=1))
    ticks = iter([0, 120, 120])
    monkeypatch.setattr(lifecycle, "time", SimpleNamespace(monotonic=lambda: next(ticks)))
    assert lifecycle.pass_last_days(timezone.now() - timedelta(seconds=120)) == 1
    made.refresh_from_db()
    assert timezone.now() - made.ended_at < timedelta(seconds=60)


def test_a_renewal_that_was_ended_before_it_began_is_none(scene):
    old = signed(scene, start=TODAY() - timedelta(days=366), end=TODAY() - timedelta(days=1))
    new = build.agreement(scene["resident"], scene["team"], follows=old, start=TODAY() + timedelta(days=9))
    agreements.end(agreement=new, reason="mistake", by=factories.user(Role.CLERK, scene["station"]))
    lifecycle.tend()
    old.refresh_from_db()
    assert old.state == "expired"
    adding_up.add_up(adding_up.month_of(old.end))
    figure = Figure.objects.get(team=scene["team"], month=adding_up.month_of(old.end), group="all")
    assert (figure.due, figure.renewed) == (1, 0)


def test_one_that_moves_this_very_second_holds_up_no_others(scene, monkeypatch):
    made = signed(scene, start=TODAY() - timedelta(days=366), end=TODAY() - timedelta(days=1))
    signed(scene, state="pending", whom=factories.resident(scene["station"]))

    def gone(**_given):
        raise Conflict("signed", code="state")

    monkeypatch.setattr(agreements, "take_back", gone)
    assert lifecycle.tend(timezone.now()) == 1
    assert lifecycle.take_back_the_unsigned(timezone.now() + timedelta(days=40)) == 0
    made.refresh_from_db()
    assert made.state == "expired"
