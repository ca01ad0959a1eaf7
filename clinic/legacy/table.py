"""A CSV file of the old system, read row by row: encoding, header in English or Chinese, rows by number."""

import codecs
import contextlib
import csv
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from django.utils.translation import gettext as _

from clinic import identifiers, text
from clinic.errors import Refused

BATCH = 1000
SHOWN_ERRORS = 200
LONGEST_CELL = 1_000_000
ENCODINGS = ("utf-8-sig", "gb18030")


@dataclass
class Report:
    """What became of one file. ``errors`` holds the first SHOWN_ERRORS as (row as the spreadsheet counts, sentence)."""

    made: int = 0
    known: int = 0
    failed: int = 0
    ignored: list[str] = field(default_factory=list)
    errors: list[tuple[int, str]] = field(default_factory=list)

    def fail(self, row, sentence):
        self.failed += 1
        if len(self.errors) < SHOWN_ERRORS:
            self.errors.append((row, sentence))


def encoding_of(path: Path) -> str:
    """UTF-8 or GB18030, found by decoding the whole file once, in pieces."""
    for name in ENCODINGS:
        decoder = codecs.getincrementaldecoder(name)()
        with path.open("rb") as file, contextlib.suppress(UnicodeDecodeError):
            while piece := file.read(1 << 20):
                decoder.decode(piece)
            decoder.decode(b"", final=True)
            return name
    raise Refused(_("The file is neither UTF-8 nor GB18030 text."))


def rows(path: Path, columns: dict, required, report: Report):
    """Yield (row number, {field: text}) of a CSV file with a header in English or Chinese.

    ``columns`` maps each field to the names that its column may have. The first line is row 1.
    """
    csv.field_size_limit(LONGEST_CELL)
    with path.open(encoding=encoding_of(path), newline="") as file:
        reader = csv.reader(file, strict=True)
        try:
            header = [identifiers.half_width(cell).lower() for cell in next(reader, [])]
            fields = _fields(header, columns, required, report)
            for number, cells in enumerate(reader, start=2):
                if any(cell.strip() for cell in cells):
                    yield number, _row(number, cells, fields, report)
        except csv.Error as error:
            raise Refused(
                _("Line %(line)d of the file is no readable CSV.") % {"line": reader.line_num}
            ) from error


def _fields(header, columns, required, report):
    names = {alias.lower(): name for name, aliases in columns.items() for alias in (name, *aliases)}
    fields = [names.get(cell) for cell in header]
    report.ignored = [cell for cell, name in zip(header, fields, strict=True) if name is None and cell]
    known = [name for name in fields if name]
    if twice := next((name for name in known if known.count(name) > 1), None):
        raise Refused(_("The column %(name)s is there twice.") % {"name": columns[twice][0]})
    if missing := [columns[name][0] for name in required if name not in known]:
        raise Refused(_("The file lacks the columns %(names)s.") % {"names": "、".join(missing)})
    return fields


def _row(number, cells, fields, report):
    if len(cells) > len(fields):
        report.fail(number, _("The row has more cells than the header."))
        return None
    row = {name: cell.strip() for name, cell in zip(fields, cells, strict=False) if name}
    if not all(map(text.is_storable, row.values())):
        report.fail(number, _("The text holds a character that cannot be stored (NUL or half a character)."))
        return None
    return row


def batches(pairs):
    """Lists of BATCH readable rows."""
    readable = (pair for pair in pairs if pair[1] is not None)
    while batch := list(islice(readable, BATCH)):
        yield batch
