"""The columns of the residents' Excel sheet: headings, the template, one resident as a line, and reading cells."""

import io
import re
from dataclasses import dataclass
from datetime import date, datetime

from django.core.exceptions import ValidationError
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from openpyxl import Workbook
from openpyxl.utils import get_column_letter

from clinic import identifiers
from clinic.codes import (
    BloodType,
    Ethnicity,
    IdType,
    Insurance,
    KeyPopulation,
    Marital,
    Occupation,
    RhType,
    Sex,
)
from clinic.models import Community, Institution, Resident


@dataclass(frozen=True)
class Column:
    name: str
    label: str
    choices: type | None = None
    kind: str = "text"
    required: bool = False


COLUMNS = [
    Column("name", Resident._meta.get_field("name").verbose_name, required=True),
    Column("id_type", gettext_lazy("ID type"), IdType),
    Column("id_number", gettext_lazy("ID number"), kind="number"),
    Column("sex", gettext_lazy("sex"), Sex),
    Column("birth_date", gettext_lazy("birth date"), kind="date"),
    Column("ethnicity", gettext_lazy("ethnicity"), Ethnicity),
    Column("marital", gettext_lazy("marital status"), Marital),
    Column("occupation", gettext_lazy("occupation"), Occupation),
    Column("employer", gettext_lazy("employer")),
    Column("phone", gettext_lazy("phone"), kind="number"),
    Column("contact_name", gettext_lazy("contact person")),
    Column("contact_relation", gettext_lazy("contact's relation")),
    Column("contact_phone", gettext_lazy("contact's phone"), kind="number"),
    Column("community", gettext_lazy("neighbourhood"), kind="community"),
    Column("address", gettext_lazy("address")),
    Column("home", gettext_lazy("home institution"), kind="home"),
    Column("insurance", gettext_lazy("insurance"), Insurance),
    Column("insurance_number", gettext_lazy("insurance number"), kind="number"),
    Column("blood_type", gettext_lazy("blood type"), BloodType),
    Column("rh_type", gettext_lazy("Rh type"), RhType),
    Column("key_tags", gettext_lazy("key population"), KeyPopulation, kind="tags"),
    Column("note", gettext_lazy("remark")),
]
BY_NAME = {column.name: column for column in COLUMNS}


def headings():
    return [column.label for column in COLUMNS]


def template() -> bytes:
    """An empty sheet with our headings, all columns as text, and a second one that explains."""
    book = Workbook()
    sheet = book.active
    sheet.title = _("Residents")
    for number, column in enumerate(COLUMNS, start=1):
        sheet.cell(1, number, str(column.label) + ("*" if column.required else ""))
        letter = get_column_letter(number)
        sheet.column_dimensions[letter].width = 22 if column.kind == "number" else 14
        for row in range(2, 502):
            sheet.cell(row, number).number_format = "@"
    sheet.freeze_panes = "A2"
    guide = book.create_sheet(_("How to fill in"))
    guide.column_dimensions["A"].width = 18
    guide.column_dimensions["B"].width = 100
    for column in COLUMNS:
        guide.append([str(column.label), _explanation(column)])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _explanation(column):
    if column.kind == "date":
        return _("For example 1958-03-07. May stay empty where the ID number tells it.")
    if column.kind == "community":
        return _("Name or 12-digit code of the neighbourhood.")
    if column.kind == "home":
        return _("Short name or code of the institution. Empty: your own.")
    if column.name == "id_number":
        return _("As text. Old 15-digit numbers are brought up to date.")
    if column.choices:
        words = "、".join(str(label) for label in column.choices.labels)
        if column.kind == "tags":
            return _("One or several of: %(words)s") % {"words": words}
        return _("One of: %(words)s") % {"words": words}
    return _("Required.") if column.required else ""


