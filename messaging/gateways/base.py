"""What the dispatcher asks of a carrier's gateway, whatever the protocol; plain data, no database.

One *account* is one login at one carrier. A *pool* keeps the account's connections open (reconnecting with back-off
and jitter), and is the only thing the dispatcher talks to::

    pool = gateways.open_pool(account, sink)
    await pool.start()
    slots = pool.reserve(64)            # places in the windows of connections that are up, within the rate
    ...                                 # the attempts are committed, each with its slot's sequence
    pool.send([(slot, segment), ...])   # written at once, one write per connection
    await pool.stop(seconds)            # nothing new; the windows are emptied first

What comes back goes to the sink. Reports and messages from handsets are acknowledged to the carrier only after the
sink's coroutine has returned, which is after they were committed.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any, Protocol


class GatewayError(Exception):
    """A fault at the carrier's door. ``code`` is short and safe to store; the message is a sentence for people. Neither
    ever holds a secret, a phone number or a text."""

    def __init__(self, message, *, code="error"):
        super().__init__(message)
        self.message, self.code = str(message), code


class LoginRefused(GatewayError):
    """The carrier does not know this account, secret, address or version."""


class Unreachable(GatewayError):
    """Nobody answers at this address, or not in time."""


class Garbled(GatewayError):
    """Bytes that are no frame of this protocol: the connection is closed, nothing else happens."""


class Verdict(Enum):
    ACCEPTED = "accepted"  # the carrier has it; ``remote_id`` is its number for it
    THROTTLED = "throttled"  # not taken: the same gateway, slower
    ELSEWHERE = "elsewhere"  # not taken: this carrier cannot reach this number, another may
    CLOSED = "closed"  # not taken: this account cannot send now, ``seconds`` says for how long; another may
    REFUSED = "refused"  # not taken and never will be: the message or the account's settings are wrong
    IN_DOUBT = "in_doubt"  # written, and no answer came: nobody knows
    NOT_SENT = "not_sent"  # never written to the wire


class Outcome(Enum):
    """What a report says."""

    DELIVERED = "delivered"
    FAILED = "failed"
    EXPIRED = "expired"
    UNDER_WAY = "under_way"  # not final: kept, changes nothing


@dataclass(frozen=True)
class Account:
    """One login as its row says it, the secret in clear. ``options`` are the protocol's own (see each file)."""

    gateway: int  # the row's number
    protocol: str  # messaging.codes.Protocol
    host: str
    port: int
    login: str
    secret: str = field(repr=False)
    access_number: str = ""  # Src_Id, SPNumber, SrcTermID: what the handset shows
    connections: int = 1
    window: int = 16  # unanswered submits per connection
    rate: int = 0  # submits a second over all connections; 0: no limit
    connect_seconds: float = 10
    answer_seconds: float = 60  # no answer to a submit for so long: in doubt
    idle_seconds: float = 60  # nothing heard for so long: active test
    options: dict[str, Any] = field(default_factory=dict)
    # Of the host, looked up and allowed: connections go there and nowhere else, whatever its name says by then. Empty:
    # the name is looked up with each connection.
    addresses: tuple[str, ...] = ()


@dataclass(frozen=True)
class Slot:
    """A place in one connection's window. ``sequence``: what will stand in the frame's header, as lower-case hex (8
    digits; SGIP 24), committed with the attempt before it is sent."""

    connection: int
    sequence: str


@dataclass(frozen=True)
class Segment:
    """One short message on the wire. ``text`` is this part's alone; a long message has the same ``reference`` (0–255)
    in all its parts. ``phone``: eleven digits; ``attempt``: the attempt row's number, given back in the answer."""

    attempt: int
    phone: str
    text: str
    part: int = 1
    parts: int = 1
    reference: int = 0


@dataclass(frozen=True)
class Answer:
    """The carrier's answer to one submit, or why there is none. ``code``: its own word or number, as text."""

    attempt: int
    verdict: Verdict
    remote_id: str = ""  # lower-case hex; SGIP: the sequence; SMPP and HTTP: as given
    code: str = ""
    seconds: float = 0


@dataclass(frozen=True)
class Report:
    """A delivery report. ``remote_id`` as in ``Answer``; ``phone``: digits without 86. ``stat`` and ``error`` are the
    carrier's own words, whatever they were. ``temporary``: the same message may arrive at another hour (absent,
    switched off, memory full, expired)."""

    remote_id: str
    phone: str
    outcome: Outcome
    stat: str
    error: str = ""
    temporary: bool = False
    done_at: datetime | None = None
    raw: bytes = b""
    # Why it failed, where the carrier says so: "empty_number", "absent", "full", "blacklisted" (messaging.codes.Reason),
    # or "elsewhere": another carrier has this number now.
    cause: str = ""


@dataclass(frozen=True)
class Incoming:
    """A message from a handset (MO). A long one arrives in parts that share ``reference``."""

    remote_id: str
    phone: str
    to: str  # the access number it was sent to
    text: str
    part: int = 1
    parts: int = 1
    reference: int = 0
    raw: bytes = b""


class Sink(Protocol):
    """Whom a pool tells. ``answered`` and ``changed`` return at once; the others return after the commit."""

    def answered(self, answers: Sequence[Answer]) -> None: ...

    async def reported(self, reports: Sequence[Report]) -> None: ...

    async def heard(self, messages: Sequence[Incoming]) -> None: ...

    def changed(self, up: int, error: GatewayError | None) -> None:
        """So many connections are up now; ``error`` says why one went."""


class Pool(Protocol):
    """One account's connections."""

    account: Account
    can_query: bool  # whether ``query`` can tell what became of a message in doubt

    async def start(self) -> None: ...

    async def stop(self, seconds: float) -> None:
        """Take nothing new, wait so long for the answers under way, say good-bye, close. What is still unanswered then
        is told as IN_DOUBT."""

    def reserve(self, wanted: int) -> list[Slot]:
        """Up to so many places, never more than the windows and the rate allow; [] while nothing is up."""

    def give_back(self, slots: Sequence[Slot]) -> None:
        """Places that will not be used."""

    def send(self, work: Sequence[tuple[Slot, Segment]]) -> None:
        """Write at once. A slot whose connection has gone meanwhile is answered NOT_SENT."""

    async def room(self) -> None:
        """Return when ``reserve`` may give something."""

    async def query(self, sequence: str, remote_id: str, phone: str) -> Report | Answer | None:
        """What became of a message in doubt; None where the carrier cannot say."""
