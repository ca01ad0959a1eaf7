"""Sealing what was signed before there were seals, exactly once.

A seal is made in its signature's transaction, so a signed note without one was not signed here: it was inserted
— unless it is older than the seals. The old ones are sealed ("adopted") after the upgrade, while processes of the
release before may still sign for a day; then adoption closes, and a line in a file outside the database says so.
From there on nothing is adopted, and an inserted note stays without a seal and is found. Whoever wants adoption
again would have to remove that file and the chains' anchors with it, and verify tells of both.
"""

import time
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.core.management.base import CommandError
from django.db import connection, transaction
from django.utils import timezone

from clinic import anchors
from clinic.errors import Refused
from emr.models import Seal
from emr.sealing import rows, seal

FILE = "adoption"
WINDOW = timedelta(hours=24)
BATCH = 1000

NOTES = (
    "SELECT n.id, NULL::bigint FROM emr_note n WHERE n.signed_at IS NOT NULL AND n.id > %s"
    " AND NOT EXISTS (SELECT 1 FROM emr_seal s WHERE s.note_id = n.id AND s.correction_id IS NULL)"
    " ORDER BY n.id LIMIT %s"
)
CORRECTIONS = (
    "SELECT c.note_id, c.id FROM emr_correction c WHERE c.signed_at IS NOT NULL AND c.id > %s"
    " AND NOT EXISTS (SELECT 1 FROM emr_seal s WHERE s.correction_id = c.id)"
    " ORDER BY c.id LIMIT %s"
)


@dataclass(frozen=True)
class State:
    """``opened`` is False before the first sweep; ``until`` is when the window ends."""

    opened: bool = False
    closed: bool = False
    until: datetime | None = None


def state() -> State:
    """As the file says. Raises AnchorFileError."""
    lines = anchors.read_lines(FILE)
    until = next((line["until"] for line in reversed(lines) if "until" in line), None)
    closed = any(line.get("event") == "closed" for line in lines)
    return State(bool(lines), closed, until and datetime.fromisoformat(until))


def prepare():
    """For ``manage.py prepare``: a start does not wait for a million notes; the job goes on with the rest."""
    try:
        return adopt(patience=20)
    except Refused as refusal:
        raise CommandError(refusal.message) from refusal


def adopt(now=None, patience=None) -> int:
    """Seal what was signed before there were seals, for at most ``patience`` seconds; return how many. Harmless to
    repeat; nothing once closed. A new installation has nothing to adopt and closes at once.
    """
    now = now or timezone.now()
    known = state()
    if known.closed or (not known.opened and anchors.read_lines(anchors.SEALS)):
        return 0
    if not known.opened:
        if _is_left():
            _tell(now, event="open", until=(now + WINDOW).isoformat())
        known = state()
    done = seal_unsealed(patience=patience)
    if (known.until is None or now >= known.until) and not _is_left():
        _tell(now, event="closed")
    return done


def seal_unsealed(after=0, patience=None) -> int:
    """Seal every signed version without a seal whose note's number is above ``after``.

    For whoever makes signed notes past the signature in a transaction of their own (the seeds), and for
    ``adopt``; nobody else calls it. Any number may run at once, or be cut off.
    """
    end = None if patience is None else time.monotonic() + patience
    done = _walk(NOTES, after, end)
    return done + (_walk(CORRECTIONS, 0, end) if after == 0 else 0)


def _walk(sql, last, end):
    done = 0
    while (end is None or time.monotonic() < end) and (batch := _next(sql, last, BATCH)):
        last = max(correction or note for note, correction in batch)
        done += _seal(batch)
    return done


def _is_left():
    return bool(_next(NOTES, 0, 1) or _next(CORRECTIONS, 0, 1))


def _next(sql, last, limit):
    with connection.cursor() as cursor:
        cursor.execute(sql, [last, limit])
        return cursor.fetchall()


@transaction.atomic
def _seal(batch):
    """Two sweeps at once seal a note once: what is sealed by then is left alone by the constraint."""
    made = [
        seal.build(row, code, adopted=True) for row, code in rows.of_all(batch) if row.signed_at is not None
    ]
    Seal.objects.bulk_create(made, ignore_conflicts=True)
    return len(made)


def _tell(now, **facts):
    anchors.append_lines(FILE, [{**facts, "written_at": now.isoformat()}])


# For verify -----------------------------------------------------------------------------------------


def count_unsealed() -> int:
    with connection.cursor() as cursor:
        return sum(_count(cursor, sql) for sql in (NOTES, CORRECTIONS))


def _count(cursor, sql):
    cursor.execute(f"SELECT count(*) FROM ({sql}) t", [0, None])  # noqa: S608 - own names
    return cursor.fetchone()[0]


def unsealed():
    """Every signed version without a seal, one after the other."""
    for sql in (NOTES, CORRECTIONS):
        last = 0
        while batch := _next(sql, last, BATCH):
            last = max(correction or note for note, correction in batch)
            for row, _code in rows.of_all(batch):
                yield row
