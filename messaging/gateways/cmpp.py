"""China Mobile's CMPP 2.0 and 3.0 as a client (QB-GF-028-2003; sms-protocols 2.1), port 7890.

One file for both: 3.0 has longer numbers, four-byte results and a type after each number.

Options of an account, all of them optional:

=====================  =====================================================================================
``service_id``         Service_Id, up to 10 characters
``fee_user_type``      Fee_UserType, 2 (the sender pays)
``fee_terminal_id``    Fee_terminal_Id, ""
``fee_type``           FeeType, "01" (free)
``fee_code``           FeeCode in fen, "000000"
``source``             Msg_src, the account
``link_id``            LinkID (3.0), ""
``level``              Msg_level, 0
``pid``                TP_pid, 0
``prefix``             put before the eleven digits of the phone, "" ("86")
``version``            the version byte, 0x20 or 0x30 as a number
``padded_id``          hash an account shorter than six signs with zero bytes up to six (rare), false
``valid_hours``        the carrier gives up after so many hours, 0 (its own choice)
``codes``              {"101": "throttled"}: a Result's verdict at this account (base.Verdict's values)
``stats``              {"MA:0001": "blacklisted"}: a Stat's meaning at this account (options.MEANINGS): delivered,
                       failed, expired, under_way, temporary (failed, but may arrive at another hour), or one of
                       Report.cause
=====================  =====================================================================================
"""

import hashlib
import logging
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from hmac import compare_digest
from struct import Struct

from django.utils.translation import gettext as _

from messaging.gateways import options as settings
from messaging.gateways import text as texts
from messaging.gateways.base import (
    Garbled,
    GatewayError,
    Incoming,
    LoginRefused,
    Outcome,
    Report,
    Verdict,
)
from messaging.gateways.dialect import Dialect
from messaging.gateways.frames import digits, fixed, loose
from messaging.gateways.pool import LinkPool

log = logging.getLogger(__name__)

CONNECT, TERMINATE, SUBMIT, DELIVER, ACTIVE_TEST = 1, 2, 4, 5, 8
RESPONSE = 0x80000000
CHINA = timezone(timedelta(hours=8))
LONGEST = 31 * 24  # hours a message may be told to live

HEAD = Struct("!III")
COMMAND = Struct("!I").unpack_from

# Result of a submit (8.4.3.2). What is not here was the message's or the account's fault.
VERDICTS = {0: Verdict.ACCEPTED, 8: Verdict.THROTTLED, 9: Verdict.ELSEWHERE, 13: Verdict.ELSEWHERE}

# Stat of a report (8.4.5.1). What is not here failed, as vendors' own words ("MK:0021") do.
OUTCOMES = {
    "DELIVRD": (Outcome.DELIVERED, False),
    "DELIVED": (Outcome.DELIVERED, False),
    "EXPIRED": (Outcome.EXPIRED, True),
    "ACCEPTD": (Outcome.UNDER_WAY, False),
    "ENROUTE": (Outcome.UNDER_WAY, False),
    "MK:0017": (Outcome.FAILED, True),
    "MK:0024": (Outcome.FAILED, True),
    "MB:1042": (Outcome.FAILED, True),
}
FAILED = (Outcome.FAILED, False)
# The first two signs say what the short message centre said: MI expired, ML accepted; MJ deleted, MK undeliverable,
# MM unknown and MN rejected have all failed.
FAMILIES = {"MI:": (Outcome.EXPIRED, True), "ML:": (Outcome.UNDER_WAY, False)}
# Numbers after MK:, MI:, MB:, ID: that operators' lists agree on. Resellers have their own: ``stats``.
CAUSES = {
    "MK:0001": "empty_number", "MK:0012": "empty_number", "MN:0001": "empty_number",
    "DB:0100": "empty_number", "ID:0100": "empty_number",
    "MK:0017": "full", "MI:0017": "full", "MK:0024": "absent", "MI:0024": "absent", "MB:1042": "absent",
    "DB:0141": "blacklisted", "DB:0144": "blacklisted", "ID:0069": "blacklisted", "ID:0141": "blacklisted",
    "MB:1077": "blacklisted",
    "MB:1049": "elsewhere", "ID:0013": "elsewhere", "ID:0043": "elsewhere",
}  # fmt: skip


class CmppError(GatewayError):
    """A fault of this protocol."""


class CmppLoginRefused(CmppError, LoginRefused):
    """CONNECT_RESP with a status other than 0."""

    def __init__(self, status):
        reasons = {
            1: _("the carrier could not read the login"),
            2: _("the carrier does not know this account or address"),
            3: _("the carrier does not accept the secret"),
            4: _("the carrier does not speak this version"),
        }
        super().__init__(reasons.get(status, _("the carrier refused the login")), code=f"login {status}")


class CmppGarbled(CmppError, Garbled):
    """A frame that is none of CMPP."""

    def __init__(self, code):
        super().__init__(_("the carrier sent what cannot be read"), code=code)


