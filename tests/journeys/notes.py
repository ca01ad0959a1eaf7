"""Real consultations and real codes from ../shared/data (its README says what each file is)."""

import csv

import pytest

from tests.emr.lists import SHARED

# Where ../shared/data is missing: our own words, and the ids of the tests say so.
OWN_NOTES = [
    {
        "chief_complaint": "咳嗽三天。", "present_illness": "三天前受凉后咳嗽，有白痰，夜间明显。", "aux_exam": "暂缺。",
        "past_history": "体健。", "diagnosis": "咳嗽", "advice": "多饮水，注意休息，三天后复诊。",
    },
    {
        "chief_complaint": "发热一天。", "present_illness": "昨日起发热，最高38.5℃，伴流涕。", "aux_exam": "血常规正常。",
        "past_history": "否认药物过敏。", "diagnosis": "发热", "advice": "物理降温，观察体温。",
    },
]  # fmt: skip
OWN_TERMS = [
    ("R05.x00", "咳嗽"), ("R50.900", "发热"), ("J06.900", "急性上呼吸道感染"), ("J20.900", "急性支气管炎"),
    ("J18.000", "支气管肺炎"), ("I10.x00", "高血压"), ("K52.916", "腹泻"), ("E11.900", "2型糖尿病"),
]  # fmt: skip


def _rows(name):
    path = SHARED / name
    if not path.exists():
        return []
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def real_notes():
    """(id, note): real consultations whose diagnosis has a code, else our own words."""
    named = {row["name"] for row in _rows("icd10.csv")}
    fit = [row for row in _rows("notes_paediatric.csv") if row["diagnosis"].rstrip("。") in named]
    wanted = [row for row in fit if len(row["present_illness"]) > 20 and len(row["advice"]) > 10]
    if not wanted:
        return [pytest.param(note, id=f"own-words-{at}") for at, note in enumerate(OWN_NOTES)]
    return [pytest.param(row, id=f"real-{row['id']}") for row in wanted[:: max(len(wanted) // 2, 1)][:2]]


def codes_for_notes():
    """Every 25th of the national list, and each code that a journey looks for."""
    rows = [(row["code"], row["name"]) for row in _rows("icd10.csv")]
    needed = {note.values[0]["diagnosis"].rstrip("。") for note in real_notes()} | {"高血压"}
    some = rows[::25] + [row for row in rows if row[1] in needed or row[0] in dict(OWN_TERMS)]
    return list(dict.fromkeys(some or OWN_TERMS))
