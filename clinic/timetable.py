"""What recurs: one process of many fires the lines of the timetable, and brings back lost jobs.

Any number of timetables may run; a lease row elects the one that fires. A killed one is replaced when its lease ends.
"""

import logging
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils.module_loading import import_string
from django_tasks.base import TaskResultStatus
from django_tasks_db.models import DBTaskResult

from clinic import registry
from clinic.models import Lease

log = logging.getLogger("sheyi.timetable")

NAME = "timetable"
WORKER = "worker:"
WORKER_SECONDS = 60
# A job that took this many workers with it is not tried again.
TRIES = 5


class Timetable:
    """One candidate. Call ``tick`` about once a second."""

    def __init__(self, holder, lines=None):
        self.holder = holder
        self.lines = registry.timetable if lines is None else lines
        self.until = None

    def tick(self, now) -> list[str] | None:
        """Fire what is due and return its names; None while another timetable fires."""
        if not self._elected(now):
            return None
        requeue_lost(now)
        return self._fire(now)

    def release(self):
        Lease.objects.release(NAME, self.holder)

    def _elected(self, now):
        """Renewed when a third of the lease is gone: a write every ten seconds, not every second."""
        length = settings.TIMETABLE_LEASE_SECONDS
        if self.until and now < self.until - timedelta(seconds=length * 2 / 3):
            return True
        mine = Lease.objects.take(NAME, self.holder, length, now)
        self.until = now + timedelta(seconds=length) if mine else None
        return mine

    @transaction.atomic
    def _fire(self, now):
        """The jobs and the times of their firing are written together, so none fires twice or not at all."""
        runs = dict(Lease.objects.values_list("last_run", flat=True).get(name=NAME))
        if not any(_due(line, runs, now) for line in self.lines):
            return []
        lease = Lease.objects.select_for_update().get(name=NAME)
        if lease.holder != self.holder:
            self.until = None
            return None
        runs = dict(lease.last_run)
        due = [line for line in self.lines if _due(line, runs, now)]
        for line in due:
            _enqueue(line.task)
            runs[line.name] = now.isoformat()
        lease.last_run = runs
        lease.save(update_fields=["last_run"])
        return [line.name for line in due]


def _due(line, runs, now):
    last = runs.get(line.name)
    if last is None:
        return True
    following = line.trigger.get_next_fire_time(datetime.fromisoformat(last), now)
    return following is not None and following <= now


def _enqueue(path):
    """Not while the same job waits or runs: a slow worker must not find a heap of them."""
    open_states = [TaskResultStatus.READY, TaskResultStatus.RUNNING]
    if not DBTaskResult.objects.filter(task_path=path, status__in=open_states).exists():
        import_string(path).enqueue()


# Workers and the jobs they leave behind ---------------------------------------------------------------


def beat(worker, now):
    """A worker says that it lives (clinic.management.commands.db_worker)."""
    Lease.objects.take(WORKER + worker, worker, WORKER_SECONDS, now)


def rest(worker):
    """A worker leaves in good order."""
    Lease.objects.filter(name=WORKER + worker).delete()


def requeue_lost(now) -> int:
    """Jobs still RUNNING whose worker is gone run again: the queue itself has neither lease nor retry."""
    running = list(DBTaskResult.objects.running().only("pk", "worker_ids", "task_path"))
    if not running:
        return 0
    living = set(
        Lease.objects.filter(name__startswith=WORKER, until__gt=now).values_list("holder", flat=True)
    )
    lost = [job for job in running if not job.worker_ids or job.worker_ids[-1] not in living]
    for job in lost:
        _bring_back(job, now)
    Lease.objects.filter(name__startswith=WORKER, until__lt=now - timedelta(hours=1)).delete()
    return len(lost)


def _bring_back(job, now):
    mine = DBTaskResult.objects.filter(pk=job.pk, status=TaskResultStatus.RUNNING, worker_ids=job.worker_ids)
    if len(job.worker_ids) >= TRIES:
        mine.update(status=TaskResultStatus.FAILED, finished_at=now, exception_class_path="WorkerLost")
        log.error("job given up", extra={"facts": {"job": str(job.pk), "task": job.task_path}})
    else:
        mine.update(status=TaskResultStatus.READY)
        log.warning("job queued again", extra={"facts": {"job": str(job.pk), "task": job.task_path}})
