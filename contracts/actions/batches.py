"""Many agreements at once: the order is written with a line for each row; a job works it off (contracts.batching)."""

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clinic import audit
from clinic.codes import Act
from clinic.errors import Conflict, Forbidden, Refused
from contracts.codes import BatchKind, BatchState, LineState
from contracts.models import Batch, BatchLine

MOST = 50_000
STEP = 5_000
RIGHT = {
    BatchKind.RENEW: "contracts.batch_agreement",
    BatchKind.TERMINATE: "contracts.batch_agreement",
    BatchKind.REASSIGN: "contracts.batch_agreement",
    BatchKind.IMPORT: "contracts.import_agreement",
}
LEFT = (BatchState.WAITING, BatchState.RUNNING)


@transaction.atomic
def start(*, key, kind, institution, orders, by, agreements=None, rows=None, request=None):
    """Write the order and its lines; return the batch. The same ``key`` a second time returns the same batch.

    ``agreements``: (agreement's row number, resident's) of each; ``rows``: unsaved ``BatchLine``s of a sheet, some of
    them settled already. ``orders``: what is done to each, as contracts.batch_acts takes it, plain JSON.
    Refused codes: empty, many; Conflict code: key.
    """
    _allowed(by, kind, institution)
    lines = list(rows) if rows is not None else _lines(agreements)
    if not lines:
        raise Refused(_("Nothing is chosen."), code="empty")
    if len(lines) > MOST:
        raise Refused(
            _("At most %(n)s at once. Please choose fewer.") % {"n": f"{MOST:,}"}, code="many", most=MOST
        )
    given = {"kind": kind, "institution": institution, "made_by": by, "orders": orders}
    batch, new = Batch.objects.get_or_create(uuid=key, defaults={**given, "lines_total": len(lines)})
    if not new:
        if not _same(batch, lines, given):
            raise Conflict(_("This key stands for another order."), code="key")
        return batch
    for line in lines:
        line.batch = batch
    BatchLine.objects.bulk_create(lines, batch_size=STEP)
    _count_settled(batch, lines)
    act = Act.IMPORT if kind == BatchKind.IMPORT else Act.AGREE
    audit.record(act, by=by, request=request, obj=batch, detail={"batch": str(kind), "lines": len(lines)})
    return batch


@transaction.atomic
def stop(*, batch, by, request=None, now=None):
    """Nothing more is done; what is done stays done. A second time changes nothing."""
    row = _held(batch, by)
    if row.state in LEFT:
        row.state, row.ended_at = BatchState.STOPPED, now or timezone.now()
        row.save(update_fields=["state", "ended_at"])
        audit.record(Act.AGREE, by=by, request=request, obj=row, detail={"batch": "stop"})
    return row


@transaction.atomic
def go_on(*, batch, by, request=None):
    """Take a stopped one up again, from the first line that waits."""
    row = _held(batch, by)
    if row.state == BatchState.DONE:
        raise Conflict(_("This batch is done."), code="done")
    if row.state == BatchState.STOPPED:
        row.state, row.ended_at = BatchState.WAITING, None
        row.orders.pop("stopped", None)
        row.save(update_fields=["state", "ended_at", "orders"])
        audit.record(Act.AGREE, by=by, request=request, obj=row, detail={"batch": "go on"})
    return row


def _held(batch, by):
    row = Batch.objects.visible_to(by).select_for_update(of=("self",)).filter(pk=batch.pk).first()
    if row is None:
        raise Forbidden(_("Your role does not allow this."))
    _allowed(by, row.kind, row.institution)
    return row


def _allowed(by, kind, institution):
    if not (by.has_perm(RIGHT[kind]) and institution.path.startswith(by.institution.path)):
        raise Forbidden(_("Your role does not allow this."))


def _same(batch, lines, given):
    """Whether the order that has this key is this one. Rows of a sheet may be known by now; they are the same rows."""
    orders = {name: value for name, value in batch.orders.items() if name != "stopped"}
    has = {"kind": batch.kind, "institution": batch.institution, "made_by": batch.made_by, "orders": orders}
    rows = batch.lines.order_by("row").values_list("row", "agreement", "resident")
    return has == given and list(rows) == [(one.row, one.agreement_id, one.resident_id) for one in lines]


def _lines(agreements):
    return [
        BatchLine(row=row, agreement_id=agreement, resident_id=resident)
        for row, (agreement, resident) in enumerate(agreements or (), start=1)
    ]


def _count_settled(batch, lines):
    """Lines that a sheet brought settled: refused, or imported before."""
    settled = [line.state for line in lines if line.state != LineState.WAITING]
    if settled:
        batch.lines_refused = settled.count(LineState.REFUSED)
        batch.lines_done = len(settled) - batch.lines_refused
        batch.save(update_fields=["lines_done", "lines_refused"])
