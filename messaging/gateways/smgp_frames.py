"""SMGP 3.0 (China Telecom) as bytes: one class a command, plain data, no sockets. Sections are those of the carrier's
document 3.0.3 (2008).

A frame is length 4, request 4, sequence 4, body, and after some bodies optional fields (tag 2, length 2, value). What a
peer may leave out (the reserve bytes, optional fields) is not missed; anything else that does not fit raises
``SmgpGarbled``.
"""

import hashlib
import re
import struct
from dataclasses import dataclass, field
from enum import IntEnum
from typing import ClassVar

from django.utils.translation import gettext as _

from messaging.gateways.base import Garbled, GatewayError, LoginRefused, Unreachable
from messaging.gateways.frames import fixed, loose

HEADER = struct.Struct(">III")
MAX_FRAME = 4096
RESPONSE = 0x80000000
RESERVE = b"\0" * 8
VERSION = 0x30


class SmgpError(GatewayError):
    """A fault between us and China Telecom."""


class SmgpLoginRefused(SmgpError, LoginRefused):
    """Login was answered with something else than 0."""


class SmgpUnreachable(SmgpError, Unreachable):
    """The gateway cannot have us now."""


class SmgpGarbled(SmgpError, Garbled):
    """No SMGP."""

    def __init__(self, *, code):
        super().__init__(_("the carrier sent what cannot be read"), code=code)


class Command(IntEnum):
    """Answers are these with the highest bit set."""

    LOGIN = 1
    SUBMIT = 2
    DELIVER = 3
    ACTIVE_TEST = 4
    FORWARD = 5
    EXIT = 6
    QUERY = 7


class Tag(IntEnum):
    """Optional fields."""

    PID = 0x01
    UDHI = 0x02
    LINK_ID = 0x03
    PARTS = 0x09  # PkTotal
    PART = 0x0A  # PkNumber
    SUBMIT_TYPE = 0x0B
    COMPANY = 0x10  # MsgSrc
    PRODUCT = 0x12  # MServiceID


def pack(command, sequence, body=b""):
    """A whole frame. ``body``: bytes, or a class of this file."""
    if not isinstance(body, bytes):
        body = body.pack()
    return HEADER.pack(HEADER.size + len(body), command, sequence) + body


def split(frame):
    """(command, sequence, body) of one whole frame."""
    if len(frame) < HEADER.size or len(frame) > MAX_FRAME:
        raise SmgpGarbled(code="length")
    length, command, sequence = HEADER.unpack_from(frame)
    if length != len(frame):
        raise SmgpGarbled(code="length")
    return command, sequence, frame[HEADER.size :]


def _read(layout, body, offset=0):
    try:
        return layout.unpack_from(body, offset)
    except struct.error:
        raise SmgpGarbled(code="short") from None


def _pack_fields(fields):
    return b"".join(struct.pack(">HH", tag, len(value)) + value for tag, value in fields.items())


def _read_fields(raw):
    """{tag: value}. A field that promises more than there is ends the reading; it takes nothing else with it. No tag is
    0: something else follows, and the frame's length is a lie."""
    fields, at = {}, 0
    while at + 4 <= len(raw):
        tag, length = struct.unpack_from(">HH", raw, at)
        if tag == 0:
            if any(raw[at:]):
                raise SmgpGarbled(code="long")
            break
        value = raw[at + 4 : at + 4 + length]
        if len(value) != length:
            break
        fields[tag] = value
        at += 4 + length
    return fields


def _content(body, start, length):
    """(content, what follows the reserve). Peers count the reserve in where it does not belong, or leave it out: a
    content that runs to the end of the frame and closes with the eight zeros had them counted in."""
    content, rest = body[start : start + length], body[start + length :]
    if len(content) != length:
        raise SmgpGarbled(code="content")
    if not rest and content.endswith(RESERVE):
        return content[: -len(RESERVE)], b""
    return content, rest[len(RESERVE) :]


def authenticator(client_id, secret, stamp, *, padded=False):
    """Section 6.2.2: MD5 of account, seven zeros, secret and the ten digits MMDDHHMMSS. ``padded``: an account shorter
    than eight signs is filled with zeros first; operators differ."""
    name = fixed(client_id, 8, "client_id")
    name = name if padded else name.rstrip(b"\0")
    return _digest(name + b"\0" * 7 + secret.encode() + b"%010d" % stamp)


