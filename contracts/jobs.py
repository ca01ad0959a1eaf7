"""What recurs in family-doctor signing. Each job may run twice or be cut off anywhere."""

from django_tasks import task

from contracts.figures import adding_up


@task()
def add_up_figures():
    adding_up.add_up_lately()


@task()
def add_up_all_figures():
    adding_up.add_up_all()
