"""SGIP 1.2 (China Unicom) as bytes: one class a command, plain data, no sockets. Sections are those of the carrier's
document (2001).

A frame is length 4, command 4, sequence 12 (node 4, MMDDHHMMSS as a number 4, counter 4), body. What a peer may leave
out (the reserve bytes) is not missed; anything else that does not fit raises ``SgipGarbled``.
"""

import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import ClassVar

from django.utils.translation import gettext as _

from messaging.gateways.base import Garbled, GatewayError, LoginRefused, Unreachable
from messaging.gateways.frames import fixed, loose

HEADER = struct.Struct(">II12s")
MAX_FRAME = 2048  # section 4
RESPONSE = 0x80000000
RESERVE = b"\0" * 8
WINDOW = 32  # unanswered commands at most


class SgipError(GatewayError):
    """A fault between us and China Unicom."""


class SgipLoginRefused(SgipError, LoginRefused):
    """Bind was answered with something else than 0."""


class SgipUnreachable(SgipError, Unreachable):
    """The gateway does not answer."""


class SgipGarbled(SgipError, Garbled):
    """No SGIP."""

    def __init__(self, *, code):
        super().__init__(_("the carrier sent what cannot be read"), code=code)


class Command(IntEnum):
    """Section 5.1. Answers are these with the highest bit set."""

    BIND = 0x1
    UNBIND = 0x2
    SUBMIT = 0x3
    DELIVER = 0x4
    REPORT = 0x5
    USERRPT = 0x11
    TRACE = 0x1000


class LoginType(IntEnum):
    SEND = 1  # from us to the carrier
    REPORT = 2  # from the carrier to us


def pack(command, sequence, body=b""):
    """A whole frame. ``sequence``: 12 bytes; ``body``: bytes, or a class of this file."""
    if not isinstance(body, bytes):
        body = body.pack()
    return HEADER.pack(HEADER.size + len(body), command, sequence) + body


def split(frame):
    """(command, sequence, body) of one whole frame."""
    if len(frame) < HEADER.size or len(frame) > MAX_FRAME:
        raise SgipGarbled(code="length")
    length, command, sequence = HEADER.unpack_from(frame)
    if length != len(frame):
        raise SgipGarbled(code="length")
    return command, sequence, frame[HEADER.size :]


def answer(command, sequence, result=0):
    """The answer to a request: 29 bytes, to an Unbind 20."""
    body = b"" if command == Command.UNBIND else Result(result)
    return pack(command | RESPONSE, sequence, body)


def _read(layout, body, offset=0):
    try:
        return layout.unpack_from(body, offset)
    except struct.error:
        raise SgipGarbled(code="short") from None


def _read_all(layout, body):
    """A body of a fixed length."""
    _end(body, layout.size)
    return _read(layout, body)


def _end(body, size):
    """A frame whose length lies has swallowed the next ones. The reserve may be missing, or be there twice."""
    if len(body) > size + 2 * len(RESERVE):
        raise SgipGarbled(code="long")


def _content(body, start, length):
    content = body[start : start + length]
    if len(content) != length:
        raise SgipGarbled(code="content")
    _end(body, start + length)
    return content


@dataclass(frozen=True, slots=True)
class Bind:
    """Section 4.3.1: 61 bytes."""

    login_type: int
    name: str
    password: str

    LAYOUT: ClassVar = struct.Struct(">B16s16s")

    def pack(self):
        return (
            self.LAYOUT.pack(
                self.login_type, fixed(self.name, 16, "name"), fixed(self.password, 16, "password")
            )
            + RESERVE
        )

    @classmethod
    def unpack(cls, body):
        login_type, name, password = _read_all(cls.LAYOUT, body)
        return cls(login_type, loose(name), loose(password))

    def __repr__(self):
        return f"Bind(login_type={self.login_type})"  # the password stays out of logs


@dataclass(frozen=True, slots=True)
class Result:
    """Every answer but Unbind's: result 1, reserve 8. Some gateways leave the reserve out."""

    result: int

    LAYOUT: ClassVar = struct.Struct(">B")

    def pack(self):
        return self.LAYOUT.pack(self.result) + RESERVE

    @classmethod
    def unpack(cls, body):
        return cls(*_read_all(cls.LAYOUT, body))


