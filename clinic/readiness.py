"""Is the house ready for work: database, migrations, queues. Cheap enough to be asked every second."""

from datetime import timedelta

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection
from django.db.migrations.executor import MigrationExecutor
from django.db.models import Q
from django.utils import timezone
from django.utils.module_loading import import_string
from django_tasks.base import TaskResultStatus
from django_tasks_db.models import DBTaskResult, get_date_max

from clinic import chain, registry, timetable
from clinic.models import Lease

DATABASE, MIGRATIONS = "database", "migrations"
LATE = timedelta(minutes=5)
LONGEST_JOB = timedelta(hours=2)

_migrated = False


def problems(now=None) -> list[str]:
    """Names of what is bad; empty while the house is ready."""
    now = now or timezone.now()
    try:
        if not _is_migrated():
            return [MIGRATIONS]
        return [check.name for check in registry.readiness if not import_string(check.run)(now)]
    except (DatabaseError, InterfaceError):
        connection.close()
        return [DATABASE]


def may_explain(problems):
    """Whether there is something to tell and a database that knows who asks."""
    return bool(problems) and not {DATABASE, MIGRATIONS} & set(problems)


def _is_migrated():
    """Asked until it is true: a running process' own migrations do not become more.

    A database whose migrations were taken back under a running process answers for itself in every page.
    """
    global _migrated  # noqa: PLW0603 - one fact of the process
    if not _migrated:
        executor = MigrationExecutor(connection)
        _migrated = not executor.migration_plan(executor.loader.graph.leaf_nodes())
    return _migrated


def timetable_seen(now):
    grace = timedelta(seconds=settings.TIMETABLE_LEASE_SECONDS)
    return Lease.objects.filter(name=timetable.NAME, until__gt=now - grace).exists()


def jobs_flow(now):
    """No job waits for a worker for minutes, none runs for hours."""
    waiting = Q(status=TaskResultStatus.READY, enqueued_at__lt=now - LATE) & (
        Q(run_after=get_date_max()) | Q(run_after__lt=now - LATE)
    )
    endless = Q(status=TaskResultStatus.RUNNING, started_at__lt=now - LONGEST_JOB)
    return not DBTaskResult.objects.filter(waiting | endless).exists()


def chain_follows(now):
    return not chain.behind(now)
