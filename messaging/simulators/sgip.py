"""A simulated China Unicom: an SGIP 1.2 server, which connects to our listener when it has something to say."""

import asyncio
import logging
from collections import OrderedDict
from hmac import compare_digest
from time import gmtime, strftime, time
from typing import NamedTuple

from messaging.gateways import sgip_frames as wire
from messaging.gateways import text as texts
from messaging.gateways.frames import digits
from messaging.gateways.sgip_frames import HEADER, RESPONSE, Command, LoginType
from messaging.simulators.carrier import Carrier
from messaging.simulators.manner import Manner
from messaging.simulators.session import Session

log = logging.getLogger(__name__)

NODE = 3_021_099_999
CHINA_SECONDS = 8 * 3600
REST = 0.3  # seconds between two tries to reach a listener
REMEMBERED = 100_000  # sequences of Submits whose copies are dropped
# What a report says for a fault's stat; "26" is state 2 with error 26.
STATES = {"DELIVRD": (0, 0), "ACCEPTD": (1, 0), "EXPIRED": (2, 25), "UNDELIV": (2, 29), "REJECTD": (2, 27),
          "MB:1049": (2, 23)}  # fmt: skip


class Listener(NamedTuple):
    """Where a login's reports go, and how we log in there."""

    host: str
    port: int
    login: str
    password: str


class SgipManner(Manner):
    SMALLEST = HEADER.size
    LARGEST = wire.MAX_FRAME

    def __init__(self, session):
        super().__init__(session)
        self.heard_at = self.carrier.loop.time()
        self.numbers: dict[bytes, int] = {}  # sequence of a Deliver → the session's number for it

    def opening(self):
        """Bind of ours, on a connection of ours."""
        if not self.session.login:
            return b""
        there = self.carrier.listeners[self.session.login]
        bind = wire.Bind(LoginType.REPORT, there.login, there.password)
        return wire.pack(Command.BIND, self.carrier.sequence(0), bind)

    def read(self, frame):
        self.heard_at = self.carrier.loop.time()
        command, sequence, body = wire.split(frame)
        message = wire.unpack(command, body)
        if command == Command.SUBMIT:
            self._submit(sequence, message)
        elif command in (Command.REPORT | RESPONSE, Command.DELIVER | RESPONSE):
            if message.result == 0:
                number = self.numbers.pop(sequence, None)
                self.session.acknowledged(int.from_bytes(sequence[8:]) if number is None else number)
        elif command == Command.BIND:
            self._bind(sequence, message)
        elif command == Command.BIND | RESPONSE:
            self.carrier.let_in(self.session, message.result)
        elif command == Command.UNBIND:
            self.session.bye(wire.answer(command, sequence))
        elif command == Command.UNBIND | RESPONSE:
            self.session.transport.close()

    def _bind(self, sequence, bind):
        self.session.takes_reports = False  # this way only Submits
        secret = self.carrier.logins.get(bind.name)
        right = secret is not None and compare_digest(secret.encode(), bind.password.encode())
        problem = 0 if right and bind.login_type == LoginType.SEND else self.carrier.LOGIN_REFUSED

        def make(result, _right):
            answer = wire.answer(Command.BIND, sequence, result)
            if self.carrier.short_answers:
                answer = wire.pack(Command.BIND | RESPONSE, sequence, bytes([result]))
            return answer

        self.session.login_asked(bind.name, problem, make)

    def _submit(self, sequence, submit):
        """A sequence that was taken before is dropped, with or without a word (section 3.7.2)."""
        if sequence in self.carrier.taken:
            self.carrier.ledger.counts["dropped"] += 1
            if self.carrier.answers_copies is not None:
                self.session.reply(self.submit_answer(sequence, "", self.carrier.answers_copies))
            return
        if not all(number.startswith("86") and len(number) == 13 for number in submit.numbers):
            self.carrier.ledger.counts["refused"] += 1
            self.session.reply(self.submit_answer(sequence, "", self.carrier.REFUSED))
            return
        piece, before = texts.decode(submit.content, submit.coding, submit.udhi == 1), self.session.taken
        for at, number in enumerate(submit.numbers):
            self.session.submitted(
                sequence, digits(number), piece.text, piece.part, piece.parts, piece.reference,
                submit.report_flag != 2, remote_id=sequence.hex(), answer=at == 0,
            )  # fmt: skip
        if self.session.taken > before:
            self.carrier.remember(sequence)

    def submit_answer(self, sequence, remote_id, code):
        return wire.answer(Command.SUBMIT, sequence, code)

    def report(self, number, out):
        state, error = STATES.get(out.stat) or (2, int(out.stat) if out.stat.isdecimal() else 29)
        report = wire.Report(bytes.fromhex(out.remote_id), f"86{out.phone}", state, error)
        if not self.carrier.disguise:
            return wire.pack(Command.REPORT, self.carrier.sequence(number), report)
        content = report.pack()
        if self.carrier.disguise == "words":
            content = b"id:%b sub:001 dlvrd:001 stat:%b err:%03d" % (
                out.remote_id.encode(), out.stat[:7].encode(), error
            )  # fmt: skip
        coding = texts.ASCII if self.carrier.disguise == "words" else texts.BINARY
        return self._deliver(self.carrier.sequence(number), out, content, coding, 0)

    def incoming(self, number, out):
        """The same message has the same sequence, however often it is sent."""
        udhi, content = texts.encode_part(out.text, out.part, out.parts, out.reference)
        sequence = bytes.fromhex(out.remote_id)
        self.numbers[sequence] = number
        return self._deliver(sequence, out, content, texts.UCS2, int(udhi))

    def _deliver(self, sequence, out, content, coding, udhi):
        deliver = wire.Deliver(f"86{out.phone}", out.to, content, coding, udhi)
        return wire.pack(Command.DELIVER, sequence, deliver)


