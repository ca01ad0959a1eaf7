"""Referrals of the demo: one in each state, up and down, to the district's institutions and to a hospital outside."""

import uuid
from datetime import timedelta

from django.utils import timezone

from clinic.codes import Insurance, Role
from clinic.models import Institution, User
from clinic.seeding.copying import triggers_off
from emr.actions import referrals
from emr.models import Note
from emr.referring.sheet import from_visit

OLD_ENOUGH = 50
HOSPITAL = "北京协和医院"
BACK = {
    "return_diagnosis": "高血压3级（极高危）；冠状动脉粥样硬化性心脏病",
    "inpatient_number": "20261107",
    "results": "冠状动脉CTA：前降支中段狭窄约40%。心脏彩超：左室舒张功能减低，EF 62%。",
    "return_course": "住院予降压、调脂治疗后胸闷缓解。\n下一步：氨氯地平5mg每日一次，阿托伐他汀20mg每晚一次；每周测血压。\n康复：每日步行30分钟，一个月后在站复查血脂、肝功能。",
    "return_doctor": "赵敏",
    "return_phone": "010-00000005",
}  # fmt: skip
PLAIN = {
    "impression": "2型糖尿病，血糖控制不佳",
    "present_illness": "近一月空腹血糖9-12mmol/L，口服药加量后仍未达标，请内分泌科调整方案。",
    "past_history": "2型糖尿病8年，高血压5年。",
    "treatment_course": "二甲双胍0.5g每日三次，格列美脲2mg每日一次。",
}

CHEST = {
    "impression": "胸闷待查：冠心病？；高血压3级",
    "present_illness": "两周来活动后胸闷，每次3-5分钟，休息可缓解，血压160/96mmHg，服药后仍不稳，请进一步检查。",
    "past_history": "高血压12年。",
    "treatment_course": "苯磺酸氨氯地平片5mg每日一次。",
}


def make(staff, residents):
    """``staff``: username → User; ``residents`` of the demo station, with visits of their own."""
    doctor, colleague = staff["doctor"], staff["doctor2"]
    receiver = _receiver(staff["manager"].institution)
    centre, station = receiver.institution, staff["doctor_b"].institution
    people = iter([row for row in residents[1:] if row.age >= OLD_ENOUGH])
    _expired(doctor, next(people), centre)
    _send(doctor, _insured(next(people)), centre, to_department="心内科")
    accepted = _send(doctor, next(people), centre)
    referrals.accept(referral=accepted, by=receiver)
    returned = _from_visit(doctor, residents[0], station)
    referrals.accept(referral=returned, by=staff["doctor_b"])
    referrals.send_back(referral=returned, by=staff["doctor_b"], sheet=BACK)
    rejected = _send(colleague, next(people), station)
    referrals.reject(referral=rejected, by=staff["doctor_b"], reason="本站暂无相应设备，请转上级医院")
    ended = _send(doctor, next(people), centre)
    referrals.terminate(referral=ended, by=doctor, reason="患者好转，要求在站治疗")
    _send(doctor, _insured(next(people)), None, to_name=HOSPITAL, to_department="内分泌科")
    _send(receiver, next(people), doctor.institution, impression="脑梗死恢复期，回社区康复")


def _receiver(centre: Institution):
    """A doctor of the centre; the demo's staff has none."""
    found = User.objects.filter(institution=centre, role=Role.DOCTOR).first()
    if found is not None:
        return found
    return User.objects.create(
        username="doctor_c", name="陈志远", role=Role.DOCTOR, institution=centre, title="主任医师", department="全科",
        licence="110101000000099", must_change_password=False, password_changed_at=timezone.now(),
        password=User.objects.get(username="doctor").password,
    )  # fmt: skip


def _insured(resident):
    """Of resident insurance and old, so that city insurance has to hear of the referral."""
    resident.insurance = Insurance.RESIDENT_SENIOR
    resident.save(update_fields=["insurance"])
    return resident


def _send(by, resident, where, **sheet):
    place = {"to_institution": where}
    return referrals.refer(resident=resident, by=by, key=uuid.uuid4(), sheet={**PLAIN, **place, **sheet})


def _from_visit(by, resident, where):
    note = (
        Note.objects.visible_to(by)
        .filter(encounter__resident=resident, encounter__institution=by.institution, signed_at__isnull=False)
        .select_related("encounter__resident")
        .order_by("-signed_at")
        .first()
    )
    if note is None:
        return _send(by, resident, where)
    sheet = {**from_visit(note, by), **CHEST, "to_institution": where}
    return referrals.refer(encounter=note.encounter, by=by, key=uuid.uuid4(), sheet=sheet)


def _expired(by, resident, where):
    """Sent three weeks ago and never answered: the triggers, which hold the server's time, step aside."""
    with triggers_off("emr_referral"):
        row = _send(by, resident, where)
        row.sent_at -= timedelta(days=21)
        row.due_on -= timedelta(days=21)
        row.number = f"ZZ-{timezone.localdate(row.sent_at):%Y%m%d}-0001"
        row.save(update_fields=["sent_at", "due_on", "number"])
    referrals.expire_due(now=timezone.now())
