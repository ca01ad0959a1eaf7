"""Who may be the same person as the one at the desk: same ID, same phone, same or same-sounding name and
birth date. Looked for in the whole district; what belongs to others is shown masked."""

from dataclasses import dataclass, field

from django.db.models import Q
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic import identifiers, pinyin
from clinic.models import Resident

SHOWN = 10
WHY = {
    "id": gettext_lazy("same ID number"),
    "phone": gettext_lazy("same phone"),
    "name": gettext_lazy("same name and birth date"),
    "sound": gettext_lazy("same-sounding name and birth date"),
}


@dataclass
class Match:
    """A resident who resembles the new one. ``certain``: the same document, so the same person."""

    resident: Resident
    foreign: bool
    certain: bool = False
    reasons: list[str] = field(default_factory=list)

    @property
    def name(self):
        """Of a foreign resident in full only to who brought the very number."""
        full = not self.foreign or {"id", "phone"} & set(self.reasons)
        return self.resident.name if full else identifiers.mask_name(self.resident.name)

    @property
    def number(self):
        return self.resident.masked_id

    @property
    def born(self):
        return None if self.foreign else self.resident.birth_date

    @cached_property
    def home(self):
        return self.resident.home.short_name

    @property
    def why(self):
        return "、".join(str(WHY[reason]) for reason in self.reasons)


def candidates(resident, by) -> list[Match]:
    """Matches of a resident that is not kept yet, or of a kept one among the others; certain ones first."""
    matches = {}
    for reason, rows in _looks(resident):
        for row in rows.select_related("home", "merged_into__home")[:SHOWN]:
            person = row.survivor
            if person.pk == resident.pk or person.pk == resident.merged_into_id:
                continue
            match = matches.setdefault(person.pk, Match(person, _is_foreign(person, by)))
            match.certain |= reason == "id" and row.id_type == resident.id_type
            if reason not in match.reasons and not (reason == "sound" and "name" in match.reasons):
                match.reasons.append(reason)
    return sorted(matches.values(), key=lambda match: not match.certain)[:SHOWN]


def certain_sentence(matches):
    """Says where the person is registered, so that the clerk knows whom to call."""
    match = next(match for match in matches if match.certain)
    if match.foreign:
        return _("This ID number is registered already, at %(home)s.") % {"home": match.home}
    return _("A resident with this ID number is registered already.")


def _looks(resident):
    """(reason, rows): narrow look-ups, one index each."""
    rows = Resident.objects.order_by("pk")
    if resident.id_number:
        yield "id", rows.filter(id_number=resident.id_number)
    if resident.phone:
        yield "phone", rows.filter(phone=resident.phone)
    if resident.birth_date and resident.name:
        sound, _initials = pinyin.spell(resident.name)
        same_day = rows.filter(birth_date=resident.birth_date)
        yield "name", same_day.filter(name=resident.name)
        if sound:
            yield "sound", same_day.filter(Q(pinyin=sound) & ~Q(name=resident.name))


def _is_foreign(resident, by):
    return not resident.home.path.startswith(by.institution.path)
