"""Finding diagnosis and medicine terms while a doctor types.

A term carries ``grams``, short keys in one GIN index; whatever is typed becomes keys that must all be there:

    "高"      a sign of the name: a word finds its name in any order of signs and words
    "~gx"     two neighbouring initials: "gxy" is found inside "2jgxy" too
    "+gao"    three neighbouring letters of the full pinyin
    "#i10"    the code's first one to three signs, without dots and x

Three letters and a mark fill the column's four places. Single rows are then compared in full.
"""

import re
import unicodedata

from django.db.models import Case, F, Func, IntegerField, OuterRef, Q, Subquery, Value, When
from django.db.models.functions import Length

from clinic import pinyin
from emr.models import DiagnosisUse, Term, TermRelease

TYPED = 64  # signs of a search that count; more is pasted text
TOKENS = 8
SYLLABLE = 4
CODE_FORM = re.compile(r"[a-z0-9][a-z0-9.+*/\-]*", re.ASCII)
RUNS = re.compile(r"[a-z0-9]+|[^\Wa-z0-9_]+")


def normalise(text: str) -> str:
    """Lower case, full-width signs as plain ones, Ⅱ as ii."""
    return unicodedata.normalize("NFKC", text).lower()


def squeeze_code(code: str) -> str:
    """ "i1000002" of "I10.x00x002": what people type of a code, dots and filler x left out.

    The first sign stays whatever it is: there is a chapter X.
    """
    return code[:1].lower() + re.sub(r"[^0-9a-wyz]", "", code[1:].lower())


class SqueezedCode(Func):
    """``squeeze_code`` in the database."""

    template = (
        "(lower(left(%(expressions)s, 1))"
        " || regexp_replace(lower(substr(%(expressions)s, 2)), '[^0-9a-wyz]', '', 'g'))"
    )


def describe(code: str, name: str) -> dict:
    """The derived columns of a term: pinyin, initials, grams."""
    plain = normalise(name)
    full, initials = pinyin.spell(plain)
    grams = {sign for sign in plain if sign.isalnum()}
    grams |= {f"~{initials[i : i + 2]}" for i in range(len(initials) - 1)}
    grams |= {f"+{full[i : i + 3]}" for i in range(len(full) - 2)}
    for form in (squeeze_code(code), code.lower()):
        grams |= {f"#{form[:length]}" for length in (1, 2, 3) if len(form) >= length}
    return {"pinyin": full, "initials": initials, "grams": sorted(grams)}


def search(user, typed, systems, day, limit=20):
    """At most ``limit`` dicts {system, release, code, name, mine}, the user's own most used first, then
    exact, beginning, inside, scattered; shorter names before longer, common ones before rare.

    An empty search gives the most used alone. Two queries.
    """
    tokens = normalise(typed)[:TYPED].split()[:TOKENS]
    conditions = [condition for token in tokens if (condition := _condition(token)) is not None]
    if typed.strip() and not conditions:
        return []
    in_force = TermRelease.objects.visible_to(user).filter(system__in=systems).in_force(day).values("pk")
    terms = (
        Term.objects.visible_to(user)
        .alias(squeezed=SqueezedCode("code"))
        .filter(*conditions, release__in=in_force)
    )
    own = list(_most_used(user, terms.filter(_in_one_piece(tokens)), systems)[:limit])
    if not conditions or len(own) == limit:
        return own
    known = {(item["system"], item["code"], item["name"]) for item in own}
    found = _ranked(terms, tokens).values(
        "code", "name", system=F("release__system"), release_name=F("release__name")
    )[: limit + len(own)]
    others = [
        {
            "system": row["system"],
            "release": row["release_name"],
            "code": row["code"],
            "name": row["name"],
            "mine": False,
        }
        for row in found
        if (row["system"], row["code"], row["name"]) not in known
    ]
    return [*own, *others][:limit]


def _condition(token):
    """What one typed word asks of a term, or None when it holds neither letters nor digits."""
    runs = RUNS.findall(token)
    if not runs:
        return None
    named = Q()
    for run in runs:
        named &= _spelled(run) if run.isascii() else Q(grams__contains=sorted(set(run)))
    return named | _coded(token) if CODE_FORM.fullmatch(token) else named


def _spelled(run):
    """Letters and digits: initials, pinyin, or as they stand in the name."""
    if len(run) == 1:
        return Q(grams__contains=[run]) | Q(initials__startswith=run)
    pairs = [f"~{run[i : i + 2]}" for i in range(len(run) - 1)]
    found = Q(initials__contains=run) & Q(grams__contains=pairs)
    if len(run) <= 2:
        return found
    triples = [f"+{run[i : i + 3]}" for i in range(len(run) - 2)]
    # A single syllable ("xing") stands somewhere in half of all names.
    spelled = Q(pinyin__contains=run) if len(run) > SYLLABLE else Q(pinyin__startswith=run)
    return found | (spelled & Q(grams__contains=triples))


def _coded(token):
    """The beginning of a code, with or without its dot and x."""
    if not any(sign.isdigit() for sign in token):
        return Q(code__istartswith=token) & Q(grams__contains=[f"#{token[:3]}"])
    start = squeeze_code(token)
    narrow = Q(grams__contains=[f"#{start[:3]}"])
    return narrow if len(start) <= 3 else Q(squeezed__startswith=start) & narrow


def _most_used(user, terms, systems):
    """The user's own terms among those asked for that still stand in the release in force."""
    same = terms.filter(release__system=OuterRef("system"), code=OuterRef("code"), name=OuterRef("name"))
    used = (
        DiagnosisUse.objects.filter(user=user, system__in=systems)
        .annotate(release=Subquery(same.values("release__name")[:1]))
        .filter(release__isnull=False)
        .order_by("-count", "-last_used", "pk")
    )
    return used.annotate(mine=Value(True)).values("system", "release", "code", "name", "mine")


def _ranked(terms, tokens):
    """Exact, beginning, every word in one piece, scattered signs; then shorter, commoner, by code."""
    whole, first = "".join(tokens), tokens[0]
    exact = Q(name__iexact=whole) | Q(initials=whole) | Q(pinyin=whole) | Q(code__iexact=whole)
    beginning = (
        Q(name__startswith=first)
        | Q(initials__startswith=first)
        | Q(pinyin__startswith=first)
        | Q(code__istartswith=first)
    )
    tier = Case(
        When(exact, then=0),
        When(beginning, then=1),
        When(_in_one_piece(tokens), then=2),
        default=3,
        output_field=IntegerField(),
    )
    return terms.annotate(tier=tier, length=Length("name")).order_by(
        "tier", "length", "-rank", "code", "name"
    )


def _in_one_piece(tokens):
    """Every typed word stands in the name, its spelling or its code as it was typed."""
    whole = Q()
    for token in tokens:
        found = Q(name__contains=token) | Q(initials__contains=token) | Q(pinyin__contains=token)
        whole &= found | _coded(token) if CODE_FORM.fullmatch(token) else found
    return whole
