"""One carrier account while this process owns it: claims ahead, begins, writes, hears.

Nothing is written to the wire unless its attempt is committed and the dispatcher's lease is in force at that moment by
this machine's own clock.
"""

import asyncio
import logging
from collections import deque
from contextlib import suppress
from time import monotonic

from django.utils import timezone

from messaging import gateways
from messaging.dispatching import beginning, recovery
from messaging.dispatching.ahead import AHEAD, IDLE, Ahead
from messaging.dispatching.booking import Result
from messaging.dispatching.books import Books
from messaging.dispatching.claiming import Owner
from messaging.dispatching.database import DATABASE_FAULTS
from messaging.dispatching.flights import Flight
from messaging.dispatching.pulse import Pulse
from messaging.gateways.base import Answer, Verdict

log = logging.getLogger("sheyi.dispatcher")

# How many transactions may be between reserve and send, and how many parts one begins.
BEGINNERS = 2
MOST_AT_ONCE = 256


class OwnedAccount(Ahead):
    """The sink of its pool, too. ``dispatcher`` gives ``threads``, ``in_force()``, ``work``, ``routes``."""

    def __init__(self, dispatcher, gateway, account):
        super().__init__()
        self.dispatcher, self.gateway, self.account = dispatcher, gateway.pk, account
        self.owner = Owner(dispatcher.name, gateway.pk)
        self.threads = dispatcher.threads
        self.pulse = Pulse(account)
        self.books = Books(
            self.threads, self.owner, gateway.report_hours, dispatcher.routes.way_left, self._booked
        )
        self.pool = gateways.open_pool(account, self)
        self.in_air: dict[int, Flight] = {}
        self.since = monotonic()
        self.asked = 0
        self.sending = True
        self.owned = True
        self.moved = False  # its name means other addresses by now
        self._tasks: list[asyncio.Task] = []

    @property
    def capacity(self) -> int:
        return self.account.connections * self.account.window

    async def start(self):
        await self.pool.start()
        self._tasks = [asyncio.create_task(self._claim_ahead())]
        self._tasks += [asyncio.create_task(self._begin_and_send()) for _ in range(BEGINNERS)]

    # the sink

    def answered(self, answers):
        for answer in answers:
            self._answered(answer)
        self.books.wake()

    def _answered(self, answer: Answer):
        self.pulse.answered(answer)
        result = Result(answer.attempt, answer.verdict.value, answer.remote_id[:65], answer.code[:40])
        flight = self.in_air.pop(answer.attempt, None)
        if flight is None:
            self.books.late(result)
        else:
            self.books.answer(result, flight if flight.answered(answer) else None)

    async def reported(self, reports):
        await self.books.reported(reports)

    async def heard(self, messages):
        await self.books.heard(messages)

    def changed(self, up, error):
        self.pulse.changed(up, error)

    # beginning and sending

    async def _begin_and_send(self):
        while self.sending:
            try:
                await self._turn_of_sending()
            except Exception:  # ours
                log.exception("sending went wrong")
                self._strays = True
                await asyncio.sleep(IDLE)

    async def _turn_of_sending(self):
        if not self.ahead:
            self._filled.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._filled.wait(), IDLE)
        elif self.books.backlog > self.capacity or not self.may_send():
            await asyncio.sleep(0.01)
        else:
            try:
                async with asyncio.timeout(1):
                    await self.pool.room()
            except TimeoutError:
                return
            await self._begin()

    def may_send(self):
        return self.pulse.sending and self.owned and self.dispatcher.in_force()

    async def _begin(self):
        slots = self.pool.reserve(min(self._parts_ahead(), MOST_AT_ONCE))
        if not slots:
            await asyncio.sleep(0.005)
            return
        work, more, free = self._load(slots)
        if len(self.ahead) <= AHEAD * self.capacity // 2:
            self._short.set()
        if free:
            self.pool.give_back(free)
        if not work:
            return
        try:
            async with self._quiet:
                pass
            begun = await self.threads.run(
                beginning.begin,
                self.owner,
                [(f.key, part, len(f.parts), slot.sequence, slot.connection) for f, part, slot in work],
                more,
                timezone.now(),
            )
        except Exception as error:
            # Perhaps it is committed: what the database says will be seen to, nothing was written.
            log.warning("not begun: %s", type(error).__name__)
            self.pool.give_back([slot for _flight, _part, slot in work])
            self._forget(work)
            return
        await self._launch(work, begun)

    def _parts_ahead(self):
        wanted = 0
        for flight in self.ahead:
            wanted += len(flight.left)
            if wanted >= MOST_AT_ONCE:
                break
        return wanted

    def _load(self, slots):
        """(flight, part, slot) for each slot; long messages that do not fit go on in the next turn."""
        work, more, slots = [], set(), deque(slots)
        while slots and self.ahead:
            flight = self.ahead[0]
            if flight.attempts or flight.beginning:
                if flight.beginning:  # its first parts are being committed: the other turn goes on with it
                    break
                more.add(flight.key)
            while slots and flight.left:
                work.append((flight, flight.left.pop(0), slots.popleft()))
                flight.beginning += 1
            if flight.left:
                break
            self.ahead.popleft()
        return work, more, list(slots)

    def _forget(self, work):
        """Nobody knows whether these were begun; that none was written is certain."""
        for flight in {id(one[0]): one[0] for one in work}.values():
            self._take_off(flight)
        self._strays = True

    def _take_off(self, flight):
        """The rest of it is not begun here. Returns whether nothing of it was, so that it may be forgotten."""
        if self.ahead and self.ahead[0] is flight:
            self.ahead.popleft()
        if not flight.attempts:
            flight.left, flight.beginning = [], 0
            self.forget(flight)
            return True
        flight.cut()
        if flight.over:
            self.books.finish(flight)
        return False

    async def _launch(self, work, begun):
        wire, unused, skipped = [], [], {}
        for flight, part, slot in work:
            flight.beginning -= 1
            attempt = begun.attempts.get((flight.key, part))
            if attempt is None:
                unused.append(slot)
                skipped[flight.key] = flight
                continue
            flight.attempts[part] = attempt
            self.in_air[attempt] = flight
            wire.append((slot, flight.segment(part)))
        if unused:
            self.pool.give_back(unused)
        if wire:
            self._write(wire)
        await self._drop(skipped, begun.stopped)

    def _write(self, wire):
        """The only place where something goes out."""
        if not (self.owned and self.dispatcher.in_force()):
            log.warning("lease lapsed: not sent", extra={"facts": {"count": len(wire)}})
            self.pool.give_back([slot for slot, _segment in wire])
            self.answered([Answer(segment.attempt, Verdict.NOT_SENT) for _slot, segment in wire])
            return
        try:
            self.pulse.sent(wire[0][1].attempt)
            self.pool.send(wire)
        except Exception as error:  # ours: nobody knows how far it came
            log.error("writing failed: %s", type(error).__name__)
            self.answered(
                [Answer(s.attempt, Verdict.IN_DOUBT) for _slot, s in wire if s.attempt in self.in_air]
            )

    async def _drop(self, skipped, stopped):
        back = [flight for flight in skipped.values() if self._take_off(flight)]
        await self.give_back(flight for flight in back if flight.key not in stopped)

    # looking after

    def line(self, now):
        """For messaging.dispatching.health."""
        pulse = self.pulse
        return (
            self.gateway, pulse.state, pulse.up, pulse.held_until(now), pulse.error or None, pulse.error_at,
            pulse.rate(), pulse.round_trip,
        )  # fmt: skip

    async def tidy(self):
        """Called every second: what a broken transaction left is put right."""
        if self._strays and self.owned and self.dispatcher.in_force():
            await self._bring_back_strays()

    def _booked(self, flights):
        for flight in flights:
            self.forget(flight)

    async def _bring_back_strays(self):
        async with self._quiet:
            if self._claims or any(flight.beginning for flight in self.known.values()):
                return
            self._strays = False
            try:
                while await self.threads.run(recovery.strays, self.owner, list(self.known), timezone.now()):
                    pass
            except DATABASE_FAULTS:
                self._strays = True

    # the end

    async def stop(self, seconds: float):
        """Claim nothing more, give back what is not begun, finish the windows, book everything."""
        end = monotonic() + seconds
        self.claiming = False
        self._short.set()
        await self._tasks[0]
        waiting = [flight for flight in self.ahead if not flight.attempts and not flight.beginning]
        self.ahead = deque(flight for flight in self.ahead if flight.attempts or flight.beginning)
        await self.give_back(waiting)
        while self.ahead and monotonic() < end and self.may_send():
            await asyncio.sleep(0.01)
        await self._end_sending()
        await self._close(max(0.05, end - monotonic()))
        with suppress(*DATABASE_FAULTS):
            while self.dispatcher.in_force() and self.owned:
                if not await self.threads.run(recovery.strays, self.owner, [], timezone.now()):
                    break

    async def abort(self):
        """The lease is another's: not a byte more. What was heard is still booked."""
        self.owned = self.claiming = False
        await self._end_sending()
        await self._close(0)
        await self.give_back(flight for flight in self.ahead if not flight.attempts)

    async def _close(self, seconds):
        await self.pool.stop(seconds)
        if self.in_air:  # whatever the pool did not tell
            self.answered([Answer(attempt, Verdict.IN_DOUBT) for attempt in list(self.in_air)])
        await self.books.close()

    async def _end_sending(self):
        self.sending = False
        self._filled.set()
        self._short.set()
        await asyncio.gather(*self._tasks, return_exceptions=True)
