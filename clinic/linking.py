"""Linking rows that were inserted without a lock: in batches, by a job, never forked, none skipped.

The audit trail and the seals share this. Each link holds a hash over the link before, its own position and the
row's canonical text; who changes, removes, adds or reorders a row afterwards breaks it.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db import connection, models, transaction
from django.db.models import Max
from django.db.models.functions import Cast, Coalesce
from django.utils import timezone

from clinic.models import Lease

GENESIS = "0" * 64
BATCH = 2000
# Longer than any process can rest between taking a row number and writing the row with it.
SETTLE_SECONDS = 60


def canonical(row: dict) -> str:
    """The row's text as it is hashed: sorted keys, UTC, empty fields left out.

    Leaving them out lets a later release add a field without breaking every hash before it.
    """
    kept = {
        name: value.astimezone(UTC).isoformat() if isinstance(value, datetime) else value
        for name, value in row.items()
        if value not in ("", None, {}, [])
    }
    return json.dumps(kept, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def link_hash(previous: str, position: int, row: dict) -> str:
    return hashlib.sha256(f"{previous}\n{position}\n{canonical(row)}".encode()).hexdigest()


@dataclass(frozen=True)
class Linker:
    """Links the rows of one table. ``name`` is that of the lease row whose lock lets one job at a time add links;
    ``link`` gets a list of rows (dicts of all their columns, oldest first) and writes their links, which the
    rows know as ``link``."""

    name: str
    model: type[models.Model]
    link: Callable[[list[dict]], None]
    moment: str  # the column that says since when a row waits

    @property
    def fields(self) -> tuple[str, ...]:
        return tuple(field.attname for field in self.model._meta.concrete_fields)

    def run(self, now=None) -> int:
        """Link every committed row that has no link yet; return how many. Any number may run at once."""
        now = now or timezone.now()
        settled = self._settled(now)
        seen = self.model.objects.aggregate(last=Max("pk"))["last"] or 0
        total = 0
        while linked := self._batch():
            total += linked
            if linked < BATCH:
                break
        self._move_low(now, settled, seen)
        return total

    @transaction.atomic
    def _batch(self):
        self.lock()
        rows = list(self.waiting().order_by("pk").values(*self.fields)[:BATCH])
        self.link(rows)
        return len(rows)

    def low(self) -> int:
        """The row number up to which every row has its link."""
        mark = Lease.objects.filter(name=self.name).values_list("last_run", flat=True).first() or {}
        return mark.get("low", 0)

    def waiting(self):
        """Rows that wait for their link."""
        return self._unlinked("gt", self.low())

    def beside(self):
        """Rows numbered below the mark and without a link: they came in behind the chain's back."""
        return self._unlinked("lte", self.low()).order_by("pk")

    def _unlinked(self, side, mark):
        """Rows on this side of the mark. NOT EXISTS with the mark said twice: else PostgreSQL reads every link."""
        link = self.model._meta.get_field("link")
        name = link.field.name
        links = link.related_model.objects.filter(**{name: models.OuterRef("pk"), f"{name}__{side}": mark})
        return self.model.objects.filter(~models.Exists(links), **{f"pk__{side}": mark})

    def behind(self, now, minutes=10) -> bool:
        """Whether a row has waited for its link longer than it may. One statement: it is asked every second."""
        mark = Lease.objects.filter(name=self.name).values(
            low=Cast("last_run__low", models.BigIntegerField())
        )
        rows = self._unlinked("gt", Coalesce(models.Subquery(mark), 0))
        oldest = rows.order_by("pk").values_list(self.moment, flat=True).first()
        return oldest is not None and oldest < now - timedelta(minutes=minutes)

    # The mark "low" --------------------------------------------------------------------------------
    # Rows commit out of the order of their numbers: a long transaction shows its low number late. So the
    # search for rows without a link may begin above a number only once every transaction that was open when
    # that number was the highest has ended. Without the mark each run would read the whole table.

    def _settled(self, now):
        """The mark, once all transactions that were open when it was set have ended; None before."""
        mark = self._head().last_run
        if "seen" not in mark:
            return None
        oldest_open, _next = _snapshot()
        rested = now - datetime.fromisoformat(mark["at"]) >= timedelta(seconds=SETTLE_SECONDS)
        return mark if rested and oldest_open >= mark["xid"] else None

    @transaction.atomic
    def _move_low(self, now, settled, seen):
        """``seen`` was the highest number before the batches, so that who had a lower one by then is older than
        our own transactions, and those than ``following``."""
        lease = self.lock()
        mark = dict(lease.last_run)
        _oldest, following = _snapshot()
        # Another job may have set a mark of its own meanwhile: that one is not settled.
        if settled is not None and settled == mark:
            mark["low"] = max(mark["seen"], mark.get("low", 0))
        elif "seen" in mark and mark["xid"] <= following:
            return
        lease.last_run = {**mark, "seen": seen, "xid": following, "at": now.isoformat()}
        lease.save(update_fields=["last_run"])

    def _head(self):
        return Lease.objects.get_or_create(name=self.name)[0]

    def lock(self) -> Lease:
        """Hold the chain's head until the transaction ends, so that the chain never forks."""
        self._head()
        return Lease.objects.select_for_update().get(name=self.name)


def _snapshot():
    """(oldest open transaction, the next one's number)."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_snapshot_xmin(s)::text::bigint, pg_snapshot_xmax(s)::text::bigint"
            " FROM pg_current_snapshot() s"
        )
        return cursor.fetchone()
