"""Both texts of a corrected note on paper: the original passage under a double line, then what stands for it
(病历书写基本规范 art. 7: 双线划去, legible, with the time and the signature of who corrected)."""

from dataclasses import dataclass, field
from itertools import groupby

from emr.signed import comparing


@dataclass
class Passages:
    """Turns the values of all versions of a field into (text, struck). ``found``: emr.signed.versions.of."""

    found: list
    patience: comparing.Patience = field(default_factory=comparing.Patience)

    @property
    def void(self):
        return self.found[-1].void

    def of(self, values) -> list[tuple]:
        runs = comparing.of_texts(list(values), self.patience)
        return [
            pair
            for changed, group in groupby(runs, _is_changed)
            for pair in self._pairs(changed, list(group))
        ]

    def of_lines(self, values) -> list[tuple]:
        return [(run.text, self._is_struck(run)) for run in comparing.of_lines(values)]

    def _pairs(self, changed, runs):
        pairs = [(run.text, self._is_struck(run)) for run in runs]
        if changed and len(self.found) > 2:
            # With several corrections each passage tells whose it is.
            number = max(max(run.added, run.struck or 1) for run in runs) - 1
            pairs.append((f"〔{number}〕", False))
        return pairs

    def _is_struck(self, run):
        return self.void or run.struck is not None


def _is_changed(run):
    return run.added > 1 or run.struck is not None
