"""The watch after an upgrade: hour by hour what fails and how long pages take, beside the same hour of the week before."""

import uuid
from datetime import timedelta

from django.utils import timezone
from django.utils.translation import gettext as _

from clinic import metering, registry
from clinic.errors import Refused
from maintenance.codes import UpgradeState
from maintenance.models import Ticket, Upgrade, WatchHour
from messaging.actions import staff

HOURS, HOUR, WEEK = 72, timedelta(hours=1), timedelta(days=7)
# Past this an hour is alarming: so many times as many as a week before, and so many more.
TIMES = 2
MORE = {"saves_failed": 5, "errors": 5, "tickets": 3}
SLOWER, SLOW = 1.5, 500


def watch(now=None) -> int:
    """Write every hour that is over since; returns how many. May run any number of times."""
    now = now or timezone.now()
    done = 0
    for upgrade in Upgrade.objects.filter(
        state=UpgradeState.WATCHING, finished_at__isnull=False
    ).select_related("responsible"):
        done += _of(upgrade, now)
    return done


def _of(upgrade, now):
    first = upgrade.finished_at.replace(minute=0, second=0, microsecond=0)
    known = set(WatchHour.objects.filter(upgrade=upgrade).values_list("hour", flat=True))
    hours = [hour for n in range(HOURS) if (hour := first + HOUR * n) + HOUR <= now and hour not in known]
    for hour in hours:
        measured, before = measure(hour), measure(hour - WEEK)
        alarming = is_alarming(measured, before)
        _row, fresh = WatchHour.objects.get_or_create(
            upgrade=upgrade, hour=hour, defaults={"now": measured, "before": before, "alarming": alarming}
        )
        if fresh and alarming:
            _tell(upgrade, hour, now)
    return len(hours)


def measure(hour) -> dict:
    """{"saves_failed", "errors", "p95" (ms or None), "requests", "tickets"} of an hour."""
    until = hour + HOUR
    pages, house = metering.of_time(hour, until), registry.counts_of(hour, until)
    tickets = Ticket.objects.filter(reported_at__gte=hour, reported_at__lt=until).count()
    return {**pages, "saves_failed": house.get("saves_failed", 0), "tickets": tickets}


def is_alarming(now: dict, before: dict) -> bool:
    if any(now[name] > before[name] * TIMES + more for name, more in MORE.items()):
        return True
    slow = now["p95"] or 0
    return slow > SLOW and slow > (before["p95"] or 0) * SLOWER


def _tell(upgrade, hour, now):
    who = upgrade.responsible
    if not who.phone:
        return
    words = _(
        "After the upgrade to %(release)s failures are well above last week's. Please look at rolling back."
    ) % {"release": upgrade.release}
    try:
        staff.tell(
            phone=who.phone, whose=who.institution, words=words, key=uuid.uuid5(upgrade.uuid, f"watch {timezone.localdate(hour)}"),
            institution=who.institution, now=now,
        )  # fmt: skip
    except Refused:
        return
