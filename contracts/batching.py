"""Working a batch off, chunk by chunk. A chunk is one transaction: what it did to the agreements and what it wrote on
its lines stand or fall together. So a worker that dies anywhere leaves whole chunks, and the next one goes on with the
first line that waits; every line is done exactly once."""

import logging
from dataclasses import dataclass

from django.db import OperationalError, connection, transaction
from django.utils import timezone
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from clinic.errors import Refused
from contracts.actions.batches import RIGHT
from contracts.codes import BatchKind, BatchState, LineState
from contracts.models import Agreement, Batch, BatchLine

logger = logging.getLogger(__name__)
RESULT = 300
# kind: (function(lines, orders, by) → [Outcome], lines at once).
WORK = {
    BatchKind.RENEW: ("contracts.batch_acts.renew", 500),
    BatchKind.TERMINATE: ("contracts.batch_acts.terminate", 100),
    BatchKind.REASSIGN: ("contracts.batch_acts.reassign", 100),
    BatchKind.IMPORT: ("contracts.importing.writing.write", 250),
}


@dataclass(frozen=True)
class Outcome:
    """What became of a line: the agreement that was made, the sentence why it was refused, or a remark."""

    line: BatchLine
    made: Agreement | None = None
    refused: str = ""
    remark: str = ""


def work(pk) -> int:
    """All lines that wait; return how many chunks it took. Returns at once where another worker is at it."""
    chunks = 0
    while step(pk):
        chunks += 1
    return chunks


def work_left_behind() -> int:
    """Go on with every batch that is not at its end; return how many chunks. One that breaks, or waits in vain for a
    lock, holds up no others."""
    chunks = 0
    for pk in list(Batch.objects.left().order_by("pk").values_list("pk", flat=True)):
        try:
            chunks += work(pk)
        except Exception:
            logger.exception("A batch could not go on; it is tried again.")
    return chunks


@transaction.atomic
def step(pk) -> bool:
    """One chunk; whether there is more to do."""
    rows = Batch.objects.left().select_related("made_by__institution", "institution")
    batch = rows.select_for_update(of=("self",), skip_locked=True).filter(pk=pk).first()
    if batch is None:
        return False
    act, most = WORK[batch.kind]
    lines = BatchLine.objects.filter(batch=batch, state=LineState.WAITING).order_by("row")
    lines = list(lines.select_related("agreement", "resident")[:most])
    for line in lines:
        line.batch = batch
    if not lines:
        return _over(batch, BatchState.DONE)
    if why := _why_not(batch):
        batch.orders = {**batch.orders, "stopped": why}
        return _over(batch, BatchState.STOPPED)
    results = _done(import_string(act), lines, batch)
    _write(results)
    refused = sum(line.state == LineState.REFUSED for line in results)
    batch.state = BatchState.RUNNING
    batch.lines_refused += refused
    batch.lines_done += len(results) - refused
    batch.save(update_fields=["state", "lines_done", "lines_refused"])
    return True


def _why_not(batch):
    """Who ordered it must still be allowed to."""
    by = batch.made_by
    if (
        by.is_active
        and by.has_perm(RIGHT[batch.kind])
        and batch.institution.path.startswith(by.institution.path)
    ):
        return ""
    return _("Who ordered it may not do this any more.")


def _over(batch, state):
    batch.state, batch.ended_at = state, timezone.now()
    batch.save(update_fields=["state", "ended_at", "orders"])
    return False


def _done(act, lines, batch):
    """The lines, settled. Where a whole chunk breaks, its lines are tried one by one, so that one row that nobody
    foresaw holds up no others. A lock that was not got ends the chunk; it is done again later."""
    try:
        with transaction.atomic():
            return [_mark(outcome) for outcome in act(lines, batch.orders, batch.made_by)]
    except OperationalError:
        raise
    except Exception:
        logger.exception("A chunk of a batch broke; its lines are done one by one.")
        return [_alone(act, line, batch) for line in lines]


def _alone(act, line, batch):
    try:
        with transaction.atomic():
            return _mark(act([line], batch.orders, batch.made_by)[0])
    except OperationalError:
        raise
    except Refused as refusal:
        return _mark(Outcome(line, refused=refusal.message))
    except Exception:
        logger.exception("A line of a batch broke.")
        return _mark(Outcome(line, refused=_("This could not be done. Please tell the district's IT.")))


def _mark(outcome):
    line = outcome.line
    line.state = LineState.REFUSED if outcome.refused else LineState.DONE
    line.made = outcome.made
    line.result = str(outcome.refused or outcome.remark)[:RESULT]
    return line


def _write(lines):
    """One statement for the chunk: through the ORM it would take as long as the renewals themselves."""
    columns = (
        [line.pk for line in lines], [str(line.state) for line in lines],
        [line.made and line.made.pk for line in lines], [line.result for line in lines],
    )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE contracts_batchline AS line SET state = new.state, made_id = new.made, result = new.result"
            " FROM unnest(%s::bigint[], %s::text[], %s::bigint[], %s::text[]) AS new (id, state, made, result)"
            " WHERE line.id = new.id",
            columns,
        )
