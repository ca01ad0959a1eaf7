"""The one search box: name, pinyin initials, full pinyin, tail of the ID, phone or record number.

A UNION of narrow look-ups, each on its own index and cut at LIMIT; as one OR it would read the table
(see the design's measurements). People of other institutions are found by a whole number only.
"""

import re
from dataclasses import dataclass

from django.db.models import F, IntegerField, Value
from django.db.models.functions import Coalesce

from clinic import identifiers
from clinic.models import Institution, Resident

LIMIT = 20
LONGEST = 60
SHORTEST_TAIL = 4


@dataclass(frozen=True)
class Hit:
    """``resident`` is the row that stands for the person; ``foreign`` ones may not be opened as they are."""

    resident: Resident
    foreign: bool


def find(text, user, most=LIMIT) -> list[Hit]:
    """Best first: whole numbers, whole names, beginnings, tails. Rows absorbed by a merge lead to their
    survivor. At ``most`` so many people."""
    looks = list(_looks(_clean(text), user))
    if not looks or not user.has_perm("clinic.view_resident"):
        return []
    arms = [_arm(rows, rank, most) for rank, rows in enumerate(looks)]
    found = arms[0].union(*arms[1:], all=True) if len(arms) > 1 else arms[0]
    ranks = {}
    for pk, rank in found:
        ranks[pk] = min(rank, ranks.get(pk, rank))
    return _hits(sorted(ranks, key=lambda pk: (ranks[pk], -pk))[:most], user)


def is_long_enough(text):
    """Whether the box may ask: one Chinese sign, two letters or four digits."""
    text = _clean(text)
    if re.fullmatch(r"[0-9]+X?", text.upper(), re.ASCII):
        return len(text) >= SHORTEST_TAIL
    return len(text) >= (2 if text.isascii() else 1)


def _clean(text):
    return " ".join(identifiers.half_width(text).split())[:LONGEST]


def _arm(rows, rank, most):
    person = rows.order_by().annotate(person=Coalesce(F("merged_into"), F("pk")))
    ranked = person.annotate(rank=Value(rank, output_field=IntegerField()))
    return ranked.values_list("person", "rank")[:most]


def _hits(pks, user):
    """Two queries: the rows, and which of them the user may open (home, or a grant in force)."""
    rows = Resident.objects.select_related("home").in_bulk(pks)
    mine = set(Resident.objects.visible_to(user).filter(pk__in=pks).values_list("pk", flat=True))
    return [Hit(rows[pk], pk not in mine) for pk in pks]


def _looks(text, user):
    if not is_long_enough(text):
        return
    both = re.fullmatch(r"(\D+) ?([0-9]{3,17}[0-9X])", text.upper(), re.ASCII)
    if both:
        yield from _by_name_and_number(both[1].strip(), both[2], _reach(user))
    plus = re.fullmatch(r"\+[0-9 ()-]+", text, re.ASCII)
    number = identifiers.normalise_phone(text) if plus else identifiers.normalise_id(text)
    if re.fullmatch(r"[0-9A-Z]{4,30}", number, re.ASCII) and re.search(r"[0-9]", number):
        yield from _by_number(number, _reach(user))
    yield from _by_name(text, _reach(user))


def _by_number(number, here):
    everywhere = Resident.objects.all()
    phone = identifiers.normalise_phone(number)
    yield everywhere.filter(id_number=number)
    if re.fullmatch(r"[0-9]{17}", number):
        yield everywhere.filter(record_number=number)
    if len(phone) >= 7 and number.isdigit():
        yield everywhere.filter(phone=phone)
    tail = number[::-1]
    yield here.filter(id_reversed__startswith=tail)
    if number.isdigit():
        yield here.filter(phone_reversed__startswith=phone[::-1])
        yield here.filter(record_reversed__startswith=tail)


def _by_name_and_number(name, number, here):
    """ "张秀英 0024", "zxy 1958": where twenty people share a name, a tail or the birth year tells them apart."""
    tail = number[::-1]
    for rows in _by_name(name, here):
        yield rows.filter(id_reversed__startswith=tail)
        yield rows.filter(phone_reversed__startswith=tail)
        if re.fullmatch(r"(19|20)[0-9]{2}", number):
            yield rows.filter(birth_date__year=number)


def _by_name(text, here):
    letters = re.sub(r"[\s'’·-]", "", text).lower()
    if letters.isdigit():
        return
    if re.fullmatch(r"[a-z0-9]+", letters):
        yield here.filter(pinyin=letters)
        yield here.filter(initials=letters)
        yield here.filter(initials__startswith=letters)
        yield here.filter(pinyin__startswith=letters)
    else:
        yield here.filter(name=text)
        yield here.filter(name__startswith=text)


def _reach(user):
    """Rows of the user's institutions, as an equality or a plain list: either is an index condition,
    a subquery would be a join planned anew."""
    if user.institution.is_leaf:
        return Resident.objects.filter(home=user.institution_id)
    homes = Institution.objects.under(user.institution).values_list("pk", flat=True)
    return Resident.objects.filter(home__in=list(homes))
