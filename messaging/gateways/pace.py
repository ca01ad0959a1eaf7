"""How fast a carrier is spoken to, and how soon it is tried again."""

import random
from time import monotonic

from messaging.gateways.base import LoginRefused

NUMBERS = 0x7FFFFFFF  # sequence numbers go from 1 to this, round and round


class Patience:
    """How long until the next try: doubling, with jitter (half to one and a half). ``options`` of the account may say
    ``retry_first`` (0.2 s), ``retry_longest`` (30), and for refused logins ``refused_first`` (5), ``refused_longest``
    (300)."""

    def __init__(self, options):
        self.retry = _seconds(options, "retry", 0.2, 30)
        self.refused = _seconds(options, "refused", 5, 300)
        self.tries = self.refusals = 0

    def reset(self):
        self.tries = self.refusals = 0

    def next(self, error) -> float:
        if isinstance(error, LoginRefused):
            (first, longest), tries = self.refused, self.refusals
            self.refusals += 1
        else:
            (first, longest), tries = self.retry, self.tries
            self.tries += 1
        return min(longest, first * 2 ** min(tries, 20)) * random.uniform(0.5, 1.5)


def _seconds(options, word, first, longest):
    """(first, longest) of an account's options, or what is usual where they are no numbers."""
    try:
        values = float(options.get(f"{word}_first", first)), float(options.get(f"{word}_longest", longest))
    except (TypeError, ValueError):
        return first, longest
    return values if all(0.001 <= value <= 3600 for value in values) else (first, longest)


class Pace:
    """Submits a second over the whole pool: the account's limit, and a slower one learnt when the carrier throttles.

    A throttled answer stops the pool for a moment and takes the pace down to 0.7 of what was accepted in the last
    second, but never below half of what it was; from then on it grows by a tenth a second until it means nothing.
    """

    HOLD = 0.5
    GROWTH = 1.1
    NOTHING = 20_000  # a pace that no carrier has

    def __init__(self, rate: int, clock=monotonic):
        self.rate, self.clock = rate, clock
        self.learnt: float | None = None
        self._tokens, self._at = self._depth(), clock()
        self._held_until = self._grown_at = 0.0
        self._accepted = self._accepted_before = 0
        self._second = clock()

    @property
    def limit(self) -> float:
        """Submits a second; 0: none."""
        if self.learnt is None:
            return self.rate
        return min(self.rate, self.learnt) if self.rate else self.learnt

    def take(self, wanted: int) -> int:
        """Up to so many, now."""
        now = self.clock()
        if now < self._held_until:
            return 0
        self._grow(now)
        if not self.limit:
            return wanted
        self._fill(now)
        given = min(wanted, int(self._tokens + 1e-6))
        self._tokens -= given
        return given

    def back(self, count: int):
        if self.limit:
            self._tokens = min(self._depth(), self._tokens + count)

    def wait(self) -> float:
        """Seconds until ``take`` gives something worth a transaction (a twentieth of a second's worth)."""
        now = self.clock()
        held = max(0.0, self._held_until - now)
        if not self.limit:
            return held
        self._fill(now)
        worth = max(1.0, self.limit / 20)
        return max(held, (worth - self._tokens) / self.limit, 0.0)

    def accepted(self, count: int):
        self._count(self.clock())
        self._accepted += count

    def throttled(self, seconds: float = 0):
        now = self.clock()
        if now < self._held_until:
            return
        self._count(now)
        got = max(self._accepted, self._accepted_before)
        self.learnt = max(1.0, 0.7 * got, 0.5 * (self.learnt or 0))
        self._tokens = 0.0
        self._at = self._held_until = now + (seconds or self.HOLD)
        self._grown_at = self._held_until

    def _grow(self, now):
        if self.learnt is None or now - self._grown_at < 1:
            return
        self.learnt = (self.learnt + 1) * self.GROWTH ** min(now - self._grown_at, 600)
        self._grown_at = now
        if self.learnt > self.NOTHING or (self.rate and self.learnt > self.rate):
            self.learnt = None

    def _fill(self, now):
        if now > self._at:
            self._tokens = min(self._depth(), self._tokens + (now - self._at) * self.limit)
            self._at = now

    def _depth(self):
        return max(1.0, self.limit / 10) if self.limit else 0.0

    def _count(self, now):
        if now - self._second >= 1:
            self._accepted_before = self._accepted if now - self._second < 2 else 0
            self._accepted, self._second = 0, now
