"""What recurs in maintenance. Each job may run twice or be cut off anywhere."""

from django_tasks import task

from clinic import metering
from maintenance import breaches, escalation, recomputing, silence
from maintenance.backups import watching
from maintenance.emergencies import kits
from maintenance.things import probing
from maintenance.upgrading import notices
from maintenance.upgrading import watching as upgrades
from maintenance.weekly import making


@task()
def escalate():
    return escalation.fire()


@task()
def find_breaches():
    return breaches.find()


@task()
def close_silent():
    return silence.close()


@task()
def recompute_tickets():
    """Queued when a promise or a calendar was changed; the timetable's hourly run heals what a lost one left."""
    return recomputing.recompute()


@task()
def watch_backups():
    return watching.alarm()


@task()
def make_weekly_reports():
    return making.make_missing()


@task()
def remind_of_upgrades():
    return notices.remind()


@task()
def watch_upgrades():
    return upgrades.watch()


@task()
def forget_request_minutes():
    return metering.forget()


@task()
def probe_lines():
    return probing.probe()


@task()
def make_kits():
    return kits.make_all()
