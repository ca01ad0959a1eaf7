"""What a note must hold at signing (病历书写基本规范 art. 13), and what is only hinted at."""

import csv
from pathlib import Path

import pytest

from emr import requirements
from emr.codes import VisitKind
from emr.models import Note
from tests.emr.conftest import COMPLETE

LINE = {
    "drug": "布洛芬缓释胶囊",
    "dose": "0.3g",
    "route": "po",
    "frequency": "bid",
    "days": "3",
    "reason": "",
}
ALL_FIVE = {"chief_complaint", "present_illness", "past_history", "signs", "examinations"}
NONSENSE = Path(__file__).resolve().parents[3] / "shared" / "data" / "notes_contradictory.csv"


def missing(kind=VisitKind.FIRST, **fields):
    return {entry["field"] for entry in requirements.missing(Note(visit_kind=kind, **{**COMPLETE, **fields}))}


def sentences(**fields):
    return [entry["sentence"] for entry in requirements.missing(Note(**{**COMPLETE, **fields}))]


def hints(**fields):
    return [entry["field"] for entry in requirements.hints(Note(**{**COMPLETE, **fields}))]


@pytest.mark.parametrize("kind", VisitKind.values)
def test_a_complete_note_misses_nothing(kind):
    assert missing(kind) == set()


@pytest.mark.parametrize(
    ("kind", "demanded"),
    [
        (VisitKind.FIRST, ALL_FIVE),
        (VisitKind.RETURN, ALL_FIVE - {"past_history"}),
        (VisitKind.EMERGENCY, ALL_FIVE),
    ],
)
def test_an_empty_note_misses_what_its_kind_demands(kind, demanded):
    found = requirements.missing(Note(visit_kind=kind))
    assert {entry["field"] for entry in found} == demanded | {"diagnoses", "treatment"}


@pytest.mark.parametrize("blank", ["", " ", "\n\t", "　"])
def test_blanks_are_no_entry(blank):
    assert missing(chief_complaint=blank) == {"chief_complaint"}


def test_none_is_an_entry_and_blank_a_fault():
    assert missing(examinations="暂无") == set()
    assert missing(examinations="") == {"examinations"}


def test_vital_signs_are_signs():
    assert missing(signs="", vitals={"systolic": "150", "diastolic": "90"}) == set()
    assert missing(signs="", vitals={"systolic": " "}) == {"signs"}


def test_treatment_is_advice_or_medication():
    assert missing(treatment="") == {"treatment"}
    assert missing(treatment="", medications=[LINE]) == set()
    assert missing(treatment="", medications=[{"drug": " "}]) == {"treatment"}


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"drug": ""}, "请填写药品名称。"),
        ({"dose": " "}, "请填写用量。"),
        ({"route": ""}, "请选择给药途径。"),
        ({"frequency": ""}, "请选择用药频次。"),
        ({"days": ""}, "请填写用药天数。"),
        ({"days": "0"}, "请填写用药天数。"),
        ({"days": "-3"}, "请填写用药天数。"),
        ({"days": "很久"}, "请填写用药天数。"),
        ({"days": "8"}, "超过 7 天请写明理由。"),
        ({"days": "84"}, "超过 7 天请写明理由。"),
        ({"days": "85", "reason": "慢病长期处方"}, "长期处方最多 84 天。"),
    ],
)
def test_a_written_medication_line_is_complete(change, sentence):
    assert sentences(medications=[{**LINE, **change}]) == [sentence]


@pytest.mark.parametrize("days", ["1", "7", "７", "7天", " 7 日"])
def test_a_week_wants_no_reason(days):
    assert sentences(medications=[{**LINE, "days": days}]) == []


def test_a_long_prescription_with_its_reason_passes():
    assert sentences(medications=[{**LINE, "days": "84", "reason": "高血压长期处方"}]) == []


def test_a_fault_of_a_line_names_the_line():
    found = requirements.missing(Note(**{**COMPLETE, "medications": [LINE, {**LINE, "dose": ""}]}))
    assert [(entry["field"], entry["line"]) for entry in found] == [("medications", 1)]


def test_a_diagnosis_without_name_is_named():
    assert missing(diagnoses=[{"name": "感冒"}, {"name": " "}]) == {"diagnoses"}


def test_every_entry_has_label_and_sentence_for_the_jump_list():
    found = requirements.missing(Note())
    assert all(entry["field"] and entry["label"] and entry["sentence"] for entry in found)


@pytest.mark.parametrize(
    ("complaint", "hinted"),
    [
        ("咳嗽3天", False),
        ("头晕乏力" * 4 + "三个月余", False),
        ("头晕乏力" * 4 + "三个月余。", True),
        ("高血压", True),
        ("急性上呼吸道感染", True),
        ("发现高血压10年，头晕2天", False),
        ("支气管炎", True),
        ("复诊取药", False),
        ("", False),
    ],
)
def test_a_chief_complaint_is_short_and_no_diagnosis(complaint, hinted):
    assert ("chief_complaint" in hints(chief_complaint=complaint)) is hinted


@pytest.mark.parametrize(
    ("vitals", "count"),
    [
        ({}, 0),
        ({"temperature": "36.5", "pulse": "80", "systolic": "120", "diastolic": "80"}, 0),
        ({"temperature": "３７.2"}, 0),
        ({"temperature": "43"}, 1),
        ({"temperature": "43℃"}, 1),
        ({"temperature": "3.65"}, 1),
        ({"pulse": "800"}, 1),
        ({"systolic": "200", "diastolic": "50"}, 1),
        ({"systolic": "80", "diastolic": "120"}, 1),
        ({"spo2": "101"}, 1),
        ({"glucose": "高"}, 1),
        ({"height": "1.72"}, 1),
        ({"weight": "nan"}, 1),
    ],
)
def test_vital_signs_that_cannot_be_meant_are_asked_about(vitals, count):
    assert len(requirements.vitals_hints(vitals)) == count


def test_hints_never_stand_among_what_is_missing():
    assert missing(chief_complaint="高血压", vitals={"temperature": "43"}) == set()


def test_the_impossible_vital_signs_of_the_contradictory_notes_are_asked_about():
    """Each note of the shared list whose temperature no body has gets its hint; without the list, our own."""
    typed = ["43", "20", "45.5", "12", "36.5"]
    if NONSENSE.exists():
        with NONSENSE.open(encoding="utf-8-sig", newline="") as file:
            typed = [row["temperature"].replace("℃", "") for row in csv.DictReader(file)]
    hot = [text for text in typed if (number := requirements.as_number(text)) and not 34 <= number <= 42]
    assert len(hot) > 3
    assert all(requirements.vitals_hints({"temperature": text}) for text in hot)
