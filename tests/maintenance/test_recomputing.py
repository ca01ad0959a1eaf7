"""Promises and calendars that change move the times of what is open."""

from datetime import date

import pytest
from django_tasks_db.models import DBTaskResult

from clinic.codes import Role
from maintenance import recomputing
from maintenance.actions import tickets
from maintenance.models import Alarm, Promise, WorkDay
from tests import factories
from tests.maintenance.conftest import MONDAY, at


def test_a_free_day_moves_what_is_due_after_it(fault, office):
    made = fault()
    assert made.resolve_due_at == at("11-24 09:30")
    WorkDay.objects.create(calendar=office, day=date(2026, 11, 24), works=False)
    assert recomputing.recompute(MONDAY) == 1
    made.refresh_from_db()
    assert made.resolve_due_at == at("11-25 09:30")
    assert Alarm.objects.get(ticket=made, target="resolve", percent=100).at == at("11-25 09:30")
    assert made.events.filter(kind="recomputed").count() == 1


def test_nothing_changed_tells_nothing(fault):
    made = fault()
    assert recomputing.recompute(MONDAY) == 0
    assert not made.events.filter(kind="recomputed").exists()


def test_what_is_closed_stays(fault, people):
    made = fault()
    tickets.close(ticket=made, by=people["it"], closing="answered", words="好", now=MONDAY)
    Promise.objects.update(resolve=1)
    assert recomputing.recompute(MONDAY) == 0


def test_step_by_step_all_are_reached(fault, monkeypatch):
    monkeypatch.setattr("maintenance.recomputing.STEP", 2)
    for _n in range(5):
        fault()
    Promise.objects.update(resolve=60)
    assert recomputing.recompute(MONDAY) == 5


@pytest.mark.django_db(transaction=True)
def test_a_change_at_the_desk_queues_the_job(client, fault, district, level):
    client.force_login(factories.user(Role.DISTRICT_IT, district))
    answer = client.post(
        f"/admin/maintenance/servicelevel/{level.uuid}/change/",
        {"name": "新等级", "usual": "on", "active": "on", "promises-TOTAL_FORMS": 0, "promises-INITIAL_FORMS": 0, "promises-MIN_NUM_FORMS": 0, "promises-MAX_NUM_FORMS": 4},
    )  # fmt: skip
    assert answer.status_code == 302
    level.refresh_from_db()
    assert level.name == "新等级"
    assert DBTaskResult.objects.filter(task_path="maintenance.jobs.recompute_tickets").exists()