def authenticator(account: str, secret: str, stamp: str, padded=False) -> bytes:
    """AuthenticatorSource; ``stamp`` is MMDDHHMMSS (8.4.1.1)."""
    name = account.encode().ljust(6, b"\0") if padded else account.encode()
    return hashlib.md5(name + b"\0" * 9 + secret.encode() + stamp.encode(), usedforsecurity=False).digest()


def answer_authenticator(status: int, width: int, source: bytes, secret: str) -> bytes:
    """AuthenticatorISMG; the status counts with four bytes in 3.0, with one in 2.0, or four there too (8.4.1.2)."""
    raw = status.to_bytes(width, "big") + source + secret.encode()
    return hashlib.md5(raw, usedforsecurity=False).digest()


@lru_cache(4096)
def minute(stamp: bytes) -> datetime | None:
    """YYMMDDHHMM of a report, in China's time."""
    if not stamp.isdigit():
        return None
    try:
        numbers = [int(stamp[at : at + 2]) for at in range(0, 10, 2)]
        return datetime(2000 + numbers[0], *numbers[1:], tzinfo=CHINA).astimezone(UTC)
    except ValueError:
        return None


def absolute(moment: datetime) -> str:
    """A time as ValId_Time wants it: YYMMDDhhmmss, tenths, quarter hours from Greenwich (8.5)."""
    return f"{moment.astimezone(CHINA):%y%m%d%H%M%S}032+"


class Layout:
    """Where the two versions differ."""

    def __init__(self, wide):
        self.wide = wide
        self.number = 32 if wide else 21
        self.submit_tail = 20 if wide else 8
        self.result = 4 if wide else 1
        # DELIVER after the header: Msg_Id, Dest_Id, Service_Id, TP_pid, TP_udhi, Msg_Fmt, Src, [type], report, length
        middle = "B" if wide else ""
        self.deliver = Struct(f"!8s21s10sBBB{self.number}s{middle}BB")


NARROW, WIDE = Layout(False), Layout(True)


