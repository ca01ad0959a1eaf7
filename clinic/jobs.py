"""The ground floor's recurring jobs. Each may run twice or be cut off at any point: the next run goes on."""

from datetime import timedelta

from django.contrib.sessions.backends.db import SessionStore
from django.utils import timezone
from django_tasks import task
from django_tasks_db.models import DBTaskResult

from clinic import chain

KEEP_DONE = timedelta(days=3)
KEEP_FAILED = timedelta(days=90)


@task()
def chain_audit():
    """Link the audit entries that came since."""
    return chain.chain_all()


@task()
def anchor_audit():
    """Write today's anchor unless it is written."""
    made = chain.anchor()
    return made.position if made else None


@task()
def clear_sessions():
    """Remove sessions that ended."""
    SessionStore.clear_expired()


@task()
def prune_jobs():
    """Forget jobs that are done; failed ones are kept longer for whoever looks into them."""
    now = timezone.now()
    done = DBTaskResult.objects.successful().filter(finished_at__lt=now - KEEP_DONE)
    failed = DBTaskResult.objects.failed().filter(finished_at__lt=now - KEEP_FAILED)
    return done.delete()[0] + failed.delete()[0]
