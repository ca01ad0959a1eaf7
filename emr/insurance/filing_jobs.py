"""Jobs that a filing asks for at once. Each may run twice or be cut off at any point: emr.jobs.tend_filings picks up
what was left behind."""

import uuid
from functools import partial

from django.db import transaction
from django.utils import timezone
from django_tasks import task

from emr.actions import filing_delivery
from emr.models import InsuranceFiling


@task()
def deliver_filing(filing):
    """Send it to its interface; ``filing`` is a uuid as text."""
    filing_delivery.deliver(filing=_row(filing), now=timezone.now())


@task()
def withdraw_filing(filing):
    """Take it back at its interface."""
    filing_delivery.withdraw(filing=_row(filing), now=timezone.now())


def after_commit(job, filing):
    """Enqueue once the row is there for the worker. A queue that fails now holds nobody up: what is due is a row."""
    transaction.on_commit(partial(job.enqueue, str(filing.uuid)), robust=True)


def _row(text):
    return InsuranceFiling.objects.get(uuid=uuid.UUID(text))
