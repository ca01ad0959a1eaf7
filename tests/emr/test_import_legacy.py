"""Taking over the old system: whole files or nothing, errors by row, repeats without harm."""

from datetime import date
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.utils import timezone

from clinic.models import AuditEntry, Resident
from emr.models import Diagnosis, Encounter, Note
from tests import factories

pytestmark = pytest.mark.django_db

HEADER = "原系统编号,姓名,证件号码,性别,出生日期,联系电话,药物过敏史,机构编码"
VISITS = "就诊编号,原系统居民编号,就诊时间,机构编码,医生,主诉,处理,处方,诊断,诊断编码,备注"


@pytest.fixture
def take(tmp_path, station, capsys):
    """Runs the command on lines of text; returns what it said."""

    def run(kind, *lines, encoding="utf-8", **options):
        path = tmp_path / f"{kind}.csv"
        path.write_bytes("\r\n".join(lines).encode(encoding))
        out = StringIO()
        call_command("import_legacy", **{kind: path}, stdout=out, **options)
        return out.getvalue()

    return run


@pytest.fixture
def old_resident(station):
    return factories.resident(station, name="刘桂兰", source_id="P1")


def refused(take, kind, *lines, **options):
    with pytest.raises(CommandError) as told:
        take(kind, *lines, **options)
    return str(told.value)


def person(number, name="赵玉兰", born=date(1950, 5, 6)):
    return f"{number},{name},{factories.id_number(born)},,,13800000000,,S0101"


def visit(number="V1", resident="P1", at="2019-03-05 09:30", diagnoses="高血压病", codes="I10.x00"):
    return f"{number},{resident},{at},S0101,老张,头晕三天,低盐饮食,氨氯地平5mg每日一次,{diagnoses},{codes},旧备注"


def test_a_resident_comes_with_everything_told(take, station):
    take("residents", HEADER, "P7,𠮷祥,11010519491231002x,女,1949-12-31,+86 138-0000-0001,青霉素；磺胺,S0101")
    made = Resident.objects.get(source_id="P7")
    assert (made.name, made.sex, made.birth_date, made.home) == ("𠮷祥", "2", date(1949, 12, 31), station)
    assert made.phone == "13800000001"
    assert [row.substance for row in made.allergies.order_by("pk")] == ["青霉素", "磺胺"]
    assert made.id_reversed == made.id_number[::-1]
    assert made.history.count() == 1


def test_birth_date_and_sex_come_from_the_id_number(take):
    take("residents", HEADER, "P7,王芳,11010519491231002x,,,,,S0101")
    assert Resident.objects.get().birth_date == date(1949, 12, 31)


def test_an_old_15_digit_number_is_upgraded(take):
    take("residents", HEADER, "P7,王芳,110105491231002,,,,,S0101")
    assert Resident.objects.get().id_number == "11010519491231002X"


def test_english_headers_and_gb18030_are_taken(take):
    take("residents", "source_id,name,sex,birth_date,home", "P8,𠮷㼆,女,1980/2/3,S0101", encoding="gb18030")
    assert Resident.objects.get(source_id="P8").name == "𠮷㼆"


def test_a_byte_order_mark_and_blank_lines_do_no_harm(take):
    take("residents", HEADER, "", person("P1"), ",,,,,,,", encoding="utf-8-sig")
    assert Resident.objects.count() == 1


def test_every_faulty_row_is_named_and_nothing_is_kept(take):
    told = refused(
        take, "residents", HEADER, person("P1"), "P2,,,女,1980-01-01,,,S0101", "P3,李四,11010519491231002x1,,,,,S0101",
        "P4,李五,,男,1980-13-01,,,S0101", "P5,李六,,男,1980-01-01,,,NOWHERE", "P6,李七,,,,,,S0101",
    )  # fmt: skip
    rows = [line.split("：")[0] for line in told.splitlines()[:-1]]
    assert len(rows) == 5
    assert all(str(number) in row for number, row in zip(range(3, 8), rows, strict=True))
    assert not Resident.objects.exists()


def test_a_contradiction_to_the_id_number_is_refused(take):
    assert "2" in refused(take, "residents", HEADER, "P1,王芳,11010519491231002x,男,1949-12-31,,,S0101")


def test_one_id_number_twice_in_the_file_is_refused(take):
    twice = factories.id_number()
    told = refused(
        take, "residents", HEADER, f"P1,王芳,{twice},,,,,S0101", f"P2,李芳,{twice},,,,,S0101"
    )  # fmt: skip
    assert "3" in told
    assert not Resident.objects.exists()


def test_somebody_registered_here_before_takes_the_old_number_over(take, resident):
    take("residents", HEADER, f"P9,{resident.name},{resident.id_number},,,,,S0101")
    resident.refresh_from_db()
    assert (Resident.objects.count(), resident.source_id) == (1, "P9")


