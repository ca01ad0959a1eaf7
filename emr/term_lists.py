"""Reading a list of terms from CSV and storing it as one release: whole or not at all."""

import csv
import io
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from clinic import audit, text
from clinic.codes import Act
from clinic.errors import Refused
from emr.codes import System
from emr.models import Term, TermRelease
from emr.terminology import describe

HEADINGS = {
    "code": {"code", "编码", "代码"},
    "name": {"name", "名称"},
    "rank": {"rank", "常用度"},
    "form": {"dose_form", "剂型"},
}
BYTES = 50 * 1024 * 1024
BATCH = 2000
NAMED_ERRORS = 10
STARTER = Path(__file__).resolve().parent / "starter"
STARTER_RELEASE = "起步词表"
# Older than any list a district brings, so that the first imported one takes its place.
STARTER_DAY = date(2000, 1, 1)


@dataclass(frozen=True)
class Line:
    code: str
    name: str
    rank: int = 0


@dataclass(frozen=True)
class TermList:
    lines: list[Line]
    repeated: int


def read(content: bytes, system: str) -> TermList:
    """The terms of a CSV file in UTF-8 or GB18030, in its order, without identical repeats.

    Raises Refused with a sentence that names the first bad rows by the number a spreadsheet shows.
    """
    rows = _rows(_decode(content))
    columns = _columns(next(rows, (0, []))[1], system)
    seen, errors, repeated = {}, [], 0
    for number, cells in rows:
        if not any(cell.strip() for cell in cells):
            continue
        try:
            line = _line(cells, columns, system)
        except Refused as refusal:
            errors.append(_("Row %(number)s: %(problem)s") % {"number": number, "problem": refusal.message})
            if len(errors) == NAMED_ERRORS:
                break
            continue
        repeated += (line.code, line.name) in seen
        seen.setdefault((line.code, line.name), line)
    if errors:
        raise Refused("\n".join([*errors, _("Nothing was imported.")]), code="rows")
    if not seen:
        raise Refused(_("The file holds no terms below its heading."), code="empty")
    return TermList(list(seen.values()), repeated)


def _decode(content):
    if len(content) > BYTES:
        raise Refused(_("The file is larger than 50 MB."), code="size")
    if not content.startswith((b"PK\x03\x04", b"\xff\xfe", b"\xfe\xff", b"\xd0\xcf\x11\xe0")):
        for encoding in ("utf-8-sig", "gb18030"):
            try:
                return content.decode(encoding)
            except UnicodeDecodeError:
                continue
    raise Refused(_("This is no CSV file in UTF-8 or GB18030."), code="unreadable")


def _rows(content):
    """(row number, cells). A quote that never closes would swallow the rest of the file: refused."""
    reader = csv.reader(io.StringIO(content, newline=""), strict=True)
    number = 0
    while True:
        number += 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise Refused(
                _("Row %(number)s: the quotation marks or the length cannot be read.") % {"number": number},
                code="rows",
            ) from error
        yield number, cells


def _columns(headings, system):
    """{"code": place, "name": place, …}. Only a list of medicines may come without codes."""
    plain = [heading.strip().lower() for heading in headings]
    columns = {}
    for column, names in HEADINGS.items():
        places = [place for place, heading in enumerate(plain) if heading in names]
        if len(places) > 1:
            raise Refused(
                _("The column %(column)s stands in the file twice.") % {"column": column}, code="headings"
            )
        if places:
            columns[column] = places[0]
    needed = {"name"} if system == System.MEDICINE else {"code", "name"}
    if not needed <= set(columns):
        raise Refused(
            _("The first row must name the columns code and name (编码, 名称), separated by commas."),
            code="headings",
        )
    return {**columns, "": len(plain)}


def _line(cells, columns, system):
    if any(cell.strip() for cell in cells[columns[""] :]):
        raise Refused(_("It has more columns than the heading; put quotation marks around text with commas."))
    value = {
        column: cells[place].strip() if place < len(cells) else ""
        for column, place in columns.items()
        if column
    }
    code, name, form = value.get("code", ""), value["name"], value.get("form", "")
    if form and system == System.MEDICINE:
        name = f"{name}（{form}）" if name else ""
    if any(not text.is_storable(cell) or not _printable(cell) for cell in (code, name)):
        raise Refused(_("It holds a character that cannot be stored."))
    if not name:
        raise Refused(_("The name is empty."))
    if not code and system != System.MEDICINE:
        raise Refused(_("The code is empty."))
    if len(code) > 30:
        raise Refused(_("The code is longer than 30 characters."))
    if len(name) > 200:
        raise Refused(_("The name is longer than 200 characters."))
    return Line(code, name, _rank(value.get("rank", "")))


def _printable(cell):
    return all(sign.isprintable() or sign == "\u3000" or sign == "\u00a0" for sign in cell)


def _rank(given):
    if not given:
        return 0
    if not (given.isascii() and given.isdigit() and int(given) < 32768):
        raise Refused(_("The rank is no number from 0 to 32767."))
    return int(given)


def check_release(system: str, name: str) -> None:
    """A release is imported once: old notes name it."""
    if not name.strip() or len(name) > 40 or not text.is_storable(name):
        raise Refused(_("The release needs a name of at most 40 characters."), code="release")
    if TermRelease.objects.filter(system=system, name=name).exists():
        raise _known(system, name)


def _known(system, name):
    return Refused(
        _(
            "The release %(name)s of %(system)s has been imported already. Please give the new one another name."
        )
        % {"name": name, "system": System(system).label},
        code="release",
    )


def store(*, system, name, valid_from, terms: TermList, by=None, request=None) -> TermRelease:
    """One release with all its terms, in one transaction. Raises Refused when the name is taken."""
    check_release(system, name)
    try:
        with transaction.atomic():
            release = TermRelease.objects.create(
                system=system, name=name, valid_from=valid_from, terms_count=len(terms.lines)
            )
            rows = (
                Term(
                    release=release,
                    code=line.code,
                    name=line.name,
                    rank=line.rank,
                    **describe(line.code, line.name),
                )
                for line in terms.lines
            )
            Term.objects.bulk_create(rows, batch_size=BATCH)
            audit.record(
                Act.IMPORT, by=by, request=request, obj=release,
                detail={"system": str(system), "terms": len(terms.lines), "repeated": terms.repeated},
            )  # fmt: skip
    except IntegrityError as error:  # somebody imported the same release in this moment
        raise _known(system, name) from error
    return release


def load_starter() -> list[TermRelease]:
    """The repository's own short lists, for each system that has no release at all."""
    kept = set(TermRelease.objects.values_list("system", flat=True))
    return [
        store(
            system=system,
            name=STARTER_RELEASE,
            valid_from=STARTER_DAY,
            terms=read((STARTER / f"{system}.csv").read_bytes(), system),
        )
        for system in System.values
        if system not in kept
    ]
