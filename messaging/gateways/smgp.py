"""China Telecom's gateway over SMGP 3.0, port 8890. The bytes are in ``smgp_frames``, the connections in ``link`` and
``pool``.

Options of an account, all of them optional:

=================  ==================================================================================================
``padded_id``      hash an account shorter than eight signs with zero bytes up to eight, false; operators differ
``mode``           LoginMode: 0 send, 1 receive, 2 both (2)
``format``         MsgFormat: 8 UCS-2 (the default) or 15 GBK; a text that GBK has not all signs of goes as 8
``service_id``     ServiceID, ""
``fee_type``       FeeType, "00" (free); ``fee_code`` and ``fixed_fee``, "0"; ``charge_number``, ""
``company``        MsgSrc, the company's code; ``product``: MServiceID; both left out when empty
``opens``          when the carrier's sending hours begin, "08:00"; ``closes``: when they end, "20:00"; China's time
``codes``          {"128": "throttled"}: a status's verdict at this account (base.Verdict's values)
``stats``          {"UNDELIV 006": "temporary"}: what a report's word, or word and error, means at this account:
                   delivered, failed, expired, under_way, temporary (failed, but may arrive at another hour), or one
                   of Report.cause
=================  ==================================================================================================
"""

import logging
from datetime import UTC, datetime, time, timedelta, timezone

from django.utils.translation import gettext as _

from messaging.gateways import options as settings
from messaging.gateways import smgp_frames as wire
from messaging.gateways import text
from messaging.gateways.base import Incoming, Outcome, Report, Verdict
from messaging.gateways.dialect import Dialect
from messaging.gateways.frames import digits
from messaging.gateways.options import settled
from messaging.gateways.pool import LinkPool
from messaging.gateways.smgp_frames import (
    HEADER,
    RESPONSE,
    Command,
    SmgpError,
    SmgpGarbled,
    SmgpLoginRefused,
    SmgpUnreachable,
    Tag,
)

log = logging.getLogger(__name__)

CHINA = timezone(timedelta(hours=8))
VERDICTS = {
    0: Verdict.ACCEPTED,
    1: Verdict.THROTTLED,  # system busy: the only code near "too fast" that the document has
    2: Verdict.CLOSED,  # too many connections
    20: Verdict.CLOSED,  # address
    21: Verdict.CLOSED,  # secret
    22: Verdict.CLOSED,  # version
    39: Verdict.ELSEWHERE,  # route
    58: Verdict.ELSEWHERE,  # no route
    74: Verdict.CLOSED,  # forbidden hours
    75: Verdict.CLOSED,  # daily volume
    76: Verdict.CLOSED,  # account expired
}  # everything else: the message or the account's settings are wrong
FULL = frozenset({1, 2})  # to a login: busy, or the last owner's connections still count
TEMPORARY = frozenset({"001", "002", "007"})  # not reached, busy, memory full
CAUSES = {"001": "absent", "002": "absent", "004": "empty_number", "005": "blacklisted", "007": "full"}
MINUTE, HOUR = 60.0, 3600.0


def now_in_china():
    return datetime.now(CHINA)


class Smgp(Dialect):
    SMALLEST = HEADER.size
    LARGEST = wire.MAX_FRAME
    PADDING = len(wire.RESERVE)  # some peers write the reserve and do not count it

    def __init__(self, account, now=now_in_china):
        super().__init__(account)
        self.options, self.now = account.options, now
        self.verdicts = VERDICTS | settings.codes(self.options, SmgpError)
        self.meanings = settings.meanings(self.options, SmgpError)
        self.digest = b""

    # what we say

    def login(self, sequence):
        return settled(SmgpError, lambda: wire.pack(Command.LOGIN, int(sequence, 16), self._login()))

    def submit(self, sequence, segment):
        return settled(
            SmgpError, lambda: wire.pack(Command.SUBMIT, int(sequence, 16), self._message(segment))
        )

    def active_test(self, sequence):
        return wire.pack(Command.ACTIVE_TEST, int(sequence, 16))

    def good_bye(self, sequence):
        return wire.pack(Command.EXIT, int(sequence, 16))

    def _login(self):
        login, secret, stamp = self.account.login, self.account.secret, int(f"{self.now():%m%d%H%M%S}")
        self.digest = wire.authenticator(login, secret, stamp, padded=bool(self.options.get("padded_id")))
        return wire.Login(login, self.digest, stamp, int(self.options.get("mode", 2)))

    def _message(self, segment):
        form, content, fields = encoded(segment, int(self.options.get("format", text.UCS2)))
        for tag, name in ((Tag.COMPANY, "company"), (Tag.PRODUCT, "product")):
            if value := self._option(name):
                fields[tag] = value.encode("ascii")
        option = self._option
        return wire.Submit(
            source=self.account.access_number, numbers=(segment.phone,), content=content, format=form, fields=fields,
            service_id=option("service_id"), fee_type=option("fee_type", "00"), fee_code=option("fee_code", "0"),
            fixed_fee=option("fixed_fee", "0"), charge_number=option("charge_number"),
        )  # fmt: skip

    def _option(self, name, default=""):
        return str(self.options.get(name, default))

    # what we hear

    def read(self, frame, link):
        _length, command, number = HEADER.unpack_from(frame)
        if command == Command.SUBMIT | RESPONSE:
            self._submitted(f"{number:08x}", wire.MessageResp.unpack(frame[HEADER.size :]), link)
        elif command == Command.DELIVER:
            self._delivered(number, frame, link)
        elif command == Command.ACTIVE_TEST:
            link.reply(wire.pack(command | RESPONSE, number))
        elif command == Command.ACTIVE_TEST | RESPONSE:
            link.alive()
        elif command == Command.LOGIN | RESPONSE:
            self._logged_in(wire.LoginResp.unpack(frame[HEADER.size :]), link)
        elif command == Command.EXIT:
            link.farewell(wire.pack(command | RESPONSE, number))
        elif command == Command.EXIT | RESPONSE:
            link.left()

    def _logged_in(self, answer, link):
        if answer.status:
            fault = SmgpUnreachable if answer.status in FULL else SmgpLoginRefused
            raise fault(refusal(answer.status), code=f"login {answer.status}")
        if answer.authenticator != wire.server_authenticator(0, self.digest, self.account.secret):
            log.info("gateway %s: the carrier's authenticator is wrong", self.account.gateway)
        link.logged_in()

    def _submitted(self, sequence, answer, link):
        verdict = self.verdicts.get(answer.status, Verdict.REFUSED)
        remote_id = answer.message_id.hex() if verdict is Verdict.ACCEPTED else ""
        seconds = closed_for(answer.status, self.options, self.now()) if verdict is Verdict.CLOSED else 0
        link.answered(sequence, verdict, remote_id, str(answer.status), seconds)

    def _delivered(self, number, frame, link):
        message = wire.Deliver.unpack(frame[HEADER.size :])
        reply = wire.pack(Command.DELIVER | RESPONSE, number, wire.MessageResp(message.message_id, 0))
        if message.is_report:
            link.reported(told(message, frame, self.meanings), reply)
        else:
            link.heard(heard(message, frame), reply)


