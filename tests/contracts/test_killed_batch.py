"""A worker of a batch is killed in the midst of a chunk, really, and another one finishes it."""

import os
import signal
import subprocess
import sys
import uuid
from datetime import timedelta

import pytest
from django.conf import settings
from django.utils import timezone

from clinic.codes import Role
from contracts import batching
from contracts.actions import batches
from contracts.codes import BatchKind
from contracts.models import Agreement, AgreementCounter, PlanItem
from tests import factories, waiting
from tests.contracts import desk_build as build
from tests.journeys.server import database_url

# Chunks of two lines; the second one is all written and waits for ever before it commits.
WORKER = """
import sys, django
django.setup()
from contracts import batching
batching.WORK = {kind: (act, 2) for kind, (act, _most) in batching.WORK.items()}
write, chunks = batching._write, []
def wait(lines):
    write(lines)
    chunks.append(lines)
    if len(chunks) == 2:
        print("written", flush=True)
        sys.stdin.read()
batching._write = wait
batching.work(int(sys.argv[1]))
"""


def worker(batch):
    environ = {
        **os.environ, "DATABASE_URL": database_url(), "SHEYI_DB_ROLE": "app", "DJANGO_SETTINGS_MODULE": "clinic.settings",
        "SHEYI_SECRET_KEY": settings.SECRET_KEY,
    }  # fmt: skip
    command = [sys.executable, "-c", WORKER, str(batch.pk)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    return subprocess.Popen(command, cwd=settings.BASE_DIR, env=environ, **pipes)


@pytest.fixture
def batch(station, district):
    """Renewing seven agreements."""
    team, version, clerk = build.team(station), build.version(district), factories.user(Role.CLERK, station)
    end, chosen = timezone.localdate() + timedelta(days=20), []
    for _n in range(7):
        old = build.agreement(factories.resident(station), team, start=end - timedelta(days=364), end=end)
        old.packages.create(version=version, price=120, waiver=100)
        chosen.append((old.pk, old.resident_id))
    return batches.start(
        key=uuid.uuid4(), kind=BatchKind.RENEW, institution=station, by=clerk, agreements=chosen,
        orders={"years": 1, "text": build.text(district).pk, "confirmed": True},
    )  # fmt: skip


@pytest.mark.django_db(transaction=True)
def test_killed_in_mid_chunk_each_line_is_done_once(batch):
    process = worker(batch)
    assert process.stdout.readline() == b"written\n"
    assert batching.work(batch.pk) == 0  # somebody is at it
    process.send_signal(signal.SIGKILL)
    process.communicate()
    waiting.for_open_transactions()
    assert batch.lines.filter(state="done").count() == 2
    assert batching.work_left_behind() == 1
    batch.refresh_from_db()
    assert (batch.state, batch.lines_done, batch.lines_refused) == ("done", 7, 0)
    assert all(line.made.follows_id == line.agreement_id for line in batch.lines.select_related("made"))
    new = Agreement.objects.filter(follows__isnull=False).values("pk")
    assert (
        Agreement.history.filter(id__in=new).count()
        == PlanItem.objects.filter(agreement__in=new).count()
        == 7
    )
    assert AgreementCounter.objects.get().last == 7  # the chunk that was lost gave its numbers back