class SgipCarrier(Carrier):
    """``listeners``: login → (host, port, login, password) of our listener there, which may be set later too.
    ``answers_copies``: the result a Submit that was taken before is answered with; None: it is dropped in silence.
    ``disguise``: reports come as Deliver, with a Report's "body" or in "words". ``short_answers``: a Bind is answered
    with 21 bytes. ``closes_after``: seconds after which an idle connection is closed; 0: never."""

    protocol = "sgip"
    manner = SgipManner
    WRONG_NUMBER, THROTTLED, REFUSED, LOGIN_REFUSED = 23, 88, 6, 1

    def __init__(
        self, logins, *, listeners=None, answers_copies=None, disguise="", short_answers=False, closes_after=0.0, **more
    ):  # fmt: skip
        more.setdefault("report_window", wire.WINDOW)
        super().__init__(logins, **more)
        self.listeners = {login: Listener(*there) for login, there in (listeners or {}).items()}
        self.answers_copies, self.disguise, self.short_answers = answers_copies, disguise, short_answers
        self.closes_after = closes_after
        self.taken: OrderedDict[bytes, None] = OrderedDict()
        self._reaching: dict[str, asyncio.Task | Session | None] = {}

    def listens(self, login, host, port, name="", password=""):
        """This login's reports go there from now on."""
        self.listeners[login] = Listener(host, port, name or login, password or self.logins[login])

    def sequence(self, number):
        stamp = int(strftime("%m%d%H%M%S", gmtime(time() + CHINA_SECONDS)))
        return b"".join(value.to_bytes(4, "big") for value in (NODE, stamp, number))

    def new_id(self):
        self._ids += 1
        return self.sequence(self._ids).hex()

    def remember(self, sequence):
        self.taken[sequence] = None
        if len(self.taken) > REMEMBERED:
            self.taken.popitem(last=False)

    # the connections of ours

    def reach_out(self, login):
        """One at a time; the next try when the outbox is looked at again."""
        if login in self._reaching or login not in self.listeners or self._server is None:
            return
        self._reaching[login] = self.loop.create_task(self._reach(login))

    async def _reach(self, login):
        there = self.listeners[login]
        try:
            async with asyncio.timeout(5):
                await self.loop.create_connection(lambda: self._session(login), there.host, there.port)
        except (OSError, TimeoutError) as error:
            log.debug("nobody listens for %s: %s", self.name, type(error).__name__)
            self._rest(login)

    def _session(self, login):
        session = self._reaching[login] = Session(self, login)
        session.takes_reports = False
        return session

    def let_in(self, session, result):
        if result:
            self.ledger.counts["turned_away"] += 1
            session.transport.close()
            return
        self._reaching.pop(session.login, None)
        session.takes_reports = True
        self.pump(session.login)

    def went(self, session):
        if self._reaching.get(session.login) is session:
            self._rest(session.login)
        super().went(session)

    def _rest(self, login):
        """Not let in: the next try in a moment."""
        self._reaching[login] = None
        self.loop.call_later(REST, self._reaching.pop, login, None)

    async def close_door(self):
        for one in list(self._reaching.values()):
            if isinstance(one, asyncio.Task):
                one.cancel()
        self._reaching.clear()
        await super().close_door()

    def _tick(self):
        super()._tick()
        if self.closes_after:
            for session in list(self.sessions.values()):
                if session.open and self.loop.time() - session.manner.heard_at > self.closes_after:
                    session.transport.close()
