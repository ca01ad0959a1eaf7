"""A simulated China Mobile: a CMPP server for 2.0 and 3.0, whichever the login asks for."""

from functools import lru_cache
from hmac import compare_digest
from struct import Struct
from time import gmtime, strftime, time

from messaging.gateways import text as texts
from messaging.gateways.base import Garbled
from messaging.gateways.cmpp import (
    ACTIVE_TEST,
    COMMAND,
    CONNECT,
    DELIVER,
    HEAD,
    NARROW,
    RESPONSE,
    SUBMIT,
    TERMINATE,
    WIDE,
    answer_authenticator,
    authenticator,
)
from messaging.gateways.frames import digits, fixed, loose
from messaging.simulators.carrier import Carrier
from messaging.simulators.manner import Manner

# SUBMIT after the header up to DestUsr_tl: what is read of it are Pk_total, Pk_number, Registered_Delivery, TP_udhi,
# Msg_Fmt and DestUsr_tl.
SUBMITS = {
    NARROW: Struct("!8xBBBx10xx21xxBB6x2x6x17x17x21xB"),
    WIDE: Struct("!8xBBBx10xx32xxxBB6x2x6x17x17x21xB"),
}
ANSWERS = {NARROW: Struct("!IIIQB").pack, WIDE: Struct("!IIIQI").pack}
REPORT = Struct("!8s7s10s10s").pack
CHINA_SECONDS = 8 * 3600


class CmppManner(Manner):
    layout = NARROW

    def read(self, frame):
        command = COMMAND(frame, 4)[0]
        if command == SUBMIT:
            self._submit(frame)
        elif command == DELIVER | RESPONSE:
            self.session.acknowledged(COMMAND(frame, 8)[0])
        elif command == CONNECT:
            self._connect(frame)
        elif command == ACTIVE_TEST:
            self.session.reply(HEAD.pack(13, ACTIVE_TEST | RESPONSE, COMMAND(frame, 8)[0]) + b"\0")
        elif command == TERMINATE:
            self.session.bye(HEAD.pack(12, TERMINATE | RESPONSE, COMMAND(frame, 8)[0]))

    def _connect(self, frame):
        if len(frame) != 39:
            raise Garbled("not a login")
        login, source, version = loose(frame[12:18]), frame[18:34], frame[34]
        stamp = f"{COMMAND(frame, 35)[0]:010d}"
        self.layout = WIDE if version >= 0x30 else NARROW
        secret = self.carrier.logins.get(login)
        if secret is None:
            problem = 2
        elif version > 0x30:
            problem = 4
        else:
            problem = 0 if compare_digest(source, authenticator(login, secret, stamp)) else 3

        def make(status, right):
            width = self.layout.result
            proof = answer_authenticator(status, width, source, secret or "") if right else b"\x55" * 16
            head = HEAD.pack(29 + width, CONNECT | RESPONSE, COMMAND(frame, 8)[0])
            return head + status.to_bytes(width, "big") + proof + bytes((version,))

        self.session.login_asked(login, problem, make)

    def _submit(self, frame):
        shape, width = SUBMITS[self.layout], self.layout.number
        total, number, wanted, udhi, fmt, people = shape.unpack_from(frame, 12)
        at = 12 + shape.size
        end = at + people * width
        begin = end + (2 if self.layout.wide else 1)
        content = frame[begin : begin + frame[begin - 1]]
        if len(frame) != begin + frame[begin - 1] + self.layout.submit_tail or not people:
            raise Garbled("a submit's length is a lie")
        piece = texts.decode(content, fmt, udhi == 1)
        sequence = COMMAND(frame, 8)[0]
        for place in range(at, end, width):
            self.session.submitted(
                sequence, digits(loose(frame[place : place + width])), piece.text,
                number or 1, total or 1, piece.reference, wanted == 1, answer=place == at,
            )  # fmt: skip

    def submit_answer(self, sequence, remote_id, code):
        size = 20 + self.layout.result
        number = int(remote_id, 16) if remote_id else 0
        return ANSWERS[self.layout](size, SUBMIT | RESPONSE, sequence, number, code)

    def report(self, number, out):
        width = 21 if self.carrier.short_reports else self.layout.number
        content = REPORT(
            bytes.fromhex(out.remote_id), out.stat.encode(), minute(out.taken_at // 60), minute(time() // 60)
        )
        content += fixed(out.phone, width) + bytes(4)
        return self._deliver(number, out, content, 1, False)

    def incoming(self, number, out):
        udh, content = texts.encode_part(out.text, out.part, out.parts, out.reference)
        return self._deliver(number, out, content, 0, udh)

    def _deliver(self, number, out, content, is_report, udh):
        layout = self.layout
        values = [
            b"\0" * 8 if is_report else bytes.fromhex(out.remote_id), out.to.encode(), b"", 0, int(udh), 0 if is_report else texts.UCS2,
            out.phone.encode(), is_report, len(content),
        ]  # fmt: skip
        if layout.wide:
            values.insert(7, 0)
        body = layout.deliver.pack(*values) + content + bytes(layout.submit_tail)
        return HEAD.pack(12 + len(body), DELIVER, number) + body


class CmppCarrier(Carrier):
    """``short_reports``: a report's 60 bytes in 3.0 too, as many carriers send them."""

    protocol = "cmpp"
    manner = CmppManner
    WRONG_NUMBER, THROTTLED, REFUSED, LOGIN_REFUSED = 13, 8, 1, 3

    def __init__(self, logins, *, short_reports=False, gateway_code=1, **more):
        super().__init__(logins, **more)
        self.short_reports, self.gateway_code = short_reports, gateway_code
        self._stamped = (0, 0)

    def new_id(self):
        """Msg_Id: month, day, hour, minute, second, the gateway's code, a counter (8.4.3.2). The counter runs on into
        the code, so that none comes twice."""
        self._ids += 1
        now = int(time())
        if self._stamped[0] != now:
            at = gmtime(now + CHINA_SECONDS)
            high = (((at.tm_mon << 5 | at.tm_mday) << 5 | at.tm_hour) << 6 | at.tm_min) << 6 | at.tm_sec
            self._stamped = now, high << 38 | self.gateway_code << 32
        return f"{self._stamped[1] + (self._ids & 0xFFFFFFFF):016x}"


@lru_cache(64)
def minute(number):
    """YYMMDDHHMM of a minute since 1970, in China's time."""
    return strftime("%y%m%d%H%M", gmtime(number * 60 + CHINA_SECONDS)).encode()
