"""Whom to call: the nearest contact of a side, going up from an institution."""

from dataclasses import dataclass

from clinic.models import Institution
from maintenance.models import Contact


@dataclass(frozen=True)
class Call:
    """A telephone and whom it belongs to; ``user`` is their row number where they have an account."""

    phone: str
    name: str
    institution: Institution
    user: int | None = None


def nearest(institution, sides) -> dict[str, Contact]:
    """{side: the contact nearest to the institution}. One query."""
    rows = Contact.objects.along(institution).filter(side__in=sides, active=True)
    found: dict[str, Contact] = {}
    for row in rows.select_related("person", "institution"):
        found.setdefault(row.side, row)
    return found


def calls(contact, deputy=False) -> list[Call]:
    """The telephones of a contact, the deputy's too where asked for. Who has none is left out."""
    person = contact.person
    phone = contact.phone or (person.phone if person else "")
    found = [Call(phone, str(contact), contact.institution, person and person.pk)]
    if deputy:
        found.append(Call(contact.deputy_phone, contact.deputy, contact.institution))
    return [one for one in found if one.phone]