def server_authenticator(status, client_authenticator, secret):
    """What the answer to a login should carry. Most gateways get it wrong: it is no reason to leave."""
    return _digest(struct.pack(">I", status) + client_authenticator + secret.encode())


def _digest(raw):
    return hashlib.md5(raw, usedforsecurity=False).digest()  # the protocol's choice, not ours


@dataclass(frozen=True, slots=True)
class Login:
    """42 bytes."""

    client_id: str
    authenticator: bytes = field(repr=False)
    stamp: int
    mode: int = 2  # send and receive
    version: int = VERSION

    LAYOUT: ClassVar = struct.Struct(">8s16sBIB")

    def pack(self):
        return self.LAYOUT.pack(
            fixed(self.client_id, 8, "client_id"), self.authenticator, self.mode, self.stamp, self.version
        )

    @classmethod
    def unpack(cls, body):
        client_id, digest, mode, stamp, version = _read(cls.LAYOUT, body)
        return cls(loose(client_id), digest, stamp, mode, version)


@dataclass(frozen=True, slots=True)
class LoginResp:
    """33 bytes. A refusal may end after the status."""

    status: int
    authenticator: bytes = b"\0" * 16
    version: int = VERSION

    LAYOUT: ClassVar = struct.Struct(">I16sB")

    def pack(self):
        return self.LAYOUT.pack(self.status, self.authenticator, self.version)

    @classmethod
    def unpack(cls, body):
        if len(body) < 4:
            raise SmgpGarbled(code="short")
        return cls(*cls.LAYOUT.unpack(body[: cls.LAYOUT.size].ljust(cls.LAYOUT.size, b"\0")))


