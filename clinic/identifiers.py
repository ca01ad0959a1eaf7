"""Numbers that name a person: identity documents, health-record numbers, phones; and their masks."""

import re
import unicodedata
from datetime import date

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from stdnum.cn import ric

from clinic.codes import IdType, Sex

CHECKED_TYPES = frozenset({IdType.RESIDENT, IdType.HK_MACAO_TAIWAN})
PERMIT_PREFIXES = ("81", "82", "83")
# Documents without a check digit: what their numbers look like.
SHAPES = {
    IdType.FOREIGN: re.compile(r"[A-Z]{3}[0-9]{12}|9[0-9]{16}[0-9X]", re.ASCII),
    IdType.PASSPORT: re.compile(r"[A-Z0-9]{5,20}", re.ASCII),
    IdType.BIRTH: re.compile(r"[A-Z][0-9]{9}", re.ASCII),
}


def half_width(text: str) -> str:
    """Full-width digits and letters, as Chinese keyboards give them, in their plain form."""
    return unicodedata.normalize("NFKC", text or "").strip()


def normalise_id(text: str) -> str:
    return re.sub(r"[\s-]", "", half_width(text)).upper()


def normalise_phone(text: str) -> str:
    """Digits only; +86, 0086 and a leading 86 in front of a mobile number fall away."""
    digits = re.sub(r"[^0-9]", "", half_width(text))
    return re.sub(r"^(00)?86(?=1[0-9]{10}$)", "", digits)


def upgrade_15(text: str) -> str:
    """An old 15-digit identity number with 19yy and its check digit. Import only (rules B5.2)."""
    if not re.fullmatch(r"[0-9]{15}", text, re.ASCII):
        return text
    body = f"{text[:6]}19{text[6:]}"
    return body + ric.calc_check_digit(body + "0")


def check_id(id_type: str, number: str) -> None:
    """The document's form. Identity cards, residence permits and foreigners' cards since 2023 have 18 signs
    with a calendar date and a check digit (GB 11643); a residence permit begins with 81, 82 or 83, a
    foreigner's card with 9. The area is not looked up: counties are renamed, their numbers stay in use.
    """
    if not number:
        return
    if id_type in SHAPES and not SHAPES[id_type].fullmatch(number):
        raise ValidationError(_("This number does not fit the ID type. Please check both."), code="id_form")
    if id_type == IdType.RESIDENT and number[:2] in PERMIT_PREFIXES and len(number) == 18:
        raise ValidationError(
            _("This is the number of a residence permit. Please choose that ID type."), code="id_type"
        )
    if id_type == IdType.HK_MACAO_TAIWAN and number[:2] not in PERMIT_PREFIXES:
        raise ValidationError(_("A residence permit's number begins with 81, 82 or 83."), code="id_type")
    if has_check_digit(id_type, number):
        _check_18(number)


def has_check_digit(id_type, number):
    """Whether the number is one of those that tell birth date and sex."""
    return id_type in CHECKED_TYPES or (id_type == IdType.FOREIGN and number[:1] == "9")


def _check_18(number):
    if not re.fullmatch(r"[1-9][0-9]{16}[0-9X]", number, re.ASCII):
        raise ValidationError(_("An ID number has 18 digits; the last may be X."), code="id_form")
    try:
        born = ric.get_birth_date(number)
    except Exception as error:
        raise ValidationError(_("The birth date in the ID number is not a date."), code="id_date") from error
    if born > date.today():
        raise ValidationError(_("The birth date in the ID number lies in the future."), code="id_date")
    if ric.calc_check_digit(number) != number[-1]:
        raise ValidationError(
            _("The ID number's check digit is wrong; one digit was mistyped."), code="id_check"
        )


def facts_of_id(id_type: str, number: str) -> tuple[date, str] | None:
    """(birth date, sex code) that a valid number tells, or None where it tells nothing."""
    if not has_check_digit(id_type, number) or len(number) != 18:
        return None
    return ric.get_birth_date(number), Sex.MALE if int(number[16]) % 2 else Sex.FEMALE


def validate_record_number(number: str) -> None:
    """17 digits: 6 district, 3 street, 3 committee (001–099, 101–199, 901–999), 5 personal number
    from 00001 (国家基本公共卫生服务规范, rules B5.1)."""
    if not re.fullmatch(r"[0-9]{17}", number or "", re.ASCII):
        raise ValidationError(_("A health-record number has 17 digits."), code="record_form")
    committee = int(number[9:12])
    if not (1 <= committee <= 99 or 101 <= committee <= 199 or 901 <= committee <= 999):
        raise ValidationError(
            _("Digits 10 to 12 name no committee (001–099, 101–199, 901–999)."), code="record_area"
        )
    if number[12:] == "00000":
        raise ValidationError(_("The personal number begins at 00001."), code="record_serial")


def mask_id(number: str) -> str:
    return f"{number[:3]}{'*' * (len(number) - 7)}{number[-4:]}" if len(number) > 8 else "*" * len(number)


def mask_phone(number: str) -> str:
    return f"{number[:3]}****{number[-4:]}" if len(number) >= 10 else "*" * len(number)


def mask_name(name: str) -> str:
    return name[:1] + "*" * max(len(name) - 1, 1) if name else ""


def age_text(born: date, day: date) -> str:
    """ "67 years", below three years "14 months", below one month "12 days"."""
    months = (day.year - born.year) * 12 + day.month - born.month - (day.day < born.day)
    if months >= 36:
        return ngettext("%(n)d year", "%(n)d years", months // 12) % {"n": months // 12}
    if months >= 1:
        return ngettext("%(n)d month", "%(n)d months", months) % {"n": months}
    days = (day - born).days
    return ngettext("%(n)d day", "%(n)d days", days) % {"n": days}
