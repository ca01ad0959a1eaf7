"""Queries of the dispatcher: in threads with a connection each, so that its loop never waits for one."""

import asyncio
import logging
import random
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from django.db import DatabaseError, InterfaceError, OperationalError, connection, transaction

log = logging.getLogger("sheyi.dispatcher")

TRIES = 5
# deadlock_detected, serialization_failure, lock_not_available: the same again may go through.
AGAIN = {"40P01", "40001", "55P03"}
DATABASE_FAULTS = (DatabaseError, InterfaceError)


class Threads:
    """``run`` calls a plain function in one of so many threads."""

    def __init__(self, count: int, name: str):
        self._pool = ThreadPoolExecutor(count, thread_name_prefix=name)

    async def run(self, act, *args, **kwargs):
        """What ``act`` returns; raises what it raises. A lost connection is closed, the next call opens another."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, partial(attempt, act, *args, **kwargs))

    def close(self):
        for _ in range(self._pool._max_workers):
            self._pool.submit(connection.close)
        self._pool.shutdown(wait=True)


def attempt(act, *args, **kwargs):
    """Call it; again where the database says that two transactions stood in each other's way."""
    for number in range(1, TRIES + 1):
        try:
            return act(*args, **kwargs)
        except OperationalError as error:
            if number == TRIES or code_of(error) not in AGAIN or connection.in_atomic_block:
                leave_broken()
                raise
            time.sleep(random.uniform(0.005, 0.02) * number)
        except DATABASE_FAULTS:
            leave_broken()
            raise
    return None


def leave_broken():
    """A connection on which something went wrong is not used again."""
    if not connection.in_atomic_block:
        connection.close()


def code_of(error) -> str:
    return getattr(error.__cause__, "pgcode", None) or ""


def rows(sql, given) -> list[tuple]:
    """One statement."""
    with connection.cursor() as cursor:
        cursor.execute(sql, given)
        return cursor.fetchall() if cursor.description else []


def changed(sql, given) -> int:
    """One statement; how many rows it touched."""
    with connection.cursor() as cursor:
        cursor.execute(sql, given)
        return cursor.rowcount


def columns(records, width) -> list[list]:
    """Records as columns, for unnest."""
    return [list(column) for column in zip(*records, strict=True)] if records else [[] for _ in range(width)]


together = transaction.atomic
