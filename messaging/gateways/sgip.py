"""China Unicom's gateway over SGIP 1.2, port 8801. The bytes are in ``sgip_frames``, our listener for its reports in
``sgip_listener``, the connections in ``link`` and ``pool``.

What sets SGIP apart: the sequence in a frame's header is the message's number, so an unanswered Submit may be written
again with the same twelve bytes and the carrier drops the copy (section 3.7.2). We do so once, on a new connection or
when the answer is overdue; then it is in doubt. There is no active test: an idle connection is made anew.

Options of an account, besides those of the listener:

=====================  =====================================================================================
``node``               our node number, 3AAAAQQQQQ (needed)
``corp_id``            CorpId, ""; ``service_type``: ServiceType, ""
``charge_number``      ChargeNumber, twenty-one 0 (we pay)
``fee_type``           FeeType, 1 (free); ``fee_value`` and ``given_value``, "0"
``agent_flag``         AgentFlag, 0; ``priority``: Priority, 0; ``caused_by``: MorelatetoMTFlag, 2
``report_flag``        ReportFlag, 1 (a report always)
``login_type``         of our Bind, 1
``resend``             false: an unanswered Submit is in doubt at once (for a carrier that does not drop copies)
``codes``              {"128": "throttled"}: a result's verdict at this account (base.Verdict's values)
``stats``              {"2 29": "temporary"}: what a report's state, or state and error, means at this account:
                       delivered, failed, expired, under_way, temporary (failed, but may arrive at another
                       hour), or one of Report.cause
=====================  =====================================================================================
"""

import asyncio
from collections import deque
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from itertools import takewhile
from time import monotonic
from typing import NamedTuple

from django.utils.translation import gettext as _

from messaging.gateways import options as settings
from messaging.gateways import sgip_frames as wire
from messaging.gateways import text
from messaging.gateways.base import Answer, GatewayError, Verdict
from messaging.gateways.dialect import Dialect
from messaging.gateways.link import Link
from messaging.gateways.options import settled
from messaging.gateways.pace import Patience
from messaging.gateways.pool import LinkPool
from messaging.gateways.sgip_frames import (
    HEADER,
    RESPONSE,
    Command,
    SgipError,
    SgipLoginRefused,
    SgipUnreachable,
)
from messaging.gateways.sgip_listener import Listener, hear

CHINA = timezone(timedelta(hours=8))
VERDICTS = {
    0: Verdict.ACCEPTED,
    1: Verdict.CLOSED,  # not logged in, or no more
    2: Verdict.CLOSED,
    3: Verdict.CLOSED,  # too many connections
    4: Verdict.CLOSED,
    11: Verdict.THROTTLED,  # node busy
    21: Verdict.ELSEWHERE,  # cannot be reached from here
    22: Verdict.ELSEWHERE,
    23: Verdict.ELSEWHERE,
    29: Verdict.ELSEWHERE,  # the carrier does not know this number
    32: Verdict.THROTTLED,  # system failure
    33: Verdict.THROTTLED,  # queue full
    88: Verdict.THROTTLED,  # not in the document, and what gateways say
}  # everything else, 6 above all: the message or the account's settings are wrong
REPEATED = 9
FULL = frozenset({2, 3, 11, 32, 33})  # to a Bind: busy, or the last owner's connections still count
FAULTY = frozenset({5, 6, 7, 8, 10, 24})  # the message itself is wrong, the first time as well as the second
CLOSED_SECONDS = 60.0
IDLED = 5.0  # seconds
TAKE_OVER = 60.0  # seconds in which the last owner of the listener's port should be gone


class Unanswered(NamedTuple):
    """A Submit that was written and waits for its answer, as it must be written again."""

    sequence: str
    attempt: int
    frame: bytes


