"""The messages one account has at hand: claimed a few windows ahead of the wire."""

import asyncio
import logging
from collections import Counter, deque
from contextlib import suppress

from django.utils import timezone

from messaging.dispatching import claiming
from messaging.dispatching.database import DATABASE_FAULTS
from messaging.dispatching.flights import Flight

log = logging.getLogger("sheyi.dispatcher")

# Windows of messages in memory.
AHEAD = 4
IDLE = 0.25


class Ahead:
    """The claiming half of an account (messaging.dispatching.account): ``ahead`` are claimed and wait to be begun,
    ``known`` are all that this process holds. The other half gives ``owner``, ``threads``, ``dispatcher``, ``gateway``,
    ``capacity`` and ``may_send()``."""

    def __init__(self):
        self.ahead: deque[Flight] = deque()
        self.known: dict[int, Flight] = {}
        self.claiming = True
        # Claims are under way; a transaction's end was never heard of; nobody claims or begins while it is looked into.
        self._claims, self._strays, self._quiet = 0, False, asyncio.Lock()
        self._turn, self._work, self._dry = 0, None, set()
        self._filled, self._short = asyncio.Event(), asyncio.Event()

    async def _claim_ahead(self):
        while self.claiming:
            try:
                got = await self._claim() if self._wanted() else 0
            except DATABASE_FAULTS as error:
                log.warning("not claimed: %s", type(error).__name__)
                self._strays, got = True, 0
            except Exception:  # ours: the others' work must go on
                log.exception("claiming went wrong")
                self._strays, got = True, 0
            if not got:
                self._short.clear()
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._short.wait(), IDLE)

    def _wanted(self) -> int:
        """How many more to have at hand; 0 while there are enough or nothing could be sent."""
        if not (self.claiming and self.may_send()):
            return 0
        target = AHEAD * self.capacity
        return target - len(self.ahead) if len(self.ahead) <= target // 2 else 0

    async def _claim(self) -> int:
        """Urgent campaigns first, then the others in equal shares, then what other gateways have refused."""
        work, routes = self.dispatcher.work, self.dispatcher.routes
        if work is not self._work:
            self._work, self._dry = work, set()
        got = 0
        for queues in routes.queues(self.gateway, work):
            got += await self._claim_from(queues)
        for carrier, before in routes.turned_away(self.gateway, work):
            if (most := self._wanted()) and work.allowed and (carrier, tuple(before)) not in self._dry:
                found = await self._run(claiming.claim_turned_away, carrier, before, work.allowed, most)
                got += len(found)
                if len(found) < most:
                    self._dry.add((carrier, tuple(before)))
        return got

    async def _claim_from(self, queues) -> int:
        """A queue that gives less than its share is empty until the next look; the others get the rest."""
        got = 0
        queues = [queue for queue in queues if queue not in self._dry]
        while queues and (wanted := self._wanted()):
            self._turn += 1
            first = self._turn % len(queues)
            asked = (queues[first:] + queues[:first])[:wanted]
            share = -(-wanted // len(asked))
            found = await self._run(claiming.claim, [(*queue, share) for queue in asked])
            got += len(found)
            given = Counter((one.campaign, one.carrier) for one in found)
            self._dry |= {queue for queue in asked if given[queue] < share}
            queues = [queue for queue in queues if queue not in self._dry]
        return got

    async def _run(self, claim, *given):
        async with self._quiet:
            self._claims += 1
        try:
            found = await self.threads.run(claim, self.owner, *given, timezone.now())
        finally:
            self._claims -= 1
        for one in sorted(found, key=lambda one: one.id):
            flight = self.known[one.id] = Flight(one)
            self.ahead.append(flight)
        if found:
            self._filled.set()
        return found

    def forget(self, flight):
        """Unless it has been claimed again meanwhile."""
        if self.known.get(flight.key) is flight:
            del self.known[flight.key]

    async def give_back(self, flights):
        """They were claimed and not begun."""
        flights = list(flights)
        for flight in flights:
            self.forget(flight)
        if flights:
            try:
                await self.threads.run(
                    claiming.give_back, self.owner, [flight.key for flight in flights], timezone.now()
                )
            except DATABASE_FAULTS:
                self._strays = True

    async def keep_only(self, campaigns):
        """What is at hand of campaigns that are paused, over or in their quiet hours goes back; everything where nothing
        can be sent, so that the next gateway of the route gets it."""
        idle = not self.pulse.sending
        gone = [
            one for one in self.ahead if not one.attempts and (idle or one.message.campaign not in campaigns)
        ]
        if gone:
            leaving = {one.key for one in gone}
            self.ahead = deque(one for one in self.ahead if one.key not in leaving)
            await self.give_back(gone)
