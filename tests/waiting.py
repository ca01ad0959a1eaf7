"""Waiting for something that a test can see, never for luck."""

import time

from django.db import connection

OPEN_BEFORE = "SELECT pg_snapshot_xmax(s)::text::bigint FROM pg_current_snapshot() s"
OLDEST_OPEN = "SELECT pg_snapshot_xmin(s)::text::bigint FROM pg_current_snapshot() s"


def for_open_transactions(patience=30):
    """Until every transaction that is open now has ended. The server counts those of all its databases, so another
    process of the suite counts too."""
    end = time.monotonic() + patience
    before = _number(OPEN_BEFORE)
    while _number(OLDEST_OPEN) < before and time.monotonic() < end:
        time.sleep(0.02)


def _number(query):
    with connection.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchone()[0]
