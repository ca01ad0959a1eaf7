"""Messages between the claim and the answer, in memory: at most a few windows of them."""

from messaging.dispatching.claiming import Claimed
from messaging.gateways import text as texts
from messaging.gateways.base import Segment, Verdict


class Flight:
    """One claimed message. ``left``: its parts that are not begun yet; ``attempts``: part → attempt, once committed;
    ``beginning``: how many parts are just being committed; ``kinds``: attempt → what came of it."""

    __slots__ = ("message", "parts", "left", "beginning", "attempts", "kinds", "seconds")

    def __init__(self, message: Claimed):
        self.message = message
        self.parts = texts.split(message.text)
        wanted = [at for at in range(1, len(self.parts) + 1) if at not in message.taken]
        self.left = wanted or list(range(1, len(self.parts) + 1))
        self.attempts: dict[int, int] = {}
        self.kinds: dict[int, str] = {}
        self.beginning = 0
        self.seconds = 0.0

    @property
    def key(self) -> int:
        return self.message.id

    @property
    def over(self) -> bool:
        """All of it that was begun is answered, and nothing is left to begin."""
        return not self.left and not self.beginning and len(self.kinds) == len(self.attempts)

    def cut(self):
        """The parts that are not begun will not be, in this try: what was begun decides, as if they were not sent."""
        self.left, self.beginning = [], 0
        self.attempts[0], self.kinds[0] = 0, Verdict.NOT_SENT.value

    def segment(self, part: int) -> Segment:
        """The reference of a long message is the same in every try: parts that arrived early fit those sent again."""
        return Segment(
            attempt=self.attempts[part],
            phone=self.message.phone,
            text=self.parts[part - 1],
            part=part,
            parts=len(self.parts),
            reference=self.key & 0xFF,
        )

    def answered(self, answer) -> bool:
        """Whether that was the last one."""
        self.kinds[answer.attempt] = answer.verdict.value
        if answer.verdict in (Verdict.THROTTLED, Verdict.CLOSED):
            self.seconds = max(self.seconds, answer.seconds)
        if answer.verdict is not Verdict.ACCEPTED:
            self.left = []  # the rest would be of no use now
        return self.over
