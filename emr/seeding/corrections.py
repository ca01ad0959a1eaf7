"""Corrections in the demo: a corrected note, a request that waits, a note made void."""

import uuid

from emr.actions import change_requests, corrections
from emr.codes import ChangeKind
from emr.models import Note
from emr.signed import archive


def make(staff, residents):
    """Through the real actions, on notes of the demo's doctor."""
    doctor, manager = staff["doctor"], staff["manager"]
    own = Note.objects.filter(
        author=doctor, signed_at__isnull=False, encounter__resident__in=residents, corrections=None
    )
    fresh = own.filter(signed_at__gt=archive.begins_before()).order_by("-signed_at").first()
    older = list(own.filter(signed_at__lte=archive.begins_before()).order_by("-signed_at")[:2])
    if fresh is not None:
        _correct(fresh, doctor)
    if len(older) == 2:
        _ask(older[0], doctor, ChangeKind.CORRECT, "漏写过敏史，病人今日来电补充")
        _make_void(older[1], doctor, manager)


def _correct(note, doctor):
    row = corrections.open_correction(
        note=note,
        by=doctor,
        kind=ChangeKind.CORRECT,
        key=uuid.uuid4(),
        reason="复诊时间写错，与病人核对后修正",
    )
    corrections.save_correction(
        correction=row.uuid, key=uuid.uuid4(), version=row.version, by=doctor,
        changes={"treatment": f"{note.treatment}两周后复诊。", "visit_kind": note.visit_kind},
    )  # fmt: skip
    _sign(row, doctor)


def _ask(note, doctor, kind, reason):
    return change_requests.ask(note=note, by=doctor, kind=kind, reason=reason, key=uuid.uuid4())


def _make_void(note, doctor, manager):
    asked = _ask(note, doctor, ChangeKind.UNDO, "写在了同名病人的病历上")
    change_requests.decide(change_request=asked, by=manager, approve=True, answer="已核实，同意作废")
    row = corrections.open_correction(
        note=note, by=doctor, kind=ChangeKind.UNDO, void=True, key=uuid.uuid4(), reason=asked.reason
    )
    _sign(row, doctor)


def _sign(row, doctor):
    row.refresh_from_db()
    corrections.sign_correction(correction=row.uuid, key=uuid.uuid4(), version=row.version, by=doctor)
