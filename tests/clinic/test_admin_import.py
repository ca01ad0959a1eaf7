"""Residents from Excel and to Excel: all rows or none, errors by row, no live formula."""

import io
from datetime import date, datetime

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from openpyxl import Workbook, load_workbook

from clinic import resident_sheet
from clinic.codes import Act, Role, Sex
from clinic.models import AuditEntry, Community, KeyTag, Resident
from clinic.resident_columns import COLUMNS
from tests import factories

pytestmark = pytest.mark.django_db

IMPORT, TRY = "/admin/clinic/resident/import/", "/admin/clinic/resident/import/try/"


@pytest.fixture
def desk(client, clerk):
    client.force_login(clerk)
    return client


@pytest.fixture
def headings(desk):
    """The template's own headings, by field."""
    sheet = load_workbook(io.BytesIO(desk.get(f"{IMPORT}template/").content)).worksheets[0]
    return {column.name: sheet.cell(1, number).value for number, column in enumerate(COLUMNS, start=1)}


def book(headings, *rows):
    made = Workbook()
    names = [
        "name",
        "id_number",
        "phone",
        "birth_date",
        "sex",
        "home",
        "key_tags",
        "community",
        "id_type",
        "note",
    ]
    made.active.append([headings[name] for name in names])
    for row in rows:
        made.active.append([row.get(name) for name in names])
    out = io.BytesIO()
    made.save(out)
    return SimpleUploadedFile("x.xlsx", out.getvalue())


def person(name="陈桂兰", born=date(1950, 1, 2), **fields):
    return {"name": name, "id_number": factories.id_number(born, Sex.FEMALE), **fields}


def send(desk, where, upload, **data):
    return desk.post(where, {"file": upload, **data})


def test_a_trial_run_writes_nothing(desk, headings):
    answer = send(desk, TRY, book(headings, person()))
    assert answer.context["report"].errors == []
    assert not Resident.objects.exists()


def test_all_rows_are_registered_at_home(desk, headings, station):
    send(desk, IMPORT, book(headings, person(), person("李国强", date(1961, 5, 6), phone="13900002222")))
    assert set(Resident.objects.values_list("name", "home", "initials")) == {
        ("陈桂兰", station.pk, "cgl"),
        ("李国强", station.pk, "lgq"),
    }


def test_one_bad_row_and_nothing_is_written(desk, headings):
    bad = person("坏行", id_number="123")
    answer = send(desk, IMPORT, book(headings, person(), {}, bad, person("丙", date(1970, 1, 1))))
    assert [error.row for error in answer.context["report"].errors] == [4]
    assert "4" in answer.content.decode()
    assert not Resident.objects.exists()


BAD = [
    {"name": ""}, {"id_number": "110105194912310021"}, {"birth_date": "1949-02-30"}, {"birth_date": "明天"},
    {"sex": "也许"}, {"phone": "abc"}, {"key_tags": "高血压、胡说"}, {"community": "无此小区"}, {"name": "张" * 61},
    {"id_number": 110105194912310020}, {"birth_date": "2999-01-01"}, {"note": "注" * 201}, {"sex": "男"},
]  # fmt: skip


@pytest.mark.parametrize("fields", BAD, ids=str)
def test_what_is_wrong_is_named_by_row(desk, headings, fields):
    answer = send(desk, IMPORT, book(headings, {**person(), **fields}))
    assert {error.row for error in answer.context["report"].errors} == {2}
    assert not Resident.objects.exists()


def test_another_station_s_resident_is_an_error_not_moved(desk, headings, other_station):
    answer = send(desk, IMPORT, book(headings, person(home=other_station.short_name)))
    assert [error.row for error in answer.context["report"].errors] == [2]
    assert not Resident.objects.exists()


def test_a_centre_names_its_stations(client, centre, station, headings):
    client.force_login(factories.user(Role.CLERK, centre))
    send(client, IMPORT, book(headings, person(home=station.short_name), person("李四", home=None)))
    assert set(Resident.objects.values_list("home", flat=True)) == {station.pk, centre.pk}


def test_old_and_wide_numbers_are_brought_up_to_date(desk, headings):
    wide = "11010519491231002x".translate(str.maketrans("0123456789", "０１２３４５６７８９"))
    rows = person(id_number=wide), person("李四", id_number="110105600101003")
    send(desk, IMPORT, book(headings, *rows))
    numbers = set(Resident.objects.values_list("id_number", flat=True))
    assert "11010519491231002X" in numbers
    assert all(len(number) == 18 for number in numbers)


DAYS = [
    "1950-01-02",
    "1950/1/2",
    "1950.1.2",
    "19500102",
    "1950年1月2日",
    datetime(1950, 1, 2),
    "１９５０-０１-０２",
]


