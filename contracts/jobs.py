"""What recurs in family-doctor signing. Each job may run twice or be cut off anywhere."""

from django_tasks import task

from contracts import batching, lifecycle, proposals, reminders
from contracts.figures import adding_up


@task()
def add_up_figures():
    adding_up.add_up_lately()


@task()
def add_up_all_figures():
    adding_up.add_up_all()


@task()
def run_batch(pk):
    """An order for many agreements, at once after it was given."""
    return batching.work(pk)


@task()
def run_batches():
    """Go on with orders whose job died."""
    return batching.work_left_behind()


@task()
def tend_agreements():
    return lifecycle.tend()


@task()
def remind():
    return reminders.follow_up() + reminders.remind()


@task()
def propose_evidence():
    return proposals.withdraw_undone() + proposals.propose()


@task()
def propose_all_evidence():
    return proposals.propose_all()