class SmgpPool(LinkPool):
    dialect = Smgp


def refusal(status):
    words = {
        1: _("the carrier is busy"),
        2: _("too many connections of this account"),
        20: _("the carrier does not know our address"),
        21: _("the carrier does not accept the secret"),
        22: _("the carrier does not speak this version"),
        76: _("the account has expired"),
    }
    return words.get(status, _("the carrier refused the login"))


def encoded(segment, form):
    """(MsgFormat, content, optional fields) of a segment. GBK only where it has every sign: those it lacks would take
    four bytes each in GB18030 and run over the 140."""
    udhi, content = text.encode_part(segment.text, segment.part, segment.parts, segment.reference)
    if form == text.GBK:
        head = content[:6] if udhi else b""
        try:
            content = head + segment.text.encode("gbk")
        except UnicodeEncodeError:
            form = text.UCS2
    if len(content) > 140:
        raise SmgpError(_("the text is too long for one message"), code="length")
    if not udhi:
        return form, content, {}
    return (
        form,
        content,
        {Tag.UDHI: b"\1", Tag.PARTS: bytes([segment.parts]), Tag.PART: bytes([segment.part])},
    )


def closed_for(status, options, now):
    """Seconds until an account that was told so may be tried again. ``now``: China's time."""
    if status == 75:  # the day's volume: a new day, and a little for clocks that differ
        return (_next(time(0, 5), now) - now).total_seconds()
    if status == 74:
        opens, closes = _clock(options.get("opens"), 8), _clock(options.get("closes"), 20)
        if opens <= now.time() < closes:  # the carrier's hours are not what we were told
            return HOUR / 4
        return (_next(opens, now) - now).total_seconds()
    return HOUR if status == 76 else MINUTE


def _next(clock, now):
    at = now.replace(hour=clock.hour, minute=clock.minute, second=0, microsecond=0)
    return at if at > now else at + timedelta(days=1)


def _clock(word, hour):
    try:
        return time.fromisoformat(word)
    except (TypeError, ValueError):
        return time(hour)


def told(message, frame, own=()):
    """A report out of a Deliver. One whose text says nothing readable is kept as under way, with its bytes."""
    try:
        said = wire.Report.unpack(message.content)
    except SmgpGarbled:
        said = wire.Report(message.message_id, "", "")
    outcome, temporary, cause = meaning(said.stat, said.error, own)
    return Report(
        remote_id=said.message_id.hex(), phone=handset(message.source, message.target), outcome=outcome,
        stat=said.stat, error=said.error, temporary=temporary, done_at=_minute(said.done), raw=frame,
        cause=cause,
    )  # fmt: skip


def meaning(stat, error, own=()):
    """(outcome, temporary, cause) of a report's word and error. ``own``: the account's options.meanings."""
    for word in (f"{stat} {error}", stat):
        if word in own:
            return own[word]
    word = stat.upper()
    if word in ("", "ACCEPTD", "ENROUTE"):
        return Outcome.UNDER_WAY, False, ""
    if word.startswith("DELIV"):  # DELIVED and DELIVER are seen too
        return Outcome.DELIVERED, False, ""
    if word == "EXPIRED":
        return Outcome.EXPIRED, True, CAUSES.get(error, "")
    return Outcome.FAILED, error in TEMPORARY, CAUSES.get(error, "")


def handset(source, target):
    """The handset's number in a report: its source by the book; some gateways put it the other way round."""
    numbers = [digits(number)[:20] for number in (source, target)]
    mobiles = (
        number for number in numbers if len(number) == 11 and number[0] == "1" and number[1] in "3456789"
    )
    return next(mobiles, numbers[0])


def _minute(word):
    try:
        return datetime.strptime(word, "%y%m%d%H%M").replace(tzinfo=CHINA).astimezone(UTC)
    except ValueError:
        return None


def heard(message, frame):
    udhi = message.fields.get(Tag.UDHI, b"\0") == b"\1"
    piece = text.decode(message.content, message.format, udhi)
    return Incoming(
        remote_id=message.message_id.hex(), phone=digits(message.source)[:20], to=message.target, text=piece.text,
        part=piece.part, parts=piece.parts, reference=piece.reference, raw=frame,
    )  # fmt: skip
