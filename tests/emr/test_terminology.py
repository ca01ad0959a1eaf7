"""A doctor finds a diagnosis by whatever comes to mind: code, words in any order, initials, pinyin."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emr import term_lists
from emr.codes import DIAGNOSIS_SYSTEMS, System
from emr.models import DiagnosisUse, Term
from emr.term_lists import Line, TermList
from emr.terminology import search, squeeze_code
from tests.emr.lists import national

pytestmark = pytest.mark.django_db

ICD10 = [
    ("I10.x00", "高血压"), ("I10.x00x002", "原发性高血压"), ("I10.x04", "高血压2级"), ("I15.000", "肾血管性高血压"),
    ("J06.900", "急性上呼吸道感染"), ("J06.900x001", "病毒性上呼吸道感染"), ("E11.900", "2型糖尿病"),
    ("A18.000+M01.1*", "骨和关节结核"), ("X59.900", "意外损伤"), ("J96.900x003", "Ⅱ型呼吸衰竭"), ("J44.900", "COPD"),
    ("M54.500", "腰痛"), ("R51.x00", "头痛"),
]  # fmt: skip


def today():
    return timezone.localdate()


def store(system, rows, name="2026", valid_from=None):
    lines = TermList([Line(code, text) for code, text in rows], 0)
    return term_lists.store(system=system, name=name, valid_from=valid_from or today(), terms=lines)


@pytest.fixture
def icd10():
    return store(System.ICD10, ICD10)


def names(user, typed, systems=DIAGNOSIS_SYSTEMS, day=None):
    return [item["name"] for item in search(user, typed, systems, day or today())]


@pytest.mark.usefixtures("icd10")
class TestFinding:
    @pytest.mark.parametrize(
        ("typed", "first"),
        [
            ("J06.9", "急性上呼吸道感染"),
            ("j069", "急性上呼吸道感染"),
            ("J06.900x001", "病毒性上呼吸道感染"),
            ("j06900001", "病毒性上呼吸道感染"),
            ("i10x00x002", "原发性高血压"),
            ("a18.000+m01", "骨和关节结核"),
            ("x59", "意外损伤"),
            ("E11", "2型糖尿病"),
            ("感染 上呼吸道", "急性上呼吸道感染"),
            ("上呼吸道感染急性", "急性上呼吸道感染"),
            ("gxy", "高血压"),
            ("GXY", "高血压"),
            ("ｇｘｙ", "高血压"),
            ("gaoxueya", "高血压"),
            ("yaotong", "腰痛"),
            ("shxdgr", "急性上呼吸道感染"),
            ("gxy 2", "高血压2级"),
            ("高血压 2", "高血压2级"),
            ("糖尿病 2型", "2型糖尿病"),
            ("２型糖尿病", "2型糖尿病"),
            ("Ⅱ型", "Ⅱ型呼吸衰竭"),
            ("ii型", "Ⅱ型呼吸衰竭"),
            ("copd", "COPD"),
            ("高xueya", "高血压"),
        ],
    )
    def test_first_answer(self, doctor, typed, first):
        assert names(doctor, typed)[0] == first

    def test_exact_before_beginning_before_inside(self, doctor):
        assert names(doctor, "gxy") == ["高血压", "高血压2级", "原发性高血压", "肾血管性高血压"]

    @pytest.mark.parametrize("typed", ["%", "_", "\\", "'", '"', "😀", "。，", "--", "(((", "%%%___"])
    def test_signs_without_letters_find_nothing(self, doctor, typed):
        assert names(doctor, typed) == []

    @pytest.mark.parametrize("typed", ["%血压", "高_压", "高' OR 1=1 --", "𠮷", "高" * 1000, "a" * 1000, "x"])
    def test_odd_input_is_harmless(self, doctor, typed):
        assert isinstance(names(doctor, typed), list)

    @given(typed=st.text(max_size=40).filter(lambda text: "\0" not in text and text.isprintable()))
    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    def test_any_text_gives_an_answer(self, doctor, typed):
        assert isinstance(names(doctor, typed), list)

    def test_every_term_is_found_by_its_own_code_and_name(self, doctor):
        for code, name in ICD10:
            assert name in names(doctor, code)
            assert name in names(doctor, name)

    def test_at_most_twenty(self, doctor):
        store(System.TCM_DISEASE, [(f"T{n}", f"感冒{n}") for n in range(50)])
        assert len(names(doctor, "感冒")) == 20


class TestReleases:
    def test_only_the_release_in_force_is_searched(self, doctor):
        store(System.ICD10, [("I10", "旧高血压")], "2020", today() - timedelta(days=900))
        store(System.ICD10, [("I10", "现高血压")], "2026", today())
        store(System.ICD10, [("I10", "将来高血压")], "2027", today() + timedelta(days=1))
        assert names(doctor, "高血压") == ["现高血压"]
        assert names(doctor, "高血压", day=today() - timedelta(days=1)) == ["旧高血压"]

    def test_an_answer_names_system_and_release(self, doctor, icd10):
        assert search(doctor, "腰痛", DIAGNOSIS_SYSTEMS, today()) == [
            {"system": "icd10", "release": "2026", "code": "M54.500", "name": "腰痛", "mine": False}
        ]

    def test_medicines_are_apart_from_diagnoses(self, doctor, icd10):
        store(System.MEDICINE, [("M1", "高血压速降丸")])
        assert names(doctor, "高血压速降") == []
        assert names(doctor, "gxysj", [System.MEDICINE]) == ["高血压速降丸"]


@pytest.mark.usefixtures("icd10")
class TestMyMostUsed:
    @staticmethod
    def used(user, code, name, count):
        DiagnosisUse.objects.create(user=user, system=System.ICD10, code=code, name=name, count=count)

    def test_come_first(self, doctor):
        self.used(doctor, "I15.000", "肾血管性高血压", 3)
        self.used(doctor, "I10.x00x002", "原发性高血压", 9)
        assert names(doctor, "gxy") == ["原发性高血压", "肾血管性高血压", "高血压", "高血压2级"]

    def test_are_all_that_an_empty_search_gives(self, doctor, colleague):
        self.used(doctor, "R51.x00", "头痛", 1)
        self.used(colleague, "M54.500", "腰痛", 1)
        assert names(doctor, "") == names(doctor, "  ") == ["头痛"]

    def test_without_those_that_no_release_in_force_has(self, doctor):
        self.used(doctor, "I99", "早已不用", 5)
        assert names(doctor, "") == names(doctor, "早已不用") == []

    def test_do_not_come_for_scattered_signs(self, doctor):
        self.used(doctor, "I15.000", "肾血管性高血压", 3)
        assert names(doctor, "压血高")[0] == "高血压"


class TestEndpoint:
    def ask(self, client, user, **fields):
        client.force_login(user)
        return client.post(reverse("terms"), fields)

    def test_answers_with_labels(self, client, doctor, icd10):
        items = self.ask(client, doctor, q="腰痛", kind="diagnosis").json()["items"]
        assert [(item["name"], item["system_label"], item["mine"]) for item in items] == [
            ("腰痛", "ICD-10", False)
        ]

    def test_four_queries(self, client, doctor, icd10):
        client.force_login(doctor)
        client.post(reverse("terms"), {"q": "高血压"})  # the session's clock is written
        with CaptureQueriesContext(
            connection,
        ) as queries:
            client.post(reverse("terms"), {"q": "高血压"})
        assert len(queries) <= 4

    def test_an_unknown_kind_is_refused(self, client, doctor):
        answer = self.ask(client, doctor, q="高", kind="food")
        assert (answer.status_code, answer.json()["message"]) == (400, "没有这一类词条。")

    def test_a_search_in_the_address_is_refused(self, client, doctor):
        client.force_login(doctor)
        assert client.get(reverse("terms"), {"q": "高血压"}).status_code == 405

    def test_the_signed_out_are_told_so_without_a_redirect(self, client):
        answer = client.post(reverse("terms"), {"q": "高血压"})
        assert (answer.status_code, answer.json()["error"]) == (401, "signed-out")

    def test_nul_is_refused(self, client, doctor):
        assert self.ask(client, doctor, q="高\0").status_code == 400

    def test_clerks_pick_no_diagnoses(self, client, clerk):
        assert self.ask(client, clerk, q="高血压").status_code == 403

    def test_strangers_pick_from_the_same_list(self, client, stranger, icd10):
        assert self.ask(client, stranger, q="腰痛").json()["items"][0]["code"] == "M54.500"


def test_codes_are_squeezed_as_the_database_does(icd10):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT code, lower(left(code, 1)) || regexp_replace(lower(substr(code, 2)), '[^0-9a-wyz]', '', 'g')"
            " FROM emr_term"
        )
        assert all(squeeze_code(code) == squeezed for code, squeezed in cursor.fetchall())


def test_the_full_list_is_searched(doctor):
    terms = term_lists.read(national("icd10.csv").read_bytes(), System.ICD10)
    term_lists.store(system=System.ICD10, name="national", valid_from=today(), terms=terms)
    assert "急性上呼吸道感染" in names(doctor, "jxshxdgr")
    assert names(doctor, "J069") == names(doctor, "j06.9") != []


def test_grams_are_looked_up_in_the_index(icd10):
    wanted = Term.objects.filter(grams__contains=["高", "血"])
    with connection.cursor() as cursor:
        # A small table is read through, whatever its indexes.
        cursor.execute("SET LOCAL enable_seqscan = off")
    assert "term_grams" in wanted.explain()
