"""What changed between versions of a text, for people to read: struck passages and what stands in their place.

Chinese has no blanks between words: signs are compared one by one, Latin words and numbers in one piece, sentences
first. Small matches between two changes are not worth reading and go with them. The work is bounded: what would
take too long is shown as one passage struck and one put in its place.
"""

import re
from collections import deque
from dataclasses import dataclass, replace

SENTENCE = re.compile(r"[^。！？；!?;\n]*(?:[。！？；!?;\n]+|$)")
STOPS = frozenset("。！？；，、!?;,\n")
WORD = re.compile(r"[A-Za-z0-9./%:+-]+|.", re.DOTALL)
CELLS = 50_000_000  # pieces of one text times pieces of the other: 6 MB, some tenths of a second
PAGE = 200_000_000  # the same for all the texts of a page
FAR = 100  # signs that a passage is moved at most, to begin after a stop
ISLAND = 2  # signs: a match this short between two changes is taken with them


@dataclass(frozen=True)
class Run:
    """A passage: the number of the version that brought it, and of the one that struck it."""

    text: str
    added: int = 1
    struck: int | None = None


class Patience:
    """How much comparing is left for all the texts of a page."""

    def __init__(self):
        self.left = PAGE

    def allows(self, cells):
        if cells > min(self.left, CELLS):
            return False
        self.left -= cells
        return True


def of_texts(texts, patience=None) -> list[Run]:
    """The versions of a text, oldest first, as one text in which nothing is missing."""
    patience = patience or Patience()
    return _history(list(texts), lambda old, new: opcodes(old, new, patience))


def of_lines(versions) -> list[Run]:
    """The same for lists of lines (diagnoses, medicines): a line is kept, struck or added as a whole."""
    return _history([list(lines) for lines in versions], _line_opcodes)


def opcodes(old: str, new: str, patience: Patience) -> list[tuple]:
    """(tag, i1, i2, j1, j2) over characters; "equal" and "replace" only."""
    start = _common(old, new)
    end = _common(old[start:][::-1], new[start:][::-1])
    middle = old[start : len(old) - end], new[start : len(new) - end]
    found = [("equal", 0, start, 0, start)] if start else []
    found += _shift(_by_sentence(*middle, patience), start, start)
    if end:
        found.append(("equal", len(old) - end, len(old), len(new) - end, len(new)))
    return _at_stops(old, new, _joined(old, found))


def _common(one, other):
    """The length of what both begin with, not ending within a word or a sign's marks."""
    length = next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), None)
    length = min(len(one), len(other)) if length is None else length
    while length > 0 and (_splits(one, length) or _splits(other, length)):
        length -= 1
    return length


def _splits(text, place):
    return place < len(text) and bool(re.fullmatch(r"[A-Za-z0-9./%:+-]{2}", text[place - 1 : place + 1]))


def _by_sentence(old, new, patience):
    if not old or not new:
        return [("replace", 0, len(old), 0, len(new))] if old or new else []
    return _compare(SENTENCE.findall(old), SENTENCE.findall(new), patience, _by_word)


def _by_word(old, new, patience):
    return _compare(WORD.findall(old), WORD.findall(new), patience, None)


def _compare(old, new, patience, finer):
    """Opcodes over characters of two lists of pieces; replaced stretches are compared by ``finer``."""
    old, new = [piece for piece in old if piece], [piece for piece in new if piece]
    at_old, at_new = _places(old), _places(new)
    if not patience.allows(len(old) * len(new)):
        return [("replace", 0, at_old[-1], 0, at_new[-1])]
    found = []
    for tag, i1, i2, j1, j2 in _alignment(old, new):
        here = (at_old[i1], at_old[i2], at_new[j1], at_new[j2])
        if tag == "equal":
            found.append(("equal", *here))
        elif finer is None or i1 == i2 or j1 == j2:
            found.append(("replace", *here))
        else:
            found += _shift(finer("".join(old[i1:i2]), "".join(new[j1:j2]), patience), here[0], here[2])
    return found


def _places(pieces):
    places = [0]
    for piece in pieces:
        places.append(places[-1] + len(piece))
    return places


def _shift(found, by_old, by_new):
    return [(tag, i1 + by_old, i2 + by_old, j1 + by_new, j2 + by_new) for tag, i1, i2, j1, j2 in found]


def _joined(old, found):
    """Neighbouring changes as one, with the islands between them."""
    whole = _merged((tag == "equal", *here) for tag, *here in found)
    last = len(whole) - 1
    islands = {
        number
        for number, (equal, i1, i2, _j1, _j2) in enumerate(whole)
        if equal and 0 < number < last and i2 - i1 <= ISLAND and "\n" not in old[i1:i2]
    }
    told = _merged((equal and number not in islands, *here) for number, (equal, *here) in enumerate(whole))
    return [("equal" if equal else "replace", *here) for equal, *here in told]


