"""Breaking text into lines of a known width, and lines into pages.

Chromium 109 prints neither running headers nor page numbers by itself, so pages are made here and the
browser re-wraps nothing. Widths are in em, the height of the font, and err on the wide side: a full-width
sign is one em in every Chinese font, Latin letters take what the widest common fonts give them.
"""

import unicodedata
from dataclasses import dataclass
from functools import lru_cache

WIDE_LATIN = frozenset("mwMW@%&")
NARROW_LATIN = frozenset("iljftrI.,:;'`!|()[] -/\\")
# Ligatures and dashes that are several signs wide.
GIANTS = {"\ufdfd": 14.0, "\u2e3b": 3.2, "\u2e3a": 2.2, "\t": 2.0}
NO_START = frozenset("，。、；：？！）》」』】〕〉”’…—·％℃,.;:?!)]}%°")
NO_END = frozenset("（《「『【〔〈“‘([{$￥#")
JOINER = "\u200d"
WORD = frozenset("./-+%:~")
LOOK_BACK = 24  # signs: the longest number or Latin word that is kept in one piece


@lru_cache(maxsize=8192)
def width(sign: str) -> float:
    """How wide one sign may come out at most, in em."""
    if sign in GIANTS:
        return GIANTS[sign]
    if "!" <= sign <= "~" or sign == " ":
        return _latin(sign)
    category = unicodedata.category(sign)
    if category in {"Mn", "Me"} or sign == JOINER:
        return 0.25
    if "\ufdf0" <= sign <= "\ufdff":
        return 4.0
    shape = unicodedata.east_asian_width(sign)
    if shape in {"W", "F"} and category != "So":
        return 1.0
    if sign > "\U0001efff" or category in {"Cn", "Co"}:
        return 1.5  # emoji, and boxes for what no font knows
    if shape == "H":
        return 0.65
    return 1.1 if sign < "\u0590" or "\u2000" <= sign <= "\u22ff" else 1.6


def _latin(sign):
    if sign in WIDE_LATIN:
        return 1.0
    if sign in NARROW_LATIN:
        return 0.5
    return 0.65 if sign.islower() or sign.isdigit() else 0.85


def measure(text: str) -> float:
    """The width of a line; a blank at its end is not seen."""
    return sum(map(width, text.rstrip(" ")))


def break_lines(text: str, room: float, first: float = 0.0) -> list[str]:
    """Lines of at most ``room`` em that joined give the text back; ``first`` em of the first are taken.

    No line begins with a closing mark or ends with an opening one; numbers and words stay whole.
    """
    lines, start, here, used = [], 0, 0, first
    while here < len(text):
        step = width(text[here])
        if used + step > room and used > 0 and not _hangs(text, start, here):
            here = _cut(text, start, here) if here > start else here
            lines.append(text[start:here])
            start, used = here, 0.0
            continue
        used += step
        here += 1
    return [*lines, text[start:]]


def _hangs(text, start, here):
    """One blank after a word may stand beyond the edge, where nobody sees it."""
    return text[here] == " " and here > start and text[here - 1] != " "


def _cut(text, start, end):
    for place in range(end, max(start, end - LOOK_BACK), -1):
        if _may_break(text[place - 1], text[place]):
            return place
    return end


def _may_break(before, after):
    if after in NO_START or before in NO_END or JOINER in (before, after):
        return False
    if unicodedata.category(after) in {"Mn", "Me", "Mc"}:
        return False
    return not (_in_word(before) and _in_word(after))


def _in_word(sign):
    return sign in WORD or (sign.isascii() and sign.isalnum())


def break_runs(runs: list[tuple], room: float, first: float = 0.0) -> list[tuple]:
    """The same for a text some of whose passages are struck: ``runs`` are (text, struck); each line comes as a
    tuple of them. A line through a sign widens nothing, so the text breaks as if it were plain."""
    lines, rest = [], list(runs)
    for text in break_lines("".join(text for text, _struck in runs), room, first):
        line, wanted = [], len(text)
        while wanted:
            passage, struck = rest.pop(0)
            line.append((passage[:wanted], struck))
            if len(passage) > wanted:
                rest.insert(0, (passage[wanted:], struck))
            wanted -= len(line[-1][0])
        lines.append(tuple(run for run in line if run[0]))
    return lines


@dataclass(frozen=True)
class Line:
    """A printed line: a bold label, the text, a kind for the style sheet. ``keep`` holds it on the page
    of the line that follows. ``runs`` are the text again as (passage, struck) where some of it is struck."""

    text: str
    label: str = ""
    kind: str = "text"
    keep: bool = False
    runs: tuple = ()


def struck_line(runs: tuple, **more) -> Line:
    """A line of passages; without a struck one it is a plain line."""
    text = "".join(passage for passage, _struck in runs)
    return Line(text, runs=runs if any(struck for _passage, struck in runs) else (), **more)


def paginate(lines: list[Line], room: int) -> list[list[Line]]:
    """Pages of at most ``room`` lines; lines to be kept move on together, unless they fill a page."""
    pages, start = [], 0
    while len(lines) - start > room:
        end = start + room
        while end > start and lines[end - 1].keep:
            end -= 1
        end = end if end > start else start + room
        pages.append(lines[start:end])
        start = end
    return [*pages, lines[start:]]
