"""Probes: liveness needs no database, readiness says 503 while something is bad and tells the reason to few."""

import contextlib
from datetime import timedelta

import pytest
from django.db import OperationalError, connection
from django.utils import timezone
from django_tasks.base import TaskResultStatus
from django_tasks_db.models import DBTaskResult

from clinic import audit, jobs, readiness
from clinic.codes import Act, Role
from clinic.models import AuditEntry
from clinic.timetable import Timetable
from tests import factories


@pytest.fixture
def timetable_runs(db):
    Timetable("a", []).tick(timezone.now())


@pytest.fixture
def engineer(district):
    return factories.user(Role.DISTRICT_IT, district)


@pytest.fixture
def no_database(monkeypatch):
    """The database goes away for the length of a with block."""

    @contextlib.contextmanager
    def away():
        def refuse(*args, **kwargs):
            raise OperationalError("could not connect to server")

        with monkeypatch.context() as patch:
            patch.setattr(connection, "cursor", refuse)
            patch.setattr(connection, "close", lambda: None)
            yield

    return away


def test_liveness_asks_no_database(client):
    answer = client.get("/healthz")  # pytest-django fails any query of a test without the db mark
    assert answer.json() == {"status": "ok"}


def test_liveness_of_a_signed_in_browser_asks_no_database(client, doctor, django_assert_num_queries):
    client.force_login(doctor)
    with django_assert_num_queries(0):
        assert client.get("/healthz").status_code == 200


def test_ready_within_few_queries(client, timetable_runs, django_assert_max_num_queries):
    client.get("/readyz")
    with django_assert_max_num_queries(4):
        assert client.get("/readyz").json() == {"status": "ok"}


def test_not_ready_before_a_timetable_was_seen(client, db):
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()) == (503, {"status": "unready"})


def test_not_ready_when_the_timetable_stopped(timetable_runs):
    assert readiness.problems(timezone.now() + timedelta(minutes=2)) == ["timetable"]


def test_the_reason_is_told_to_operations(client, engineer):
    client.force_login(engineer)
    assert client.get("/readyz").json() == {"status": "unready", "problems": ["timetable"]}


def test_the_reason_is_not_told_to_a_doctor(client, doctor):
    client.force_login(doctor)
    assert client.get("/readyz").json() == {"status": "unready"}


def test_a_job_that_nobody_takes_makes_unready(timetable_runs):
    jobs.clear_sessions.enqueue()
    assert readiness.problems() == []
    DBTaskResult.objects.update(enqueued_at=timezone.now() - timedelta(minutes=6))
    assert readiness.problems() == ["jobs"]


def test_a_job_for_tomorrow_waits_in_peace(timetable_runs):
    jobs.clear_sessions.using(run_after=timezone.now() + timedelta(days=1)).enqueue()
    DBTaskResult.objects.update(enqueued_at=timezone.now() - timedelta(hours=6))
    assert readiness.problems() == []


def test_a_job_that_never_ends_makes_unready(timetable_runs):
    jobs.clear_sessions.enqueue()
    DBTaskResult.objects.update(
        status=TaskResultStatus.RUNNING, started_at=timezone.now() - timedelta(hours=3)
    )
    assert readiness.problems() == ["jobs"]


def test_an_audit_chain_that_lags_makes_unready(timetable_runs):
    AuditEntry.objects.create(act=Act.VIEW, at=timezone.now() - timedelta(minutes=11))
    assert readiness.problems() == ["audit chain"]


def test_a_fresh_audit_entry_does_not(timetable_runs):
    audit.record(Act.VIEW)
    assert readiness.problems() == []


def test_missing_migrations_make_unready(client, timetable_runs, monkeypatch):
    monkeypatch.setattr(readiness, "_migrated", False)
    monkeypatch.setattr(readiness.MigrationExecutor, "migration_plan", lambda *args: ["one"])
    assert client.get("/readyz").status_code == 503


def test_a_dead_database_is_answered_in_json_even_to_a_signed_in_browser(client, doctor, no_database):
    client.force_login(doctor)
    with no_database():
        answer = client.get("/readyz")
    assert (answer.status_code, answer.json()) == (503, {"status": "unready"})


def test_liveness_survives_a_dead_database(client, doctor, no_database):
    client.force_login(doctor)
    with no_database():
        assert client.get("/healthz").status_code == 200
