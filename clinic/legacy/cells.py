"""One cell of an old system's row: dates, choices, lengths; refused with a sentence."""

import re
from datetime import date, datetime

from django.core.exceptions import ValidationError
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from clinic import identifiers

LANGUAGES = ("zh-hans", "en")
DATE = re.compile(r"(\d{4})[-/.年]?(\d{1,2})[-/.月]?(\d{1,2})日?", re.ASCII)
TIME = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}))?", re.ASCII)


class CellError(ValueError):
    """A cell that cannot be taken; the message is the sentence."""


def required(row, name, length, columns):
    if not row.get(name):
        raise CellError(_("%(column)s is missing.") % {"column": columns[name][0]})
    return limited(row, name, length, columns)


def limited(row, name, length, columns):
    value = row.get(name, "")
    if len(value) > length:
        raise CellError(
            _("%(column)s is longer than %(length)d characters.")
            % {"column": columns[name][0], "length": length}
        )
    return value


def read_date(value: str) -> date:
    match = DATE.fullmatch(identifiers.half_width(value))
    try:
        made = date(*map(int, match.groups()))
    except (AttributeError, ValueError) as error:
        raise CellError(_("“%(value)s” is no date.") % {"value": value[:30]}) from error
    if made > timezone.localdate():
        raise CellError(_("“%(value)s” lies in the future.") % {"value": value[:30]})
    return made


def read_moment(value: str) -> datetime:
    """A date with or without a time of day, in the district's time zone."""
    day, _space, clock = identifiers.half_width(value).replace("T", " ").partition(" ")
    made = read_date(day)
    match = TIME.fullmatch(clock.strip()) if clock.strip() else None
    if clock.strip() and match is None:
        raise CellError(_("“%(value)s” is no time.") % {"value": value[:30]})
    hour, minute, second = (int(part or 0) for part in match.groups()) if match else (0, 0, 0)
    try:
        moment = timezone.make_aware(datetime(made.year, made.month, made.day, hour, minute, second))
    except ValueError as error:
        raise CellError(_("“%(value)s” is no time.") % {"value": value[:30]}) from error
    if moment > timezone.now():
        raise CellError(_("“%(value)s” lies in the future.") % {"value": value[:30]})
    return moment


class Choice:
    """Reads a code or its label, in either language of the interface, or a further alias."""

    def __init__(self, choices, **aliases):
        self.known = {value: value for value in choices.values}
        for language in LANGUAGES:
            with translation.override(language):
                self.known |= {str(label).lower(): value for value, label in choices.choices}
        self.known |= aliases

    def __call__(self, value, column):
        if not value:
            return ""
        found = self.known.get(identifiers.half_width(value).lower())
        if found is None:
            raise CellError(
                _("%(column)s: “%(value)s” is not known.") % {"column": column, "value": value[:30]}
            )
        return found


def split(value, marks=";；\n"):
    """The parts of a cell that holds several: 青霉素；头孢."""
    return [part.strip() for part in re.split(f"[{marks}]", value) if part.strip()]


def sentence_of(error):
    return " ".join(map(str, error.messages)) if isinstance(error, ValidationError) else str(error)