@dataclass(frozen=True, slots=True)
class Submit:
    """Section 4.3.3: 143 + 21n + L bytes. ``numbers`` carry 86, otherwise the carrier answers 6."""

    sp_number: str
    numbers: tuple[str, ...]
    content: bytes
    coding: int = 8
    udhi: int = 0
    corp_id: str = ""
    service_type: str = ""
    charge_number: str = "0" * 21  # we pay
    fee_type: int = 1  # free
    fee_value: str = "0"
    given_value: str = "0"
    agent_flag: int = 0
    caused_by: int = 2  # not by a message from the handset
    priority: int = 0
    expire_time: str = ""
    schedule_time: str = ""
    report_flag: int = 1  # always
    pid: int = 0
    message_type: int = 0

    HEAD: ClassVar = struct.Struct(">21s21sB")
    TAIL: ClassVar = struct.Struct(">5s10sB6s6sBBB16s16sBBBBBI")
    WORDS: ClassVar = {
        "corp_id": 5,
        "service_type": 10,
        "fee_value": 6,
        "given_value": 6,
        "expire_time": 16,
        "schedule_time": 16,
    }

    def pack(self):
        corp, service, fee, given, expire, schedule = self._words()
        head = self.HEAD.pack(
            fixed(self.sp_number, 21, "sp_number"),
            fixed(self.charge_number, 21, "charge_number"),
            len(self.numbers),
        )
        tail = self.TAIL.pack(
            corp, service, self.fee_type, fee, given, self.agent_flag, self.caused_by, self.priority, expire,
            schedule, self.report_flag, self.pid, self.udhi, self.coding, self.message_type, len(self.content),
        )  # fmt: skip
        numbers = (fixed(number, 21, "number") for number in self.numbers)
        return b"".join((head, *numbers, tail, self.content, RESERVE))

    def _words(self):
        return [fixed(getattr(self, name), width, name) for name, width in self.WORDS.items()]

    @classmethod
    def unpack(cls, body):
        sp_number, charge_number, count = _read(cls.HEAD, body)
        start = cls.HEAD.size + 21 * count
        if not 1 <= count <= 100:
            raise SgipGarbled(code="numbers")
        numbers = tuple(loose(body[at : at + 21]) for at in range(cls.HEAD.size, start, 21))
        (corp, service, fee_type, fee, given, agent, caused_by, priority, expire, schedule, report, pid, udhi, coding,
         kind, length) = _read(cls.TAIL, body, start)  # fmt: skip
        return cls(
            sp_number=loose(sp_number), charge_number=loose(charge_number), numbers=numbers, corp_id=loose(corp),
            service_type=loose(service), fee_type=fee_type, fee_value=loose(fee), given_value=loose(given),
            agent_flag=agent, caused_by=caused_by, priority=priority, expire_time=loose(expire),
            schedule_time=loose(schedule), report_flag=report, pid=pid, udhi=udhi, coding=coding, message_type=kind,
            content=_content(body, start + cls.TAIL.size, length),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Deliver:
    """Section 4.3.4, a message from a handset: 77 + L bytes."""

    number: str
    sp_number: str
    content: bytes
    coding: int = 8
    udhi: int = 0
    pid: int = 0

    LAYOUT: ClassVar = struct.Struct(">21s21sBBBI")

    def pack(self):
        head = self.LAYOUT.pack(
            fixed(self.number, 21, "number"),
            fixed(self.sp_number, 21, "sp_number"),
            self.pid,
            self.udhi,
            self.coding,
            len(self.content),
        )
        return head + self.content + RESERVE

    @classmethod
    def unpack(cls, body):
        number, sp_number, pid, udhi, coding, length = _read(cls.LAYOUT, body)
        content = _content(body, cls.LAYOUT.size, length)
        return cls(loose(number), loose(sp_number), content, coding, udhi, pid)


@dataclass(frozen=True, slots=True)
class Report:
    """Section 4.3.5, what became of a Submit: 64 bytes. ``submit``: that Submit's 12 bytes."""

    submit: bytes
    number: str
    state: int  # 0 delivered, 1 under way, 2 failed
    error: int = 0
    report_type: int = 0

    LAYOUT: ClassVar = struct.Struct(">12sB21sBB")

    def pack(self):
        return (
            self.LAYOUT.pack(
                self.submit, self.report_type, fixed(self.number, 21, "number"), self.state, self.error
            )
            + RESERVE
        )

    @classmethod
    def unpack(cls, body):
        submit, report_type, number, state, error = _read_all(cls.LAYOUT, body)
        return cls(submit, loose(number), state, error, report_type)


BODIES = {
    Command.BIND: Bind,
    Command.SUBMIT: Submit,
    Command.DELIVER: Deliver,
    Command.REPORT: Report,
}


def unpack(command, body):
    """The body as its class. Unbind, its answer, UserRpt and Trace: None, nothing in them is used. A command that is
    not SGIP's raises ``SgipGarbled``."""
    try:
        plain = Command(command & ~RESPONSE)
    except ValueError:
        raise SgipGarbled(code="command") from None
    if plain == Command.UNBIND:
        return None
    if command & RESPONSE:
        return Result.unpack(body)
    return BODIES[plain].unpack(body) if plain in BODIES else None