@dataclass(frozen=True, slots=True)
class Submit:
    """126 + 21n + L bytes and the optional fields. ``fields``: {tag: bytes}."""

    source: str
    numbers: tuple[str, ...]
    content: bytes
    format: int = 15
    service_id: str = ""
    fee_type: str = "00"
    fee_code: str = "0"
    fixed_fee: str = "0"
    message_type: int = 6  # to a handset
    need_report: int = 1
    priority: int = 0
    valid_time: str = ""
    at_time: str = ""
    charge_number: str = ""
    fields: dict[int, bytes] = field(default_factory=dict)

    HEAD: ClassVar = struct.Struct(">BBB10s2s6s6sB17s17s21s21sB")
    WORDS: ClassVar = {
        "service_id": 10,
        "fee_type": 2,
        "fee_code": 6,
        "fixed_fee": 6,
        "valid_time": 17,
        "at_time": 17,
        "source": 21,
        "charge_number": 21,
    }

    def pack(self):
        service, fee_type, fee, fixed_fee, valid, at_time, source, charge = self._words()
        head = self.HEAD.pack(
            self.message_type, self.need_report, self.priority, service, fee_type, fee, fixed_fee, self.format, valid,
            at_time, source, charge, len(self.numbers),
        )  # fmt: skip
        numbers = (fixed(number, 21, "number") for number in self.numbers)
        length = bytes([len(self.content)])
        return b"".join((head, *numbers, length, self.content, RESERVE, _pack_fields(self.fields)))

    def _words(self):
        return [fixed(getattr(self, name), width, name) for name, width in self.WORDS.items()]

    @classmethod
    def unpack(cls, body):
        (kind, report, priority, service, fee, fee_code, fixed_fee, form, valid, at_time, source, charge,
         count) = _read(cls.HEAD, body)  # fmt: skip
        start = cls.HEAD.size + 21 * count
        if not 1 <= count <= 100 or len(body) <= start:
            raise SmgpGarbled(code="numbers")
        content, rest = _content(body, start + 1, body[start])
        return cls(
            source=loose(source), content=content, format=form, service_id=loose(service), fee_type=loose(fee),
            numbers=tuple(loose(body[at : at + 21]) for at in range(cls.HEAD.size, start, 21)),
            fee_code=loose(fee_code), fixed_fee=loose(fixed_fee), message_type=kind, need_report=report,
            priority=priority, valid_time=loose(valid), at_time=loose(at_time), charge_number=loose(charge),
            fields=_read_fields(rest),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class MessageResp:
    """The answer to Submit and Deliver: 26 bytes. ``message_id``: ten bytes, BCD by the book, opaque in truth."""

    message_id: bytes
    status: int

    LAYOUT: ClassVar = struct.Struct(">10sI")

    def pack(self):
        return self.LAYOUT.pack(self.message_id, self.status)

    @classmethod
    def unpack(cls, body):
        return cls(*_read(cls.LAYOUT, body))


@dataclass(frozen=True, slots=True)
class Deliver:
    """A report or a message from a handset: 89 + L bytes and the optional fields."""

    message_id: bytes
    is_report: int
    source: str
    target: str
    content: bytes
    format: int = 0
    received: str = ""  # YYYYMMDDHHMMSS
    fields: dict[int, bytes] = field(default_factory=dict)

    LAYOUT: ClassVar = struct.Struct(">10sBB14s21s21sB")

    def pack(self):
        head = self.LAYOUT.pack(
            self.message_id, self.is_report, self.format, fixed(self.received, 14, "received"),
            fixed(self.source, 21, "source"), fixed(self.target, 21, "target"), len(self.content),
        )  # fmt: skip
        return head + self.content + RESERVE + _pack_fields(self.fields)

    @classmethod
    def unpack(cls, body):
        message_id, is_report, form, received, source, target, length = _read(cls.LAYOUT, body)
        content, rest = _content(body, cls.LAYOUT.size, length)
        return cls(
            message_id, is_report, loose(source), loose(target), content, form, loose(received),
            _read_fields(rest),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Report:
    """What a Deliver that is a report says: 122 bytes, section 6.2.63. The number's ten bytes are raw and may hold
    anything, so nothing is read as text before they are cut out. The labels are spelt in many ways of the same length;
    where they have another length, the values are looked for behind them."""

    message_id: bytes
    stat: str
    error: str = "000"
    submitted: str = ""  # YYMMDDHHMM
    done: str = ""
    text: bytes = b""

    FOUND: ClassVar = {
        "submitted": re.compile(rb"submit[ _]?date:\s*(\d{10})", re.I),
        "done": re.compile(rb"done[ _]?date:\s*(\d{10})", re.I),
        "stat": re.compile(rb"stat(?:us)?:\s*([!-~]{1,7})", re.I),
        "error": re.compile(rb"err(?:or)?:\s*([!-~]{1,3})", re.I),
    }

    def pack(self):
        return b"id:%b sub:001 dlvrd:001 submit date:%b done date:%b stat:%b err:%b text:%b" % (
            self.message_id, self.submitted.encode().rjust(10, b"0"), self.done.encode().rjust(10, b"0"),
            self.stat.encode().ljust(7), self.error.encode().rjust(3, b"0"), self.text.ljust(20, b"\0"),
        )  # fmt: skip

    @classmethod
    def unpack(cls, content):
        if len(content) < 13 or content[:3].lower() != b"id:":
            raise SmgpGarbled(code="report")
        message_id = content[3:13]
        if content[76:81].lower() == b"stat:" and content[60:65].lower() == b"date:":
            parts = {"submitted": content[44:54], "done": content[65:75], "stat": content[81:88],
                     "error": content[93:96]}  # fmt: skip
        else:
            found = {name: pattern.search(content, 13) for name, pattern in cls.FOUND.items()}
            parts = {name: match[1] for name, match in found.items() if match}
        words = {name: loose(value) for name, value in parts.items()}
        return cls(message_id, words.pop("stat", ""), text=content[102:122], **words)


BODIES = {
    Command.LOGIN: Login,
    Command.LOGIN | RESPONSE: LoginResp,
    Command.SUBMIT: Submit,
    Command.SUBMIT | RESPONSE: MessageResp,
    Command.DELIVER: Deliver,
    Command.DELIVER | RESPONSE: MessageResp,
}


def unpack(command, body):
    """The body as its class. Active test, exit, forward and query: None, nothing in them is used. A command that is not
    SMGP's raises ``SmgpGarbled``."""
    try:
        Command(command & ~RESPONSE)
    except ValueError:
        raise SmgpGarbled(code="command") from None
    return BODIES[command].unpack(body) if command in BODIES else None
