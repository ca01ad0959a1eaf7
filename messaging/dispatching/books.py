"""One account's books: what its connections hear goes to the database in batches, answers before reports.

While one batch is being committed the next one gathers, so that the batches grow with the load. Nothing is dropped: a
batch that could not be written is tried again until the database is back.
"""

import asyncio
import logging

from django.utils import timezone

from messaging.codes import AttemptKind
from messaging.dispatching import booking, inbox
from messaging.dispatching.booking import Result
from messaging.dispatching.claiming import Owner
from messaging.dispatching.database import DATABASE_FAULTS, Threads, together
from messaging.dispatching.flights import Flight

log = logging.getLogger("sheyi.dispatcher")

# Seconds a batch gathers, and how many reports are committed together at most.
GATHER = 0.005
MOST_REPORTS = 1000


class Batch:
    """Answers (results, and the flights they completed), late ones, reports and handsets' messages with who waits."""

    __slots__ = ("results", "flights", "late", "reports", "heard")

    def __init__(self):
        self.results: list[Result] = []
        self.flights: list[Flight] = []
        self.late: list[Result] = []
        self.reports: list[tuple[list, asyncio.Future]] = []
        self.heard: list[tuple[list, asyncio.Future]] = []

    def __bool__(self):
        return bool(self.results or self.flights or self.late or self.reports or self.heard)


class Books:
    """``ways(carrier, refused_by)``: whether a gateway of the carrier's route is left. ``booked(flights)`` is told
    what is done with."""

    def __init__(self, threads: Threads, owner: Owner, report_hours, ways, booked):
        self.threads, self.owner, self.report_hours = threads, owner, report_hours
        self.ways, self.booked = ways, booked
        self.open = Batch()
        self.being_written = 0
        self.broken = False
        self._news = asyncio.Event()
        self._closing = False
        self._task = asyncio.create_task(self._keep())
        self._task.add_done_callback(self._ended)

    # what comes in

    def answer(self, result: Result, flight: Flight | None):
        """``flight``: the one it completed. Call ``wake`` after the last of several."""
        self.open.results.append(result)
        if flight is not None:
            self.open.flights.append(flight)

    def finish(self, flight: Flight):
        """Nothing more of it is awaited."""
        self.open.flights.append(flight)
        self.wake()

    def late(self, result: Result):
        self.open.late.append(result)

    def wake(self):
        self._news.set()

    async def reported(self, reports):
        await self._kept(self.open.reports, reports)

    async def heard(self, messages):
        await self._kept(self.open.heard, messages)

    async def _kept(self, where, what):
        done = asyncio.get_running_loop().create_future()
        where.append((list(what), done))
        self.wake()
        await done

    @property
    def backlog(self) -> int:
        """Answers that are not written yet."""
        return len(self.open.results) + self.being_written

    async def close(self):
        """Write everything, then end."""
        self._closing = True
        self.wake()
        await asyncio.wait([self._task])

    def _ended(self, task):
        """Without books nothing may be sent: what is open is for whoever recovers it."""
        if not task.cancelled() and (error := task.exception()) is not None:
            log.critical("the books broke: %s", type(error).__name__, exc_info=error)
            self.broken = True

    # the books

    async def _keep(self):
        while True:
            await self._news.wait()
            if not self._closing:
                await asyncio.sleep(GATHER)
            self._news.clear()
            batch, self.open = self.open, Batch()
            if batch:
                await self._write(batch)
            if self._closing and not self.open:
                return

    async def _write(self, batch):
        self.being_written = len(batch.results)
        pause = 0.1
        while True:
            now = timezone.now()
            decisions = [self._decide(flight, now) for flight in batch.flights]
            try:
                failed = await self.threads.run(self._commit, batch, decisions, now)
                break
            except DATABASE_FAULTS as error:
                log.warning("not booked yet: %s", type(error).__name__)
                await asyncio.sleep(pause)
                pause = min(5.0, pause * 2)
        self.being_written = 0
        self.booked(batch.flights)
        self._tell(batch.reports, failed)
        self._tell(batch.heard, failed)

    def _tell(self, waiting, failed):
        for _what, done in waiting:
            if done.cancelled():
                continue
            if failed is not None:
                done.set_exception(failed)
            else:
                done.set_result(None)

    def _decide(self, flight, now):
        message = flight.message
        return booking.decide(
            message.id,
            flight.kinds.values(),
            seconds=flight.seconds,
            report_hours=self.report_hours,
            other_ways=AttemptKind.ELSEWHERE in flight.kinds.values()
            and self.ways(message.carrier, [*message.refused_by, self.owner.gateway]),
            now=now,
        )

    def _commit(self, batch, decisions, now):
        """In a thread. Reports that the database will not take for what they say must not hold up the answers: they
        are left to be sent again."""
        reports = [one for some, _done in batch.reports for one in some]
        heard = [one for some, _done in batch.heard for one in some]
        try:
            with together():
                self._commit_answers(batch, decisions, now)
                inbox.keep_reports(self.owner.gateway, reports, now)
                inbox.keep_incoming(self.owner.gateway, heard, now)
        except DATABASE_FAULTS as error:
            if not (reports or heard) or not strange(error):
                raise
            log.error("reports that cannot be kept: %s", type(error).__name__)
            with together():
                self._commit_answers(batch, decisions, now)
            return error
        return None

    def _commit_answers(self, batch, decisions, now):
        if batch.results or decisions:
            booking.book(self.owner, batch.results, decisions, now)
        if batch.late:
            booking.late(self.owner, batch.late, report_hours=self.report_hours, ways=self.ways, now=now)


def strange(error) -> bool:
    """Whether it is about what was written, not about the connection or another transaction."""
    code = getattr(error.__cause__, "pgcode", None) or ""
    return code[:2] in {"22", "23"}
