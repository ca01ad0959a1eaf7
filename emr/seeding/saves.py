"""The demo's lost record: a visit with a dozen saves, its text deleted once, and two saves that failed."""

import uuid

from django.db import transaction

from clinic.errors import Conflict
from emr.actions import drafts, faults
from emr.codes import EncounterStatus
from emr.models import Note, Save

COMPLAINT = ("咳嗽", "咳嗽3天", "咳嗽、咽痛3天")
ILLNESS = (
    "3天前受凉后咳嗽，", "3天前受凉后咳嗽，痰白量少，", "3天前受凉后咳嗽，痰白量少，伴咽痛，无发热。",
    "3天前受凉后咳嗽，痰白量少，伴咽痛，无发热。自服感冒药，效果不佳。",
)  # fmt: skip
TREATMENT = ("多饮水，休息。", "多饮水，休息。三日后复诊。")


@transaction.atomic
def make(staff, residents):
    """On the doctor's begun visit, through the real actions; the second run finds the saves and leaves them."""
    doctor = staff["doctor"]
    note = (
        Note.objects.filter(
            author=doctor, signed_at=None, encounter__status=EncounterStatus.IN_PROGRESS,
            encounter__resident__in=residents,
        )
        .select_related("encounter")
        .order_by("encounter__arrived_at")
        .first()
    )  # fmt: skip
    if note is None or Save.objects.filter(note=note).count() > 5:
        return
    visit, version = note.encounter.uuid, note.version
    parts = [("chief_complaint", text) for text in COMPLAINT] + [
        ("present_illness", text) for text in ILLNESS
    ]
    parts += [("signs", "咽部充血，双肺呼吸音清。"), *(("treatment", text) for text in TREATMENT)]
    parts += [("present_illness", ""), ("present_illness", "3天前受凉后咳嗽。")]
    for name, text in parts:
        version = _save(visit, version, {name: text}, doctor)
    _fail(visit, version, doctor)


def _save(visit, version, changes, by):
    return drafts.save_draft(
        encounter=visit, key=uuid.uuid4(), version=version, changes=changes, by=by
    ).version


def _fail(visit, version, doctor):
    """One that a second window overtook, as the page tells it; one that no server answered."""
    text = {"treatment": TREATMENT[-1] + "如有发热随诊。"}
    try:
        _save(visit, version - 1, text, doctor)
    except Conflict as refusal:
        told = {"status": refusal.status, "code": refusal.code, "ago": 40}
    seen = {
        "version": version - 1, "fields": ["treatment"], "characters": drafts.count_characters(text),
        "sha256": drafts.fingerprint(text),
    }  # fmt: skip
    lost = {"status": 0, "ago": 95, "attempts": 6}
    rows = [
        {"key": str(uuid.uuid4()), "save_key": str(uuid.uuid4()), **seen, **facts} for facts in (told, lost)
    ]
    faults.report(encounter=visit, by=doctor, faults=rows)
