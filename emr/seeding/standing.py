"""The demo's standing histories, confirmed lately and long ago, what is left after visits, and what writing cost."""

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from emr.actions import after_visit as items
from emr.actions import standing
from emr.after_visits import rules
from emr.codes import StandingKind
from emr.models import AfterVisitItem, Note
from emr.writing import cost

# (past, family, long-term medication, days since it was confirmed)
HISTORIES = (
    (
        "高血压病史10年，否认糖尿病、冠心病史。",
        "父亲有高血压，母亲体健。",
        "苯磺酸氨氯地平片 5mg 每日一次",
        24,
    ),
    ("2型糖尿病5年，胆囊切除术后3年。", "母亲有糖尿病。", "盐酸二甲双胍片 0.5g 每日两次", 260),
    ("既往体健。", "", "", 60),
    ("慢性阻塞性肺病8年，吸烟史40年，已戒烟。", "否认家族遗传病史。", "", 12),
    ("否认慢性病史。", "否认家族遗传病史。", "", 3),
    ("过敏性鼻炎6年。", "", "", 90),
    (
        "高血压病史6年，否认糖尿病史。",
        "父亲有高血压、脑卒中。",
        "苯磺酸氨氯地平片 5mg 每日一次\n阿托伐他汀钙片 20mg 每晚一次",
        400,
    ),
)
FLU = {
    "system": "icd10", "release": "", "code": "J11.100", "name": "流行性感冒", "certainty": "confirmed", "primary": False,
}  # fmt: skip


@transaction.atomic
def make(staff, residents):
    """For the demo station's residents; through the real actions, dates set back by hand."""
    doctor = staff["doctor"]
    for resident, history in zip(residents, HISTORIES, strict=False):
        _history(resident, doctor, *history)
    _after_visits(doctor, residents)
    cost.measure_new()


def _history(resident, doctor, past, family, medication, days):
    said = {StandingKind.PAST: past, StandingKind.FAMILY: family, StandingKind.MEDICATION: medication}
    for kind, text in said.items():
        if text:
            row = standing.write(resident=resident, kind=kind.value, text=text, version=0, by=doctor)
            row.confirmed_at = timezone.now() - timedelta(days=days)
            row.save(update_fields=["confirmed_at"])


def _after_visits(doctor, residents):
    """From the doctor's last signed notes: one of them gets a notifiable diagnosis in memory, for the card."""
    now = timezone.now()
    notes = _signed(doctor).filter(encounter__resident__in=residents[:12], corrections=None)[:6]
    for number, note in enumerate(notes):
        visit = note.encounter
        if number == 0:
            note.diagnoses = [*note.diagnoses, FLU]
        rules.gather(note, visit, doctor, now - timedelta(hours=3 * number))
    done = AfterVisitItem.objects.filter(doctor=doctor, prompt="education").order_by("-made_at").first()
    if done:
        items.finish(item=done, answer="已当面讲解并发放处方单。", by=doctor)


def _signed(doctor):
    rows = Note.objects.filter(author=doctor, signed_at__isnull=False)
    return rows.select_related(
        "author", "encounter__institution", "encounter__resident__home", "encounter__resident__merged_into"
    ).order_by("-signed_at")
