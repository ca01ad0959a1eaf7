"""Real notes through the real addresses: online paediatric consultations, and notes that contradict themselves
with impossible vital signs (../shared/data, see its README). Kept exactly or refused with a sentence.

Where that folder is missing, two invented notes of each kind stand in.
"""

import csv
import re

import pytest

from emr.models import Note
from emr.printing import PAPERS, lay_out
from tests import factories
from tests.emr.conftest import Page
from tests.emr.lists import SHARED

pytestmark = pytest.mark.django_db

PAEDIATRIC = [
    {
        "chief_complaint": "咳嗽两天。", "present_illness": "患儿咳嗽两天，夜间重，无发热。", "aux_exam": "",
        "past_history": "", "diagnosis": "咳嗽待查。", "advice": "多饮水，勤拍背。",
    },
    {
        "chief_complaint": "发热3日伴咳嗽。", "present_illness": "15个月小儿发热3日。", "aux_exam": "C反应蛋白：33.9。",
        "past_history": "不详。", "diagnosis": "支气管肺炎。", "advice": "尽快就医。",
    },
]  # fmt: skip
CONTRADICTORY = [
    {
        "chief_complaint": "腹痛、腹泻 1 天", "present_illness": "进食后腹痛，腹泻后加剧", "past_history": "",
        "temperature": "43℃", "pulse": "160", "respiration": "45 次", "blood_pressure": "200/50", "aux_exam": "异常",
    },
    {
        "chief_complaint": "心悸半小时", "present_illness": "心悸时胸痛反而减轻", "past_history": "一直正常",
        "temperature": "35.1℃", "pulse": "60 次 / 分", "respiration": "12", "blood_pressure": "90/40mmHg",
        "aux_exam": "有异常",
    },
]  # fmt: skip


def rows(name, own, step):
    """Every so many rows of the file: the suite is to stay quick."""
    path = SHARED / name
    if not path.exists():
        return own
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))[::step]


def paediatric(row):
    return {
        "chief_complaint": row["chief_complaint"],
        "present_illness": row["present_illness"],
        "past_history": row["past_history"],
        "examinations": row["aux_exam"],
        "treatment": row["advice"] or "随诊",
        "diagnoses": [{"system": "", "code": "", "name": row["diagnosis"], "certainty": "suspected"}],
    }


def contradictory(row):
    systolic, _slash, diastolic = row["blood_pressure"].partition("/")
    return {
        "chief_complaint": row["chief_complaint"],
        "present_illness": row["present_illness"],
        "past_history": row["past_history"],
        "examinations": row["aux_exam"],
        "vitals": {
            "temperature": row["temperature"],
            "pulse": row["pulse"],
            "respiration": row["respiration"],
            "systolic": systolic,
            "diastolic": diastolic,
        },
    }


KINDS = [
    pytest.param("notes_paediatric.csv", PAEDIATRIC, paediatric, id="paediatric"),
    pytest.param("notes_contradictory.csv", CONTRADICTORY, contradictory, id="contradictory"),
]


@pytest.fixture(autouse=True)
def _cheap_password(settings):
    """Hundreds of signatures: the price of a strong hash is tested elsewhere."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def visits(client, doctor, station):
    """Begun visits, each of another resident, with the page that charts them."""

    def begin():
        visit = factories.encounter(factories.resident(station), doctor)
        return Page(client, doctor, visit)

    return begin


@pytest.mark.parametrize(("name", "own", "fields_of"), KINDS)
def test_a_draft_is_kept_as_typed(charting, name, own, fields_of):
    for version, row in enumerate(rows(name, own, 5)):
        fields = fields_of(row)
        answer = charting.save(fields, version)
        assert answer.status_code == 200, answer.json()
        assert Note.objects.values(*fields).get(encounter=charting.visit) == fields


@pytest.mark.parametrize(("name", "own", "fields_of"), KINDS)
def test_signing_asks_for_what_is_missing_and_for_nothing_else(visits, name, own, fields_of):
    """Blank parts are named and filled in; impossible vital signs are hinted at and forbid nothing."""
    filled = {"signs": "未查体", "past_history": "不详", "examinations": "暂无", "treatment": "观察"}
    filled["diagnoses"] = [{"system": "", "code": "", "name": "待查", "certainty": "suspected"}]
    for row in rows(name, own, 30):
        page, fields = visits(), fields_of(row)
        page.save(fields)
        answer = page.sign(1)
        gaps = {gap["field"] for gap in answer.json()["missing"]}
        assert answer.status_code == 422
        assert gaps == {
            part for part in filled if not fields.get(part) and not (part == "signs" and "vitals" in fields)
        }
        page.save({part: filled[part] for part in gaps}, 1)
        assert page.sign(2).status_code == 200
        assert Note.objects.values(*fields).get(encounter=page.visit) == {
            **fields,
            **{part: filled[part] for part in gaps & set(fields)},
        }


@pytest.mark.parametrize(("name", "own", "fields_of"), KINDS)
def test_a_signed_note_is_printed_to_the_last_character(visits, doctor, name, own, fields_of):
    for row in rows(name, own, 60):
        page, fields = visits(), fields_of(row)
        more = {"signs": "未查体", "past_history": "不详", "examinations": "暂无", "treatment": "观察"}
        more["diagnoses"] = [{"system": "", "code": "", "name": "待查", "certainty": "confirmed"}]
        page.save({**more, **{part: value for part, value in fields.items() if value}})
        assert page.sign(1).status_code == 200
        note = Note.objects.get(encounter=page.visit)
        for paper in PAPERS.values():
            lines = [line.text for lines, _number in lay_out(note, paper).pages for line in lines]
            printed = re.sub(r"\s", "", "".join(lines))
            for part in Note.TEXT_FIELDS:
                assert re.sub(r"\s", "", getattr(note, part)) in printed


def test_an_impossible_temperature_is_hinted_at(visits):
    page = visits()
    page.save({"vitals": {"temperature": "43℃", "systolic": "200", "diastolic": "50"}})
    hints = [hint["sentence"] for hint in page.sign(1).json()["hints"]]
    assert any("43℃" in hint for hint in hints)
    assert any("200/50" in hint for hint in hints)


@pytest.mark.parametrize("text", ["𠮷田", "👨‍👩‍👧", "\u202e倒", "é\u0301", "咳" * 20_000, " \n\t前后 \n"])
def test_odd_text_is_kept_exactly(charting, text):
    assert charting.save({"present_illness": text}).status_code == 200
    assert Note.objects.get(encounter=charting.visit).present_illness == text


@pytest.mark.parametrize("text", ["咳\0嗽", "咳\ud800嗽", "咳" * 20_001])
def test_text_that_cannot_be_kept_is_refused_with_a_sentence(charting, text):
    answer = charting.save({"present_illness": text})
    assert answer.status_code == 400
    assert re.search("[一-鿿]", answer.json()["message"])
    assert Note.objects.get(encounter=charting.visit).present_illness == ""
