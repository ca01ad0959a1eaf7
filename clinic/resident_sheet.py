"""Residents from an Excel sheet, by the rules of registration.

The whole sheet is checked before the first row is written; one wrong row and nothing is.
"""

from dataclasses import dataclass, field

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from import_export.instance_loaders import BaseInstanceLoader
from import_export.resources import Resource

from clinic import registration
from clinic.actions import resident_import as actions
from clinic.errors import Refused
from clinic.models import Resident
from clinic.resident_columns import BY_NAME, Cells, known_headings, plain
from clinic.spreadsheets import ROW

SHOWN_ERRORS = 200


@dataclass(frozen=True)
class RowError:
    row: int
    column: str
    sentence: str


@dataclass
class Report:
    """What became of a sheet: how many rows, what is wrong with which, whether anything was written."""

    rows: int = 0
    errors: list[RowError] = field(default_factory=list)
    done: bool = False
    suspected: bool = False
    sentence: str = ""

    @property
    def more(self):
        return max(len(self.errors) - SHOWN_ERRORS, 0)


class ResidentSheet(Resource):
    """Checks every row by the rules of registration (clinic.registration); writes nothing itself."""

    class Meta:
        import_id_fields = ()
        instance_loader_class = BaseInstanceLoader
        skip_diff = True
        use_transactions = False

    def __init__(self, by):
        super().__init__()
        self.by = by
        self.cells = Cells(by)
        self.good: list[Incoming] = []

    def before_import(self, dataset, **kwargs):
        known = known_headings()
        dataset.headers = [known.get(plain(heading), heading) for heading in dataset.headers]
        if "name" not in dataset.headers:
            raise Refused(_("The first row must hold the headings of the template."), code="headings")

    def get_or_init_instance(self, instance_loader, row):
        return Resident(), True

    def import_instance(self, instance, row, **kwargs):
        data, errors = self.cells.read(row)
        tags = data.pop("key_tags", [])
        for name, value in data.items():
            if value or name in {"sex", "birth_date"}:
                setattr(instance, name, value or (None if name == "birth_date" else ""))
        registration.tidy(instance)
        registration.derive(instance)
        wrong = registration.problems(instance)
        if "id_number" in wrong:
            wrong = _without_echo(wrong, instance)
        errors = {**_too_long(instance), **wrong, **errors}
        if errors:
            raise ValidationError(errors)
        self.good.append(Incoming(row[ROW], instance, tags))

    def validate_instance(self, instance, import_validation_errors=None, validate_unique=True):
        if import_validation_errors:
            raise ValidationError(import_validation_errors)

    def save_instance(self, instance, is_create, row, **kwargs):
        """Rows are written together, after the last one was checked."""


@dataclass(frozen=True)
class Incoming:
    row: int
    resident: Resident
    tags: list[str]


def bring_in(dataset, *, by, request=None, dry_run=True, confirmed=False) -> Report:
    """Check the sheet and, unless it is a trial run, register all its rows or none."""
    sheet = ResidentSheet(by)
    # The library's own dry run would wrap every row in a transaction; this sheet writes nothing anyway.
    result = sheet.import_data(dataset, dry_run=False, use_transactions=False)
    for error in [*result.base_errors, *(error for row in result.row_errors() for error in row[1])]:
        raise error.error
    report = Report(rows=len(dataset))
    report.errors = [
        RowError(dataset[invalid.number - 1][-1], _column(name), sentence)
        for invalid in result.invalid_rows
        for name, sentences in invalid.error_dict.items()
        for sentence in sentences
    ]
    report.errors += [RowError(row, _column(name), text) for row, name, text in _taken(sheet.good)]
    if not report.errors and not confirmed:
        report.errors = [RowError(row, "", text) for row, text in _alike(sheet.good, by)]
        report.suspected = bool(report.errors)
    if not dry_run and not report.errors:
        actions.register_all(incoming=sheet.good, by=by, request=request)
        report.done = True
    report.sentence = _sentence(report, dry_run)
    report.errors.sort(key=lambda error: error.row)
    return report


def _sentence(report, dry_run):
    bad = len({error.row for error in report.errors})
    if report.suspected:
        return _(
            "%(n)d rows look like residents registered already. Check them, tick the box, import again."
        ) % {"n": bad}
    if report.errors:
        return _("%(bad)d of %(n)d rows are wrong. Nothing was written.") % {"bad": bad, "n": report.rows}
    if dry_run:
        return _("All %(n)d rows are good. Nothing was written yet.") % {"n": report.rows}
    return _("%(n)d residents are registered.") % {"n": report.rows}


def _taken(good):
    """(row, field, sentence) of ID numbers that stand in the file twice or are registered already."""
    seen = {}
    for incoming in good:
        key = (incoming.resident.id_type, incoming.resident.id_number)
        if key[1] and key in seen:
            yield incoming.row, "id_number", _("Row %(n)d has the same ID number.") % {"n": seen[key]}
        seen.setdefault(key, incoming.row)
    numbers = [number for _kind, number in seen if number]
    known = Resident.objects.current().filter(id_number__in=numbers).values_list("id_type", "id_number")
    for key in known:
        if key in seen:
            yield seen[key], "id_number", _("A resident with this ID number is registered already.")


def _alike(good, by):
    """(row, sentence) of rows that share name and birth date, or the phone, with somebody within reach."""
    for incoming in good:
        incoming.resident.derive()
    people = [incoming.resident for incoming in good]
    own = Resident.objects.in_scope(by).current()
    days = own.filter(birth_date__in={one.birth_date for one in people})
    born = set(days.values_list("pinyin", "birth_date"))
    phones = own.filter(phone__in={one.phone for one in people if one.phone}).values_list("phone", flat=True)
    called, twice = set(phones), {}
    for incoming in good:
        one = incoming.resident
        key = (one.pinyin, one.birth_date)
        if key in twice:
            yield incoming.row, _("Row %(n)d has the same name and birth date.") % {"n": twice[key]}
        elif key in born:
            yield incoming.row, _("Somebody of this name (or sound) and birth date is registered already.")
        elif one.phone in called:
            yield incoming.row, _("Somebody with this phone number is registered already.")
        twice.setdefault(key, incoming.row)


def _without_echo(wrong, instance):
    """A mistyped ID number tells no birth date and no sex: one sentence is enough."""
    empty = {name for name in ("birth_date", "sex") if not getattr(instance, name)}
    return {name: sentence for name, sentence in wrong.items() if name not in empty}


def _too_long(instance):
    """{field: sentence} of texts that the columns do not hold."""
    try:
        instance.clean_fields(exclude={"record_number", "sex", "birth_date", "home", "community"})
    except ValidationError as error:
        return {name: messages for name, messages in error.message_dict.items() if name in BY_NAME}
    return {}


def _column(name):
    return str(BY_NAME[name].label) if name in BY_NAME else ""
