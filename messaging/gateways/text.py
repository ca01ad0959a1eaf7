"""Texts as short messages: counted, split, encoded, and read again (sms-protocols 2.5).

We send UCS-2 always: 70 units in a single message, 67 in each part of a long one. A unit is 16 bits; a sign outside
the basic plane is a pair of them, and a pair is never split.
"""

from dataclasses import dataclass

SINGLE, PART = 70, 67
UCS2, BINARY, GBK, ASCII = 8, 4, 15, 0
CODECS = {ASCII: "ascii", UCS2: "utf-16-be", GBK: "gb18030"}


@dataclass(frozen=True)
class Piece:
    """One incoming short message. ``reference`` is 0 to 255, or to 65535 in the seven-byte form."""

    text: str
    part: int = 1
    parts: int = 1
    reference: int = 0


def units(text: str) -> int:
    return len(text.encode("utf-16-be", "replace")) // 2


def count(text: str) -> int:
    """How many short messages the text is; at least one."""
    size = units(text)
    if size <= SINGLE:
        return 1
    return -(-size // PART) if size == len(text) else len(split(text))


def split(text: str) -> list[str]:
    """The text's parts, in order; one if it fits into a single message."""
    size = units(text)
    if size <= SINGLE:
        return [text]
    if size == len(text):
        return [text[at : at + PART] for at in range(0, size, PART)]
    parts, begin, used = [], 0, 0
    for at, sign in enumerate(text):
        width = 2 if sign > "\uffff" else 1
        if used + width > PART:
            parts.append(text[begin:at])
            begin, used = at, 0
        used += width
    return [*parts, text[begin:]]


def encode_part(text: str, part: int = 1, parts: int = 1, reference: int = 0) -> tuple[bool, bytes]:
    """(whether it begins with a user data header, the bytes). The header is six bytes: 05 00 03 reference parts part."""
    body = text.encode("utf-16-be", "replace")
    if parts == 1:
        return False, body
    return True, bytes((5, 0, 3, reference & 0xFF, parts, part)) + body


def encode(text: str, reference: int = 0) -> list[tuple[bool, bytes]]:
    """All parts of a text, each as ``encode_part`` gives it."""
    parts = split(text)
    return [encode_part(one, at, len(parts), reference) for at, one in enumerate(parts, 1)]


def decode(payload: bytes, fmt: int, udh: bool) -> Piece:
    """What a handset sent. Bytes that cannot be read in their format are replaced, never refused; zero characters,
    which no database keeps, are dropped."""
    part, parts, reference = 1, 1, 0
    if udh and payload:
        size = payload[0] + 1
        part, parts, reference = _concatenation(payload[1:size])
        payload = payload[size:]
    return Piece(_characters(payload, fmt), part, parts, reference)


def _concatenation(header):
    """(part, parts, reference) of a user data header without its length byte; (1, 1, 0) if it says none."""
    at = 0
    while at + 2 <= len(header):
        kind, size = header[at], header[at + 1]
        value = header[at + 2 : at + 2 + size]
        if kind == 0 and size == 3 and len(value) == 3:
            return _sound(value[2], value[1], value[0])
        if kind == 8 and size == 4 and len(value) == 4:
            return _sound(value[3], value[2], value[0] << 8 | value[1])
        at += 2 + size
    return 1, 1, 0


def _sound(part, parts, reference):
    return (part, parts, reference) if 1 <= part <= parts else (1, 1, 0)


def _characters(payload, fmt):
    if fmt == BINARY:
        return payload.hex()
    if fmt == UCS2 and len(payload) % 2:
        payload = payload[:-1]
    return payload.decode(CODECS.get(fmt, "gb18030"), "replace").replace("\0", "")
