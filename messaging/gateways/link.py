"""One connection to a carrier: a window of unanswered submits, time-outs, active tests, reports that are acknowledged
after they were committed. Whatever the protocol: a ``Dialect`` builds and reads its frames.

Nothing here makes a task or a future for a message: one read is parsed whole, told as a batch and answered in one
write, and one write carries as many submits as the window takes.
"""

import asyncio
import logging
from contextlib import suppress
from itertools import takewhile
from time import monotonic

from django.utils.translation import gettext as _

from messaging.gateways.base import Account, Answer, GatewayError, Segment, Sink, Unreachable, Verdict
from messaging.gateways.dialect import Dialect
from messaging.gateways.ear import Ear

log = logging.getLogger(__name__)

TESTS = 3  # active tests without an answer before the connection is given up
LATE = 10_000  # submits in doubt whose late answer is still recognised
GOOD_BYE = 2  # seconds for the carrier to answer our good-bye


class Link(Ear):
    """A connection of ours, from the TCP handshake to the end. ``owner`` is the pool (or a probe): it gives numbers
    (``next_sequence()``) and is told ``link_up(link)``, ``link_answered(link, answers)``, ``link_freed(link)`` and,
    once, ``link_gone(link)`` (``link.error`` says why, None for an orderly end)."""

    def __init__(self, number: int, dialect: Dialect, account: Account, sink: Sink, owner):
        super().__init__(dialect, sink)
        self.number, self.account, self.owner = number, account, owner
        self.up = self.was_up = self.leaving = self.useful = False
        self.pending: dict[str, tuple[int, float]] = {}  # sequence → attempt, when written; oldest first
        self.reserved: set[str] = set()
        self.ended = asyncio.get_running_loop().create_future()
        self._late: dict[str, int] = {}
        self._answers: list[Answer] = []
        self._freed = False
        self._tests = 0
        self._tested_at = 0.0
        self._patient_until = 0.0
        self._began = self._ticked = monotonic()
        shortest = min(account.answer_seconds, account.idle_seconds, account.connect_seconds)
        self._beat = max(0.02, min(1.0, shortest / 4))
        self._timer: asyncio.TimerHandle | None = None

    # asyncio.Protocol

    def connection_made(self, transport):
        super().connection_made(transport)
        self._began = self._ticked = self.heard_at = monotonic()
        self._timer = asyncio.get_running_loop().call_later(self._beat, self._tick)
        try:
            self._out.append(self.dialect.login(self.owner.next_sequence()))
        except GatewayError as error:
            self.fail(error)
        self._flush()

    def connection_lost(self, exc):
        was_up, self.up = self.up, False
        super().connection_lost(exc)
        if self._timer is not None:
            self._timer.cancel()
        if self.error is None and not self.leaving:
            if not was_up:
                self.error = Unreachable(_("closed before the login was answered"), code="login")
            elif self.pending or not self.dialect.CLOSES_IDLE:
                self.error = Unreachable(_("the carrier closed the connection"), code="closed")
        self.reserved.clear()
        self._answers += [self._in_doubt(one, attempt) for one, (attempt, _) in self.pending.items()]
        self.pending.clear()
        self._tell_answers()
        if not self.ended.done():
            self.ended.set_result(None)
        self.owner.link_gone(self)

    # what a dialect calls

    def logged_in(self):
        if not self.up and self.open:
            self.up = self.was_up = True
            self.owner.link_up(self)

    def answered(self, sequence: str, verdict: Verdict, remote_id="", code="", seconds=0.0):
        known = self.pending.pop(sequence, None)
        if known is not None:
            attempt = known[0]
            self._freed = True
        else:
            attempt = self._late.pop(sequence, None)
            if attempt is None:
                return
        self._answers.append(Answer(attempt, verdict, remote_id, code, seconds))

    def alive(self):
        """Whatever was heard is a sign of life; nothing more to do."""

    def left(self):
        self.close()

    # what the pool calls

    @property
    def free(self) -> int:
        if not self.up or self.leaving or self.transport.is_closing():
            return 0
        return self.account.window - len(self.pending) - len(self.reserved)

    def reserve(self) -> str:
        sequence = self.owner.next_sequence()
        self.reserved.add(sequence)
        return sequence

    def release(self, sequence: str):
        self.reserved.discard(sequence)

    def send(self, work: list[tuple[str, Segment]]) -> list[Answer]:
        """Write these, all in one. Returns the answers of those that never went out."""
        if not (self.up and self.open):
            return [Answer(segment.attempt, Verdict.NOT_SENT) for _, segment in work]
        now, frames, unsent = monotonic(), [], []
        for sequence, segment in work:
            if sequence not in self.reserved:
                unsent.append(Answer(segment.attempt, Verdict.NOT_SENT))
                continue
            self.reserved.discard(sequence)
            try:
                frames.append(self.dialect.submit(sequence, segment))
            except GatewayError as error:
                unsent.append(Answer(segment.attempt, Verdict.REFUSED, code=error.code))
            except Exception as error:  # a fault of ours: this one is not written, the others are
                log.error("a submit could not be built: %s", type(error).__name__)
                unsent.append(Answer(segment.attempt, Verdict.REFUSED, code="frame"))
            else:
                self.pending[sequence] = (segment.attempt, now)
        if frames:
            self.transport.write(b"".join(frames))
        return unsent

    async def leave(self, seconds: float):
        """Take nothing new, wait so long for what is under way, say good-bye and close."""
        self.leaving = True
        end = monotonic() + seconds
        while self.open and (self.pending or self.reserved) and monotonic() < end:
            await asyncio.sleep(0.01)
        with suppress(TimeoutError):
            await asyncio.wait_for(asyncio.shield(self.settled()), max(0.01, end - monotonic()))
        if self.open and self.up and (frame := self.dialect.good_bye(self.owner.next_sequence())):
            self.transport.write(frame)
            await asyncio.wait([self.ended], timeout=min(GOOD_BYE, max(0.05, end - monotonic())))
        self.close()
        if self.transport is not None:
            await asyncio.wait([self.ended], timeout=0.5)
        if self.transport is not None:  # the other side does not even take what we have written
            self.transport.abort()
            await asyncio.wait([self.ended], timeout=0.5)
        self.give_up()

    # the rest

    def _finish_read(self):
        self._tell_answers()
        super()._finish_read()

    def _tell_answers(self):
        if self._answers:
            answers, self._answers = self._answers, []
            self.owner.link_answered(self, answers)
        if self._freed:
            self._freed = False
            self.owner.link_freed(self)

    def _read_on(self):
        was = self._paused
        super()._read_on()
        if was and not self._paused:  # answers may lie unread in the socket
            self._patient_until = monotonic() + min(1.0, self.account.answer_seconds)

    def _tick(self):
        now = monotonic()
        slow, self._ticked = now - self._ticked > 2 * self._beat + 1, now
        self._timer = asyncio.get_running_loop().call_later(self._beat, self._tick)
        if slow:  # this process itself stood still: read first what came meanwhile
            self._patient_until = now + min(1.0, self.account.answer_seconds)
            return
        if not self.up:
            if now - self._began > self.account.connect_seconds:
                self._abort(Unreachable(_("the login was not answered in time"), code="login"))
            return
        if self._paused or now < self._patient_until:
            return
        self._time_out(now)
        self._test(now)

    def _time_out(self, now):
        oldest = now - self.account.answer_seconds
        for sequence, (attempt, _written) in list(
            takewhile(lambda one: one[1][1] <= oldest, self.pending.items())
        ):
            del self.pending[sequence]
            self._late[sequence] = attempt
            self._answers.append(self._in_doubt(sequence, attempt))
            self._freed = True
        while len(self._late) > LATE:
            del self._late[next(iter(self._late))]
        self._tell_answers()

    def _in_doubt(self, sequence, attempt):
        return Answer(attempt, Verdict.IN_DOUBT, self.dialect.remote_id(sequence))

    def _test(self, now):
        if self.heard_at >= self._tested_at:
            self._tests = 0
        pause = self.account.idle_seconds
        if self._tests:
            pause = min(pause, self.account.answer_seconds)
        if now - max(self.heard_at, self._tested_at) < pause:
            return
        if not (frame := self.dialect.active_test(self.owner.next_sequence())):
            return
        if self._tests >= TESTS:
            self._abort(Unreachable(_("active tests were not answered"), code="silent"))
            return
        self._tests += 1
        self._tested_at = now
        self.transport.write(frame)

    def _abort(self, error):
        if self.error is None:
            self.error = error
        if self.transport is not None:
            self.transport.abort()


async def connect(number, dialect, account, sink, owner, kind=Link) -> Link:
    """A connection on which the login has been written; ``owner`` hears what comes of it. Raises Unreachable."""
    make = lambda: kind(number, dialect, account, sink, owner)  # noqa: E731
    fault = None
    hosts = account.addresses or (account.host,)
    for host in hosts:
        try:
            async with asyncio.timeout(account.connect_seconds / len(hosts)):
                return (await asyncio.get_running_loop().create_connection(make, host, account.port))[1]
        except TimeoutError as error:
            fault, cause = Unreachable(_("nobody answers at this address in time"), code="timeout"), error
        except (OSError, UnicodeError, OverflowError) as error:
            fault, cause = Unreachable(_("nobody answers at this address"), code="connect"), error
    raise fault from cause
