"""Whom a message did not reach is called by the station: one task a person, one outcome."""

import pytest
from django.urls import reverse

from clinic.codes import Act, LifeState
from clinic.errors import Conflict, Forbidden, Refused
from clinic.models import AuditEntry
from messaging.actions import calls
from messaging.codes import CallState
from messaging.models import CallTask
from tests import factories
from tests.messaging import rows

pytestmark = pytest.mark.django_db


@pytest.fixture
def campaign(station, clerk):
    return rows.campaign(station, clerk)


@pytest.fixture
def lost(campaign, resident):
    return rows.message(campaign, resident, state="failed", reason="absent")


@pytest.fixture
def task(campaign, lost, clerk):
    calls.make(campaign=campaign, by=clerk)
    return CallTask.objects.get()


def post(client, task, **data):
    return client.post(reverse("call", args=[task.uuid]), {"seen": "open", **data})


def test_each_person_not_reached_gets_one_task_at_home(campaign, clerk, manager, station, other_station):
    wide = rows.campaign(station.parent.parent, manager)
    for state in ("failed", "expired", "unknown", "delivered", "queued", "cancelled"):
        rows.message(wide, factories.resident(other_station), state=state)
    district = factories.user("district", station.parent.parent)
    assert calls.make(campaign=wide, by=district) == 3
    assert set(CallTask.objects.values_list("institution", flat=True)) == {other_station.pk}
    assert calls.make(campaign=wide, by=district) == 0


def test_made_again_makes_only_what_is_missing(campaign, task, clerk):
    rows.message(campaign, state="expired")
    assert calls.make(campaign=campaign, by=clerk) == 1
    assert CallTask.objects.count() == 2
    assert CallTask.history.count() == 2


def test_more_than_a_step_of_them(campaign, clerk, monkeypatch):
    monkeypatch.setattr(calls, "STEP", 2)
    for _n in range(5):
        rows.message(campaign, state="failed")
    assert calls.make(campaign=campaign, by=clerk) == 5


@pytest.mark.parametrize("state", [LifeState.DECEASED, LifeState.MOVED])
def test_who_died_or_moved_away_is_not_called(campaign, station, clerk, state):
    rows.message(campaign, factories.resident(station, life_state=state), state="failed")
    assert calls.make(campaign=campaign, by=clerk) == 0


def test_another_institution_s_campaign_is_not_ours(lost, campaign, other_station, doctor):
    with pytest.raises(Forbidden):
        calls.make(campaign=campaign, by=factories.user("clerk", other_station))
    with pytest.raises(Forbidden):
        calls.make(campaign=campaign, by=doctor)
    assert not CallTask.objects.exists()


def test_one_click_closes_it_with_who_and_when(task, nurse):
    row = calls.close(task=task, state="reached", note=" 已通知 ", by=nurse)
    assert (row.state, row.note, row.done_by) == ("reached", "已通知", nurse)
    assert row.done_at is not None
    assert AuditEntry.objects.filter(act=Act.CHANGE, resident=str(task.resident.uuid)).count() == 1


def test_the_same_outcome_again_changes_nothing(task, nurse, clerk):
    calls.close(task=task, state="reached", by=nurse)
    again = calls.close(task=task, state="reached", by=clerk)
    assert again.done_by == nurse
    assert task.history.count() == 2


def test_another_s_outcome_is_not_overwritten(task, nurse, clerk):
    calls.close(task=task, state="reached", by=nurse)
    with pytest.raises(Conflict):
        calls.close(task=task, state="wrong_number", by=clerk)
    row = calls.close(task=task, state="wrong_number", by=clerk, seen="reached")
    assert row.state == CallState.WRONG_NUMBER


def test_opened_again_it_has_no_doer(task, nurse):
    calls.close(task=task, state="dropped", by=nurse)
    row = calls.close(task=task, state="open", by=nurse, seen="dropped")
    assert (row.state, row.done_by, row.done_at) == ("open", None, None)


@pytest.mark.parametrize("given", [{"state": "x"}, {"state": ""}, {"state": "reached", "note": "长" * 201}])
def test_odd_outcomes_are_refused(task, nurse, given):
    with pytest.raises(Refused):
        calls.close(task=task, by=nurse, **given)


def test_the_station_s_list_with_masked_numbers(client, nurse, task, resident):
    client.force_login(nurse)
    html = client.get(reverse("calls")).content.decode()
    assert resident.name in html
    assert resident.masked_phone in html
    assert resident.phone not in html


def test_the_list_of_another_station_is_empty(client, task, resident, other_station):
    client.force_login(factories.user("nurse", other_station))
    assert resident.name not in client.get(reverse("calls")).content.decode()
    assert post(client, task, state="reached").status_code == 404


@pytest.mark.parametrize("role", ["doctor", "district", "centre_it", "auditor"])
def test_who_calls_nobody_has_no_list(client, station, role):
    client.force_login(factories.user(role, station))
    assert client.get(reverse("calls")).status_code == 403


def test_an_outcome_from_the_page(client, nurse, task):
    client.force_login(nurse)
    answer = client.post(
        reverse("call", args=[task.uuid]),
        {"state": "reached", "seen": "open"},
        headers={"HX-Request": "true"},
    )
    assert nurse.name in answer.content.decode()
    post(client, task, state="reached")
    task.refresh_from_db()
    assert task.state == CallState.REACHED


def test_a_refused_outcome_is_told_in_its_row(client, nurse, clerk, task):
    calls.close(task=task, state="reached", by=clerk)
    client.force_login(nurse)
    data = {"state": "wrong_number", "seen": "open"}
    answer = client.post(reverse("call", args=[task.uuid]), data, headers={"HX-Request": "true"})
    assert 'role="alert"' in answer.content.decode()


@pytest.mark.parametrize("query", ["?tab=x", "?after=1", "?after=" + "0" * 32])
def test_an_odd_address_is_not_found(client, nurse, query):
    client.force_login(nurse)
    assert client.get(reverse("calls") + query).status_code == 404


def test_the_list_is_paged_and_costs_few_queries(
    client, nurse, clerk, campaign, django_assert_max_num_queries
):
    for _n in range(52):
        rows.message(campaign, state="failed")
    calls.make(campaign=campaign, by=clerk)
    client.force_login(nurse)
    with django_assert_max_num_queries(8):
        html = client.get(reverse("calls")).content.decode()
    assert html.count('class="call"') == 50
    last = list(CallTask.objects.order_by("made_at", "pk"))[49]
    assert client.get(f"{reverse('calls')}?after={last.uuid}").content.decode().count('class="call"') == 2
