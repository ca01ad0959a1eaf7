"""Plans that hold here, drills that fall due, blank notes whose numbers nobody gets twice."""

import threading
import uuid
from datetime import date, timedelta

import pytest
from django.db import connection
from django.utils import timezone

from clinic.codes import Role
from clinic.errors import Forbidden, Refused
from clinic.models import AuditEntry
from maintenance.actions import emergencies as actions
from maintenance.emergencies import reading
from maintenance.models import Drill, EmergencyPlan, PaperPad, PlanStep
from tests import factories

TODAY = timezone.localdate()


@pytest.fixture
def plan(district):
    made = EmergencyPlan.objects.create(institution=district, name="断网预案", when="断网")
    PlanStep.objects.create(
        plan=made, number=1, what="启用纸质病历", who="站长", phone="13911112222", within=10
    )
    return made


def drill(plan, where, by, **more):
    return actions.drill(
        key=uuid.uuid4(), plan=plan, institution=where, by=by, **{"on": TODAY, "score": 80, **more}
    )


def test_the_plan_of_the_district_holds_at_its_stations(client, plan, doctor, other_centre):
    EmergencyPlan.objects.create(institution=other_centre, name="别家预案", when="x")
    client.force_login(doctor)
    page = client.get("/emergency/").content.decode()
    assert "启用纸质病历" in page
    assert "13911112222" in page
    assert "别家预案" not in page


@pytest.mark.parametrize(("on", "every", "due"), [((2026, 1, 31), 1, (2026, 2, 28)), ((2026, 5, 31), 6, (2026, 11, 30)), ((2027, 12, 15), 2, (2028, 2, 15)), ((2027, 8, 31), 6, (2028, 2, 29))])  # fmt: skip
def test_so_many_months_later(on, every, due):
    assert actions.months_later(date(*on), every) == date(*due)


def test_a_drill_falls_due_again(plan, station, manager, doctor):
    assert reading.plans_of(doctor, TODAY)[0].overdue
    made = drill(plan, station, manager, on=TODAY - timedelta(days=1))
    [told] = reading.plans_of(doctor, TODAY)
    assert (told.last, told.overdue) == (made, False)
    assert reading.plans_of(doctor, made.next_due + timedelta(days=1))[0].overdue


def test_by_its_page_once(client, plan, station, manager):
    client.force_login(manager)
    data = {
        "key": uuid.uuid4(),
        "plan": plan.uuid,
        "institution": station.uuid,
        "on": TODAY,
        "score": 91,
        "findings": "顺利",
    }
    for _n in range(2):
        assert client.post("/emergency/", data).status_code == 302
    assert [(row.score, row.made_by) for row in Drill.objects.all()] == [(91, manager)]
    assert "顺利" in client.get("/emergency/").content.decode()


@pytest.mark.parametrize(
    "change",
    [
        {"score": 101},
        {"on": TODAY + timedelta(days=1)},
        {"plan": uuid.uuid4()},
        {"findings": "a\x00"},
        {"score": "１０"},
    ],
)
def test_odd_drills_get_a_sentence(client, plan, station, manager, change):
    client.force_login(manager)
    data = {
        "key": uuid.uuid4(),
        "plan": plan.uuid,
        "institution": station.uuid,
        "on": TODAY,
        "score": 91,
        **change,
    }
    answer = client.post("/emergency/", data)
    assert answer.status_code in (302, 400)
    assert (answer.status_code == 302) is Drill.objects.exists()


def test_nobody_records_for_another_centre(plan, other_station, manager, doctor, station):
    for where, by in ((other_station, manager), (station, doctor)):
        with pytest.raises(Forbidden):
            drill(plan, where, by)


def test_numbers_go_on_and_are_the_stations_own(client, plan, nurse, other_station):
    client.force_login(nurse)
    assert [client.post("/emergency/pads", {"sheets": n}).url for n in (20, 5)] == [
        "/emergency/pads/1",
        "/emergency/pads/21",
    ]
    page = client.get("/emergency/pads/21").content.decode()
    assert "S0101-000021" in page
    assert "S0101-000025" in page
    assert "S0101-000026" not in page
    client.force_login(factories.user(Role.NURSE, other_station))
    assert client.get("/emergency/pads/21").status_code == 404


@pytest.mark.parametrize("sheets", [0, 201, -1])
def test_no_pad_of_an_odd_size(nurse, station, sheets):
    with pytest.raises(Refused):
        actions.print_pad(institution=station, by=nurse, sheets=sheets)


@pytest.mark.django_db(transaction=True)
def test_numbers_of_two_who_print_at_once_do_not_meet(nurse, station):
    gate = threading.Barrier(4)

    def run():
        gate.wait()
        for _n in range(3):
            actions.print_pad(institution=station, by=nurse, sheets=7)
        connection.close()

    threads = [threading.Thread(target=run) for _n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(PaperPad.objects.values_list("first", flat=True)) == [1 + 7 * n for n in range(12)]


def test_the_waiting_list_on_paper_is_ones_own_and_audited(client, plan, encounter, nurse, stranger):
    client.force_login(nurse)
    assert encounter.resident.name in client.get("/emergency/waiting-list").content.decode()
    assert AuditEntry.objects.filter(act="print", username=nurse.username).exists()
    client.force_login(stranger)
    assert encounter.resident.name not in client.get("/emergency/waiting-list").content.decode()


@pytest.mark.parametrize(("role", "address", "status"), [(Role.VENDOR, "/emergency/", 200), (Role.VENDOR, "/emergency/waiting-list", 403), (Role.CENTRE_IT, "/emergency/waiting-list", 403), (Role.AUDITOR, "/emergency/", 403)])  # fmt: skip
def test_who_sees_what(client, plan, district, role, address, status):
    client.force_login(factories.user(role, district))
    assert client.get(address).status_code == status
