"""The first page: who waits, what is left to sign, and a list that keeps no session alive."""

import time
from datetime import timedelta

import pytest
from django.utils import timezone

from clinic.codes import Role
from emr.actions.visits import check_in, hold
from emr.codes import EncounterStatus
from emr.models import Encounter, Note
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def home(client):
    def load(user):
        client.force_login(user)
        return client.get("/", follow=True)

    return load


def names(answer, which):
    return [visit.resident.name for visit in answer.context[which]]


def test_who_came_first_stands_first_with_the_minutes(home, station, clerk, doctor):
    for minutes, name in ((5, "后来"), (45, "先来")):
        visit = check_in(resident=factories.resident(station, name), institution=station, by=clerk)
        Encounter.objects.filter(pk=visit.pk).update(arrived_at=timezone.now() - timedelta(minutes=minutes))
    answer = home(doctor)
    assert names(answer, "waiting") == ["先来", "后来"]
    assert "45 分钟" in answer.content.decode()


def test_held_and_begun_visits_have_their_own_lists(home, encounter, doctor, station, clerk):
    held = factories.encounter(factories.resident(station, "暂挂者"), doctor)
    hold(encounter=held, by=doctor, reason="等化验")
    answer = home(doctor)
    assert (names(answer, "begun"), names(answer, "held")) == ([encounter.resident.name], ["暂挂者"])


def test_other_stations_visits_are_not_listed(home, resident, station, clerk, stranger):
    check_in(resident=resident, institution=station, by=clerk)
    assert resident.name not in home(stranger).content.decode()


def test_unsigned_notes_of_any_day_are_listed(home, encounter, doctor):
    Encounter.objects.filter(pk=encounter.pk).update(arrived_at=timezone.now() - timedelta(days=9))
    assert [note.encounter for note in home(doctor).context["duties"]["unsigned"]] == [encounter]


def test_cancelled_and_signed_ones_are_not_left_to_sign(home, encounter, another_visit, doctor):
    Note.objects.filter(encounter=encounter).update(signed_at=timezone.now(), signed_by=doctor)
    Encounter.objects.filter(pk=another_visit.pk).update(
        status=EncounterStatus.CANCELLED, cancel_reason="走了"
    )
    assert home(doctor).context["duties"]["unsigned"] == []


def test_done_lists_todays_own_visits(home, encounter, doctor, colleague):
    Encounter.objects.filter(pk=encounter.pk).update(
        status=EncounterStatus.FINISHED, finished_at=timezone.now()
    )
    assert names(home(doctor), "done") == [encounter.resident.name]
    assert names(home(colleague), "done") == []


def test_the_home_page_costs_few_queries_whatever_the_day(
    client, django_assert_max_num_queries, doctor, station, clerk
):
    for number in range(15):
        check_in(resident=factories.resident(station, f"居民{number}"), institution=station, by=clerk)
        factories.encounter(factories.resident(station, f"就诊{number}"), doctor)
    client.force_login(doctor)
    client.get("/")
    with django_assert_max_num_queries(10):
        client.get("/")


@pytest.mark.parametrize(("role", "where"), [(Role.CLERK, "/admin/"), (Role.MANAGER, "/admin/")])
def test_each_role_begins_at_its_own_page(client, station, role, where):
    client.force_login(factories.user(role, station))
    assert client.get("/").headers["Location"] == where


def test_a_nurse_sees_who_has_vital_signs_already(home, nurse, station):
    for name, vitals in (("已测", {"pulse": "80"}), ("未测", {})):
        visit = check_in(resident=factories.resident(station, name), institution=station, by=nurse)
        Note.objects.filter(encounter=visit).update(vitals=vitals)
    taken = {visit.resident.name: visit.vitals_taken for visit in home(nurse).context["waiting"]}
    assert taken == {"已测": True, "未测": False}


def test_who_has_no_pages_is_told_so(client, district):
    client.force_login(factories.user(Role.INTEGRATOR, district))
    assert "看不到居民信息" in client.get("/").content.decode()


def poll(client):
    return client.get("/waiting", HTTP_X_POLL="1", HTTP_HX_REQUEST="true")


def test_the_page_asks_again_with_the_mark_of_polling(home, doctor):
    page = home(doctor).content.decode()
    assert 'hx-get="/waiting"' in page
    assert "X-Poll" in page


def test_polling_does_not_keep_a_session_alive_and_then_says_so(client, doctor, encounter, settings):
    client.force_login(doctor)
    client.get("/")
    session = client.session
    session["active_at"] = int(time.time()) - settings.IDLE_SECONDS + 5
    session.save()
    assert poll(client).status_code == 200
    session["active_at"] -= 10
    session.save()
    answer = poll(client)
    assert answer.status_code == 286
    assert "已自动退出登录" in answer.content.decode()
    assert encounter.resident.name not in answer.content.decode()
    assert poll(client).status_code == 286


def test_the_nurse_writes_vital_signs_before_the_visit_begins(client, nurse, resident, station):
    visit = check_in(resident=resident, institution=station, by=nurse)
    client.force_login(nurse)
    form = client.get(f"/visits/{visit.uuid}/vitals").context["form"]
    typed = {"key": form["key"].value(), "version": 0, "systolic": "200", "diastolic": "50"}
    assert client.post(f"/visits/{visit.uuid}/vitals", typed).status_code == 302
    assert Note.objects.get(encounter=visit).vitals == {"systolic": "200", "diastolic": "50"}


def test_vital_signs_survive_the_start_of_the_visit(client, nurse, doctor, resident, station):
    visit = check_in(resident=resident, institution=station, by=nurse)
    Note.objects.filter(encounter=visit).update(vitals={"pulse": "80"}, version=1)
    client.force_login(doctor)
    client.post(f"/visits/{visit.uuid}/start")
    assert Note.objects.get(encounter=visit).vitals == {"pulse": "80"}


def test_two_nurses_do_not_overwrite_each_other(client, nurse, resident, station):
    visit = check_in(resident=resident, institution=station, by=nurse)
    client.force_login(nurse)
    key = "8b8e4b0e-5d3f-4a55-9d0a-0a2f3b1c4d5e"
    Note.objects.filter(encounter=visit).update(vitals={"pulse": "80"}, version=1)
    answer = client.post(f"/visits/{visit.uuid}/vitals", {"key": key, "version": 0, "pulse": "99"})
    assert answer.status_code == 400
    assert 'value="99"' in answer.content.decode()
    assert Note.objects.get(encounter=visit).vitals == {"pulse": "80"}


def test_the_nurse_writes_nothing_into_a_signed_note(client, nurse, encounter, doctor):
    Note.objects.filter(encounter=encounter).update(signed_at=timezone.now(), signed_by=doctor)
    Encounter.objects.filter(pk=encounter.pk).update(status=EncounterStatus.FINISHED)
    client.force_login(nurse)
    assert client.post(f"/visits/{encounter.uuid}/vitals", {"pulse": "99"}).status_code == 302
    assert Note.objects.get(encounter=encounter).vitals == {}


def test_too_long_a_value_is_a_sentence_and_kept(client, nurse, encounter):
    client.force_login(nurse)
    typed = {"key": "8b8e4b0e-5d3f-4a55-9d0a-0a2f3b1c4d5e", "version": 0, "pulse": "12345678901"}
    answer = client.post(f"/visits/{encounter.uuid}/vitals", typed)
    assert answer.status_code == 400
    assert "12345678901" in answer.content.decode()
