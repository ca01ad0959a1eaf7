"""Whether a carrier lets us in: one connection, made and left again."""

import asyncio
import random
from time import monotonic

from django.utils.translation import gettext as _

from messaging.gateways.base import Unreachable
from messaging.gateways.link import connect
from messaging.gateways.pace import NUMBERS


class Probe:
    """One connection that logs in, makes an active test and leaves. It is its own owner and sink."""

    def __init__(self, dialect, account):
        self.account = account
        self.dialect = dialect(account)
        self.number = random.randrange(1, NUMBERS)
        self.news: asyncio.Future | None = None

    async def run(self) -> float:
        begin = monotonic()
        loop = asyncio.get_running_loop()
        self.news = loop.create_future()
        link = await connect(0, self.dialect, self.account, self, self)
        try:
            await self.news
            if frame := self.dialect.active_test(self.next_sequence()):
                heard = link.heard_at
                link.transport.write(frame)
                await self._wait_for_life(link, heard)
            return monotonic() - begin
        finally:
            await link.leave(0.2)

    async def _wait_for_life(self, link, before):
        end = monotonic() + min(self.account.answer_seconds, self.account.connect_seconds)
        while link.open and link.heard_at <= before:
            if monotonic() > end:
                raise Unreachable(_("the active test was not answered"), code="silent")
            await asyncio.sleep(0.005)
        if link.error is not None:
            raise link.error

    def next_sequence(self) -> str:
        self.number = self.number % NUMBERS + 1
        return self.dialect.sequence(self.account, self.number)

    def link_up(self, link):
        if not self.news.done():
            self.news.set_result(None)

    def link_gone(self, link):
        if not self.news.done():
            self.news.set_exception(link.error)

    def link_answered(self, link, answers):
        pass

    def link_freed(self, link):
        pass

    async def reported(self, reports):
        """Not ours to take: unacknowledged, the carrier sends them again to the dispatcher."""
        await asyncio.Event().wait()

    heard = reported
