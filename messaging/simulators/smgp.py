"""A simulated China Telecom: an SMGP 3.0 server."""

from hmac import compare_digest
from time import gmtime, strftime, time

from messaging.gateways import smgp_frames as wire
from messaging.gateways import text as texts
from messaging.gateways.frames import digits
from messaging.gateways.smgp_frames import HEADER, RESPONSE, Command, Tag
from messaging.simulators.carrier import Carrier
from messaging.simulators.manner import Manner

CHINA_SECONDS = 8 * 3600
# A report's err for its stat, where the fault does not say it ("EXPIRED/007").
ERRORS = {"DELIVRD": "000", "ACCEPTD": "000", "EXPIRED": "001", "UNDELIV": "003", "REJECTD": "005"}


class SmgpManner(Manner):
    SMALLEST = HEADER.size
    LARGEST = wire.MAX_FRAME

    def read(self, frame):
        command, number, body = wire.split(frame)
        if command == Command.SUBMIT:
            self._submit(number, wire.unpack(command, body))
        elif command == Command.DELIVER | RESPONSE:
            self.session.acknowledged(number)
        elif command == Command.LOGIN:
            self._login(number, wire.unpack(command, body))
        elif command == Command.ACTIVE_TEST:
            self.session.reply(wire.pack(command | RESPONSE, number))
        elif command == Command.EXIT:
            self.session.bye(wire.pack(command | RESPONSE, number))
        else:
            wire.unpack(command, body)

    def _login(self, number, login):
        secret = self.carrier.logins.get(login.client_id)

        def right(padded):
            return compare_digest(
                wire.authenticator(login.client_id, secret, login.stamp, padded=padded), login.authenticator
            )

        problem = 0 if secret is not None and right(self.carrier.padded_id) else self.carrier.LOGIN_REFUSED

        def make(status, honest):
            proof = wire.server_authenticator(status, login.authenticator, secret or "")
            return wire.pack(
                Command.LOGIN | RESPONSE, number, wire.LoginResp(status, proof if honest else b"\x55" * 16)
            )

        self.session.login_asked(login.client_id, problem, make)

    def _submit(self, number, submit):
        piece = texts.decode(submit.content, submit.format, submit.fields.get(Tag.UDHI) == b"\1")
        part = int.from_bytes(submit.fields.get(Tag.PART, b"\1"))
        parts = int.from_bytes(submit.fields.get(Tag.PARTS, b"\1"))
        for at, phone in enumerate(submit.numbers):
            self.session.submitted(
                number, digits(phone), piece.text, part, parts, piece.reference, submit.need_report == 1,
                answer=at == 0,
            )  # fmt: skip

    def submit_answer(self, sequence, remote_id, code):
        message_id = bytes.fromhex(remote_id) if remote_id else bytes(10)
        return wire.pack(Command.SUBMIT | RESPONSE, sequence, wire.MessageResp(message_id, code))

    def report(self, number, out):
        stat, _slash, error = out.stat.partition("/")
        report = wire.Report(
            bytes.fromhex(out.remote_id), stat[:7], error or ERRORS.get(stat, "999"), minute(out.taken_at), minute(time()),
            b"000",
        )  # fmt: skip
        content = report.pack()
        for old, new in self.carrier.labels.items():
            content = content.replace(old, new)
        return self._deliver(number, bytes.fromhex(self.carrier.new_id()), out, content, 1, {})

    def incoming(self, number, out):
        udhi, content = texts.encode_part(out.text, out.part, out.parts, out.reference)
        fields = {Tag.UDHI: b"\1", Tag.PARTS: bytes([out.parts]), Tag.PART: bytes([out.part])} if udhi else {}
        return self._deliver(number, bytes.fromhex(out.remote_id), out, content, 0, fields)

    def _deliver(self, number, message_id, out, content, is_report, fields):
        deliver = wire.Deliver(
            message_id, is_report, out.phone, out.to, content, texts.ASCII if is_report else texts.UCS2,
            strftime("%Y%m%d%H%M%S", gmtime(time() + CHINA_SECONDS)), fields,
        )  # fmt: skip
        frame = wire.pack(Command.DELIVER, number, deliver)
        if self.carrier.uncounted_reserve and not fields:  # eight zero bytes that the length does not know of
            size = len(frame) - len(wire.RESERVE)
            frame = size.to_bytes(4, "big") + frame[4:size] + wire.RESERVE
        return frame


class SmgpCarrier(Carrier):
    """``padded_id``: short accounts are hashed with zeros behind them. ``labels``: how a report's labels are spelt
    instead, {b"submit date": b"Submit_Date"}. ``uncounted_reserve``: the reserve of a Deliver is not in its length."""

    protocol = "smgp"
    manner = SmgpManner
    WRONG_NUMBER, THROTTLED, REFUSED, LOGIN_REFUSED = 39, 1, 47, 21

    def __init__(self, logins, *, padded_id=False, labels=None, uncounted_reserve=False, **more):
        super().__init__(logins, **more)
        self.padded_id, self.labels, self.uncounted_reserve = padded_id, labels or {}, uncounted_reserve
        self._begun = int(time()) % 10**6

    def new_id(self):
        """MsgID: gateway 3, MMDDHHMM 4, counter 3 bytes, all of them decimal digits."""
        self._ids += 1
        stamp = strftime("%m%d%H%M", gmtime(time() + CHINA_SECONDS))
        return f"010021{stamp}{(self._begun + self._ids) % 10**6:06d}"


def minute(seconds):
    """YYMMDDHHMM in China's time."""
    return strftime("%y%m%d%H%M", gmtime(seconds + CHINA_SECONDS))