class Sgip(Dialect):
    SMALLEST = HEADER.size
    LARGEST = wire.MAX_FRAME
    CLOSES_IDLE = True

    def __init__(self, account):
        super().__init__(account)
        self.options = account.options
        self.verdicts = VERDICTS | settings.codes(self.options, SgipError)
        self.meanings = settings.meanings(self.options, SgipError)
        self.written: dict[str, bytes] = {}  # sequence → frame, until it is answered

    @classmethod
    def sequence(cls, account, number):
        """Twelve bytes: node, MMDDHHMMSS, counter. None comes twice: an account belongs to one process at a time, a
        process's counter starts at a random place out of 2³¹ and only grows, and the second stands beside it. Two
        processes would have to work for the account in the same second (a take-over lasts longer) and have begun
        within a few thousand of each other; a year later, likewise."""
        node = settled(SgipError, lambda: int(account.options["node"]))
        if not 0 < node < 2**32:
            raise SgipError(_("an option of this gateway does not fit"), code="node")
        stamp = int(f"{datetime.now(CHINA):%m%d%H%M%S}")
        return f"{node:08x}{stamp:08x}{number:08x}"

    def remote_id(self, sequence):
        return sequence

    # what we say

    def login(self, sequence):
        return settled(SgipError, lambda: self._frame(Command.BIND, sequence, self._bind()))

    def submit(self, sequence, segment):
        frame = settled(SgipError, lambda: self._frame(Command.SUBMIT, sequence, self._message(segment)))
        self.written[sequence] = frame
        return frame

    def good_bye(self, sequence):
        return self._frame(Command.UNBIND, sequence)

    def _frame(self, command, sequence, body=b""):
        return wire.pack(command, bytes.fromhex(sequence), body)

    def _bind(self):
        return wire.Bind(int(self.options.get("login_type", 1)), self.account.login, self.account.secret)

    def _message(self, segment):
        udhi, content = text.encode_part(segment.text, segment.part, segment.parts, segment.reference)
        if len(content) > 140:
            raise SgipError(_("the text is too long for one message"), code="length")
        option = self.options.get
        return wire.Submit(
            sp_number=self.account.access_number, numbers=(f"86{segment.phone}",), content=content,
            coding=text.UCS2, udhi=int(udhi), corp_id=str(option("corp_id", "")),
            service_type=str(option("service_type", "")), charge_number=str(option("charge_number", "0" * 21)),
            fee_type=int(option("fee_type", 1)), fee_value=str(option("fee_value", "0")),
            given_value=str(option("given_value", "0")), agent_flag=int(option("agent_flag", 0)),
            priority=int(option("priority", 0)), caused_by=int(option("caused_by", 2)),
            report_flag=int(option("report_flag", 1)),
        )  # fmt: skip

    # what we hear

    def read(self, frame, link):
        command, sequence, body = wire.split(frame)
        if command == Command.SUBMIT | RESPONSE:
            self._submitted(sequence.hex(), wire.Result.unpack(body).result, link)
        elif command == Command.BIND | RESPONSE:
            if result := wire.Result.unpack(body).result:
                fault = SgipUnreachable if result in FULL else SgipLoginRefused
                raise fault(refusal(result), code=f"login {result}")
            link.logged_in()
        elif command == Command.UNBIND:
            link.farewell(wire.answer(command, sequence))
        elif command == Command.UNBIND | RESPONSE:
            link.left()
        else:  # some gateways bring reports on this connection too
            hear(frame, link, self.meanings)

    def _submitted(self, sequence, result, link):
        """A Submit that was written twice may have been taken the first time: then the carrier calls the second one
        repeated, and whatever else it says against the second says nothing about the first."""
        verdict = self.verdicts.get(result, Verdict.REFUSED)
        if link.wrote_again(sequence):
            if result == REPEATED:
                verdict = Verdict.ACCEPTED
            elif verdict is not Verdict.ACCEPTED and result not in FAULTY:
                verdict = Verdict.IN_DOUBT
        seconds = CLOSED_SECONDS if verdict is Verdict.CLOSED else 0
        remote_id = sequence if verdict in (Verdict.ACCEPTED, Verdict.IN_DOUBT) else ""
        link.answered(sequence, verdict, remote_id, str(result), seconds)