def _at_stops(old, new, found):
    """A passage put in or taken out begins after a stop where it may as well: "随诊。|两周后复诊。", not
    "随|诊。两周后复|诊。"."""
    told = list(found)
    for number in range(1, len(told) - 1):
        before, (tag, i1, i2, j1, j2), after = told[number - 1 : number + 2]
        if tag == "replace" and (i1 == i2 or j1 == j2):
            text, start, end = (old, i1, i2) if j1 == j2 else (new, j1, j2)
            step = _way(text, start, end, before[2] - before[1], after[2] - after[1])
            told[number - 1] = (before[0], before[1], i1 + step, before[3], j1 + step)
            told[number] = (tag, i1 + step, i2 + step, j1 + step, j2 + step)
            told[number + 1] = (after[0], i2 + step, after[2], j2 + step, after[4])
    return told


def _way(text, start, end, back, ahead):
    """How far the passage may move (less than 0: earlier) so that a stop stands before it; 0 where it cannot.
    ``back`` and ``ahead``: how many equal signs lie there."""
    for step in range(min(ahead, FAR) + 1):
        if _stops(text, start + step):
            return step
        if step == ahead or text[start + step] != text[end + step]:
            break
    for step in range(min(back, FAR) + 1):
        if _stops(text, start - step):
            return -step
        if step == back or text[start - step - 1] != text[end - step - 1]:
            break
    return 0


def _stops(text, place):
    return place > 0 and text[place - 1] in STOPS


def _merged(found):
    joined = []
    for equal, i1, i2, j1, j2 in found:
        if joined and joined[-1][0] == equal:
            joined[-1] = (equal, joined[-1][1], i2, joined[-1][3], j2)
        elif i2 > i1 or j2 > j1:
            joined.append((equal, i1, i2, j1, j2))
    return joined


def _line_opcodes(old, new):
    return list(_alignment(old, new))


def _alignment(old, new):
    """The longest common subsequence as opcodes. difflib's search can take its square, this never does."""
    last_i = last_j = 0
    for i, j in [*_matches(old, new), (len(old), len(new))]:
        if i > last_i or j > last_j:
            yield ("replace", last_i, i, last_j, j)
        if i < len(old):
            yield ("equal", i, i + 1, j, j + 1)
        last_i, last_j = i + 1, j + 1


def _matches(old, new) -> list[tuple]:
    """Pairs of places, found with one addition of long numbers for each piece of ``new`` (Hyyrö's bit vectors)."""
    places = {}
    for i, piece in enumerate(old):
        places[piece] = places.get(piece, 0) | 1 << i
    row = every = (1 << len(old)) - 1
    rows = []
    for piece in new:
        here = row & places.get(piece, 0)
        row = ((row + here) | (row - here)) & every
        rows.append(row)
    return _walk_back(rows, len(old), len(new))


def _walk_back(rows, i, j):
    found = []
    while i and j:
        if rows[j - 1] >> (i - 1) & 1:
            i -= 1
            continue
        j -= 1
        if j and not rows[j - 1] >> (i - 1) & 1:
            continue
        i -= 1
        found.append((i, j))
    return found[::-1]


def _history(values, compare):
    runs = [Run(values[0])] if values and values[0] else []
    for number, (old, new) in enumerate(zip(values, values[1:], strict=False), 2):
        runs = _apply(runs, compare(old, new), new, number)
    return _neighbours(runs) if values and isinstance(values[0], str) else _one_by_one(runs)


def _apply(runs, found, new, number):
    """The runs after one more version: struck ones keep their place."""
    done, rest = [], deque(runs)
    for tag, i1, i2, j1, j2 in found:
        _move(rest, done, i2 - i1, None if tag == "equal" else number)
        if tag != "equal" and j2 > j1:
            done.append(Run(new[j1:j2], number))
    return [*done, *rest]


def _move(rest, done, count, struck):
    while count:
        run = rest.popleft()
        if run.struck is not None:
            done.append(run)
            continue
        piece = replace(run, text=run.text[:count], struck=struck)
        if len(run.text) > count:
            rest.appendleft(replace(run, text=run.text[count:]))
        count -= len(piece.text)
        done.append(piece)


def _neighbours(runs):
    joined = []
    for run in runs:
        last = joined[-1] if joined else None
        if last and (last.added, last.struck) == (run.added, run.struck):
            joined[-1] = replace(last, text=last.text + run.text)
        else:
            joined.append(run)
    return joined


def _one_by_one(runs):
    return [replace(run, text=line) for run in runs for line in run.text]
