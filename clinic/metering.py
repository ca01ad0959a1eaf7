"""How the pages answer, minute by minute: requests, failures, how long they took. Counted in the process's memory and written by a
thread once a minute, so that no request waits for it; a killed process loses a minute of it at most."""

import os
import socket
import threading
from bisect import bisect_left
from datetime import datetime, timedelta

from django.db import DatabaseError, InterfaceError, close_old_connections
from django.utils import timezone

from clinic.models import RequestMinute

# Upper edges in milliseconds; the last bucket has none.
EDGES = (10, 20, 30, 50, 75, 100, 150, 200, 300, 500, 750, 1000, 2000, 5000)
FLUSH_SECONDS = 20
KEPT = timedelta(days=15)
SERVER_ERROR = 500


class Meter:
    """Counts of minutes that are not written yet; any thread may add."""

    def __init__(self):
        self.lock, self.minutes = threading.Lock(), {}

    def add(self, status: int, milliseconds: float, now: datetime):
        minute = now.replace(second=0, microsecond=0)
        with self.lock:
            row = self.minutes.setdefault(minute, [0, 0, [0] * (len(EDGES) + 1)])
            row[0] += 1
            row[1] += status >= SERVER_ERROR
            row[2][bisect_left(EDGES, milliseconds)] += 1

    def take(self, before: datetime) -> dict:
        """The minutes that are over, which are forgotten here."""
        with self.lock:
            done = {minute: row for minute, row in self.minutes.items() if minute < before}
            for minute in done:
                del self.minutes[minute]
            return done

    def give_back(self, rows: dict):
        """What could not be written is tried again."""
        with self.lock:
            for minute, row in rows.items():
                self.minutes.setdefault(minute, row)


meter = Meter()


def write(now=None, source=meter, process="") -> int:
    """Write the minutes that are over; returns how many."""
    now = now or timezone.now()
    rows = source.take(now.replace(second=0, microsecond=0))
    process = process or f"{socket.gethostname()}:{os.getpid()}"[:60]
    try:
        RequestMinute.objects.bulk_create(
            RequestMinute(minute=minute, process=process, requests=requests, errors=errors, buckets=buckets)
            for minute, (requests, errors, buckets) in rows.items()
        )
    except (DatabaseError, InterfaceError):
        source.give_back(rows)
        return 0
    return len(rows)


def start():
    """Begin to write, in a thread of this process. Called by each web worker after its fork."""

    def run():
        while not ended.wait(FLUSH_SECONDS):
            write()
            close_old_connections()

    ended = threading.Event()
    threading.Thread(target=run, name="metering", daemon=True).start()
    return ended


def p95(buckets) -> int | None:
    """The upper edge of the bucket where the slowest twentieth begins, in milliseconds; None of nothing."""
    whole, seen = sum(buckets), 0
    if not whole:
        return None
    for place, count in enumerate(buckets):
        seen += count
        if seen * 100 >= whole * 95:
            return EDGES[place] if place < len(EDGES) else EDGES[-1] * 2
    return None


def of_time(since, until) -> dict:
    """{"requests", "errors", "p95" (ms or None)} of [since, until), of all processes. One query."""
    requests = errors = 0
    buckets = [0] * (len(EDGES) + 1)
    rows = RequestMinute.objects.filter(minute__gte=since, minute__lt=until)
    for row in rows.values_list("requests", "errors", "buckets"):
        requests, errors = requests + row[0], errors + row[1]
        buckets = [one + other for one, other in zip(buckets, row[2], strict=True)]
    return {"requests": requests, "errors": errors, "p95": p95(buckets)}


def forget(now=None) -> int:
    """Drop what nobody compares with any more."""
    return RequestMinute.objects.filter(minute__lt=(now or timezone.now()) - KEPT).delete()[0]
