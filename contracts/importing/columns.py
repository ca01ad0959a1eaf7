"""The columns of the agreements' Excel sheet: headings, the template to fill in, and reading one row's cells."""

import io
import re
from dataclasses import dataclass
from datetime import date, datetime

from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from openpyxl import Workbook
from openpyxl.utils import get_column_letter

from clinic import identifiers
from contracts.codes import Relation, Way

LONGEST = {"note": 200, "foreign_number": 60, "representative": 60, "representative_phone": 20, "phone": 20}
MARK = "#"  # what Excel shows where a formula failed: #N/A, #REF!
WAYS = [Way.IN_PERSON, Way.HOME, Way.FAMILY, Way.HANDBOOK]


@dataclass(frozen=True)
class Column:
    """``also``: other headings that old systems give it."""

    name: str
    label: str
    kind: str = "text"
    required: bool = False
    help: str = ""
    also: tuple = ()


@dataclass(frozen=True)
class Wrong:
    """One thing that is wrong with a row. ``column`` is a heading, or nothing."""

    row: int
    column: str
    sentence: str


COLUMNS = [
    Column("foreign_number", gettext_lazy("old number"), "number", also=("协议编号", "签约编号", "原协议编号"),
           help=gettext_lazy("The agreement's number until now. A row imported before is not imported again.")),
    Column("name", gettext_lazy("full name"), required=True, also=("居民姓名", "签约人"),
           help=gettext_lazy("Must be the name that the resident is registered with.")),
    Column("id_number", gettext_lazy("ID number"), "id", also=("身份证号", "身份证号码", "证件号"),
           help=gettext_lazy("As text. Either this or the health-record number.")),
    Column("record_number", gettext_lazy("health-record number"), "id", also=("档案编号", "健康档案编号", "档案号")),
    Column("institution", gettext_lazy("institution"), also=("签约机构",),
           help=gettext_lazy("Short name or code; needed only where two institutions have a team of this name.")),
    Column("team", gettext_lazy("team"), required=True, also=("团队名称", "家医团队", "签约团队")),
    Column("doctor", gettext_lazy("family doctor"), also=("签约医生", "家庭医生"),
           help=gettext_lazy("Name or account. Empty: the leader of the team.")),
    Column("packages", gettext_lazy("service packages"), "codes", required=True, also=("服务包编码", "签约服务包"),
           help=gettext_lazy("Codes of the packages, with commas between them.")),
    Column("start", gettext_lazy("first day"), "date", required=True, also=("开始日期", "生效日期", "签约开始日期"),
           help=gettext_lazy("For example 2026-03-07.")),
    Column("end", gettext_lazy("last day"), "date", also=("结束日期", "到期日期", "截止日期"),
           help=gettext_lazy("Empty: by the years.")),
    Column("years", gettext_lazy("years"), "years", also=("年限", "签约年限"), help=gettext_lazy("1, 2 or 3. Empty: one year.")),
    Column("signed_on", gettext_lazy("signed on"), "date", also=("签约日期", "签订日期"),
           help=gettext_lazy("Empty: the first day.")),
    Column("way", gettext_lazy("way of signing"), "way"),
    Column("representative", gettext_lazy("representative"), also=("代签人",)),
    Column("relation", gettext_lazy("relation to the resident"), "relation", also=("代签人关系", "与居民关系")),
    Column("representative_phone", gettext_lazy("representative's phone"), "number", also=("代签人电话",)),
    Column("phone", gettext_lazy("phone"), "number", also=("联系电话", "电话")),
    Column("note", gettext_lazy("remark"), also=("备注",)),
]  # fmt: skip
BY_NAME = {column.name: column for column in COLUMNS}


def label(name):
    return str(BY_NAME[name].label) if name in BY_NAME else ""


def plain(heading):
    return identifiers.half_width(str(heading or "")).rstrip("*").strip().lower()


def places(headings) -> dict[str, int]:
    """{name of a column: where it stands}, by our headings in both languages and those of old systems."""
    known = {plain(word): column.name for column in COLUMNS for word in (column.name, *column.also)}
    for language in ("zh-hans", "en"):
        with translation.override(language):
            known |= {plain(column.label): column.name for column in COLUMNS}
    found = {}
    for at, heading in enumerate(headings):
        if name := known.get(plain(heading)):
            found.setdefault(name, at)
    return found


