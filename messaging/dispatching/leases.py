"""Leases of dispatchers and of accounts (clinic.Lease), by the database's clock: hosts need not agree about the time.

A dispatcher lives as long as ``sms-worker:<host>:<pid>:<random>``; it owns an account as long as ``sms-gateway:<id>``.
All are renewed in one statement. A dispatcher whose lease has ended is buried: its row is deleted, and from then on
nothing of it can begin (messaging.dispatching.beginning asks for the row).

**Sharing.** With n accounts and m living dispatchers a share is n / m, rounded up. Who has less takes what is free; who
has more lets one go at a time. Free accounts always find somebody: m shares are never less than n.
"""

import os
import secrets
import socket

from django.conf import settings
from django.db import connection, transaction

from clinic.models import Lease
from messaging.dispatching.database import changed, rows

WORKER, ACCOUNT, HOUSEKEEPING = "sms-worker:", "sms-gateway:", "sms-housekeeping"
END = "clock_timestamp() + %(seconds)s * interval '1 second'"
LIVING = "until > clock_timestamp()"

TAKE = f"""
INSERT INTO clinic_lease (name, holder, until, last_run) VALUES (%(name)s, %(holder)s, {END}, '{{}}')
ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until
WHERE clinic_lease.holder IN ('', excluded.holder) OR clinic_lease.until IS NULL
    OR clinic_lease.until <= clock_timestamp()
RETURNING name
"""  # noqa: S608
RENEW = f"""
UPDATE clinic_lease SET until = {END}
WHERE holder = %(holder)s AND name = ANY(%(names)s) RETURNING name
"""  # noqa: S608
# Those that are leaving no longer count.
COUNT = f"""
SELECT count(*) FROM clinic_lease
WHERE name LIKE 'sms-worker:%%' AND {LIVING} AND NOT last_run ? 'leaving'
"""  # noqa: S608
BURY = "DELETE FROM clinic_lease WHERE name LIKE 'sms-worker:%%' AND until <= clock_timestamp()"


def new_name() -> str:
    """A dispatcher's name, never used before; at most 60 signs."""
    return f"{WORKER}{socket.gethostname()[:20]}:{os.getpid()}:{secrets.token_hex(6)}"


def account(gateway_id) -> str:
    return f"{ACCOUNT}{gateway_id}"


def take(name, holder) -> bool:
    """Take or keep; False while somebody else holds it."""
    return bool(rows(TAKE, {"name": name, "holder": holder, "seconds": settings.SMS_LEASE_SECONDS}))


def renew(holder, names) -> set[str]:
    """Which of these we still hold, for another while. One that ran out and that nobody took is still ours."""
    given = {"holder": holder, "names": list(names), "seconds": settings.SMS_LEASE_SECONDS}
    return {name for (name,) in rows(RENEW, given)}


def living() -> int:
    """How many dispatchers share the work."""
    return rows(COUNT, [])[0][0]


def leave(holder):
    """This dispatcher takes no more accounts; it still has to finish."""
    changed("UPDATE clinic_lease SET last_run = '{\"leaving\": true}' WHERE name = %s", [holder])


def release(name, holder):
    Lease.objects.release(name, holder)


def rest(holder):
    """It has finished. Its accounts are free, its own row goes."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE clinic_lease SET holder = '', until = NULL WHERE holder = %s", [holder])
        cursor.execute("DELETE FROM clinic_lease WHERE name = %s", [holder])


def bury() -> int:
    """Dispatchers that were not heard of for the length of a lease; one that wakes up finds itself gone."""
    return changed(BURY, [])


def share(accounts, dispatchers) -> int:
    return -(-accounts // max(1, dispatchers))
