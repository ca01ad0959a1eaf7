"""The base of all simulated carriers: real servers that take messages, send reports, and go wrong as they are told.

A carrier with long connections is a ``Carrier`` subclass that names its codes and its ``Manner``, which reads and
builds frames::

    carrier = CmppCarrier({"900001": "888888"})
    await carrier.start()                      # carrier.port
    carrier.faults.update_from({"latency": 0.05, "disconnect_after": 100})
    carrier.send_mo("13800138000", "TD")
    carrier.ledger.snapshot()
    await carrier.stop()

A carrier without long connections (HTTP) uses ``fate``, ``ledger.take``, ``reports`` and ``deliver``, and overrides
``open_door``, ``close_door`` and ``pump``.
"""

import asyncio
from collections import deque
from time import time
from typing import ClassVar, NamedTuple

from messaging.gateways import text as texts
from messaging.simulators.faults import Faults
from messaging.simulators.ledger import Ledger
from messaging.simulators.manner import Manner, Out
from messaging.simulators.session import Session

GRAIN = 0.005  # seconds; what falls due within one grain goes out together


class Fate(NamedTuple):
    """What becomes of one submit. ``code`` 0 and taken: accepted."""

    taken: bool
    answered: bool
    code: int


class Wheel:
    """Things that fall due, handed on in batches, without a timer for each."""

    def __init__(self, loop, act):
        self.loop, self.act = loop, act
        self.spokes: dict[int, list] = {}

    def add(self, seconds: float, item):
        tick = int((self.loop.time() + seconds) / GRAIN) + 1
        spoke = self.spokes.get(tick)
        if spoke is None:
            spoke = self.spokes[tick] = []
            self.loop.call_at(tick * GRAIN, self._turn, tick)
        spoke.append(item)

    def _turn(self, tick):
        self.act(self.spokes.pop(tick, ()))


