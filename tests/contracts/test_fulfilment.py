"""Served, not only signed: what was done proposes itself, a person confirms, and it counts once."""

import threading
import uuid
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from clinic.codes import InstitutionKind, Role
from clinic.errors import Conflict, Forbidden, Refused
from contracts import proposals
from contracts.actions import fulfilment, home_visits
from contracts.models import Agreement, Evidence, HomeVisit, PlanItem
from emr.codes import EncounterStatus
from tests import factories
from tests.contracts import desk_build as build

TODAY = timezone.localdate


def make_scene(district):
    station = factories.institution(InstitutionKind.STATION, "S1", "东站", district)
    team = build.team(station)
    made = build.agreement(factories.resident(station), team, start=TODAY() - timedelta(days=30))
    return {"station": station, "team": team, "resident": made.resident, "agreement": made, "district": district,
            "doctor": build.leader(team)}  # fmt: skip


@pytest.fixture
def scene(district):
    return make_scene(district)


def planned(scene, *evidence, times=2, ends=20):
    """An open line of the plan that these kinds propose themselves for."""
    item = build.version(scene["district"], f"P{uuid.uuid4().hex[:6]}", evidence).items.get()
    return PlanItem.objects.create(
        uuid=uuid.uuid4(), agreement=scene["agreement"], team=scene["team"], item=item, times=times,
        due_from=TODAY() - timedelta(days=20), due_to=TODAY() + timedelta(days=ends),
    )  # fmt: skip


def signed_visit(scene):
    visit = factories.encounter(scene["resident"], scene["doctor"], status=EncounterStatus.FINISHED)
    visit.note.signed_at, visit.note.signed_by, visit.note.signer = timezone.now(), scene["doctor"], "王"
    visit.note.save()
    return visit


def test_one_signed_visit_proposes_itself_to_every_fitting_service_once(scene):
    (
        planned(scene, "visit"),
        planned(scene, "visit", "home_visit"),
        planned(scene, "home_visit"),
        planned(scene, "visit", ends=-1),
    )
    visit = signed_visit(scene)
    assert (proposals.propose(), proposals.propose()) == (2, 0)
    rows = Evidence.objects.filter(encounter=visit)
    assert {(row.state, row.on, row.done_by) for row in rows} == {("proposed", TODAY(), scene["doctor"])}
    assert rows.first().history.count() == 1


def test_a_draft_a_closed_plan_and_a_full_one_propose_nothing(scene):
    closed, full = planned(scene, "visit"), planned(scene, "visit", times=1)
    closed.closed_on, full.done = TODAY(), 1
    closed.save(), full.save()
    factories.encounter(scene["resident"], scene["doctor"])
    signed_visit(scene)
    assert proposals.propose() == 0


def test_a_home_visit_proposes_itself_and_confirmed_counts(scene):
    line = planned(scene, "home_visit")
    visit = home_visits.write(
        key=uuid.uuid4(),
        resident=scene["resident"],
        on=TODAY() - timedelta(days=1),
        did="量血压",
        by=scene["doctor"],
    )
    assert proposals.propose() == 1
    for _twice in range(2):
        fulfilment.confirm(evidence=Evidence.objects.get(home_visit=visit), by=scene["doctor"])
    line.refresh_from_db(), scene["agreement"].refresh_from_db()
    assert (line.done, scene["agreement"].last_served_on) == (1, visit.on)


def test_what_was_declined_is_not_proposed_again_and_may_still_be_confirmed(scene):
    line = planned(scene, "visit")
    signed_visit(scene)
    proposals.propose()
    row = fulfilment.decline(evidence=Evidence.objects.get(), by=scene["doctor"])
    assert (proposals.propose(), row.state) == (0, "declined")
    fulfilment.confirm(evidence=row, by=scene["doctor"])
    line.refresh_from_db()
    assert line.done == 1


def test_withdrawn_it_counts_no_more_and_says_why(scene):
    line = planned(scene)
    key = uuid.uuid4()
    for _twice in range(2):
        row = fulfilment.by_hand(plan=line, on=TODAY(), note="电话随访", by=scene["doctor"], key=key)
    with pytest.raises(Refused):
        fulfilment.withdraw(evidence=row, by=scene["doctor"], note=" ")
    fulfilment.withdraw(evidence=row, by=scene["doctor"], note="记错人了")
    line.refresh_from_db(), scene["agreement"].refresh_from_db()
    assert (line.done, scene["agreement"].last_served_on, Evidence.objects.count()) == (0, None, 1)
    with pytest.raises(Conflict):
        fulfilment.confirm(evidence=row, by=scene["doctor"])


@pytest.mark.parametrize(("days", "note"), [(-21, "随访"), (1, "随访"), (0, " ")], ids=str)
def test_by_hand_wants_a_day_of_the_window_and_words(scene, days, note):
    line = planned(scene)
    with pytest.raises(Refused):
        fulfilment.by_hand(
            plan=line, on=TODAY() + timedelta(days=days), note=note, by=scene["doctor"], key=uuid.uuid4()
        )
    assert not Evidence.objects.exists()


def test_a_stranger_and_a_clerk_confirm_nothing(scene, district):
    line = planned(scene, "visit")
    signed_visit(scene)
    proposals.propose()
    far = factories.institution(InstitutionKind.STATION, "S2", "西站", district)
    for who in (factories.user(Role.DOCTOR, far), factories.user(Role.CLERK, scene["station"])):
        with pytest.raises(Forbidden):
            fulfilment.confirm(evidence=Evidence.objects.get(), by=who)
    line.refresh_from_db()
    assert line.done == 0


@pytest.mark.django_db(transaction=True)
def test_two_who_confirm_at_once_count_once_and_two_proofs_count_twice(district):
    scene = make_scene(district)
    line = planned(scene, "home_visit", times=9)
    for _n in range(2):
        home_visits.write(
            key=uuid.uuid4(), resident=scene["resident"], on=TODAY(), did="量血压", by=scene["doctor"]
        )
    proposals.propose()
    barrier, rows = threading.Barrier(4), list(Evidence.objects.all()) * 2

    def confirm(row):
        barrier.wait()
        fulfilment.confirm(evidence=row, by=scene["doctor"])
        connection.close()

    crew = [threading.Thread(target=confirm, args=[row]) for row in rows]
    for one in crew:
        one.start()
    for one in crew:
        one.join()
    line.refresh_from_db()
    assert (line.done, HomeVisit.objects.count(), Agreement.objects.get().last_served_on) == (2, 2, TODAY())