def template() -> bytes:
    """An empty sheet with our headings, all columns as text, and a second one that explains."""
    book = Workbook()
    sheet = book.active
    sheet.title = _("Agreements")
    for number, column in enumerate(COLUMNS, start=1):
        sheet.cell(1, number, str(column.label) + ("*" if column.required else ""))
        sheet.column_dimensions[get_column_letter(number)].width = (
            22 if column.kind in {"id", "number"} else 14
        )
        for row in range(2, 502):
            sheet.cell(row, number).number_format = "@"
    sheet.freeze_panes = "A2"
    guide = book.create_sheet(_("How to fill in"))
    guide.column_dimensions["A"].width = 18
    guide.column_dimensions["B"].width = 100
    for column in COLUMNS:
        guide.append([str(column.label), explanation(column)])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def explanation(column):
    words = {"way": [str(way.label) for way in WAYS], "relation": [str(word) for word in Relation.labels]}
    said = str(column.help)
    if column.kind in words:
        said = _("One of: %(words)s") % {"words": "、".join(words[column.kind])}
    return " ".join(filter(None, [_("Required.") if column.required else "", said]))


class Unreadable(Exception):
    """A cell that is not what its column asks for; the text is the sentence."""


def read(cells, at) -> tuple[dict, dict]:
    """(values, {name: sentence}) of one row. ``at``: places()."""
    values, wrong = {}, {}
    for column in COLUMNS:
        cell = cells[at[column.name]] if column.name in at else None
        try:
            value = _value(column, cell)
            if column.required and not value:
                raise Unreadable(_("This is missing."))
            values[column.name] = value
        except Unreadable as error:
            wrong[column.name] = str(error)
    return values, wrong


def _value(column, cell):
    if column.kind == "date" and isinstance(cell, date):  # a datetime is one too
        return cell.date() if isinstance(cell, datetime) else cell
    text = _text(cell)
    if len(text) > LONGEST.get(column.name, 200):
        raise Unreadable(_("This is longer than %(n)d characters.") % {"n": LONGEST.get(column.name, 200)})
    return READERS[column.kind](text)


def _text(cell):
    """What Excel kept as a number has lost the digits beyond fifteen; a failed formula is no text."""
    if cell is None:
        return ""
    if isinstance(cell, bool | datetime | date):
        raise Unreadable(_("Please format this column as text."))
    if isinstance(cell, int | float) and abs(cell) >= 10**15:
        raise Unreadable(
            _("Excel kept this as a number and lost its last digits: format the column as text.")
        )
    if isinstance(cell, float) and cell == cell and cell.is_integer():
        cell = int(cell)
    text = identifiers.half_width(str(cell)).lstrip("'")
    if text.startswith(MARK) and text.rstrip("!?").isupper() or "\x00" in text or not _printable(text):
        raise Unreadable(_("This cell cannot be read."))
    return text


def _printable(text):
    return not any("\ud800" <= sign <= "\udfff" for sign in text)


def _date(text):
    if not text:
        return None
    parts = re.fullmatch(r"(\d{4})\D?(\d{1,2})\D?(\d{1,2})\D?( 0?0:00(:00)?)?", text, re.ASCII)
    try:
        return date(*map(int, parts.groups()[:3]))
    except (AttributeError, ValueError) as error:
        raise Unreadable(_("This is no date. Write it like 1958-03-07.")) from error


def _years(text):
    if not text:
        return None
    years = re.fullmatch(r"([1-3])年?", text, re.ASCII)
    if not years:
        raise Unreadable(_("An agreement is for one to three years."))
    return int(years[1])


def _word(text, choices):
    if not text:
        return ""
    for code in choices:
        if text in (str(code.value), str(code.label)):
            return code.value
    raise Unreadable(_("“%(word)s” is not one of the words of this column.") % {"word": text[:30]})


READERS = {
    "text": str,
    "number": str,
    "id": lambda text: identifiers.upgrade_15(identifiers.normalise_id(text)),
    "codes": lambda text: list(dict.fromkeys(word for word in re.split(r"[,，、;；\s]+", text) if word)),
    "date": _date,
    "years": _years,
    "way": lambda text: _word(text, WAYS) or Way.IN_PERSON.value,
    "relation": lambda text: _word(text, list(Relation)),
}
