"""An account's connections, kept up, and the places in their windows."""

import asyncio
import logging
import random
from collections.abc import Sequence
from typing import ClassVar

from messaging.gateways.base import Account, Answer, GatewayError, Segment, Sink, Slot, Verdict
from messaging.gateways.dialect import Dialect
from messaging.gateways.link import Link, connect
from messaging.gateways.pace import NUMBERS, Pace, Patience
from messaging.gateways.probing import Probe

log = logging.getLogger(__name__)

STEADY = 10  # seconds up after which a connection's end is no flapping


class LinkPool:
    """The pool of a protocol with long connections. Subclasses name their ``dialect``; see base.Pool for the rest."""

    dialect: ClassVar[type[Dialect]]
    link: ClassVar[type[Link]] = Link
    can_query = False

    def __init__(self, account: Account, sink: Sink):
        self.account, self.sink = account, sink
        self.links: dict[int, Link] = {}
        self.pace = Pace(account.rate)
        self._number = random.randrange(1, NUMBERS)
        self._link_number = 0
        self._stopping = False
        self._keepers: list[asyncio.Task] = []
        self._news = asyncio.Event()

    # base.Pool

    async def start(self) -> None:
        self._stopping = False
        loop = asyncio.get_running_loop()
        self._keepers = [loop.create_task(self._keep_up()) for _ in range(self.account.connections)]

    async def stop(self, seconds: float) -> None:
        self._stopping = True
        for keeper in self._keepers:
            keeper.cancel()
        if self._keepers:
            await asyncio.wait(self._keepers)
        self._keepers = []
        if self.links:
            await asyncio.gather(*(link.leave(seconds) for link in list(self.links.values())))
        self._wake()

    def reserve(self, wanted: int) -> list[Slot]:
        if self._stopping or wanted <= 0:
            return []
        links = [link for link in self.links.values() if link.free > 0]
        allowed = min(wanted, sum(link.free for link in links))
        left = self.pace.take(allowed) if allowed else 0
        slots = []
        links.sort(key=lambda link: -link.free)
        for at, link in enumerate(links):
            share = min(link.free, -(-left // (len(links) - at)))
            slots += [Slot(link.number, link.reserve()) for _ in range(share)]
            left -= share
        if left:  # only if windows were uneven
            self.pace.back(left)
        return slots

    def give_back(self, slots: Sequence[Slot]) -> None:
        for slot in slots:
            if (link := self.links.get(slot.connection)) is not None:
                link.release(slot.sequence)
        self.pace.back(len(slots))
        self._wake()

    def send(self, work: Sequence[tuple[Slot, Segment]]) -> None:
        by_link: dict[int, list] = {}
        for slot, segment in work:
            by_link.setdefault(slot.connection, []).append((slot.sequence, segment))
        unsent: list[Answer] = []
        for number, part in by_link.items():
            link = self.links.get(number)
            if link is None:
                unsent += [Answer(segment.attempt, Verdict.NOT_SENT) for _, segment in part]
            else:
                unsent += link.send(part)
        if unsent:
            self.sink.answered(unsent)
            self._wake()

    async def room(self) -> None:
        while True:
            self._news.clear()
            if not self._stopping and any(link.free > 0 for link in self.links.values()):
                seconds = self.pace.wait()
                if seconds <= 0:
                    return
                await asyncio.sleep(seconds)
            else:
                await self._news.wait()

    async def query(self, sequence, remote_id, phone):
        return None

    @classmethod
    async def probe(cls, account: Account) -> float:
        """See ``messaging.gateways.probe``."""
        return await Probe(cls.dialect, account).run()

    # what a link calls

    def next_sequence(self) -> str:
        self._number = self._number % NUMBERS + 1
        return self.dialect.sequence(self.account, self._number)

    def link_up(self, link: Link):
        self.links[link.number] = link
        self._tell_change(None)

    def link_answered(self, link: Link, answers: list[Answer]):
        accepted = 0
        for answer in answers:
            if answer.verdict is Verdict.ACCEPTED:
                accepted += 1
            elif answer.verdict is Verdict.THROTTLED:
                self.pace.throttled(answer.seconds)
        if accepted:
            link.useful = True
            self.pace.accepted(accepted)
        self.sink.answered(answers)

    def link_freed(self, link: Link):
        self._wake()

    def link_gone(self, link: Link):
        if self.links.pop(link.number, None) is not None:
            self._tell_change(link.error)

    # the rest

    async def _keep_up(self):
        patience = Patience(self.account.options)
        loop = asyncio.get_running_loop()
        while not self._stopping:
            began, error = loop.time(), None
            try:
                link = await self._connect()
                error = link.error
                if link.was_up and (link.useful or loop.time() - began > STEADY):
                    patience.reset()
                elif not link.was_up:
                    self._tell_change(error)
            except GatewayError as fault:
                error = fault
                self._tell_change(error)
            except Exception as fault:  # ours: this connection must not stay away for ever
                log.error("gateway %s: %s", self.account.gateway, type(fault).__name__)
            await asyncio.sleep(patience.next(error))

    async def _connect(self) -> Link:
        """A connection, when it has ended."""
        self._link_number += 1
        dialect = self.dialect(self.account)
        link = await connect(self._link_number, dialect, self.account, self.sink, self, self.link)
        try:
            await asyncio.shield(link.ended)
        finally:
            if not link.up:
                link.close()
        return link

    def _tell_change(self, error):
        if error is not None:
            log.info("gateway %s: %s", self.account.gateway, error.code)
        self.sink.changed(len(self.links), error)
        self._wake()

    def _wake(self):
        self._news.set()
