"""Filings with city insurance in the demo: the doctor's station files by hand (two wait, one is filed), the other
one through the sandbox. Comes after emr.seeding.referrals."""

import uuid

from clinic.codes import Insurance
from emr.actions import filings, referrals
from emr.actions import practice as practices
from emr.codes import FilingState, InsuranceWay
from emr.models import InsuranceFiling

WANTED = 3
SHEET = {
    "direction": "up", "to_institution": None, "to_name": "北京协和医院", "to_department": "心内科", "to_doctor": "",
    "impression": "冠心病，不稳定型心绞痛？", "present_illness": "活动后胸闷1周，含服硝酸甘油后缓解。请进一步检查。",
    "past_history": "高血压病史10年。", "treatment_course": "阿司匹林、美托洛尔。",
}  # fmt: skip


def make(staff, residents):
    """``staff``: username → User; ``residents``: those of the doctor's station."""
    doctor, there = staff["doctor"], staff["doctor_b"].institution
    waiting = list(InsuranceFiling.objects.visible_to(doctor).filter(state=FilingState.TO_DO))
    people = (row for row in residents[3:] if not row.referrals.exists())
    while len(waiting) < WANTED:
        waiting.append(_refer(doctor, next(people)))
    filings.confirm_by_hand(filing=waiting[0], number="YB20260312001", by=staff["nurse"])
    manager = staff["manager"]
    keeper = manager if there.path.startswith(manager.institution.path) else staff["district"]
    practices.keep(institution=there, insurance=InsuranceWay.SANDBOX, prompts={}, unfolded=[], by=keeper)


def _refer(doctor, resident):
    resident.insurance, resident.insurance_number = Insurance.RESIDENT_SENIOR, f"1100{resident.pk:08d}"
    resident.save(update_fields=["insurance", "insurance_number"])
    row = referrals.refer(resident=resident, by=doctor, key=uuid.uuid4(), sheet=SHEET)
    return row.filing
