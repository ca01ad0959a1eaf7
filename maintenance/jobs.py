"""What recurs in maintenance. Each job may run twice or be cut off anywhere."""

from django_tasks import task

from maintenance import breaches, escalation, silence


@task()
def escalate():
    return escalation.fire()


@task()
def find_breaches():
    return breaches.find()


@task()
def close_silent():
    return silence.close()
