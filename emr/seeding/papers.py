"""The demo's papers: two copies handed out, one copy sealed with both parties, files whose time ends."""

import uuid
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from clinic.codes import IdType
from clinic.seeding.copying import triggers_off
from emr.actions import papers
from emr.codes import EncounterStatus, Relation
from emr.models import Encounter, Note
from emr.papers import Person, retention

OLD = 3  # files that were last added to fifteen years ago


@transaction.atomic
def make(staff, residents):
    """Through the real actions; the old visits excepted, which nobody can sign today."""
    doctor, manager = staff["doctor"], staff["manager"]
    patient = residents[0]
    visits = [visit.uuid for visit in _signed(patient)[:3]]
    handed = {"resident": patient, "key": uuid.uuid4(), "applicant": _self(patient), "stamped_by": "钱芳"}
    papers.issue_copy(**handed, visits=visits[:1], purpose="转诊就医", paper="a5", by=doctor)
    handed = {
        **handed,
        "key": uuid.uuid4(),
        "applicant": Person("太平保险 李梅", Relation.INSURER, IdType.PASSPORT, "E12345678"),
    }
    papers.issue_copy(**handed, visits=visits, purpose="保险理赔", paper="a4", by=manager)
    papers.seal_copy(
        resident=patient, visits=visits[:2], hospital_party=manager.name, patient=_self(patient),
        reason="对用药经过有疑问", medium="光盘", location="病案室3号柜", key=uuid.uuid4(), by=manager,
    )  # fmt: skip
    _old_files(residents, doctor)
    retention.write_list(retention.month_of(timezone.localdate()))


def _signed(resident):
    rows = Encounter.objects.filter(resident=resident, note__signed_at__isnull=False)
    return list(rows.order_by("-arrived_at"))


def _self(resident):
    return Person(resident.name, Relation.SELF, resident.id_type, resident.id_number)


def _old_files(residents, doctor):
    """Visits of this month fifteen years ago, by people who have not come since."""
    begin, _end = retention.span(retention.month_of(timezone.localdate()))
    known = set(Encounter.objects.filter(resident__in=residents).values_list("resident", flat=True))
    with triggers_off("emr_encounter", "emr_note"):
        for number, resident in enumerate([row for row in residents if row.pk not in known][-OLD:]):
            at = begin + timedelta(days=3 + number, hours=9)
            visit = Encounter.objects.create(
                resident=resident, institution=doctor.institution, status=EncounterStatus.FINISHED, arrived_at=at,
                started_at=at, finished_at=at, imported=True, source_id=f"old-{number}",
            )  # fmt: skip
            note = Note(
                encounter=visit, imported=True, imported_doctor="陈医生", chief_complaint="咳嗽一周",
                treatment="对症治疗，随诊。",
            )  # fmt: skip
            note.skip_history_when_saving = True
            note.save()
