"""A list of terms comes in whole or not at all, and a faulty one is answered with a sentence."""

import csv
import io
from datetime import date

import pytest
from django.core.management import CommandError, call_command

from clinic.codes import Act
from clinic.errors import Refused
from clinic.models import AuditEntry
from emr import term_lists
from emr.codes import System
from emr.models import Term, TermRelease
from tests.emr.lists import national

pytestmark = pytest.mark.django_db


@pytest.fixture
def given(tmp_path):
    """Writes a file, text or bytes, and returns its path."""

    def write(content, name="list.csv", encoding="utf-8"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
        return path

    return write


def run(path, system="icd10", **options):
    out = io.StringIO()
    call_command("import_terms", system, str(path), stdout=out, **options)
    return out.getvalue()


def refused(path, system="icd10", **options):
    """The sentence; nothing was imported."""
    with pytest.raises(CommandError) as refusal:
        run(path, system, **options)
    assert not Term.objects.exists()
    return str(refusal.value)


class TestGoodFile:
    def test_terms_are_stored_in_a_release(self, given):
        said = run(given("code,name\nI10.x00,高血压\nJ06.900,急性上呼吸道感染\n"), release="2026")
        release = TermRelease.objects.get(system=System.ICD10, name="2026")
        assert release.terms_count == release.terms.count() == 2
        assert "2" in said

    def test_the_file_name_names_the_release(self, given):
        run(given("code,name\nI10.x00,高血压\n", name="国家临床版.csv"))
        assert TermRelease.objects.get().name == "国家临床版"

    def test_valid_from_is_kept(self, given):
        run(given("code,name\nI10.x00,高血压\n"), valid_from="2027-01-31")
        assert TermRelease.objects.get().valid_from == date(2027, 1, 31)

    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
    def test_chinese_headings_in_any_encoding(self, given, encoding):
        run(given("编码,名称\nI10.x00,高血压\n", encoding=encoding))
        assert Term.objects.get().name == "高血压"

    def test_extra_columns_are_allowed(self, given):
        run(given("chapter,name,code,remark\nIX,高血压,I10.x00,\n"))
        assert Term.objects.get().code == "I10.x00"

    def test_an_identical_repeat_is_skipped_and_counted(self, given):
        said = run(given("code,name\nI10.x00,高血压\nI10.x00,高血压\nI10.x00,高血压\n"))
        assert Term.objects.count() == 1
        assert "跳过重复 2 个" in said

    def test_one_code_with_two_names_is_two_terms(self, given):
        run(given("code,name\nBNF010,咳嗽\nBNF010,咳嗽病\n"), "tcm_disease")
        assert Term.objects.filter(code="BNF010").count() == 2

    def test_medicines_need_no_code_and_carry_their_form(self, given):
        run(given("name,dose_form\n阿莫西林,口服常释剂型\n阿莫西林,颗粒剂\n"), "medicine")
        assert set(Term.objects.values_list("name", flat=True)) == {
            "阿莫西林（口服常释剂型）", "阿莫西林（颗粒剂）",
        }  # fmt: skip

    def test_rare_characters_are_kept(self, given):
        run(given("code,name\nX01,𠮷氏综合征\n"))
        assert Term.objects.get().name == "𠮷氏综合征"

    def test_dry_run_imports_nothing(self, given):
        said = run(given("code,name\nI10.x00,高血压\n"), dry_run=True)
        assert "没有导入" in said
        assert not TermRelease.objects.exists()

    def test_the_import_stands_in_the_trail(self, given):
        run(given("code,name\nI10.x00,高血压\n"))
        assert AuditEntry.objects.get(act=Act.IMPORT).detail["terms"] == 1


class TestFaultyFile:
    @pytest.mark.parametrize(
        ("row", "problem"),
        [
            (",高血压", "编码为空"),
            ("I10.x00,", "名称为空"),
            ("I" * 31 + ",高血压", "超过 30 个字符"),
            ("I10.x00," + "高" * 201, "超过 200 个字符"),
            ("I10.x00,高\0血压", "无法保存"),
            ("I10.x00,高血压,多,余", "列数多于标题行"),
            ('I10.x00,"高血压', "引号"),
        ],
    )
    def test_a_bad_row_is_named_and_nothing_is_imported(self, given, row, problem):
        said = refused(given(f"code,name\nJ06.900,急性上呼吸道感染\n{row}\n"))
        assert "第 3 行" in said
        assert problem in said

    def test_a_rank_that_is_no_number(self, given):
        assert "常用度" in refused(given("code,name,rank\nI10.x00,高血压,九\n"))

    def test_blank_lines_count_as_rows_of_the_sheet(self, given):
        assert "第 4 行" in refused(given("code,name\nI10.x00,高血压\n\n,感冒\n"))

    @pytest.mark.parametrize("heading", ["", "a,b", "code;name", "code\tname", "code,code,name", "名称"])
    def test_wrong_headings(self, given, heading):
        assert "列" in refused(given(f"{heading}\nI10.x00,高血压\n"))

    @pytest.mark.parametrize(
        "content",
        [
            b"",
            b"PK\x03\x04\x14\x00",
            bytes(range(256)),
            "code,name\nI10,高".encode("utf-16"),
            b"\xff\xd8\xff",
        ],
        ids=["empty", "excel", "bytes", "utf-16", "picture"],
    )
    def test_no_csv_at_all(self, given, content):
        assert refused(given(content)).endswith("。")

    def test_headings_alone(self, given):
        assert "没有词条" in refused(given("code,name\n"))

    def test_a_file_that_is_not_there(self, tmp_path):
        assert "无法读取" in refused(tmp_path / "none.csv")
        assert "无法读取" in refused(tmp_path)

    def test_an_unknown_system(self, given):
        assert "icd10" in refused(given("code,name\nA,b\n"), "icd99")

    @pytest.mark.parametrize("day", ["31.1.2027", "2027-02-30", ""])
    def test_a_day_that_is_none(self, given, day):
        assert "日期" in refused(given("code,name\nI10.x00,高血压\n"), valid_from=day)

    @pytest.mark.parametrize("release", ["", " ", "x" * 41, "\0"])
    def test_a_release_without_a_proper_name(self, given, release):
        assert "版本" in refused(given("code,name\nI10.x00,高血压\n"), release=release)

    def test_the_same_release_twice(self, given):
        path = given("code,name\nI10.x00,高血压\n")
        run(path, release="2026")
        with pytest.raises(CommandError, match="已经导入过"):
            run(path, release="2026")
        assert Term.objects.count() == 1

    def test_only_diagnoses_must_have_codes_of_their_own(self):
        with pytest.raises(Refused):
            term_lists.read("name\n感冒\n".encode(), System.TCM_DISEASE)


class TestStarter:
    def test_every_system_has_a_starter_list(self):
        term_lists.load_starter()
        counts = dict(TermRelease.objects.values_list("system", "terms_count"))
        assert set(counts) == set(System.values)
        assert counts["icd10"] >= 250
        assert min(counts.values()) >= 60

    def test_an_imported_list_is_left_alone(self, given):
        run(given("code,name\nI10.x00,高血压\n"), release="2026")
        term_lists.load_starter()
        assert TermRelease.objects.filter(system=System.ICD10).count() == 1

    def test_loading_twice_changes_nothing(self):
        term_lists.load_starter()
        assert term_lists.load_starter() == []


def test_the_national_list_comes_in_to_the_last_row():
    path = national("icd10.csv")
    run(path, release="national")
    with path.open(encoding="utf-8-sig", newline="") as file:
        given = {(row["code"], row["name"]) for row in csv.DictReader(file)}
    assert set(Term.objects.values_list("code", "name")) == given
