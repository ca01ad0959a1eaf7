"""Files outside the database, which the database's owner cannot reach: the ends of the chains day by day, and
whatever else must not be forgotten when somebody rewrites the database. One JSON object a line."""

import contextlib
import fcntl
import json
import os
from dataclasses import asdict, dataclass
from datetime import date, datetime
from pathlib import Path

from django.conf import settings
from django.utils import timezone

AUDIT, SEALS = "audit", "seals"


@dataclass(frozen=True)
class Anchor:
    """The end of a chain on a day. ``institution`` (its public id) where every institution has a chain."""

    day: date
    position: int
    hash: str
    written_at: str = ""
    institution: str = ""


class AnchorFileError(ValueError):
    """A line of a file that cannot be read; the message names the line's number."""

    def __init__(self, number, name=AUDIT):
        super().__init__(number)
        self.number, self.path = number, path(name)


def path(name=AUDIT) -> Path:
    return Path(settings.ANCHORS) / f"{name}.jsonl"


def read(name=AUDIT) -> list[Anchor]:
    """All anchors of the file, oldest first; an empty list where there is no file."""
    found = []
    for number, facts in enumerate(read_lines(name), start=1):
        try:
            found.append(Anchor(**{**facts, "day": date.fromisoformat(facts["day"])}))
        except (ValueError, TypeError, KeyError) as error:
            raise AnchorFileError(number, name) from error
    return found


def append(day, position, last_hash) -> Anchor:
    """Add the day's line of the audit chain and return once the disk has it."""
    made = Anchor(day, position, last_hash, datetime.isoformat(timezone.now()))
    append_all([made])
    return made


def append_all(made: list[Anchor], name=AUDIT):
    """Add these anchors and return once the disk has them."""
    append_lines(name, [_facts(anchor) for anchor in made])


def _facts(anchor):
    facts = {**asdict(anchor), "day": anchor.day.isoformat()}
    return facts if anchor.institution else {name: facts[name] for name in facts if name != "institution"}


def read_lines(name) -> list[dict]:
    """Every line of the file as a dict; AnchorFileError names the first that is none."""
    try:
        lines = _text(name).splitlines()
    except FileNotFoundError:
        return []
    except ValueError as error:
        raise AnchorFileError(1, name) from error
    found = []
    for number, line in enumerate(lines, start=1):
        try:
            found.append(json.loads(line))
        except ValueError as error:
            raise AnchorFileError(number, name) from error
        if not isinstance(found[-1], dict):
            raise AnchorFileError(number, name)
    return found


def _text(name):
    with path(name).open(encoding="utf-8") as file:
        _lock(file, fcntl.LOCK_SH)
        return file.read()


def _lock(file, kind):
    """Until the file is closed: a file system may show a line while half of it is written. Some have no locks; one write
    a line has to do there."""
    with contextlib.suppress(OSError):
        fcntl.flock(file, kind)


def append_lines(name, lines: list[dict]):
    """Add lines and return once the disk has them. One write: lines of two processes do not mix."""
    if not lines:
        return
    file = path(name)
    file.parent.mkdir(parents=True, exist_ok=True)
    new = not file.exists()
    text = "".join(json.dumps(line) + "\n" for line in lines)
    descriptor = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        _lock(descriptor, fcntl.LOCK_EX)
        os.write(descriptor, text.encode())
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    if new:
        sync_folder(file.parent)


def sync_folder(folder):
    """A new file's name is on the disk only once its folder is."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
