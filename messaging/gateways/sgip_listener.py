"""Where China Unicom comes to us: it opens connections of its own (Bind type 2) to bring reports and messages from
handsets. Our side of SGIP's second direction, owned by whoever owns the account.

Everything from outside is doubted: only known addresses are let in, nothing is read before the login, a frame that
cannot be read closes its connection and no other.
"""

import asyncio
import logging
import re
import socket
from hmac import compare_digest
from ipaddress import ip_address, ip_network
from time import monotonic

from django.utils.translation import gettext as _

from messaging.gateways import options as settings
from messaging.gateways import sgip_frames as wire
from messaging.gateways import text
from messaging.gateways.base import Incoming, Outcome, Report
from messaging.gateways.dialect import Dialect
from messaging.gateways.ear import Ear
from messaging.gateways.frames import digits
from messaging.gateways.options import settled
from messaging.gateways.sgip_frames import Command, LoginType, SgipError, SgipGarbled, SgipUnreachable

log = logging.getLogger(__name__)

PORT = 8801  # section 3.1: the same on both sides
DOORS = 64  # connections at once
IDLE_SECONDS = 600
# In a report: node busy, handset switched off or out of reach, memory full, reception error, system failure, queue full
TEMPORARY = frozenset({11, 25, 26, 28, 32, 33})
CAUSES = {
    21: "elsewhere", 22: "elsewhere", 23: "elsewhere", 25: "absent", 26: "full", 29: "empty_number",
}  # fmt: skip
# A report written as text into a Deliver, as some gateways send it
WORDED = re.compile(r"id:\s*([0-9a-fA-F]{24})\b.*?\bstat:\s*(\w{1,7})(?:.*?\berr:\s*(\d{1,3}))?", re.S)


class Hearing(Dialect):
    """What may be said on a connection the carrier opened."""

    SMALLEST = wire.HEADER.size
    LARGEST = wire.MAX_FRAME

    def __init__(self, account, name, password):
        super().__init__(account)
        self.name, self.password = name, password
        self.meanings = settings.meanings(account.options, SgipError)
        self.bound = False

    def read(self, frame, door):
        command, sequence, body = wire.split(frame)
        if command == Command.BIND:
            self._bind(wire.Bind.unpack(body), sequence, door)
        elif not self.bound:
            raise SgipGarbled(code="not bound")
        elif command == Command.UNBIND:
            door.farewell(wire.answer(command, sequence))
        else:
            hear(frame, door, self.meanings)

    def _bind(self, bind, sequence, door):
        if self.bound:
            door.reply(wire.answer(Command.BIND, sequence, 2))
            return
        result = self._result(bind)
        door.reply(wire.answer(Command.BIND, sequence, result))
        if result:
            raise wire.SgipLoginRefused(_("somebody came with a wrong login"), code=f"bind {result}")
        self.bound = True

    def _result(self, bind):
        if bind.login_type != LoginType.REPORT:
            return 4
        if not self.password:  # nobody logs in with no secret
            return 1
        right = compare_digest(bind.name.encode(), self.name.encode())
        right &= compare_digest(bind.password.encode(), self.password.encode())
        return 0 if right else 1


class Door(Ear):
    """One connection of the carrier's."""

    def __init__(self, listener):
        super().__init__(listener.hearing(), listener.sink)
        self.listener = listener
        self._watch = self._going = None

    def connection_made(self, transport):
        super().connection_made(transport)
        if not self.listener.admits(transport.get_extra_info("peername")):
            self.listener.turn_away()
            transport.abort()
            return
        self.listener.doors.add(self)
        seconds = self.listener.account.connect_seconds
        self._watch = asyncio.get_running_loop().call_later(seconds, self._overdue)

    def connection_lost(self, exc):
        super().connection_lost(exc)
        if self._watch is not None:
            self._watch.cancel()
        self.listener.doors.discard(self)

    def fail(self, error):
        if self.error is None:
            log.warning(
                "gateway %s: the listener closed a connection: %s", self.listener.account.gateway, error.code
            )
        super().fail(error)

    def farewell(self, frame):
        """What they told us before is acknowledged before we say good-bye."""
        if self._going is None:
            self._going = asyncio.get_running_loop().create_task(self._go(frame))

    async def _go(self, frame):
        await self.settled()
        super().farewell(frame)

    def _overdue(self):
        rest = self.heard_at + self.listener.idle_seconds - monotonic()
        if self.dialect.bound and rest > 0:
            self._watch = asyncio.get_running_loop().call_later(rest, self._overdue)
        elif self.transport is not None:
            self.transport.abort()


