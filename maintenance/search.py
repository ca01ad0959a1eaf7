"""Tickets found by any part of a Chinese sentence, a word, or the initials of the title, without an extension: pairs of
characters in a text-search column. Pairs alone would also find them apart, so that what they find is looked at once
more."""

import re

from django.contrib.postgres.search import SearchQuery
from django.db.models import Func, Q, Value

from clinic import pinyin

# Han characters of the planes in use, and everything else that is a letter or digit.
HAN = re.compile(r"[㐀-鿿豈-﫿\U00020000-\U000323af]+")
LATIN = re.compile(r"[0-9a-z]+")
# Initials are marked, so that "db" of a title is no word of a text.
INITIALS = "#"
LONGEST = 40


class Query(SearchQuery):
    """A query as it is written: to_tsquery would take the marks for signs between words."""

    template = "%(expressions)s::tsquery"

    def __init__(self, text):
        super().__init__(text, search_type="raw")


def tokens(text: str) -> set[str]:
    """Single characters, pairs of them, and words."""
    text = text.lower()
    found = set(LATIN.findall(text))
    for run in HAN.findall(text):
        found |= set(run) | {run[n : n + 2] for n in range(len(run) - 1)}
    return found


def words_of(title: str, *texts: str) -> Func:
    """The value of Ticket.words."""
    _full, initials = pinyin.spell(title)
    found = tokens(" ".join((title, *texts))) | {
        INITIALS + initials[n:] for n in range(min(len(initials), LONGEST))
    }
    return Func(Value(sorted(found)), function="array_to_tsvector")


def matching(rows, typed: str):
    """Those of the tickets that the typed text is a part of (Latin words from their beginning), or the initials of a part of
    whose title it is."""
    typed = typed.strip()[:LONGEST]
    if not typed:
        return rows
    low = typed.lower()
    found = Q(number=typed)
    if asked := _asked(low):
        found |= Q(words=Query(" & ".join(asked))) & (
            Q(title__icontains=typed) | Q(description__icontains=typed)
        )
    if low.isascii() and low.isalnum():
        found |= Q(words=Query(_quoted(INITIALS + low) + ":*"))
    return rows.filter(found)


def _asked(low):
    """What must be there: pairs of characters, a single one where there is no pair, beginnings of Latin words."""
    found = set()
    for run in HAN.findall(low):
        found |= {run[n : n + 2] for n in range(len(run) - 1)} or {run}
    return sorted(map(_quoted, found)) + [_quoted(word) + ":*" for word in LATIN.findall(low)]


def _quoted(token):
    return "'" + token.replace("\\", "\\\\").replace("'", "''") + "'"