def test_the_same_id_number_under_another_name_is_refused(take, resident):
    assert "2" in refused(take, "residents", HEADER, f"P9,别人,{resident.id_number},,,,,S0101")


def test_a_repeat_changes_nothing(take, old_resident):
    lines = [person("P2"), person("P3", "钱进")]
    take("residents", HEADER, *lines)
    take("residents", HEADER, *lines)
    assert Resident.objects.count() == 3
    take("visits", VISITS, visit())
    take("visits", VISITS, visit())
    assert Encounter.objects.count() == 1


def test_a_dry_run_keeps_nothing(take, old_resident):
    take("residents", HEADER, person("P2"), dry_run=True)
    take("visits", VISITS, visit(), dry_run=True)
    assert (Resident.objects.count(), Encounter.objects.count()) == (1, 0)
    assert not AuditEntry.objects.exists()


def test_a_dry_run_names_the_faults_too(take):
    assert "2" in refused(take, "residents", HEADER, "P2,,,女,1980-01-01,,,S0101", dry_run=True)


def test_a_visit_comes_finished_marked_and_without_our_signature(take, old_resident):
    take("visits", VISITS, visit())
    note = Note.objects.select_related("encounter").get()
    assert (note.imported, note.imported_doctor, note.signed_at, note.signed_by) == (True, "老张", None, None)
    assert (note.encounter.status, note.encounter.imported) == ("finished", True)
    assert f"{timezone.localtime(note.encounter.arrived_at):%Y-%m-%d %H:%M}" == "2019-03-05 09:30"
    assert note.treatment == "低盐饮食\n氨氯地平5mg每日一次"
    assert note.is_readonly


def test_a_visit_taken_over_never_changes(take, old_resident):
    take("visits", VISITS, visit())
    with pytest.raises(IntegrityError), transaction.atomic():
        Note.objects.update(treatment="改")
    with pytest.raises(IntegrityError), transaction.atomic():
        Encounter.objects.update(department="改")


def test_diagnoses_keep_their_order_codes_and_doubts(take, old_resident):
    take("visits", VISITS, visit(diagnoses="高血压病；肺炎、支气管炎？", codes="I10.x00；J18.900"))
    rows = Diagnosis.objects.order_by("position").values_list("code", "name", "certainty", "primary")
    assert list(rows) == [
        ("I10.x00", "高血压病", "confirmed", True),
        ("J18.900", "肺炎、支气管炎？", "suspected", False),
    ]


def test_faulty_visits_are_named_by_row(take, old_resident):
    told = refused(
        take, "visits", VISITS, visit(), visit("V2", resident="P404"), visit("V3", at="昨天"),
        visit("V4", at="2999-01-01"), visit("V5", codes="I10.x00；J18.900"), visit("V6", at="2019-01-01 25:00"),
    )  # fmt: skip
    assert len(told.splitlines()) == 6
    assert not Encounter.objects.exists()


def test_text_of_20_000_characters_is_kept_and_one_more_refused(take, old_resident):
    line = "V1,P1,2019-03-05,S0101,老张,{},,,,,"
    assert "2" in refused(take, "visits", VISITS, line.format("痛" * 20_001))
    take("visits", VISITS, line.format("痛" * 20_000))
    assert len(Note.objects.get().chief_complaint) == 20_000


def test_nul_is_refused_with_a_sentence(take):
    assert "2" in refused(take, "residents", HEADER, "P1,王\x00芳,,女,1980-01-01,,,S0101")


def test_columns_that_are_not_known_are_left_aside_and_named(take, old_resident):
    assert "备注" in take("visits", VISITS, visit())


def test_a_missing_column_is_named(take):
    assert "姓名" in refused(take, "residents", "原系统编号,性别", "P1,女")


@pytest.mark.parametrize("content", [b"\xff\xfe\x00\x81\xff", b'a,"b\nc', b""])
def test_what_is_no_csv_is_refused_with_a_sentence(tmp_path, station, content):
    path = tmp_path / "odd.csv"
    path.write_bytes(content)
    with pytest.raises(CommandError):
        call_command("import_legacy", residents=path)


def test_a_file_that_is_not_there_and_no_file_at_all_are_told(tmp_path, db):
    with pytest.raises(CommandError):
        call_command("import_legacy", residents=tmp_path / "none.csv")
    with pytest.raises(CommandError):
        call_command("import_legacy")


def test_the_import_stands_in_the_trail_without_a_name(take):
    take("residents", HEADER, person("P1"), by=None)
    entry = AuditEntry.objects.get(act="import")
    assert entry.detail == {"residents": 1}