class SgipLink(Link):
    """A connection whose unanswered Submits are written once more."""

    def __init__(self, *args):
        super().__init__(*args)
        self.resends = self.account.options.get("resend", True) is not False
        self._again: set[str] = set()

    def wrote_again(self, sequence) -> bool:
        return sequence in self._again

    def write_again(self, work: list[Unanswered]):
        now = monotonic()
        for sequence, attempt, frame in work:
            self.dialect.written[sequence] = frame
            self.pending[sequence] = attempt, now
            self._again.add(sequence)
        self.transport.write(b"".join(one.frame for one in work))

    def answered(self, sequence, verdict, *more):
        self.dialect.written.pop(sequence, None)
        attempt = self.pending.get(sequence, (None,))[0]
        super().answered(sequence, verdict, *more)
        if verdict is Verdict.IN_DOUBT and attempt is not None:  # the other copy's answer may tell
            self._late[sequence] = attempt
        else:
            self._again.discard(sequence)

    @property
    def idled(self) -> bool:
        """Whether it was left, or closed by the carrier, only because nothing went over it."""
        return self.leaving or monotonic() - self.heard_at > IDLED

    def connection_lost(self, exc):
        left = self._take(self.pending) if self.resends and not self.leaving else []
        if left and self.error is None:
            self.error = SgipUnreachable(
                _("the carrier closed the connection"), code="lost" if exc else "closed"
            )
        super().connection_lost(exc)
        if left:
            self.owner.unanswered(left)

    def _time_out(self, now):
        oldest = now - self.account.answer_seconds
        overdue = dict(takewhile(lambda one: one[1][1] <= oldest, self.pending.items()))
        if overdue and self.heard_at < next(iter(overdue.values()))[1]:
            # Not a word since: without an active test this is how a dead connection shows.
            self._abort(SgipUnreachable(_("the carrier has fallen silent"), code="silent"))
            return
        if self.resends and (work := self._take(overdue)):
            self.write_again(work)
        super()._time_out(now)
        self._again &= self.pending.keys() | self._late.keys()
        for sequence in self.dialect.written.keys() - self.pending.keys():
            del self.dialect.written[sequence]

    def _take(self, sequences) -> list[Unanswered]:
        """Those that were written only once, out of the window."""
        once = [one for one in sequences if one not in self._again and one in self.dialect.written]
        return [Unanswered(one, self.pending.pop(one)[0], self.dialect.written.pop(one)) for one in once]

    def _test(self, now):
        """Idle: leave and come again, before the carrier closes an idle connection or to find that it is gone."""
        if self.leaving or self.pending or self.reserved or now - self.heard_at < self.account.idle_seconds:
            return
        self.leaving = True
        self.owner.renew(self)


class SgipPool(LinkPool):
    dialect = Sgip
    link = SgipLink

    def __init__(self, account, sink):
        super().__init__(replace(account, window=min(account.window, wire.WINDOW)), sink)
        self.listener = Listener(self.account, sink)
        self._left: deque[tuple[float, Unanswered]] = deque()  # with when it is in doubt, the soonest first
        self._doubt: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task] = set()

    async def start(self):
        self._task(self._listen())
        await super().start()

    async def stop(self, seconds):
        end = monotonic() + seconds
        await super().stop(seconds)
        for task in self._tasks:
            task.cancel()
        self._in_doubt(len(self._left))
        await self.listener.close(max(0.1, end - monotonic()))

    # what a link calls

    def link_up(self, link):
        super().link_up(link)
        self._write_again()

    def link_freed(self, link):
        self._write_again()
        super().link_freed(link)

    def link_gone(self, link):
        """An idle connection that ended in good order is back at once: nothing anybody must hear of."""
        if link.error is None and link.was_up and link.idled and not self._stopping:
            self.links.pop(link.number, None)
        else:
            super().link_gone(link)

    def unanswered(self, work: list[Unanswered]):
        """These lost their connection. Another one writes them again, if it comes in time."""
        doubt_at = monotonic() + self.account.answer_seconds
        self._left.extend((doubt_at, one) for one in work)
        if self._stopping:
            self._in_doubt(len(self._left))
            return
        self._write_again()
        self._set_doubt()

    def renew(self, link):
        self._task(link.leave(1))

    # the rest

    async def _listen(self):
        """Open the listener; its last owner may still be about to leave the port."""
        patience, soon = Patience(self.account.options), monotonic() + TAKE_OVER
        while True:
            try:
                return await self.listener.open()
            except GatewayError as error:
                self._tell_change(error)
                seconds = patience.next(error)
                await asyncio.sleep(min(1.0, seconds) if monotonic() < soon else seconds)

    def _write_again(self):
        for link in list(self.links.values()):
            count = min(link.free, len(self._left))
            if count > 0:
                link.write_again([self._left.popleft()[1] for _ in range(count)])

    def _in_doubt(self, count):
        left = [self._left.popleft()[1] for _ in range(count)]
        if left:
            self.sink.answered([Answer(one.attempt, Verdict.IN_DOUBT, one.sequence) for one in left])

    def _set_doubt(self):
        if self._doubt is None and self._left:
            seconds = max(0.0, self._left[0][0] - monotonic())
            self._doubt = asyncio.get_running_loop().call_later(seconds, self._time_is_up)

    def _time_is_up(self):
        self._doubt = None
        now = monotonic()
        self._in_doubt(sum(1 for _ in takewhile(lambda one: one[0] <= now, self._left)))
        self._set_doubt()

    def _task(self, work):
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def refusal(result):
    words = {
        1: _("the carrier does not accept account or secret"),
        2: _("the carrier says this account is logged in already"),
        3: _("too many connections of this account"),
        4: _("the carrier does not accept this kind of login"),
    }
    return words.get(result, _("the carrier refused the login"))
