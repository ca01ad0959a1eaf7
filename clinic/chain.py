"""The hash chain over the audit trail: who changes, removes, adds or reorders an entry afterwards is found.

Entries are inserted without a lock; a job links them in batches (``AuditLink``): position, entry, and
SHA-256 over the hash before and the entry's canonical text. Once a day the last link goes to a file outside the
database (``settings.ANCHORS``), so that even the database's owner cannot cut the tail or write the chain anew
unseen.
"""

import hashlib
import json
from datetime import UTC, datetime, timedelta

from django.db import connection, transaction
from django.db.models import Max
from django.utils import timezone

from clinic import anchors
from clinic.models import AuditAnchor, AuditEntry, AuditLink, Lease

HEAD = "audit_chain"
GENESIS = "0" * 64
BATCH = 2000
# Longer than any process can rest between taking a row number and writing the row with it.
SETTLE_SECONDS = 60
FIELDS = tuple(field.attname for field in AuditEntry._meta.concrete_fields)


def canonical(entry: dict) -> str:
    """The entry's text as it is hashed: sorted keys, UTC, empty fields left out.

    Leaving them out lets a later release add a field without breaking every hash before it.
    """
    kept = {name: value for name, value in entry.items() if value not in ("", None, {}, [])}
    kept["at"] = entry["at"].astimezone(UTC).isoformat()
    return json.dumps(kept, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def link_hash(previous: str, position: int, entry: dict) -> str:
    return hashlib.sha256(f"{previous}\n{position}\n{canonical(entry)}".encode()).hexdigest()


def chain_all(now=None) -> int:
    """Link every committed entry that has no link yet; return how many. Any number may run at once."""
    now = now or timezone.now()
    settled = _settled(now)
    total = 0
    while linked := _chain_batch():
        total += linked
        if linked < BATCH:
            break
    _move_low(now, settled)
    return total


def head() -> tuple[int, str]:
    """Position and hash of the last link."""
    last = AuditLink.objects.order_by("-position").values_list("position", "hash").first()
    return last or (0, GENESIS)


@transaction.atomic
def _chain_batch():
    # The row's lock lets one job at a time add links, so the chain never forks.
    _lock_head()
    position, previous = head()
    links = []
    for entry in unchained().order_by("pk").values(*FIELDS)[:BATCH]:
        position += 1
        previous = link_hash(previous, position, entry)
        links.append(AuditLink(position=position, entry_id=entry["id"], hash=previous))
    AuditLink.objects.bulk_create(links)
    return len(links)


def low() -> int:
    """The entry's number up to which every entry has its link."""
    mark = Lease.objects.filter(name=HEAD).values_list("last_run", flat=True).first() or {}
    return mark.get("low", 0)


def unchained():
    """Entries that wait for their link."""
    return AuditEntry.objects.filter(pk__gt=low(), link=None)


def behind(now, minutes=10) -> bool:
    """Whether an entry has waited for its link longer than it may."""
    oldest = unchained().order_by("pk").values_list("at", flat=True).first()
    return oldest is not None and oldest < now - timedelta(minutes=minutes)


# The mark "low" ------------------------------------------------------------------------------------
# Entries commit out of the order of their numbers: a long transaction shows its low number late. So the
# search for entries without a link may begin above a number only once every transaction that was open when
# that number was the highest has ended. Without the mark each run would read the whole trail.


def _settled(now):
    """Whether all transactions that were open when the mark was set have ended."""
    mark = _head_row().last_run
    if "seen" not in mark:
        return False
    oldest_open, _next = _snapshot()
    rested = now - datetime.fromisoformat(mark["at"]) >= timedelta(seconds=SETTLE_SECONDS)
    return rested and oldest_open >= mark["xid"]


@transaction.atomic
def _move_low(now, settled):
    lease = _lock_head()
    mark = dict(lease.last_run)
    _oldest, following = _snapshot()
    if settled:
        mark["low"] = max(mark["seen"], mark.get("low", 0))
    elif "seen" in mark and mark["xid"] <= following:
        return
    # A restored database counts its transactions anew, hence the second look at the number above.
    seen = AuditEntry.objects.aggregate(last=Max("pk"))["last"] or 0
    lease.last_run = {**mark, "seen": seen, "xid": following, "at": now.isoformat()}
    lease.save(update_fields=["last_run"])


def _snapshot():
    """(oldest open transaction, the next one's number)."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_snapshot_xmin(s)::text::bigint, pg_snapshot_xmax(s)::text::bigint"
            " FROM pg_current_snapshot() s"
        )
        return cursor.fetchone()


def _head_row():
    return Lease.objects.get_or_create(name=HEAD)[0]


def _lock_head():
    _head_row()
    return Lease.objects.select_for_update().get(name=HEAD)


# The anchor outside the database --------------------------------------------------------------------


@transaction.atomic
def anchor(day=None) -> AuditAnchor | None:
    """Write the last link to the file outside the database, once a day; None while there is no link.

    The file first, then the row: after a crash between the two, the file's line is taken over.
    """
    day = day or timezone.localdate()
    _lock_head()
    if known := AuditAnchor.objects.filter(day=day).first():
        return known
    position, last = head()
    if not position:
        return None
    written = next((line for line in anchors.read() if line.day == day), None)
    if written is None:
        written = anchors.append(day, position, last)
    return AuditAnchor.objects.create(day=day, position=written.position, hash=written.hash)
