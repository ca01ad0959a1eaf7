"""Allergies meet drugs as people write both, and never block."""

import csv
from pathlib import Path

import pytest

from clinic.models import Allergy
from emr import prescribing
from tests import factories

DRUGS = Path(__file__).resolve().parents[3] / "shared" / "data" / "drugs.csv"


@pytest.mark.parametrize(
    ("drug", "substance"),
    [
        ("青霉素钠", "青霉素"),
        ("阿莫西林胶囊", "青霉素"),
        ("阿莫西林克拉维酸钾", "青霉素类药物过敏"),
        ("注射用哌拉西林钠他唑巴坦钠", "青霉素"),
        ("氨苄西林", "阿莫西林"),
        ("头孢克肟分散片", "头孢"),
        ("头孢呋辛酯", "头孢曲松"),
        ("复方磺胺甲噁唑片", "磺胺"),
        ("复方新诺明", "磺胺类"),
        ("左氧氟沙星", "喹诺酮类"),
        ("阿奇霉素", "红霉素"),
        ("阿司匹林肠溶片", "阿司匹林"),
        ("布洛芬", "解热镇痛药"),
        ("聚维酮碘溶液", "碘"),
        ("破伤风抗毒素", "破伤风抗毒素"),
        (" 阿 莫 西 林 （胶囊）", "青霉素"),
        ("Amoxicillin 阿莫西林", "Penicillin"),
    ],
)
def test_a_drug_meets_the_allergy(drug, substance):
    assert prescribing.matches(drug, substance)


@pytest.mark.parametrize(
    ("drug", "substance"),
    [
        ("氨氯地平片", "青霉素"),
        ("头孢克肟", "青霉素"),
        ("青霉胺片", "青霉素"),
        ("阿莫西林", ""),
        ("", "青霉素"),
        ("阿莫西林", "无"),
        ("阿莫西林", "否认药物过敏"),
        ("维生素C片", "花粉"),
        ("二甲双胍", "磺胺"),
        ("糖", "虾"),
    ],
)
def test_a_drug_does_not_meet_it(drug, substance):
    assert not prescribing.matches(drug, substance)


def test_a_hint_names_the_line_the_drug_and_the_substance():
    found = prescribing.allergy_hints([{"drug": "氨氯地平"}, {"drug": "阿莫西林"}], ["青霉素"])
    assert [(hint["field"], hint["line"]) for hint in found] == [("medications", 1)]
    assert "青霉素" in found[0]["sentence"]
    assert "阿莫西林" in found[0]["sentence"]


def test_hostile_lines_are_no_error():
    lines = [{}, {"drug": "𠮷" * 100}, {"drug": "("}, {"drug": "[a-z]+*"}]
    assert prescribing.allergy_hints(lines, ["青霉素", "((", "*", "𠮷"]) is not None


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("7", 7),
        ("７", 7),
        ("7天", 7),
        ("14 日", 14),
        ("", None),
        ("七", None),
        ("7.5", None),
        ("1e3", None),
        ("٧", None),
    ],
)
def test_days_are_whole_numbers_as_people_type_them(text, days):
    assert prescribing.days_of({"days": text}) == days


@pytest.mark.django_db
def test_allergies_of_the_whole_file_without_refuted_ones(resident, station):
    absorbed = factories.resident(station, merged_into=resident)
    Allergy.objects.create(resident=resident, substance="青霉素")
    Allergy.objects.create(resident=resident, substance="磺胺", refuted_on="2020-01-01")
    Allergy.objects.create(resident=absorbed, substance="头孢")
    assert sorted(prescribing.allergies_of(absorbed)) == ["头孢", "青霉素"]


PENICILLINS = {
    "阿莫西林",
    "氨苄西林",
    "苄星青霉素",
    "哌拉西林",
    "苯唑西林",
    "青霉素",
    "青霉素V",
    "阿洛西林",
    "美洛西林",
    "磺苄西林",
    "氯唑西林",
}
CEPHALOSPORINS = {
    "头孢氨苄",
    "头孢拉定",
    "头孢克洛",
    "头孢呋辛",
    "头孢丙烯",
    "头孢克肟",
    "头孢地尼",
    "头孢曲松",
    "头孢他啶",
    "头孢唑林",
    "头孢噻肟",
}


def names_of(classes, own):
    """Drugs of these classes in the national list; without the shared data, common ones of our own."""
    if not DRUGS.exists():
        return own
    with DRUGS.open(encoding="utf-8-sig", newline="") as file:
        return {row["name"] for row in csv.DictReader(file) if row["class_code"].startswith(classes)}


def test_every_penicillin_of_the_national_list_meets_a_penicillin_allergy():
    """Classes XJ01C of the medicine list are the penicillins."""
    names = names_of("XJ01C", PENICILLINS)
    assert len(names) > 10
    assert [name for name in sorted(names) if not prescribing.matches(name, "青霉素")] == []


def test_every_cephalosporin_of_the_national_list_meets_a_cephalosporin_allergy():
    names = names_of(("XJ01DB", "XJ01DC", "XJ01DD"), CEPHALOSPORINS)
    names.discard("注射液")  # a row of the list that lost its drug
    assert len(names) > 10
    assert [name for name in sorted(names) if not prescribing.matches(name, "头孢")] == []
