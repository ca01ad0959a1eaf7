"""Recurring jobs: one timetable of many fires, nothing fires twice, and lost jobs come back."""

import os
import signal
import subprocess
import sys
from datetime import timedelta

import pytest
from apscheduler.triggers.interval import IntervalTrigger
from django.contrib.sessions.models import Session
from django.utils import timezone
from django_tasks.base import TaskResultStatus
from django_tasks_db.models import DBTaskResult

from clinic import jobs, registry, timetable
from clinic.models import Lease
from clinic.timetable import Timetable
from tests.conftest import Rights

pytestmark = pytest.mark.django_db
EVERY_MINUTE = [
    registry.TimetableLine("clear", "clinic.jobs.clear_sessions", IntervalTrigger(minutes=1, timezone="UTC"))
]


@pytest.fixture
def now():
    return timezone.now()


def queued():
    return DBTaskResult.objects.filter(status=TaskResultStatus.READY).count()


def finish_all():
    DBTaskResult.objects.update(status=TaskResultStatus.SUCCESSFUL, finished_at=timezone.now())


def running_job(worker, tries=1):
    jobs.clear_sessions.enqueue()
    DBTaskResult.objects.update(
        status=TaskResultStatus.RUNNING, started_at=timezone.now(), worker_ids=[worker] * tries
    )
    return DBTaskResult.objects.get()


def test_of_two_timetables_one_fires(now):
    first, second = Timetable("a", EVERY_MINUTE), Timetable("b", EVERY_MINUTE)
    assert first.tick(now) == ["clear"]
    assert second.tick(now) is None
    assert queued() == 1


def test_a_killed_holder_is_replaced_when_its_lease_ends(now, settings):
    Timetable("killed", EVERY_MINUTE).tick(now)
    heir = Timetable("heir", EVERY_MINUTE)
    length = timedelta(seconds=settings.TIMETABLE_LEASE_SECONDS)
    assert heir.tick(now + length - timedelta(seconds=1)) is None
    assert heir.tick(now + length) == []


def test_a_timetable_that_leaves_in_good_order_is_replaced_at_once(now):
    first = Timetable("a", EVERY_MINUTE)
    first.tick(now)
    first.release()
    assert Timetable("b", EVERY_MINUTE).tick(now) == []


def test_a_holder_that_slept_too_long_does_not_fire_beside_its_heir(now, settings):
    sleeper = Timetable("sleeper", EVERY_MINUTE)
    sleeper.tick(now)
    later = now + timedelta(seconds=settings.TIMETABLE_LEASE_SECONDS + 60)
    assert Timetable("heir", EVERY_MINUTE).tick(later) == ["clear"]
    assert sleeper.tick(later) is None


def test_a_line_fires_once_an_interval(now):
    only = Timetable("a", EVERY_MINUTE)
    only.tick(now)
    finish_all()
    assert only.tick(now + timedelta(seconds=59)) == []
    assert only.tick(now + timedelta(seconds=60)) == ["clear"]


def test_a_job_that_still_waits_is_not_queued_again(now):
    only = Timetable("a", EVERY_MINUTE)
    only.tick(now)
    only.tick(now + timedelta(minutes=5))
    assert queued() == 1


def test_a_night_without_power_is_caught_up_once(now):
    only = Timetable("a", EVERY_MINUTE)
    only.tick(now)
    finish_all()
    morning = now + timedelta(hours=12)
    assert [only.tick(morning), only.tick(morning + timedelta(seconds=1))] == [["clear"], []]


def test_every_line_of_the_house_names_a_real_job(now):
    fired = Timetable("a").tick(now)
    assert {"chain_audit", "anchor_audit", "clear_sessions", "prune_jobs"} <= set(fired)
    assert queued() == len(fired)


def test_a_job_of_a_dead_worker_is_queued_again(now):
    job = running_job("dead")
    assert timetable.requeue_lost(now) == 1
    job.refresh_from_db()
    assert job.status == TaskResultStatus.READY


def test_a_job_of_a_living_worker_is_left_alone(now):
    job = running_job("alive")
    timetable.beat("alive", now)
    assert timetable.requeue_lost(now + timedelta(seconds=30)) == 0
    job.refresh_from_db()
    assert job.status == TaskResultStatus.RUNNING


def test_a_worker_that_stopped_beating_counts_as_dead(now):
    running_job("silent")
    timetable.beat("silent", now)
    assert timetable.requeue_lost(now + timedelta(seconds=timetable.WORKER_SECONDS + 1)) == 1


def test_a_job_that_kills_its_workers_is_given_up(now):
    job = running_job("dead", tries=timetable.TRIES)
    timetable.requeue_lost(now)
    job.refresh_from_db()
    assert job.status == TaskResultStatus.FAILED


def test_ended_sessions_are_cleared_and_running_ones_stay(now):
    for key, end in (("old", now - timedelta(hours=1)), ("young", now + timedelta(hours=1))):
        Session.objects.create(session_key=key, session_data="", expire_date=end)
    jobs.clear_sessions.call()
    assert list(Session.objects.values_list("session_key", flat=True)) == ["young"]


def test_done_jobs_are_forgotten_after_some_days(now):
    running_job("w")
    finish_all()
    assert jobs.prune_jobs.call() == 0
    DBTaskResult.objects.update(finished_at=now - jobs.KEEP_DONE - timedelta(hours=1))
    assert jobs.prune_jobs.call() == 1


@pytest.mark.django_db(transaction=True)
def test_the_timetable_ends_at_once_on_sigterm_and_gives_its_lease_back(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "manage.py", "timetable"], env=environment(), stdout=subprocess.PIPE, text=True
    )
    assert any('"timetable started"' in line for line in process.stdout)
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=5) == 0
    process.stdout.close()
    assert not Lease.objects.exclude(holder="").filter(name=timetable.NAME).exists()


@pytest.mark.django_db(transaction=True)
def test_the_worker_does_what_is_queued_and_leaves_no_lease():
    jobs.chain_audit.enqueue()
    subprocess.run(
        [sys.executable, "manage.py", "db_worker", "--queue-name", "*", "--batch", "--no-startup-delay"],
        env=environment(), check=True, timeout=60, capture_output=True,
    )  # fmt: skip
    assert DBTaskResult.objects.get().status == TaskResultStatus.SUCCESSFUL
    assert not Lease.objects.filter(name__startswith=timetable.WORKER).exists()


def environment():
    """The test database's address, for a process of its own."""
    from urllib.parse import quote

    from django.db import connection

    given = {**connection.settings_dict, **Rights.app}
    user = given["USER"] + (f":{quote(given['PASSWORD'])}" if given["PASSWORD"] else "")
    host = quote(str(given["HOST"]), safe="")
    port = f":{given['PORT']}" if given["PORT"] else ""
    return {**os.environ, "DATABASE_URL": f"postgresql://{user}@{host}{port}/{given['NAME']}"}
