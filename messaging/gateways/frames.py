"""Frames that begin with their own length, as CMPP, SGIP, SMGP and SMPP send them, and the fixed fields in them."""

import struct

from django.utils.translation import gettext as _

from messaging.gateways.base import Garbled, GatewayError

LENGTH = struct.Struct("!I").unpack_from


class Unfit(GatewayError):
    """A value that does not fit into its field: the frame is never built, nothing is written."""

    def __init__(self, name):
        super().__init__(_("the field %(name)s does not fit") % {"name": name}, code=f"field {name}")


class Frames:
    """Bytes as they arrive, cut into frames: split ones, glued ones, both. The length is four bytes in network order
    and counts itself.

    A length below ``smallest`` (the header) or above ``largest`` is a lie: what came before it is still given out,
    then ``broken`` holds the fault and everything after is dropped. ``padding``: so many zero bytes that a peer may
    write behind a frame without counting them are passed over.
    """

    __slots__ = ("smallest", "largest", "padding", "broken", "_rest")

    def __init__(self, smallest, largest, padding=0):
        self.smallest, self.largest, self.padding = smallest, largest, padding
        self.broken: Garbled | None = None
        self._rest = b""

    def feed(self, data: bytes) -> list[bytes]:
        """The frames that are whole now, each with its header."""
        if self.broken is not None:
            return []
        if self._rest:
            data = self._rest + data
        frames, at, end = [], 0, len(data)
        while end - at >= 4:
            size = LENGTH(data, at)[0]
            if size == 0 and self.padding and not any(data[at : at + self.padding]):
                if end - at < self.padding:
                    break
                at += self.padding
                continue
            if not self.smallest <= size <= self.largest:
                self.broken = Garbled(_("a frame's length cannot be"), code="length")
                self._rest = b""
                return frames
            if end - at < size:
                break
            frames.append(data[at : at + size])
            at += size
        self._rest = data[at:]
        return frames

    @property
    def waiting(self) -> int:
        """Bytes of a frame that is not whole yet."""
        return len(self._rest)


def fixed(value: str, width: int, name="") -> bytes:
    """ASCII on the left, zero bytes on the right. Raises Unfit when it is too long or not ASCII."""
    try:
        raw = value.encode("ascii")
    except UnicodeEncodeError as error:
        raise Unfit(name) from error
    if len(raw) > width:
        raise Unfit(name)
    return raw.ljust(width, b"\0")


def loose(raw: bytes) -> str:
    """The text of a fixed field: up to the first zero byte, blanks around it cut; strange bytes are replaced."""
    return raw.partition(b"\0")[0].decode("ascii", "replace").strip()


def digits(number: str) -> str:
    """A phone as we store it: without +86, 0086 or 86 in front of eleven digits."""
    number = number.strip().lstrip("+")
    if len(number) == 15 and number.startswith("0086"):
        return number[4:]
    if len(number) == 13 and number.startswith("86"):
        return number[2:]
    return number
