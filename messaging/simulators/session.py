"""One connection of a simulated carrier."""

import asyncio
import random
from typing import TYPE_CHECKING

from messaging.gateways.base import Garbled
from messaging.gateways.frames import Frames
from messaging.simulators.manner import Out

if TYPE_CHECKING:
    from messaging.simulators.carrier import Carrier

GARBAGE = b"\xff\xfe no frame of anybody's \x00" * 3


class Session(asyncio.Protocol):
    """One connection, whoever opened it. ``takes_reports``: whether reports may go over it."""

    def __init__(self, carrier: "Carrier", login: str = ""):
        self.carrier, self.faults, self.ledger = carrier, carrier.faults, carrier.ledger
        self.login, self.takes_reports = login, True
        self.manner = carrier.manner(self)
        self.transport: asyncio.Transport | None = None
        self.number = 0
        self.submits = self.taken = 0
        self.unacknowledged: dict[int, Out] = {}  # number → what; oldest first
        self._frames = Frames(self.manner.SMALLEST, self.manner.LARGEST)
        self._out: list[bytes] = []
        self._due: list[Out] = []
        self._next = random.randrange(1, 1 << 20)

    # asyncio.Protocol

    def connection_made(self, transport):
        self.transport = transport
        self.carrier.came(self)
        if frame := self.manner.opening():
            transport.write(frame)

    def data_received(self, data):
        if self.faults.black_hole:
            return
        try:
            for frame in self._frames.feed(data):
                self.manner.read(frame)
                if not self.open:
                    break
            if self._frames.broken is not None:
                raise self._frames.broken
        except Exception:  # the other side's bytes, whatever they did
            self.ledger.counts["garbled"] += 1
            self.flush()
            if self.transport is not None:
                self.transport.close()
        self.flush()
        due, self._due = self._due, []
        if due:
            self.carrier.deliver(due)
        elif self.login:
            self.carrier.pump(self.login)

    def connection_lost(self, exc):
        self.transport = None
        self.carrier.went(self)

    # what a Manner calls

    def login_asked(self, login: str, problem: int, make):
        how = self.faults.login
        if how == "silent":
            return
        if how == "garbage":
            self.reply(GARBAGE)
            return
        if how == "refuse":
            problem = self.faults.login_code or self.carrier.LOGIN_REFUSED
        self.reply(make(problem, how != "wrong"))
        if problem:
            self.ledger.counts["logins_refused"] += 1
            self.flush()
            self.transport.close()
            return
        self.ledger.counts["logins"] += 1
        self.login = login

    def submitted(
        self, sequence, phone, text, part=1, parts=1, reference=0, report=True, remote_id="", answer=True
    ):
        """``remote_id`` only where the protocol's own sequence is the number (SGIP); ``answer``: False for all but the
        first number of a submit with several."""
        if not self.login:
            raise Garbled("not logged in")
        carrier, faults = self.carrier, self.faults
        self.submits += 1
        fate = carrier.fate(phone)
        after = faults.pause(faults.latency, faults.jitter)
        if fate.taken:
            remote_id = remote_id or carrier.new_id()
            self.taken += 1
            self.ledger.take(phone, text, part, _shown(sequence), remote_id, self.number)
            if report and faults.reports:
                for wait, out in carrier.reports(self.login, phone, remote_id):
                    self._plan(wait, after, out)
        if fate.answered and answer:
            frame = self.manner.submit_answer(sequence, remote_id if fate.taken else "", fate.code)
            if after:
                carrier.wheel.add(after, (0, self, frame))
            else:
                self._out.append(frame)
        self._misbehave()

    def acknowledged(self, number: int):
        if self.unacknowledged.pop(number, None) is not None:
            self.ledger.counts["acknowledged"] += 1

    def reply(self, frame: bytes):
        self._out.append(frame)

    def bye(self, frame: bytes):
        self.reply(frame)
        self.flush()
        self.transport.close()

    # what the carrier calls

    @property
    def open(self) -> bool:
        return self.transport is not None and not self.transport.is_closing()

    def push(self, out: Out):
        """Put it into the next write."""
        self._next = self._next % 0x7FFFFFFF + 1
        build = self.manner.report if out.stat else self.manner.incoming
        self._out.append(build(self._next, out))
        self.ledger.counts["reports_again" if out.again else "reports" if out.stat else "incoming"] += 1
        out.again, out.sent = True, self.carrier.loop.time()
        self.unacknowledged[self._next] = out

    def flush(self):
        if self._out and self.open:
            self.transport.write(b"".join(self._out))
        self._out.clear()

    def cut(self):
        """As if the line broke: what is not written yet never will be."""
        self._out.clear()
        if self.transport is not None:
            self.transport.abort()

    def resend(self, before: float):
        old = [number for number, out in self.unacknowledged.items() if out.sent < before]
        for number in old:
            self.push(self.unacknowledged.pop(number))
        if old:
            self.flush()

    def _plan(self, wait, after, out):
        if wait < 0 and self.takes_reports:  # early: before the answer
            self.push(out)
            if after:
                self.flush()
        elif wait + after > 0:
            self.carrier.wheel.add(max(0.0, wait) + after, (1, out))
        else:
            self._due.append(out)

    def _misbehave(self):
        faults = self.faults
        if 0 < faults.garbage_after <= self.submits and faults.garbage_times:
            faults.garbage_times -= 1
            self.reply(GARBAGE)
        if 0 < faults.disconnect_after <= self.taken and faults.disconnect_times:
            faults.disconnect_times -= 1
            self.ledger.counts["disconnected"] += 1
            if faults.disconnect_answers:
                self.flush()
                self.transport.close()
            else:
                self.cut()


def _shown(sequence):
    return sequence.hex() if isinstance(sequence, bytes) else str(sequence)