def line(resident):
    """One resident as a row of the export, in the template's order."""
    values = {
        "id_type": resident.get_id_type_display(), "sex": resident.get_sex_display(),
        "birth_date": resident.birth_date.isoformat(), "ethnicity": resident.get_ethnicity_display(),
        "marital": resident.get_marital_display(), "occupation": resident.get_occupation_display(),
        "community": str(resident.community or ""), "home": resident.home.short_name,
        "insurance": resident.get_insurance_display(), "blood_type": resident.get_blood_type_display(),
        "rh_type": resident.get_rh_type_display(),
        "key_tags": "、".join(tag.get_tag_display() for tag in resident.key_tags.all() if tag.until is None),
    }  # fmt: skip
    return [values.get(column.name, getattr(resident, column.name, "")) for column in COLUMNS]


class Cells:
    """Reads one row's cells into a form's data. What cannot be read becomes an error of its column."""

    def __init__(self, by):
        self.by = by
        reach = Institution.objects.under(by.institution).active()
        self.homes = {key: row for row in reach for key in (row.code, row.short_name, row.name)}
        self.communities = {
            key: row for row in Community.objects.visible_to(by) for key in (row.code, row.name, str(row))
        }

    def read(self, row) -> tuple[dict, dict]:
        """(data, errors), both by field name. ``key_tags`` is a list of codes."""
        data, errors = {}, {}
        for column in COLUMNS:
            value = row.get(column.name)
            try:
                data[column.name] = getattr(self, f"_{self._reader(column)}")(column, value)
            except ValidationError as error:
                errors[column.name] = error.messages
        return data, errors

    def _reader(self, column):
        return "choice" if column.choices and column.kind == "text" else column.kind

    def _text(self, column, value):
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        return "" if value is None else str(value).strip()

    def _number(self, column, value):
        """Digits that Excel kept as a number have lost the last ones beyond fifteen."""
        if isinstance(value, int | float) and abs(value) >= 10**15:
            raise ValidationError(
                _("Excel kept this as a number and lost its last digits: format the column as text.")
            )
        text = self._text(column, value)
        return identifiers.upgrade_15(identifiers.normalise_id(text)) if column.name == "id_number" else text

    def _date(self, column, value):
        if isinstance(value, datetime):
            return value.date()
        if isinstance(value, date):
            return value
        text = identifiers.half_width(self._text(column, value))
        if not text:
            return None
        parts = re.fullmatch(r"(\d{4})\D?(\d{1,2})\D?(\d{1,2})\D?", text, re.ASCII)
        try:
            return date(*map(int, parts.groups()))
        except (AttributeError, ValueError) as error:
            raise ValidationError(_("This is no date. Write it like 1958-03-07.")) from error

    def _choice(self, column, value):
        text = identifiers.half_width(self._text(column, value))
        return self._code(column, text) if text else ""

    def _code(self, column, text):
        for code, label in column.choices.choices:
            if text in (str(code), str(label)) or _same(text, str(label)):
                return code
        raise ValidationError(_("“%(word)s” is not one of the words of this column.") % {"word": text[:30]})

    def _tags(self, column, value):
        words = re.split(r"[,，、;；\s]+", self._text(column, value))
        return [self._tag(column, identifiers.half_width(word)) for word in words if word]

    def _tag(self, column, word):
        """糖尿病 is enough for 2型糖尿病."""
        alike = [code for code, label in column.choices.choices if word in str(label)]
        return alike[0] if len(alike) == 1 else self._code(column, word)

    def _community(self, column, value):
        text = self._text(column, value)
        if text and text not in self.communities:
            raise ValidationError(_("No neighbourhood has this name or code."))
        return self.communities[text] if text else None

    def _home(self, column, value):
        """Empty is the clerk's own institution; another's is an error, never silently changed."""
        text = self._text(column, value)
        if text and text not in self.homes:
            raise ValidationError(_("This institution is not yours: residents are imported at home only."))
        return self.homes[text] if text else self.by.institution


def _same(text, label):
    """The short words people write: 汉 for 汉族, 男性 for 男."""
    return len(label) > 1 and label.removesuffix("族") == text or text.removesuffix("性") == label


def known_headings():
    known = {column.name: column.name for column in COLUMNS}
    for language in ("zh-hans", "en"):
        with translation.override(language):
            known |= {plain(str(column.label)): column.name for column in COLUMNS}
    return known


def plain(heading):
    return identifiers.half_width(str(heading or "")).rstrip("*").strip().lower()
