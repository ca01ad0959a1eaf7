"""A carrier in memory: ``base.Pool`` without sockets."""

import asyncio
import itertools

from messaging.gateways.base import Answer, Slot, Verdict

_sequences = itertools.count(1)


class FakePool:
    """Answers as ``say(segment)`` tells (a Verdict, or None for never)."""

    can_query = False

    def __init__(self, account, sink, say=None):
        self.account, self.sink = account, sink
        self.say = say or (lambda segment: Verdict.ACCEPTED)
        self.free = account.connections * account.window
        self.sent, self.open, self.most = [], {}, 0
        self.news = asyncio.Event()

    async def start(self):
        self.sink.changed(self.account.connections, None)

    async def stop(self, seconds):
        self.sink.changed(0, None)
        if self.open:
            self.sink.answered([Answer(key, Verdict.IN_DOUBT) for key in list(self.open)])
        self.open.clear()

    def reserve(self, wanted):
        given = min(wanted, self.free)
        self.free -= given
        self.most = max(self.most, self.account.connections * self.account.window - self.free)
        return [Slot(1, f"{next(_sequences):08x}") for _ in range(given)]

    def give_back(self, slots):
        self.free += len(slots)
        self.news.set()

    def send(self, work):
        self.sent += [segment for _slot, segment in work]
        self.open.update({segment.attempt: segment for _slot, segment in work})
        asyncio.get_running_loop().call_later(0.002, self.answer, [segment for _slot, segment in work])

    def answer(self, segments):
        said = [(one, self.say(one)) for one in segments if one.attempt in self.open]
        told = [
            Answer(one.attempt, verdict, f"r{one.attempt}" if verdict is Verdict.ACCEPTED else "")
            for one, verdict in said
            if verdict is not None
        ]
        for answer in told:
            del self.open[answer.attempt]
        self.free += len(told)
        self.sink.answered(told)
        self.news.set()

    async def room(self):
        while not self.free:
            self.news.clear()
            await self.news.wait()

    async def query(self, sequence, remote_id, phone):
        return None
