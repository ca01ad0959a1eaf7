"""Sheets in and out: what is written can start no formula, what is read is bounded."""

import csv
import io
import zipfile
from itertools import islice

from django.http import Http404, HttpResponse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from openpyxl import Workbook, load_workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter
from tablib import Dataset

from clinic.errors import Refused

ROWS = 10_000
# One cell in the last column would make every row 16,384 cells wide.
COLUMNS = 200
ROW = "#"
FORMS = ("xlsx", "csv")
UPLOAD_BYTES = 10 * 1024 * 1024
UNPACKED_BYTES = 200 * 1024 * 1024
XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
# Excel and WPS begin a formula at each of these, WPS at the full-width ones too.
LIVE = tuple("=+-@\t\r\n＝＋－＠|")


def neutral(value):
    """Text that no spreadsheet program takes for a formula; numbers and dates stay what they are."""
    if isinstance(value, Promise):
        value = str(value)
    if not isinstance(value, str):
        return "" if value is None else value
    text = ILLEGAL_CHARACTERS_RE.sub("", value)
    return f"'{text}" if text.startswith(LIVE) or text.lstrip().startswith(LIVE) else text


def answer(name, form, headings, lines):
    """A download of the lines as ``xlsx`` or ``csv``. Any other form is 404."""
    writers = {"xlsx": (_xlsx, XLSX_TYPE), "csv": (_csv, "text/csv; charset=utf-8")}
    if form not in writers:
        raise Http404
    write, content_type = writers[form]
    response = HttpResponse(write([str(text) for text in headings], lines), content_type=content_type)
    stamp = timezone.localtime().strftime("%Y%m%d-%H%M%S")
    response["Content-Disposition"] = content_disposition_header(True, f"{name}-{stamp}.{form}")
    response["Cache-Control"] = "no-store"
    return response


def _xlsx(headings, lines):
    book = Workbook(write_only=True)
    sheet = book.create_sheet(_("Sheet"))
    for number in range(1, len(headings) + 1):
        column = sheet.column_dimensions[get_column_letter(number)]
        column.width = 16
        column.number_format = "@"
        column.font = Font(name="Calibri")
    sheet.freeze_panes = "A2"
    sheet.append([neutral(text) for text in headings])
    for line in lines:
        sheet.append([neutral(value) for value in line])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _csv(headings, lines):
    """With a byte-order mark: without it Excel reads Chinese as GBK."""
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL)
    writer.writerow([neutral(text) for text in headings])
    writer.writerows([neutral(value) for value in line] for line in lines)
    return b"\xef\xbb\xbf" + out.getvalue().encode("utf-8", "replace")


def read(upload) -> Dataset:
    """The first sheet of an uploaded .xlsx, or a .csv in UTF-8 or GBK, without blank lines; the column
    ROW tells each line's number in the file. Refused with a sentence for anything else."""
    headings, lines = table(upload)
    return Dataset(*([*line, number] for number, line in lines), headers=[*headings, ROW])


def table(upload, most=None) -> tuple[list[str], list[tuple[int, list]]]:
    """The same as (headings, [(number in the file, cells)]), with at most so many lines below the headings (ROWS)."""
    most = most or ROWS
    if upload.size > UPLOAD_BYTES:
        raise Refused(_("The file is larger than 10 MB. Please split it."), code="size")
    content = upload.read()
    rows = _rows_of_xlsx(content, most) if content[:2] == b"PK" else _rows_of_csv(content, most)
    if len(rows) < 2:
        raise Refused(_("The file holds no rows below its heading."), code="empty")
    if len(rows) > most + 1:
        raise Refused(
            _("The file holds more than %(count)s rows. Please split it.") % {"count": f"{most:,}"},
            code="rows",
        )
    (_first, headings), *lines = rows
    width = len(headings)
    fitted = [(number, (line + [None] * (width - len(line)))[:width]) for number, line in lines]
    return [str(text or "").strip() for text in headings], fitted


def _numbered(rows, most):
    """(number, cells) of the lines that hold anything, one more than may be read at the most."""
    kept = []
    for number, cells in enumerate(rows, start=1):
        if number > most * 20 or len(kept) > most + 1:
            break
        if any(cell not in (None, "") for cell in cells):
            kept.append((number, list(cells)))
    return kept


def _rows_of_xlsx(content, most):
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            unpacked = sum(part.file_size for part in archive.infolist())
        if unpacked > UNPACKED_BYTES:
            raise Refused(_("The file unpacks to more than can be read."), code="size")
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        sheet = book.worksheets[0]
        # Nothing to the right of the headings is read; a file need not say how wide it is.
        begin = islice(sheet.iter_rows(max_col=COLUMNS, values_only=True), most * 20)
        headings = next((cells for cells in begin if any(cell not in (None, "") for cell in cells)), ())
        width = max((at for at, cell in enumerate(headings, 1) if cell not in (None, "")), default=1)
        return _numbered(sheet.iter_rows(max_col=width, values_only=True), most)
    except Refused:
        raise
    except Exception as error:  # openpyxl raises a dozen kinds for a broken file
        raise Refused(_("This is no Excel file (.xlsx) that can be read."), code="unreadable") from error


def _rows_of_csv(content, most):
    unreadable = Refused(_("Please save the file as Excel (.xlsx) or as CSV in UTF-8."), code="unreadable")
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        try:
            return _numbered(csv.reader(io.StringIO(text, newline="")), most)
        except csv.Error as error:
            raise unreadable from error
    raise unreadable
