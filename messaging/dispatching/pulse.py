"""How an account does: up or down, throttled or held, how fast."""

from datetime import timedelta
from time import monotonic

from django.utils import timezone
from django.utils.translation import gettext as _

from messaging.codes import GatewayState
from messaging.gateways.base import Verdict

# Without a connection for so long, others take over what this one would have sent; throttled for so long likewise.
DOWN_AFTER = 3.0
THROTTLED_AFTER = 5.0
# A carrier that refuses so many one after the other refuses the account, not the messages: it is asked again later.
REFUSALS = 100
REFUSED_HOLD = (30.0, 900.0)
CLOSED_HOLD = 60.0


class Pulse:
    def __init__(self, account, clock=monotonic):
        self.clock, self.account = clock, account
        self.up = 0
        self.since = clock()  # of being without a connection
        self.error, self.error_at = "", None
        self.refused_in_row, self._hold = 0, REFUSED_HOLD[0]
        self.held = 0.0  # by the clock
        self.round_trip = 0.0  # ms, of one sample at a time
        self._sample = None
        self._accepted_at = self._throttled_at = self._throttled_since = None
        self._count, self._counted_at, self.per_second = 0, clock(), 0.0

    # what happens

    def changed(self, up, error):
        if not up and self.up:
            self.since = self.clock()
        self.up = up
        if error is not None:
            self.say(error.message)

    def say(self, sentence):
        self.error, self.error_at = str(sentence)[:200], timezone.now()

    def sent(self, attempt):
        if self._sample is None:
            self._sample = attempt, self.clock()

    def answered(self, answer):
        verdict = answer.verdict
        if self._sample is not None and self._sample[0] == answer.attempt:
            self.round_trip = round((self.clock() - self._sample[1]) * 1000, 1)
            self._sample = None
        self._count += 1
        if verdict is Verdict.ACCEPTED:
            self._accepted_at, self._throttled_since = self.clock(), None
            self.refused_in_row, self._hold = 0, REFUSED_HOLD[0]
        elif verdict is Verdict.THROTTLED:
            self._throttled_at = self.clock()
            self._throttled_since = self._throttled_since or self._throttled_at
        elif verdict is Verdict.CLOSED:
            self.hold(answer.seconds or CLOSED_HOLD)
            self.say(_("The carrier has closed the account for now (%(code)s).") % {"code": answer.code})
        elif verdict is Verdict.REFUSED:
            self._refused(answer.code)

    def _refused(self, code):
        self.refused_in_row += 1
        if self.refused_in_row >= REFUSALS:
            self.hold(self._hold)
            self._hold = min(REFUSED_HOLD[1], self._hold * 2)
            self.say(_("The carrier refuses every message (%(code)s).") % {"code": code})
            self.refused_in_row = REFUSALS - 5

    def hold(self, seconds):
        self.held = max(self.held, self.clock() + seconds)

    # what follows

    @property
    def is_held(self) -> bool:
        return self.clock() < self.held

    @property
    def sending(self) -> bool:
        """Whether it is worth claiming for."""
        return self.up > 0 and not self.is_held

    @property
    def state(self) -> str:
        now = self.clock()
        if not self.up:
            return GatewayState.CONNECTING if now - self.since < DOWN_AFTER else GatewayState.DOWN
        throttled = self._throttled_since is not None and now - self._throttled_since > THROTTLED_AFTER
        if self.is_held or (throttled and now - self._throttled_at < THROTTLED_AFTER):
            return GatewayState.THROTTLED
        return GatewayState.UP

    def held_until(self, now):
        left = self.held - self.clock()
        return now + timedelta(seconds=left) if left > 0 else None

    def rate(self) -> float:
        """Answers a second since the last call."""
        now = self.clock()
        if now - self._counted_at > 0.5:
            self.per_second = self._count / (now - self._counted_at)
            self._count, self._counted_at = 0, now
        return round(self.per_second, 1)
