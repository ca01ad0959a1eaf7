"""What a resident's facts must be before they are kept: plain numbers, a true ID, a birth date that fits.

Pages, the station desk and the import ask here; each sentence belongs to a field.
"""

import re

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _

from clinic import identifiers
from clinic.codes import IdType, Sex

PAPERLESS = frozenset({IdType.NEWBORN, IdType.NONE})
OLDEST = 130
IDENTITY = frozenset({"id_type", "id_number", "birth_date", "sex"})
PHONES = ("phone", "contact_phone")


def tidy(resident):
    """Bring names and numbers into the one form they are kept and searched in."""
    resident.name = " ".join(resident.name.split())
    resident.id_number = identifiers.normalise_id(resident.id_number)
    for field in PHONES:
        typed = getattr(resident, field)
        if not _odd_phone(typed):
            setattr(resident, field, identifiers.normalise_phone(typed))


def derive(resident):
    """Fill in birth date and sex from the ID number where they were left open."""
    facts = _facts(resident)
    if facts:
        resident.birth_date = resident.birth_date or facts[0]
        resident.sex = resident.sex or facts[1]


def problems(resident, changed=None) -> dict[str, str]:
    """{field: sentence}. With ``changed``, only what these fields bring in: an old row with a bad phone must
    not stand in the way of a new address."""
    found = {**_papers(resident), **_birth(resident), **_sex(resident), **_phones(resident)}
    if not resident.name:
        found["name"] = _("Please enter the name.")
    if changed is None:
        return found
    touched = set(changed) | (IDENTITY if IDENTITY & set(changed) else set())
    return {field: sentence for field, sentence in found.items() if field in touched}


def _facts(resident):
    try:
        identifiers.check_id(resident.id_type, resident.id_number)
    except ValidationError:
        return None
    return identifiers.facts_of_id(resident.id_type, resident.id_number)


def _papers(resident):
    if resident.id_type in PAPERLESS:
        if resident.id_number:
            return {"id_number": _("Somebody without papers has no ID number. Please choose the ID type.")}
        return {}
    if not resident.id_number:
        return {"id_number": _("Please enter the ID number, or choose “no papers” as the ID type.")}
    try:
        identifiers.check_id(resident.id_type, resident.id_number)
    except ValidationError as error:
        return {"id_number": error.message}
    return {}


def _birth(resident):
    born, facts = resident.birth_date, _facts(resident)
    if born is None:
        return {"birth_date": _("Please enter the birth date.")}
    if born > timezone.localdate():
        return {"birth_date": _("The birth date lies in the future.")}
    if resident.age > OLDEST:
        return {"birth_date": _("The birth date lies more than %(n)d years back.") % {"n": OLDEST}}
    if facts and facts[0] != born:
        day = facts[0].isoformat()
        return {"birth_date": _("The ID number says that the birth date is %(day)s.") % {"day": day}}
    return {}


def _sex(resident):
    facts = _facts(resident)
    if not resident.sex:
        return {"sex": _("Please choose the sex.")}
    if facts and facts[1] != resident.sex:
        return {"sex": _("The ID number says that the sex is %(sex)s.") % {"sex": Sex(facts[1]).label}}
    return {}


def _phones(resident):
    found = {}
    for field in PHONES:
        if fault := phone_fault(getattr(resident, field)):
            found[field] = fault
    return found


def phone_fault(text):
    """Why this is no telephone number; empty where it is one, and where there is none."""
    if _odd_phone(text):
        return _("A phone number holds digits only.")
    if text and not 7 <= len(identifiers.normalise_phone(text)) <= 15:
        return _("A phone number has 7 to 15 digits.")
    return ""


def _odd_phone(text):
    return bool(re.search(r"[^0-9+()\s-]", identifiers.half_width(text), re.ASCII))
