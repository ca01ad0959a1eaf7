"""The anchor file: one JSON line a day outside the database, which the database's owner cannot reach."""

import json
import os
from dataclasses import asdict, dataclass
from datetime import date, datetime
from pathlib import Path

from django.conf import settings
from django.utils import timezone


@dataclass(frozen=True)
class Anchor:
    day: date
    position: int
    hash: str
    written_at: str = ""


class AnchorFileError(ValueError):
    """A line of the file that cannot be read; the message names the line's number."""

    def __init__(self, number):
        super().__init__(number)
        self.number = number


def path() -> Path:
    return Path(settings.ANCHORS) / "audit.jsonl"


def read() -> list[Anchor]:
    """All lines, oldest first; an empty list where there is no file."""
    if not path().exists():
        return []
    found = []
    for number, line in enumerate(path().read_text(encoding="utf-8").splitlines(), start=1):
        try:
            facts = json.loads(line)
            found.append(Anchor(**{**facts, "day": date.fromisoformat(facts["day"])}))
        except (ValueError, TypeError, KeyError) as error:
            raise AnchorFileError(number) from error
    return found


def append(day, position, last_hash) -> Anchor:
    """Add the day's line and return once the disk has it."""
    made = Anchor(day, position, last_hash, datetime.isoformat(timezone.now()))
    line = json.dumps({**asdict(made), "day": day.isoformat()}) + "\n"
    path().parent.mkdir(parents=True, exist_ok=True)
    new = not path().exists()
    descriptor = os.open(path(), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(descriptor, line.encode())
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    if new:
        _sync_folder(path().parent)
    return made


def _sync_folder(folder):
    """A new file's name is on the disk only once its folder is."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