class Listener:
    """The port the carrier connects to. Options of the account:

    ===================  ============================================================================================
    ``listen_host``      where to listen; all addresses of this host when empty
    ``listen_port``      8801; null: nowhere, reports then come over our own connections or not at all
    ``listen_login``     whom the carrier logs in as, the account; ``listen_password``: with what, the secret
    ``listen_idle``      seconds after which a silent connection is closed, 600
    ``peers``            networks the carrier may come from, ["10.1.2.0/24"]; the gateway's host
    ===================  ============================================================================================
    """

    def __init__(self, account, sink):
        options = account.options
        self.account, self.sink = account, sink
        self.host = str(options.get("listen_host") or "") or None
        self.port = options.get("listen_port", PORT)
        self.login = str(options.get("listen_login", account.login))
        self.password = str(options.get("listen_password", account.secret))
        self.idle_seconds = settled(SgipError, lambda: float(options.get("listen_idle", IDLE_SECONDS)))
        self.doors: set[Door] = set()
        self.networks = []
        self.server: asyncio.Server | None = None
        self._warned_at = -60.0

    async def open(self):
        """Listen. The port is taken although the last owner's connections linger. Raises SgipError."""
        if self.port is None or self.server is not None:
            return
        self.hearing()  # a wrong option shows now, not when the carrier comes
        self.networks = await self._peers()
        try:
            # In two steps: whatever cancels this, the bound port is ours to close.
            self.server = await asyncio.get_running_loop().create_server(
                lambda: Door(self), self.host, settled(SgipError, lambda: int(self.port)), reuse_address=True,
                start_serving=False,
            )  # fmt: skip
            await self.server.start_serving()
        except (OSError, OverflowError, UnicodeError) as error:
            if self.server is not None:
                self.server.close()
                self.server = None
            raise SgipUnreachable(_("our own listener cannot be opened"), code="listen") from error
        self.port = self.server.sockets[0].getsockname()[1]

    async def close(self, seconds):
        """Nobody new; what is being committed is still acknowledged."""
        if self.server is not None:
            self.server.close()
            self.server = None
        doors = list(self.doors)
        if doors:
            await asyncio.wait([asyncio.ensure_future(door.settled()) for door in doors], timeout=seconds)
        for door in doors:
            door.close()
            door.give_up()

    def turn_away(self):
        """Somebody we do not know, or one too many. Written down once a minute: whoever scans ports fills no disk."""
        if monotonic() - self._warned_at > 60:
            self._warned_at = monotonic()
            log.warning("gateway %s: strangers at the listener", self.account.gateway)

    def hearing(self):
        return Hearing(self.account, self.login, self.password)

    def admits(self, peer):
        if peer is None or len(self.doors) >= DOORS:
            return False
        address = ip_address(peer[0].partition("%")[0])
        address = getattr(address, "ipv4_mapped", None) or address
        return any(address in network for network in self.networks)

    async def _peers(self):
        given = self.account.options.get("peers")
        if given:
            given = given.replace(",", " ").split() if isinstance(given, str) else given
            return settled(SgipError, lambda: [ip_network(one, strict=False) for one in given])
        if self.account.addresses:
            return [ip_network(one) for one in self.account.addresses]
        try:
            found = await asyncio.get_running_loop().getaddrinfo(
                self.account.host, None, type=socket.SOCK_STREAM
            )
        except (OSError, UnicodeError) as error:
            raise SgipUnreachable(_("nobody answers at this address"), code="peers") from error
        return [ip_network(one[4][0].partition("%")[0]) for one in found]


def hear(frame, ear, own=()):
    """A request of the carrier, on whichever connection. An unknown command raises; others that are none of ours are
    passed over."""
    command, sequence, body = wire.split(frame)
    message = wire.unpack(command, body)
    if command == Command.REPORT:
        ear.reported(told(message, frame, own), wire.answer(command, sequence))
    elif command == Command.DELIVER:
        reply = wire.answer(command, sequence)
        if (report := disguised(message, frame, own)) is not None:
            ear.reported(report, reply)
        else:
            ear.heard(heard(message, sequence, frame), reply)
    elif command == Command.USERRPT:
        ear.reply(wire.answer(command, sequence))


def told(report, frame, own=()):
    """A Report as base.Report: state and error code are the carrier's words."""
    stat, error = str(report.state), str(report.error)
    outcome, temporary, cause = meaning(report.state, report.error)
    for word in (f"{stat} {error}", stat):
        if word in own:
            outcome, temporary, cause = own[word]
            break
    return _report(report.submit.hex(), report.number, frame, outcome, stat, error, temporary, cause)


def meaning(state, error):
    """(outcome, temporary, cause). Whatever is neither 0 nor 1 has failed."""
    if state == 0:
        return Outcome.DELIVERED, False, ""
    if state == 1:
        return Outcome.UNDER_WAY, False, ""
    return Outcome.FAILED, error in TEMPORARY, CAUSES.get(error, "")


def disguised(message, frame, own=()):
    """The report that a Deliver is, or None: some gateways put a Report's body into one, or the words of SMPP."""
    if len(message.content) in (36, 44):
        inner = wire.Report.unpack(message.content)
        if inner.report_type == 0 and digits(inner.number) == digits(message.number):
            return told(inner, frame, own)
    found = WORDED.match(text.decode(message.content, message.coding, message.udhi == 1).text.strip())
    if found is None:
        return None
    stat, error = found[2].upper(), found[3] or ""
    outcome, temporary, cause = own[stat] if stat in own else worded(stat, error)
    return _report(found[1].lower(), message.number, frame, outcome, stat, error, temporary, cause)


def worded(stat, error):
    if stat.startswith("DELIV"):
        return Outcome.DELIVERED, False, ""
    if stat in ("ACCEPTD", "ENROUTE"):
        return Outcome.UNDER_WAY, False, ""
    code = int(error or 0)
    if stat == "EXPIRED":
        return Outcome.EXPIRED, True, CAUSES.get(code, "")
    return Outcome.FAILED, code in TEMPORARY, CAUSES.get(code, "")


def _report(remote_id, number, frame, outcome, stat, error, temporary, cause):
    return Report(
        remote_id=remote_id, phone=digits(number)[:20], outcome=outcome, stat=stat, error=error, temporary=temporary,
        raw=frame, cause=cause,
    )  # fmt: skip


def heard(message, sequence, frame):
    piece = text.decode(message.content, message.coding, message.udhi == 1)
    return Incoming(
        remote_id=sequence.hex(), phone=digits(message.number)[:20], to=message.sp_number, text=piece.text,
        part=piece.part, parts=piece.parts, reference=piece.reference, raw=frame,
    )  # fmt: skip
