"""What a simulated carrier is told to do wrong."""

import random
from dataclasses import asdict, dataclass, field, fields


class UnknownFault(ValueError):
    """A word that names no fault, or a value that is none for it."""


@dataclass
class Faults:
    """All may be changed while the carrier runs (``update_from``). Shares are 0 to 1, times are seconds. By default
    nothing is wrong: everything is accepted at once and one report DELIVRD follows."""

    # answers
    latency: float = 0.0
    jitter: float = 0.0  # up to so much more
    lost_submits: float = 0.0  # share neither taken nor answered
    lost_answers: float = 0.0  # share taken and reported, never answered
    refuse: float = 0.0  # share refused with refuse_code
    refuse_code: int = 0  # 0: what the protocol says for a wrong message
    refuse_numbers: dict = field(default_factory=dict)  # phone → code
    throttle_above: int = 0  # submits a second that are taken; 0: no limit
    moved: list = field(default_factory=list)  # phones that another carrier has now
    moved_says: str = "refusal"  # or "report": accepted, then reported with moved_stat
    moved_stat: str = "MB:1049"

    # connections
    disconnect_after: int = 0  # cut a connection after so many of its submits were taken; 0: never
    disconnect_times: int = 1  # so often; -1: always
    disconnect_answers: bool = False  # whether the submit that was the last is still answered
    login: str = ""  # "refuse", "wrong" (authenticator), "silent", "garbage"
    login_code: int = 0  # 0: what the protocol says for a wrong secret
    garbage_after: int = 0  # write bytes that are no frame after so many submits of a connection; 0: never
    garbage_times: int = 1
    black_hole: bool = False  # take all bytes, never say or do anything

    # reports
    reports: bool = True
    report_delay: float = 0.0
    report_jitter: float = 0.0
    report_early: float = 0.0  # share sent before the answer to their submit
    report_twice: float = 0.0  # share sent twice
    report_lost: float = 0.0  # share never sent
    report_unknown: float = 0.0  # share after which one with an unknown number follows
    report_under_way: float = 0.0  # share before which one says "under way"
    report_late: float = 0.0  # share sent late_seconds later
    late_seconds: float = 5.0
    report_shuffle: bool = False  # those that are due together go out of order
    stat: str = "DELIVRD"
    stats: dict = field(default_factory=dict)  # stat → share, instead of ``stat``
    stat_numbers: dict = field(default_factory=dict)  # phone → stat
    resend_seconds: float = 30.0  # an unacknowledged report is sent again on the same connection

    seed: int = 0

    def __post_init__(self):
        self.dice = random.Random(self.seed)

    def update_from(self, words: dict) -> None:
        """Change some, or raise UnknownFault and change nothing. ``{"reset": true}`` first puts all back."""
        words = dict(words)
        fresh = Faults() if words.pop("reset", False) else self
        known = {one.name: getattr(Faults(), one.name) for one in fields(Faults)}
        values = {name: _fitting(name, value, known) for name, value in words.items()}
        if fresh is not self:
            for name in known:
                setattr(self, name, getattr(fresh, name))
        for name, value in values.items():
            setattr(self, name, value)
        if "seed" in values:
            self.dice = random.Random(self.seed)

    def as_dict(self) -> dict:
        return asdict(self)

    def happens(self, share: float) -> bool:
        return share > 0 and (share >= 1 or self.dice.random() < share)

    def pause(self, base: float, jitter: float) -> float:
        return base + self.dice.random() * jitter if jitter else base

    def stat_of(self, phone: str) -> str:
        """What the report of this phone says."""
        if phone in self.stat_numbers:
            return self.stat_numbers[phone]
        if self.moved and phone in self.moved:
            return self.moved_stat
        if self.stats:
            point = self.dice.random()
            for stat, share in self.stats.items():
                if point < share:
                    return stat
                point -= share
        return self.stat


WORDS = {
    "login": ("", "refuse", "wrong", "silent", "garbage"),
    "moved_says": ("refusal", "report"),
}
COUNTS = ("disconnect_times", "garbage_times")  # may be -1
SHARES = (
    "lost_submits", "lost_answers", "refuse", "report_early", "report_twice", "report_lost", "report_unknown",
    "report_under_way", "report_late",
)  # fmt: skip


def _fitting(name, value, known):
    """The value, if it is one for this fault. Raises UnknownFault."""
    if name not in known:
        raise UnknownFault(f"no such fault: {str(name)[:40]}")
    kind = type(known[name])
    if kind is float and type(value) is int:
        value = float(value)
    if type(value) is not kind or not _sound(name, value):
        raise UnknownFault(f"not a value for {name}")
    return value


def _sound(name, value):
    match value:
        case bool():
            return True
        case int() | float():
            lowest = -1 if name in COUNTS else 0
            return lowest <= value <= (1 if name in SHARES else 1_000_000_000)
        case str():
            return value in WORDS.get(name, (value,)) and len(value) <= 40
        case list():
            return all(isinstance(one, str) for one in value)
    kind = {"refuse_numbers": int, "stats": (int, float), "stat_numbers": str}[name]
    return all(isinstance(key, str) and isinstance(one, kind) for key, one in value.items())
