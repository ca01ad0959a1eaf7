"""Two at once on campaigns and single messages, with real transactions; a builder killed at its work."""

import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.conf import settings
from django.db import connection

from clinic.codes import Role
from clinic.errors import Conflict, Refused
from messaging import building
from messaging.actions import campaigns as actions
from messaging.actions import messages, practice, templates
from messaging.codes import CampaignState
from messaging.models import Campaign, Message, Tally
from tests import factories
from tests.journeys.server import database_url

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(*acts):
    """What each returned or was refused with; all begin together."""
    barrier = threading.Barrier(len(acts))

    def run(act):
        try:
            barrier.wait(10)
            return act()
        except Refused as refusal:
            return refusal
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


def make(station, by, key=None, body="{name}您好。拒收请回复R"):
    return actions.make(
        key=key or uuid.uuid4(), institution=station, name="x", purpose="education", body=body, by=by,
        audience={"source": "criteria"},
    )  # fmt: skip


def people(station, count):
    for n in range(count):
        factories.resident(station, phone=f"1380013{n:04d}")


def states(outcomes):
    return sorted(type(one).__name__ if isinstance(one, Exception) else one.state for one in outcomes)


def test_two_clicks_make_one(station, clerk):
    key = uuid.uuid4()
    first, second = at_once(lambda: make(station, clerk, key), lambda: make(station, clerk, key))
    assert first == second == Campaign.objects.get()


def test_two_clerks_make_one_and_the_second_is_led_to_it(station, clerk):
    other = factories.user(Role.CLERK, station)
    outcomes = at_once(lambda: make(station, clerk), lambda: make(station, other))
    (refusal,) = (one for one in outcomes if isinstance(one, Conflict))
    assert (refusal.code, refusal.facts["campaign"]) == ("twice", str(Campaign.objects.get().uuid))


def test_a_page_sent_again_with_another_text_is_refused(station, clerk):
    key = uuid.uuid4()
    make(station, clerk, key)
    with pytest.raises(Conflict) as conflict:
        make(station, clerk, key, body="别的")
    assert conflict.value.code == "key"


def test_released_against_cancelled(station, clerk):
    people(station, 3)
    row = building.build(make(station, clerk))
    outcomes = at_once(
        lambda: actions.release(campaign=row, by=clerk), lambda: actions.cancel(campaign=row, by=clerk)
    )
    assert states(outcomes) in (["Conflict", "cancelled"], ["cancelled", "running"])
    assert set(Message.objects.values_list("state", flat=True)) == {"cancelled"}


def test_two_approve_one_does(station, clerk, manager, centre):
    people(station, 2)
    practice.keep(institution=centre, by=manager, approval_above=0)
    row = actions.release(campaign=building.build(make(station, clerk)), by=clerk)
    assert row.state == CampaignState.WAITING
    other = factories.user(Role.MANAGER, centre)
    outcomes = at_once(*(lambda by=by: actions.approve(campaign=row, by=by) for by in (manager, other)))
    assert states(outcomes) == ["Conflict", "running"]


def test_two_builders_make_one(station, clerk, monkeypatch):
    monkeypatch.setattr(building, "STEP", 3)
    people(station, 20)
    row = make(station, clerk)
    at_once(lambda: building.build(row), lambda: building.build(row))
    row.refresh_from_db()
    assert (row.state, row.recipients, Message.objects.count()) == (CampaignState.READY, 20, 20)


def test_one_key_queued_twice_at_once(station, centre, manager):
    person = factories.resident(station, phone="13800138000")
    template = templates.keep(institution=centre, name="t", purpose="service", body="您好", by=manager)
    given = {
        "resident": person, "purpose": "service", "template": template, "key": uuid.uuid4(), "institution": station
    }  # fmt: skip
    first, second = at_once(lambda: messages.queue(**given), lambda: messages.queue(**given))
    assert first == second == Message.objects.get()


BUILDER = """
import django, sys, time
django.setup()
from messaging import building
from messaging.models import Campaign
building.STEP = 2
step = building._step
def slowly(key, now):
    row = step(key, now)
    print(row.built_to, flush=True)
    time.sleep(0.05)
    return row
building._step = slowly
building.build(Campaign.objects.get(pk=int(sys.argv[1])))
"""


def test_a_builder_killed_midway_loses_and_doubles_nothing(station, clerk):
    people(station, 40)
    row = make(station, clerk)
    environ = {
        **os.environ, "DATABASE_URL": database_url(), "SHEYI_DB_ROLE": "app", "DJANGO_SETTINGS_MODULE": "clinic.settings",
        "SHEYI_SECRET_KEY": settings.SECRET_KEY,
    }  # fmt: skip
    builder = subprocess.Popen(
        [sys.executable, "-c", BUILDER, str(row.pk)],
        cwd=settings.BASE_DIR,
        env=environ,
        stdout=subprocess.PIPE,
    )
    for _step in range(3):
        assert builder.stdout.readline()
    builder.send_signal(signal.SIGKILL)
    builder.wait()
    builder.stdout.close()
    assert 0 < settled_count() < 40
    row = building.build(row)
    assert (row.recipients, row.segments, row.state) == (40, 40, CampaignState.READY)
    assert Message.objects.count() == len(set(Message.objects.values_list("phone", flat=True))) == 40
    assert sum(Tally.objects.values_list("messages", flat=True)) == 40


def settled_count(patience=10):
    """Messages there, once the killed process' connection has been noticed gone."""
    end = time.monotonic() + patience
    with connection.cursor() as cursor:
        while time.monotonic() < end:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            if cursor.fetchone()[0] == 0:
                break
            time.sleep(0.02)
    return Message.objects.count()


def test_very_many_are_cancelled_in_batches(station, clerk, monkeypatch):
    monkeypatch.setattr(actions, "BATCH", 2)
    people(station, 9)
    row = building.build(make(station, clerk))
    actions.cancel(campaign=row, by=clerk)
    assert Message.objects.filter(state="queued").count() == 5
    assert actions.clear_left_behind(row.made_at) == 5
    assert actions.clear_left_behind(row.made_at) == 0