class Carrier:
    """A simulated carrier. ``logins``: account → secret, in clear. ``report_window``: reports a connection may leave
    unacknowledged. ``ledger`` and ``faults`` may be shared with nobody."""

    protocol: ClassVar[str] = ""
    manner: ClassVar[type[Manner]] = Manner
    # The protocol's own codes.
    WRONG_NUMBER: ClassVar[int] = 0
    THROTTLED: ClassVar[int] = 0
    REFUSED: ClassVar[int] = 0
    LOGIN_REFUSED: ClassVar[int] = 0
    UNDER_WAY: ClassVar[str] = "ACCEPTD"

    def __init__(self, logins: dict[str, str], *, name="", faults=None, ledger=None, report_window=128):
        self.logins, self.name = dict(logins), name or self.protocol
        self.faults: Faults = faults or Faults()
        self.ledger: Ledger = ledger or Ledger()
        self.report_window = report_window
        self.host, self.port = "127.0.0.1", 0
        self.sessions: dict[int, Session] = {}
        self.outboxes: dict[str, deque[Out]] = {login: deque() for login in self.logins}
        self._server: asyncio.Server | None = None
        self._sessions = self._ids = 0
        self._second, self._in_second = 0, 0
        self._timer: asyncio.TimerHandle | None = None

    # open and closed

    async def start(self, host: str = "127.0.0.1", port: int = 0):
        """Listen; ``port`` 0 takes a free one, which then stands in ``self.port``."""
        self.loop = asyncio.get_running_loop()
        self.wheel = Wheel(self.loop, self._turned)
        self.host, self.port = host, port
        await self.open_door()
        self._timer = self.loop.call_later(0.1, self._tick)
        return self

    async def stop(self):
        if self._timer is not None:
            self._timer.cancel()
        await self.close_door()
        self.ledger.close()

    async def open_door(self):
        """Listen again where ``close_door`` stopped."""
        self._server = await self.loop.create_server(
            lambda: Session(self), self.host, self.port, reuse_address=True
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def close_door(self):
        """The carrier is down: nobody can connect, and every connection breaks."""
        if self._server is not None:
            self._server.close()
            self._server = None
        self.kick()
        while self.sessions:
            await asyncio.sleep(0)

    @property
    def is_open(self) -> bool:
        return self._server is not None

    def kick(self):
        """Every connection breaks; new ones are welcome."""
        for session in list(self.sessions.values()):
            session.cut()

    # what may be asked of it

    def send_mo(self, phone: str, text: str, to: str = "", login: str = ""):
        """A message from a handset, in parts if it is long, to this login (default: the first)."""
        login = login or next(iter(self.logins))
        parts = texts.split(text)
        reference = self.faults.dice.randrange(256)
        self.deliver(
            Out(login, phone, self.new_id(), text=part, to=to, piece=(at, len(parts), reference))
            for at, part in enumerate(parts, 1)
        )

    def status(self) -> dict:
        """Plain data for a control page."""
        return {
            "name": self.name, "protocol": self.protocol, "host": self.host, "port": self.port,
            "open": self._server is not None,
            "sessions": [
                {"login": one.login, "submits": one.submits, "unacknowledged": len(one.unacknowledged)}
                for one in self.sessions.values()
            ],
            "reports_waiting": {login: len(outbox) for login, outbox in self.outboxes.items()},
            "faults": self.faults.as_dict(),
            "ledger": self.ledger.snapshot(),
        }  # fmt: skip

    # what becomes of a submit

    def new_id(self) -> str:
        """The next message number, as ``Answer.remote_id`` will show it."""
        self._ids += 1
        return f"{self._ids:016x}"

    def fate(self, phone: str) -> Fate:
        """Decide and count; whoever calls it and is told ``taken`` enters it into the ledger."""
        faults, counts = self.faults, self.ledger.counts
        if faults.happens(faults.lost_submits):
            counts["lost_submits"] += 1
            return Fate(False, False, 0)
        if faults.throttle_above and not self._in_time(faults.throttle_above):
            counts["throttled"] += 1
            return Fate(False, True, self.THROTTLED)
        code = 0
        if phone in faults.refuse_numbers:
            code = int(faults.refuse_numbers[phone]) or self.REFUSED
        elif faults.moved_says == "refusal" and phone in faults.moved:
            code = self.WRONG_NUMBER
        elif faults.happens(faults.refuse):
            code = faults.refuse_code or self.REFUSED
        if code:
            counts["refused"] += 1
            return Fate(False, True, code)
        if faults.happens(faults.lost_answers):
            counts["lost_answers"] += 1
            return Fate(True, False, 0)
        return Fate(True, True, 0)

    def reports(self, login: str, phone: str, remote_id: str) -> list[tuple[float, Out]]:
        """(seconds after the answer, report), the first -1 if it comes before the answer."""
        faults = self.faults
        if faults.happens(faults.report_lost):
            return []
        now = time()
        wait = faults.pause(faults.report_delay, faults.report_jitter)
        if faults.happens(faults.report_early):
            wait = -1
        elif faults.happens(faults.report_late):
            wait += faults.late_seconds
        said = [(wait, Out(login, phone, remote_id, faults.stat_of(phone), taken_at=now))]
        if faults.happens(faults.report_under_way):
            said.insert(0, (wait, Out(login, phone, remote_id, self.UNDER_WAY, taken_at=now)))
        if faults.happens(faults.report_twice):
            said.append((wait, Out(login, phone, remote_id, said[-1][1].stat, taken_at=now)))
        if faults.happens(faults.report_unknown):
            said.append((wait, Out(login, phone, self.new_id(), faults.stat, taken_at=now)))
        return said

    def deliver(self, outs):
        """These are due."""
        outs = list(outs)
        if self.faults.report_shuffle:
            self.faults.dice.shuffle(outs)
        for out in outs:
            self.outboxes.setdefault(out.login, deque()).append(out)
        for login in {out.login for out in outs}:
            self.pump(login)

    def pump(self, login: str):
        """Push what is due over the login's connections, as far as their windows go."""
        outbox = self.outboxes.get(login)
        if not outbox or self.faults.black_hole:
            return
        sessions = [
            one for one in self.sessions.values() if one.login == login and one.takes_reports and one.open
        ]
        if not sessions:
            self.reach_out(login)
        for at, session in enumerate(sessions):
            room = self.report_window - len(session.unacknowledged)
            for _ in range(min(room, -(-len(outbox) // (len(sessions) - at)))):
                session.push(outbox.popleft())
            session.flush()

    def reach_out(self, login: str):
        """There is something for this login and no connection it could go over. Most carriers wait; SGIP connects."""

    # connections

    def came(self, session: Session):
        self._sessions += 1
        session.number = self._sessions
        self.sessions[session.number] = session

    def went(self, session: Session):
        """What it had not acknowledged waits for the next connection of its login."""
        self.sessions.pop(session.number, None)
        if session.unacknowledged:
            self.outboxes[session.login].extendleft(reversed(session.unacknowledged.values()))
            session.unacknowledged.clear()
            if self._server is not None:
                self.loop.call_soon(self.pump, session.login)

    def _in_time(self, limit):
        second = int(self.loop.time())
        if second != self._second:
            self._second, self._in_second = second, 0
        self._in_second += 1
        return self._in_second <= limit

    def _turned(self, items):
        answered = {}
        for item in items:
            if item[0] == 0 and item[1].open:
                item[1].reply(item[2])
                answered[item[1].number] = item[1]
        for session in answered.values():
            session.flush()
        if outs := [item[1] for item in items if item[0] == 1]:
            self.deliver(outs)

    def _tick(self):
        self._timer = self.loop.call_later(0.1, self._tick)
        self.ledger.flush()
        if self.faults.black_hole:
            return
        before = self.loop.time() - self.faults.resend_seconds
        for session in list(self.sessions.values()):
            if session.open:
                session.resend(before)
        for login, outbox in self.outboxes.items():
            if outbox:
                self.pump(login)