@pytest.mark.parametrize("day", DAYS, ids=str)
def test_dates_as_people_write_them(desk, headings, day):
    row = {"name": "无证", "id_type": "99", "birth_date": day, "sex": "女"}
    send(desk, IMPORT, book(headings, row))
    assert Resident.objects.get().birth_date == date(1950, 1, 2)


def test_the_same_number_twice_in_the_file(desk, headings):
    one = person()
    answer = send(desk, IMPORT, book(headings, one, {**one, "name": "别人"}))
    assert [error.row for error in answer.context["report"].errors] == [3]


def test_a_number_registered_already(desk, headings, other_station):
    there = factories.resident(other_station)
    answer = send(desk, IMPORT, book(headings, person(id_number=there.id_number)), confirmed="1")
    assert answer.context["report"].errors[0].row == 2
    assert Resident.objects.count() == 1


def test_likely_duplicates_want_a_tick(desk, headings, station):
    factories.resident(station, name="陈桂兰", born=date(1950, 1, 2), id_type="99", id_number="")
    answer = send(desk, IMPORT, book(headings, person()))
    assert answer.context["report"].suspected
    assert Resident.objects.count() == 1
    send(desk, IMPORT, book(headings, person()), confirmed="1")
    assert Resident.objects.count() == 2


def test_tags_numbers_and_trail_come_with_the_rows(desk, headings, clerk):
    Community.objects.create(code="110101001001", name="胡家园社区", street="东直门街道")
    send(desk, IMPORT, book(headings, person(key_tags="高血压、糖尿病", community="胡家园社区")))
    made = Resident.objects.get()
    assert made.record_number == "11010100100100001"
    assert KeyTag.objects.filter(resident=made, source="import").count() == 2
    assert made.history.get().history_user == clerk
    assert AuditEntry.objects.get(act=Act.IMPORT).detail["rows"] == 1


def test_the_database_s_last_word_is_a_sentence(desk, headings, resident, monkeypatch):
    monkeypatch.setattr(resident_sheet, "_taken", lambda good: [])
    answer = send(desk, IMPORT, book(headings, person(id_number=resident.id_number)), confirmed="1")
    assert answer.status_code == 400
    assert Resident.objects.count() == 1


@pytest.mark.parametrize(
    "content", [b"", b"PK\x03\x04", b"\x00\xff", "姓名\n".encode(), "电话,地址\n1,2\n".encode()]
)
def test_what_is_no_sheet_gets_a_sentence(desk, content):
    answer = send(desk, IMPORT, SimpleUploadedFile("x.xlsx", content))
    assert answer.status_code == 400
    assert answer.context["report"].sentence


def test_without_a_file(desk):
    assert desk.post(IMPORT, {}).status_code == 400


@pytest.mark.parametrize("role", [Role.MANAGER, Role.AUDITOR, Role.SYSADMIN, Role.DISTRICT])
def test_who_may_not_import(client, role, station):
    client.force_login(factories.user(role, station))
    assert client.get(IMPORT).status_code == 403
    assert client.post(TRY).status_code == 403


def export(desk, form="xlsx", **query):
    return desk.get(reverse("admin:clinic_resident_export", args=[form]), query)


def test_export_is_one_s_own_people_and_no_formula(desk, station, other_station):
    factories.resident(station, name='=HYPERLINK("http://x","y")')
    factories.resident(other_station, name="别站居民")
    sheet = load_workbook(io.BytesIO(export(desk).content)).worksheets[0]
    names = [row[0].value for row in sheet.iter_rows(min_row=2)]
    assert names == ['\'=HYPERLINK("http://x","y")']


def test_export_is_audited_with_its_count(desk, resident):
    export(desk, "csv")
    assert AuditEntry.objects.get(act=Act.EXPORT).detail == {"what": "residents", "rows": 1}


def test_export_follows_the_filter_and_search(desk, station, resident):
    factories.resident(station, name="李四")
    text = export(desk, "csv", q="张秀英").content.decode("utf-8-sig")
    assert "张秀英" in text
    assert "李四" not in text


def test_what_was_exported_can_be_read_again(desk, resident):
    content = export(desk).content
    answer = send(desk, TRY, SimpleUploadedFile("x.xlsx", content))
    assert {error.row for error in answer.context["report"].errors} == {2}


@pytest.mark.parametrize("role", [Role.CENTRE_IT, Role.DISTRICT, Role.AUDITOR, Role.SYSADMIN])
def test_who_may_not_export(client, role, station):
    client.force_login(factories.user(role, station))
    assert export(client).status_code == 403


def test_other_forms_are_404(desk):
    assert export(desk, "exe").status_code == 404
