"""What a simulated carrier has really taken: the judge of whether anybody got a message twice."""

import json
from collections import Counter
from pathlib import Path
from time import time


class Ledger:
    """Every submit that was taken, counted by (phone, text, part); what was refused or lost is only counted.

    ``path``: each entry also becomes a JSON line there, so that another process can read them
    (``read_ledger``). ``keep``: how many entries are kept in memory, the newest; counts are never dropped.
    """

    COUNTED = (
        "accepted", "refused", "throttled", "lost_submits", "lost_answers", "reports", "reports_again",
        "acknowledged", "incoming", "logins", "logins_refused", "disconnected", "garbled",
    )  # fmt: skip

    def __init__(self, path: str | Path | None = None, keep: int = 100_000):
        self.keep = keep
        self.counts: Counter[str] = Counter(dict.fromkeys(self.COUNTED, 0))
        self.entries: list[dict] = []
        self.messages: dict[int, int] = {}
        self.twice: dict[int, tuple[str, str, int]] = {}
        self._lines: list[str] = []
        self._file = Path(path).open("a", encoding="utf-8") if path else None  # noqa: SIM115

    def take(self, phone, text, part, sequence, remote_id, connection):
        """One submit is the carrier's business from now on."""
        self.counts["accepted"] += 1
        key = hash((phone, text, part))
        seen = self.messages[key] = self.messages.get(key, 0) + 1
        if seen > 1:
            self.twice[key] = (phone, text, part)
        if self.keep or self._file is not None:
            entry = {
                "phone": phone, "text": text, "part": part, "sequence": sequence,
                "remote_id": remote_id, "at": time(), "connection": connection,
            }  # fmt: skip
            self._note(entry)

    def _note(self, entry):
        if self.keep:
            self.entries.append(entry)
            if len(self.entries) > 2 * self.keep:
                del self.entries[: -self.keep]
        if self._file is not None:
            self._lines.append(json.dumps(entry, ensure_ascii=False))

    def duplicates(self) -> list[tuple[str, str, int, int]]:
        """(phone, text, part, times) of what was taken more than once."""
        return [(*what, self.messages[key]) for key, what in self.twice.items()]

    def snapshot(self) -> dict:
        """Plain data, for a control page or another process."""
        return {
            **self.counts,
            "messages": len(self.messages),
            "duplicates": [list(one) for one in self.duplicates()[:100]],
            "duplicate_count": len(self.twice),
        }

    def clear(self):
        self.counts = Counter(dict.fromkeys(self.COUNTED, 0))
        self.entries.clear()
        self.messages.clear()
        self.twice.clear()

    def flush(self):
        """Write the lines that wait."""
        if self._file is not None and self._lines:
            lines, self._lines = self._lines, []
            self._file.write("\n".join(lines) + "\n")
            self._file.flush()

    def close(self):
        self.flush()
        if self._file is not None:
            self._file.close()
            self._file = None


def read_ledger(path) -> list[dict]:
    """The entries another process has written so far; a line that is being written is left out."""
    raw = Path(path).read_text(encoding="utf-8")
    return [json.loads(line) for line in raw.split("\n")[:-1]]
