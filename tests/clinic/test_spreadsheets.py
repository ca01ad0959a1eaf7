"""Sheets: no live formula goes out, nothing unreadable comes in."""

import io
import zipfile

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import Http404
from openpyxl import Workbook, load_workbook

from clinic import spreadsheets
from clinic.errors import Refused

LIVE = [
    "=1+1",
    '=HYPERLINK("http://x")',
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "  =1",
    "＝1+1",
    "－1",
    "|x",
]


@pytest.mark.parametrize("text", LIVE)
@pytest.mark.parametrize("form", ["xlsx", "csv"])
def test_no_cell_begins_a_formula(text, form):
    content = spreadsheets.answer("x", form, ["name"], [[text]]).content
    if form == "csv":
        assert content.decode("utf-8-sig").splitlines()[1].startswith("\"'")
    else:
        cell = load_workbook(io.BytesIO(content)).active["A2"]
        assert cell.data_type == "s"
        assert cell.value.startswith("'")


def test_headings_are_neutral_too():
    sheet = load_workbook(io.BytesIO(spreadsheets.answer("x", "xlsx", ["=A"], []).content)).active
    assert sheet["A1"].value == "'=A"


@pytest.mark.parametrize("text", ["张秀英", "𠮷野家", "😀", "a-b", "138 0013"])
def test_ordinary_text_goes_out_as_it_is(text):
    sheet = load_workbook(io.BytesIO(spreadsheets.answer("x", "xlsx", ["name"], [[text]]).content)).active
    assert sheet["A2"].value == text


def test_control_signs_do_not_break_the_sheet():
    assert spreadsheets.neutral("a\x0bb") == "ab"


def test_other_forms_are_404():
    with pytest.raises(Http404):
        spreadsheets.answer("x", "exe", [], [])


def book(*rows):
    made = Workbook()
    for row in rows:
        made.active.append(row)
    out = io.BytesIO()
    made.save(out)
    return SimpleUploadedFile("x.xlsx", out.getvalue())


def test_rows_keep_their_number_over_blank_lines():
    data = spreadsheets.read(book(["name"], ["a"], [], ["b"]))
    assert data.dict == [{"name": "a", "#": 2}, {"name": "b", "#": 4}]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_csv_as_excel_saves_it(encoding):
    data = spreadsheets.read(SimpleUploadedFile("x.csv", "姓名,电话\n张秀英,138\n".encode(encoding)))
    assert data.dict == [{"姓名": "张秀英", "电话": "138", "#": 2}]


BROKEN = [
    b"",
    b"PK\x03\x04nonsense",
    b"\xff\xfe\x00\x01",
    b"\x00\x00",
    b"name\n",
    b"\xd0\xcf\x11\xe0 old xls",
]


@pytest.mark.parametrize("content", BROKEN)
def test_what_is_no_sheet_is_refused_with_a_sentence(content):
    with pytest.raises(Refused):
        spreadsheets.read(SimpleUploadedFile("x.xlsx", content))


def test_a_zip_that_is_no_workbook_is_refused():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("a.txt", "x")
    with pytest.raises(Refused):
        spreadsheets.read(SimpleUploadedFile("x.xlsx", out.getvalue()))


def test_a_sheet_that_unpacks_too_large_is_refused(monkeypatch):
    monkeypatch.setattr(spreadsheets, "UNPACKED_BYTES", 10)
    with pytest.raises(Refused, match="."):
        spreadsheets.read(book(["name"], ["a"]))


def test_too_many_rows_are_refused(monkeypatch):
    monkeypatch.setattr(spreadsheets, "ROWS", 2)
    with pytest.raises(Refused):
        spreadsheets.read(book(["name"], ["a"], ["b"], ["c"]))


def test_a_far_cell_makes_no_row_wide():
    book, out = Workbook(), io.BytesIO()
    book.active["A1"], book.active["A2"], book.active["XFD3"] = "姓名", "张秀英", "远"
    book.save(out)
    assert spreadsheets.read(SimpleUploadedFile("a.xlsx", out.getvalue())).headers == [
        "姓名",
        spreadsheets.ROW,
    ]


def test_a_sheet_that_does_not_say_how_wide_it_is():
    """As programs write it line by line: cells that are not there would take ten times the memory."""
    book, out = Workbook(write_only=True), io.BytesIO()
    sheet = book.create_sheet()
    for line in (["phone", "carrier"], ["13800138000", "联通"]):
        sheet.append(line)
    book.save(out)
    assert [cells for _number, cells in spreadsheets._rows_of_xlsx(out.getvalue(), 10)] == [
        ["phone", "carrier"], ["13800138000", "联通"],
    ]  # fmt: skip
