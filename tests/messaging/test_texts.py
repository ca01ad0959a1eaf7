"""What a text may hold, and what the handset shows."""

import time
from datetime import date

import pytest

from clinic.codes import Sex
from clinic.errors import Refused
from messaging import saving, texts
from messaging.gateways import text
from tests import factories

HOSTILE = {
    "nothing": "", "blanks": " \n\t", "nul": "您好\0", "half a character": "您好\ud83d", "signature": "【他】您好",
    "yuan": "只要5¥", "full-width yuan": "只要5￥", "star": "★您好", "picture": "您好😀", "heart": "您好❤️",
    "no such variable": "{nam}您好", "case": "{Name}您好", "blank in it": "{ name }您好", "open": "{name您好",
    "closed": "name}您好", "twice": "{{name}}您好", "empty": "{}您好", "attribute": "{name.phone}您好",
    "format": "{name!r:>500}", "bell": "您好\a", "turned around": "您好\u202e", "no width": "您\u200b好",
    "too long": "好" * 501, "not a text": None,
}  # fmt: skip


@pytest.mark.parametrize("body", list(HOSTILE.values()), ids=list(HOSTILE))
def test_what_cannot_be_sent_is_refused(body):
    with pytest.raises(Refused) as refused:
        texts.check(body, "service")
    assert refused.value.code == "text"


def test_nine_megabytes_are_refused_at_once():
    began = time.process_time()
    for body in ("{" * 9_000_000, "好{name}" * 1_500_000, "【" * 9_000_000):
        with pytest.raises(Refused):
            texts.check(body, "service")
    assert time.process_time() - began < 0.5


def test_500_characters_and_a_rare_name_are_fine():
    assert texts.check("好" * 500, "service") == []
    assert texts.check("𠮷先生您好", "service") == []


@pytest.mark.parametrize("word", ["高血压", "hiv", "HIV", "肺结核", "精神障碍", "乙肝", "胰岛素"])
def test_a_diagnosis_is_warned_about(word):
    (warning,) = texts.check(f"请来领{word}的药", "service")
    assert word in warning or word[-2:] in warning or word[:2] in warning


def test_education_says_how_to_refuse():
    assert texts.check("请来听课", "education")
    assert texts.check("请来听课。拒收请回复R", "education") == []


def test_variables_of_other_apps(monkeypatch):
    monkeypatch.setattr(texts, "offered", {})
    with pytest.raises(Refused):
        texts.check("{due}到期", "service")
    texts.offer(due="到期日")
    assert texts.check("{due}到期", "service") == []
    with pytest.raises(Refused):
        texts.check("{due}到期", "service", given=())


def test_the_signature_stands_once_in_front():
    assert (
        texts.render("{name}您好，{name}", "社区卫生", {"name": "张秀英"}) == "【社区卫生】张秀英您好，张秀英"
    )


def test_lines_of_a_form():
    assert texts.check("您好\r\n再见", "service") == []
    assert texts.render("您好\r\n再见", "社区卫生", {}) == "【社区卫生】您好\n再见"


@pytest.mark.parametrize("value", [None, "", "  ", "\0", "【】", "\ud800"], ids=repr)
def test_without_a_value_there_is_no_text(value):
    with pytest.raises(KeyError):
        texts.render("{name}您好", "社区卫生", {"name": value})


def test_a_value_brings_nothing_in():
    whole = texts.render(
        "{name}您好", "社区卫生", {"name": "【假】{age}\r\n\0\u202e张\\1" + "长" * 9_000_000}
    )
    assert whole.startswith("【社区卫生】假{age}张\\1长")
    assert len(whole) < 150
    assert not set(whole[6:]) & set("【】\r\n\0\u202e")


@pytest.mark.parametrize(
    ("name", "sex", "age", "said"),
    [
        ("张秀英", Sex.FEMALE, 65, "张女士"), ("欧阳修", Sex.MALE, 40, "欧阳先生"), ("欧阳", Sex.MALE, 40, "欧先生"),
        ("阿不都·热合曼", Sex.MALE, 40, "阿不都·热合曼"), ("John Smith", Sex.MALE, 40, "John Smith"),
        ("张三", Sex.UNKNOWN, 40, "张三"), ("张小明", Sex.MALE, 6, "张小明家长"), ("张", Sex.MALE, 40, "张"),
    ],
)  # fmt: skip
def test_salutation(name, sex, age, said):
    assert texts.salutation(name, sex, age) == said


@pytest.mark.django_db
def test_every_variable_has_a_value(station):
    person = factories.resident(station, born=date(2000, 2, 29))
    values = texts.values_of(person, station, date(2026, 2, 28))
    assert set(values) == set(texts.VARIABLES) == set(texts.EXAMPLE)
    assert (values["age"], values["date"]) == ("25", "2月28日")


def test_what_a_cut_saves():
    messages = ["好" * 73] * 4 + ["好" * 40] * 6
    assert saving.best(messages) == (3, 4)
    assert text.count("好" * 70) == 1
    assert saving.best(["好" * 70]) == (0, 0)