class Cmpp(Dialect):
    SMALLEST = 12
    LARGEST = 4096

    def __init__(self, account):
        super().__init__(account)
        options = account.options
        self.layout = WIDE if account.protocol == "cmpp3" else NARROW
        self.version = settings.settled(CmppError, self._version)
        self.source = b""
        self.prefix = str(options.get("prefix", ""))
        self.codes = settings.codes(options, CmppError)
        self.stats = settings.stats(options, CmppError)
        self.causes = {**CAUSES, **settings.causes(options)}
        self._valid = (0, b"")
        self._constant = settings.settled(CmppError, self._prepare)

    # what we say

    def login(self, sequence):
        account = self.account
        stamp = f"{datetime.now(CHINA):%m%d%H%M%S}"
        name = fixed(account.login, 6, "Source_Addr")
        self.source = authenticator(
            account.login, account.secret, stamp, bool(account.options.get("padded_id"))
        )
        body = name + self.source + bytes((self.version,)) + int(stamp).to_bytes(4, "big")
        return HEAD.pack(39, CONNECT, int(sequence, 16)) + body

    def submit(self, sequence, segment):
        before, between, tail = self._constant
        layout = self.layout
        udh, content = texts.encode_part(segment.text, segment.part, segment.parts, segment.reference)
        if len(content) > 140:
            raise CmppError(_("the text is too long for one message"), code="length")
        number = fixed(self.prefix + segment.phone, layout.number, "Dest_terminal_Id")
        body = b"".join((
            b"\0\0\0\0\0\0\0\0", bytes((segment.parts, segment.part)), before, b"\1" if udh else b"\0",
            between[0], self._until(), between[1], number, b"\0" if layout.wide else b"",
            bytes((len(content),)), content, tail,
        ))  # fmt: skip
        return HEAD.pack(12 + len(body), SUBMIT, int(sequence, 16)) + body

    def active_test(self, sequence):
        return HEAD.pack(12, ACTIVE_TEST, int(sequence, 16))

    def good_bye(self, sequence):
        return HEAD.pack(12, TERMINATE, int(sequence, 16))

    def _prepare(self):
        """The fields that are the same in all submits of the account."""
        account, options, layout = self.account, self.account.options, self.layout
        said = lambda name, default="": str(options.get(name, default))  # noqa: E731
        before = b"".join((
            bytes((1, int(options.get("level", 0)))),
            fixed(said("service_id"), 10, "Service_Id"),
            bytes((int(options.get("fee_user_type", 2)),)),
            fixed(said("fee_terminal_id"), layout.number, "Fee_terminal_Id"),
            b"\0" if layout.wide else b"",
            bytes((int(options.get("pid", 0)),)),
        ))  # fmt: skip
        middle = b"".join((
            bytes((texts.UCS2,)),
            fixed(said("source", account.login), 6, "Msg_src"),
            fixed(said("fee_type", "01"), 2, "FeeType"),
            fixed(said("fee_code", "000000"), 6, "FeeCode"),
        ))  # fmt: skip
        after = bytes(17) + fixed(account.access_number, 21, "Src_Id") + b"\1"
        tail = fixed(said("link_id"), 20, "LinkID") if layout.wide else bytes(8)
        return before, (middle, after), tail

    def _version(self):
        self.hours = float(self.account.options.get("valid_hours", 0))
        if not 0 <= self.hours <= LONGEST:
            raise ValueError
        return int(self.account.options.get("version") or (0x30 if self.layout.wide else 0x20)) & 0xFF

    def _until(self):
        """ValId_Time; built once a minute."""
        if not self.hours:
            return bytes(17)
        now = datetime.now(UTC)
        this_minute = int(now.timestamp() // 60)
        if self._valid[0] != this_minute:
            self._valid = this_minute, fixed(absolute(now + timedelta(hours=self.hours)), 17, "ValId_Time")
        return self._valid[1]

    # what we hear

    def read(self, frame, link):
        command = COMMAND(frame, 4)[0]
        if command == SUBMIT | RESPONSE:
            self._submitted(frame, link)
        elif command == DELIVER:
            self._delivered(frame, link)
        elif command == ACTIVE_TEST:
            link.reply(HEAD.pack(13, ACTIVE_TEST | RESPONSE, COMMAND(frame, 8)[0]) + b"\0")
        elif command == ACTIVE_TEST | RESPONSE:
            link.alive()
        elif command == CONNECT | RESPONSE:
            self._connected(frame, link)
        elif command == TERMINATE:
            link.farewell(HEAD.pack(12, TERMINATE | RESPONSE, COMMAND(frame, 8)[0]))
        elif command == TERMINATE | RESPONSE:
            link.left()

    def _connected(self, frame, link):
        """Three lengths are about: 33 in 3.0, 30 in 2.0, and either in the other."""
        if len(frame) not in (30, 33):
            raise CmppGarbled("login answer")
        width = len(frame) - 29
        status = int.from_bytes(frame[12 : 12 + width], "big")
        if status:
            raise CmppLoginRefused(status)
        given, secret = frame[12 + width : 28 + width], self.account.secret
        right = any(
            compare_digest(given, answer_authenticator(0, one, self.source, secret)) for one in (width, 4)
        )
        if not right:  # most implementations get it wrong
            log.info("gateway %s: the carrier's authenticator is wrong", self.account.gateway)
        link.logged_in()

    def _submitted(self, frame, link):
        if len(frame) not in (21, 24):
            raise CmppGarbled("submit answer")
        result = frame[20] if len(frame) == 21 else COMMAND(frame, 20)[0]
        verdict = self.codes.get(result) or VERDICTS.get(result, Verdict.REFUSED)
        identity = frame[12:20]
        remote_id = identity.hex() if verdict is Verdict.ACCEPTED and any(identity) else ""
        link.answered(frame[8:12].hex(), verdict, remote_id, str(result))

    def _delivered(self, frame, link):
        layout = self.layout
        fields = layout.deliver.unpack_from(frame, 12)
        begin = 12 + layout.deliver.size
        content = frame[begin : begin + fields[-1]]
        if len(content) < fields[-1]:
            raise CmppGarbled("deliver length")
        if fields[-2] == 1:
            report = self._report(content)
            if report is not None:
                link.reported(report, self._reply(frame, 0))
            else:  # asking for it again would bring the same bytes again
                log.warning("gateway %s: a report could not be read", self.account.gateway)
                link.reply(self._reply(frame, 1))
            return
        piece = texts.decode(content, fields[5], fields[4] == 1)
        said = Incoming(
            remote_id=fields[0].hex(), phone=digits(loose(fields[6])), to=loose(fields[1]), text=piece.text,
            part=piece.part, parts=piece.parts, reference=piece.reference, raw=frame,
        )  # fmt: skip
        link.heard(said, self._reply(frame, 0))

    def _reply(self, frame, result):
        width = self.layout.result
        head = HEAD.pack(20 + width, DELIVER | RESPONSE, COMMAND(frame, 8)[0])
        return head + frame[12:20] + result.to_bytes(width, "big")

    def _report(self, content) -> Report | None:
        """A report's 60 bytes, or 71 in 3.0; 3.0 carriers send both."""
        width = len(content) - 39
        if not 11 <= width <= 32:
            return None
        stat = loose(content[8:15])
        outcome, temporary = self.stats.get(stat) or OUTCOMES.get(stat) or FAMILIES.get(stat[:3], FAILED)
        return Report(
            remote_id=content[:8].hex(), phone=digits(loose(content[35 : 35 + width])), outcome=outcome,
            stat=stat, temporary=temporary, done_at=minute(content[25:35]), raw=content,
            cause=self.causes.get(stat, ""),
        )  # fmt: skip


class CmppPool(LinkPool):
    dialect = Cmpp
