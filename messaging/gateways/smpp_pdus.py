"""SMPP 3.4 as bytes, through smpplib's codec: it reads and builds, we hold it to the frame's end.

smpplib trusts what it reads (a string without its NUL, a text shorter than its length, an optional parameter of a
vendor) and cuts what it writes; here both are faults.
"""

from struct import Struct
from struct import error as StructError

from django.utils.translation import gettext as _
from smpplib import command
from smpplib.exceptions import UnknownCommandError

from messaging.gateways.base import Garbled, GatewayError
from messaging.gateways.frames import Unfit

HEADER = Struct("!IIII")
NUMBER = Struct("!I").unpack_from
TLV = Struct("!HH")

RESPONSE = 0x80000000
NACK = 0x80000000
BIND_RECEIVER, BIND_TRANSMITTER, BIND_TRANSCEIVER = 1, 2, 9
QUERY, SUBMIT, DELIVER, UNBIND, ENQUIRE, DATA = 3, 4, 5, 6, 0x15, 0x103

# Optional parameters (5.3.2).
RECEIPTED_ID, STATE, NETWORK_ERROR, PAYLOAD = 0x001E, 0x0427, 0x0423, 0x0424
SAR_REFERENCE, SAR_TOTAL, SAR_PART = 0x020C, 0x020E, 0x020F


class SmppError(GatewayError):
    """A fault of this protocol."""


class SmppGarbled(SmppError, Garbled):
    """A frame that is none of SMPP."""

    def __init__(self, code):
        super().__init__(_("the carrier sent what cannot be read"), code=code)


class Strict:
    """What smpplib leaves out when it reads."""

    def __init__(self, name):
        super().__init__(name, client=NUMBERS)
        self.tlvs: dict[int, bytes] = {}

    def _parse_string(self, field, data, pos, length=None):
        end = data.find(b"\0", pos)
        if end < 0:  # an answer's id without its NUL is often seen; anything after it is missing then
            end = len(data)
        setattr(self, field, data[pos:end])
        return data, min(end + 1, len(data))

    def _parse_ostring(self, field, data, pos, length=None):
        if len(data) < pos + getattr(self, self.params[field].len_field):
            raise SmppGarbled("length")
        return super()._parse_ostring(field, data, pos, length)

    def parse_optional_params(self, data):
        self.tlvs = tlvs(data)


class Numbers:
    """What smpplib asks for a sequence number; ours are set by hand."""

    sequence = 0

    def next_sequence(self):
        return 0


NUMBERS = Numbers()


class Submit(Strict, command.SubmitSM):
    pass


class Deliver(Strict, command.DeliverSM):
    pass


class Data(Strict, command.DataSM):
    pass


class SubmitAnswer(Strict, command.SubmitSMResp):
    pass


class Query(Strict, command.QuerySM):
    pass


class QueryAnswer(Strict, command.QuerySMResp):
    pass


class Bind(Strict, command.BindTransceiver):
    pass


class BindAnswer(Strict, command.BindTransceiverResp):
    pass


READ = {
    SUBMIT: (Submit, "submit_sm"),
    DELIVER: (Deliver, "deliver_sm"),
    DATA: (Data, "data_sm"),
    SUBMIT | RESPONSE: (SubmitAnswer, "submit_sm_resp"),
    QUERY: (Query, "query_sm"),
    QUERY | RESPONSE: (QueryAnswer, "query_sm_resp"),
    BIND_RECEIVER: (Bind, "bind_receiver"),
    BIND_TRANSMITTER: (Bind, "bind_transmitter"),
    BIND_TRANSCEIVER: (Bind, "bind_transceiver"),
    BIND_RECEIVER | RESPONSE: (BindAnswer, "bind_receiver_resp"),
    BIND_TRANSMITTER | RESPONSE: (BindAnswer, "bind_transmitter_resp"),
    BIND_TRANSCEIVER | RESPONSE: (BindAnswer, "bind_transceiver_resp"),
}


def head(frame):
    """(command, status, sequence) of a whole frame."""
    return HEADER.unpack_from(frame)[1:]


def bare(code: int, sequence: int, status: int = 0) -> bytes:
    """A frame without a body."""
    return HEADER.pack(HEADER.size, code, status, sequence)


def build(name: str, sequence: int, status: int = 0, **fields) -> bytes:
    """The frame of smpplib's command ``name``. Raises Unfit where smpplib would cut a value short."""
    pdu = command.factory(name, client=NUMBERS, **fields)
    for field, value in fields.items():
        room = getattr(pdu.params[field], "max", None)
        if room is not None and value is not None:
            terminated = pdu.params[field].type is not command.ostr
            if len(value) > room - terminated or (terminated and not (value.isascii() and "\0" not in value)):
                raise Unfit(field)
    pdu.sequence, pdu.status = sequence, status
    try:
        return pdu.generate()
    except (StructError, TypeError, ValueError, AttributeError) as error:
        raise Unfit(name) from error


def read(frame: bytes):
    """smpplib's object of a frame with a body; its optional parameters are in ``tlvs``. Raises SmppGarbled."""
    kind, name = READ[head(frame)[0]]
    pdu = kind(name)
    try:
        pdu.parse(frame)
    except (StructError, TypeError, ValueError, IndexError, UnknownCommandError) as error:
        raise SmppGarbled("frame") from error
    return pdu


def tlvs(data: bytes) -> dict[int, bytes]:
    """{tag: value} of the optional parameters; the first of each tag. Raises SmppGarbled."""
    found, at = {}, 0
    while at < len(data):
        if len(data) - at < TLV.size:
            raise SmppGarbled("parameter")
        tag, size = TLV.unpack_from(data, at)
        at += TLV.size
        if len(data) - at < size:
            raise SmppGarbled("parameter")
        found.setdefault(tag, data[at : at + size])
        at += size
    return found


def loose(value) -> str:
    """A string as smpplib gives it: bytes, or None where the frame ended before it."""
    return (value or b"").partition(b"\0")[0].decode("ascii", "replace").strip()


def content(pdu) -> bytes:
    """The text of a deliver_sm or data_sm, wherever it stands."""
    return getattr(pdu, "short_message", None) or pdu.tlvs.get(PAYLOAD, b"")


def joined(pdu) -> tuple[int, int, int] | None:
    """(part, parts, reference) of a long message whose parts are told by optional parameters."""
    found = [
        int.from_bytes(pdu.tlvs.get(tag, b"")[:2], "big") for tag in (SAR_PART, SAR_TOTAL, SAR_REFERENCE)
    ]
    return tuple(found) if 1 <= found[0] <= found[1] <= 255 else None
