"""What every page says at its top for a while: an upgrade that comes, runs, is over. The knowing app fills the registry; a
process asks it every few seconds, not every page."""

import threading
import time
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.utils.module_loading import import_string

from clinic import registry


@dataclass(frozen=True)
class PageNotice:
    """``kind``: coming, running, over. ``paths``: of the institutions concerned; ``until``: shown no longer than this."""

    kind: str
    words: str
    until: datetime
    paths: tuple[str, ...]
    address: str = ""

    def concerns(self, path: str) -> bool:
        """Whether an institution is one of them, lies below one, or above it."""
        return any(path.startswith(one) or one.startswith(path) for one in self.paths)


class Board:
    """What is shown now, as this process knows it."""

    def __init__(self):
        self.lock, self.asked, self.notices = threading.Lock(), None, []

    def live(self, now) -> list[PageNotice]:
        if self.asked is None or time.monotonic() - self.asked > settings.NOTICE_SECONDS:
            self.refresh(now)
        return [one for one in self.notices if one.until > now]

    def refresh(self, now):
        with self.lock:
            self.asked = time.monotonic()
            self.notices = [one for path in registry.page_notices for one in import_string(path)(now)]

    def pretend(self, notices=()):
        """For tests: as if just asked."""
        self.asked, self.notices = time.monotonic(), list(notices)


board = Board()


def for_user(user, now) -> list[PageNotice]:
    path = user.institution.path if user.institution_id else ""
    return [one for one in board.live(now) if one.concerns(path)]
