"""SMPP 3.4 as a client, port 2775 (issue 1.2; sms-protocols 2.4). Frames are smpplib's, connections ours
(``link``, ``pool``): smpplib's own client waits for each answer.

Options of an account, all of them optional:

====================  ======================================================================================
``system_type``       of the bind, ""
``source_ton/npi``    of the access number, 0 and 1
``dest_ton/npi``      of the phones, 1 (international) and 1
``prefix``            put before the eleven digits of the phone, "86"
``service_type``      ""
``priority``          0
``valid_hours``       the carrier gives up after so many hours, 0 (its own choice)
``ids``               how a receipt's id is compared with the answer's. "loose": any case, zeros in front do not
                      count. "exact". "receipts_hex": the answer's is decimal, the receipt's hexadecimal.
                      "receipts_decimal": the other way round
``id_width``          a query's id is filled up with zeros to so many signs, 0
``codes``             {"1025": "closed"}: a status' meaning at this account (base.Verdict's values)
``stats``             {"UNDELIV 027": "temporary"}: a receipt's meaning at this account (options.MEANINGS)
``zone``              hours from Greenwich of the receipts' times, 8
====================  ======================================================================================

``query`` (query_sm) wants the carrier's own id: of a message whose answer never came, SMPP has no question.
"""

import asyncio
import hashlib
import logging
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from time import time

from django.utils.translation import gettext as _

from messaging.gateways import options as settings
from messaging.gateways import smpp_pdus as pdus
from messaging.gateways import text as texts
from messaging.gateways.base import Incoming, LoginRefused, Outcome, Report, Verdict
from messaging.gateways.dialect import Dialect
from messaging.gateways.frames import digits
from messaging.gateways.options import settled
from messaging.gateways.pool import LinkPool
from messaging.gateways.smpp_pdus import RESPONSE, SmppError, SmppGarbled
from messaging.gateways.words import outcome_of

log = logging.getLogger(__name__)

HEADER_FLAG = 0x40  # esm_class: the text begins with a user data header
RECEIPT, NOTICE, KIND = 0x04, 0x20, 0x3C  # esm_class of a deliver_sm: receipt, intermediate notice
PERMANENT = 0x65  # ESME_RX_P_APPN: do not send it again
UNKNOWN_COMMAND = 3
RAW = 1000  # bytes of a frame that are kept

# Status of a submit (5.1.3). What is not here was the message's or the account's fault.
VERDICTS = {
    0x00: Verdict.ACCEPTED,
    0x04: Verdict.CLOSED,  # not bound for sending
    0x08: Verdict.THROTTLED,  # system error
    0x0B: Verdict.ELSEWHERE,  # invalid destination
    0x14: Verdict.THROTTLED,  # queue full
    0x45: Verdict.ELSEWHERE,  # submit failed
    0x58: Verdict.THROTTLED,
    0x64: Verdict.THROTTLED,  # temporary fault of the application
}
CLOSED_SECONDS = 30

# message_state (5.2.28) as the words that receipts use.
STATES = {
    1: "ENROUTE",
    2: "DELIVRD",
    3: "EXPIRED",
    4: "DELETED",
    5: "UNDELIV",
    6: "ACCEPTD",
    7: "UNKNOWN",
    8: "REJECTD",
}
ID = re.compile(r"\bid:\s*([^\s]{1,65})", re.IGNORECASE)
STAT = re.compile(r"\bstat:\s*([A-Za-z]{1,10})", re.IGNORECASE)
ERROR = re.compile(r"\berr:\s*([0-9A-Za-z]{1,8})", re.IGNORECASE)
DONE = re.compile(r"\bdone date:\s*(\d{10}(?:\d\d)?)", re.IGNORECASE)
CODECS = {1: texts.ASCII, 3: texts.ASCII, 8: texts.UCS2}  # data_coding → messaging.gateways.text


class SmppLoginRefused(SmppError, LoginRefused):
    """A bind's answer with a status other than 0."""

    def __init__(self, status):
        super().__init__(_("the carrier refused the login"), code=f"login 0x{status:02x}")


def same_id(given: str, how: str, receipt=False) -> str:
    """The form in which an answer's id and its receipt's are equal."""
    given = given.strip()[:65]
    try:
        if receipt and how == "receipts_hex":
            return str(int(given, 16))
        if receipt and how == "receipts_decimal":
            return f"{int(given):x}"
    except ValueError:
        return given.lower()
    if how == "exact":
        return given
    return given.lower().lstrip("0") or given[:1]


class Smpp(Dialect):
    SMALLEST = 16
    LARGEST = 66_000  # a text in message_payload has 64 KiB

    def __init__(self, account):
        super().__init__(account)
        options = account.options
        self.ids = str(options.get("ids", "loose"))
        self.verdicts = VERDICTS | settings.codes(options, SmppError)
        self.words = settings.meanings(options, SmppError)
        self.zone, self.constant = settled(SmppError, lambda: _settings(account))
        self.questions: dict[int, asyncio.Future] = {}

    # what we say

    def login(self, sequence):
        account = self.account
        return pdus.build(
            "bind_transceiver", int(sequence, 16), system_id=account.login, password=account.secret,
            system_type=str(account.options.get("system_type", "")),
        )  # fmt: skip

    def submit(self, sequence, segment):
        udh, content = texts.encode_part(segment.text, segment.part, segment.parts, segment.reference)
        if len(content) > 140:
            raise SmppError(_("the text is too long for one message"), code="length")
        return pdus.build(
            "submit_sm", int(sequence, 16), **self.constant,
            destination_addr=str(self.account.options.get("prefix", "86")) + segment.phone,
            esm_class=HEADER_FLAG if udh else 0, short_message=content,
        )  # fmt: skip

    def question(self, sequence, remote_id):
        width = int(self.account.options.get("id_width", 0))
        source = {name: value for name, value in self.constant.items() if name.startswith("source_")}
        return pdus.build("query_sm", sequence, message_id=remote_id.zfill(width), **source)

    def active_test(self, sequence):
        return pdus.bare(pdus.ENQUIRE, int(sequence, 16))

    def good_bye(self, sequence):
        return pdus.bare(pdus.UNBIND, int(sequence, 16))

    # what we hear

    def read(self, frame, link):
        command, status, sequence = pdus.head(frame)
        if command == pdus.SUBMIT | RESPONSE or command == pdus.NACK:
            self._submitted(frame, command, status, sequence, link)
        elif command in (pdus.DELIVER, pdus.DATA):
            self._delivered(frame, command, sequence, link)
        elif command == pdus.ENQUIRE:
            link.reply(pdus.bare(pdus.ENQUIRE | RESPONSE, sequence))
        elif command == pdus.ENQUIRE | RESPONSE:
            link.alive()
        elif command == pdus.BIND_TRANSCEIVER | RESPONSE:
            if status:
                raise SmppLoginRefused(status)
            link.logged_in()
        elif command == pdus.QUERY | RESPONSE:
            self._queried(frame, status, sequence)
        elif command == pdus.UNBIND:
            link.farewell(pdus.bare(pdus.UNBIND | RESPONSE, sequence))
        elif command == pdus.UNBIND | RESPONSE:
            link.left()
        elif command < RESPONSE:
            link.reply(pdus.bare(pdus.NACK, sequence, UNKNOWN_COMMAND))

    def _submitted(self, frame, command, status, sequence, link):
        """submit_sm_resp, or generic_nack to whatever we said."""
        if (asked := self.questions.get(sequence)) is not None:
            return asked.done() or asked.set_result(None)
        if command == pdus.NACK and not link.up:
            raise SmppLoginRefused(status)
        verdict = self.verdicts.get(status, Verdict.REFUSED)
        remote_id = ""
        if command == pdus.NACK and not status:
            verdict = Verdict.REFUSED
        elif verdict is Verdict.ACCEPTED:
            remote_id = same_id(pdus.loose(pdus.read(frame).message_id), self.ids)
        seconds = CLOSED_SECONDS if verdict is Verdict.CLOSED else 0
        return link.answered(f"{sequence:08x}", verdict, remote_id, f"0x{status:02x}", seconds)

    def _delivered(self, frame, command, sequence, link):
        pdu = pdus.read(frame)
        if pdu.data_coding is None:
            raise SmppGarbled("deliver")
        content = pdus.content(pdu)
        answer = command | RESPONSE
        yes = pdus.HEADER.pack(17, answer, 0, sequence) + b"\0"
        kind = pdu.esm_class & KIND
        if kind not in (RECEIPT, NOTICE):
            link.heard(self._incoming(pdu, content, frame), yes)
        elif (report := self._report(pdu, content, kind, frame)) is not None:
            link.reported(report, yes)
        else:  # asking for it again would bring the same bytes again
            log.warning("gateway %s: a receipt could not be read", self.account.gateway)
            link.reply(pdus.HEADER.pack(17, answer, PERMANENT, sequence) + b"\0")

    def _report(self, pdu, content, kind, frame) -> Report | None:
        """A receipt: its optional parameters first, what they leave out from the text (appendix B)."""
        words = content.decode("ascii", "replace")
        given = pdus.loose(pdu.tlvs.get(pdus.RECEIPTED_ID)) or _found(ID, words)
        if not given:
            return None
        state = pdu.tlvs.get(pdus.STATE, b"")
        stat = STATES.get(state[0], "") if len(state) == 1 else ""
        stat, error = stat or _found(STAT, words).upper() or "UNKNOWN", _found(ERROR, words)
        if not error and (network := pdu.tlvs.get(pdus.NETWORK_ERROR)):
            error = network.hex()
        outcome, temporary, cause = outcome_of(stat, error, self.words)
        if kind == NOTICE and outcome is not Outcome.DELIVERED:
            outcome, temporary, cause = Outcome.UNDER_WAY, False, ""
        return Report(
            remote_id=same_id(given, self.ids, receipt=True), phone=digits(pdus.loose(pdu.source_addr))[:20],
            outcome=outcome, stat=stat, error=error[:40], temporary=temporary, cause=cause,
            done_at=moment(_found(DONE, words), self.zone), raw=frame[:RAW],
        )  # fmt: skip

    def _incoming(self, pdu, content, frame) -> Incoming:
        """SMPP gives messages from handsets no number: ours is made of the frame and the hour, so that the same frame
        again is the same message."""
        fmt = CODECS.get(pdu.data_coding, texts.ASCII if content.isascii() else texts.GBK)
        piece = texts.decode(content, fmt, bool(pdu.esm_class & HEADER_FLAG))
        part, parts, reference = pdus.joined(pdu) or (piece.part, piece.parts, piece.reference)
        number = hashlib.blake2b(frame + str(int(time() // 3600)).encode(), digest_size=16).hexdigest()
        return Incoming(
            remote_id=number, phone=digits(pdus.loose(pdu.source_addr))[:20], to=pdus.loose(pdu.destination_addr)[:30],
            text=piece.text, part=part, parts=parts, reference=reference, raw=frame[:RAW],
        )  # fmt: skip

    def _queried(self, frame, status, sequence):
        asked = self.questions.get(sequence)
        if asked is None or asked.done():
            return
        if status:
            asked.set_result(
                None
            )  # "no such id" is no proof: carriers forget theirs, and write them in many ways
            return
        pdu = pdus.read(frame)
        stat = STATES.get(pdu.message_state, "UNKNOWN")
        error = str(pdu.error_code or "")
        outcome, temporary, cause = outcome_of(stat, error, self.words)
        asked.set_result(
            Report(
                remote_id=same_id(pdus.loose(pdu.message_id), self.ids), phone="", outcome=outcome, stat=stat,
                error=error, temporary=temporary, cause=cause, done_at=moment(pdus.loose(pdu.final_date)[:12], self.zone),
            )
        )  # fmt: skip


class SmppPool(LinkPool):
    dialect = Smpp
    can_query = True

    async def query(self, sequence, remote_id, phone):
        """Ask with query_sm. None: no id, no connection, no answer, or the carrier does not say."""
        link = next((one for one in self.links.values() if one.up and one.open), None)
        if link is None or not remote_id:
            return None
        number = int(self.next_sequence(), 16)
        asked = link.dialect.questions[number] = asyncio.get_running_loop().create_future()
        try:
            link.transport.write(link.dialect.question(number, remote_id))
            await asyncio.wait(
                [asked, link.ended], timeout=self.account.answer_seconds, return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            link.dialect.questions.pop(number, None)
        found = asked.result() if asked.done() else None
        return replace(found, phone=phone) if isinstance(found, Report) else found


def moment(stamp: str, zone) -> datetime | None:
    """YYMMDDhhmm or YYMMDDhhmmss."""
    try:
        shape = "%y%m%d%H%M%S" if len(stamp) == 12 else "%y%m%d%H%M"
        return datetime.strptime(stamp, shape).replace(tzinfo=zone).astimezone(UTC)
    except ValueError:
        return None


def _settings(account):
    """(zone of the receipts, the fields that are the same in all submits)."""
    options = account.options
    zone = timezone(timedelta(hours=float(options.get("zone", 8))))
    hours = int(options.get("valid_hours", 0))
    constant = {
        "service_type": str(options.get("service_type", "")),
        "source_addr_ton": int(options.get("source_ton", 0)),
        "source_addr_npi": int(options.get("source_npi", 1)),
        "source_addr": account.access_number,
        "dest_addr_ton": int(options.get("dest_ton", 1)),
        "dest_addr_npi": int(options.get("dest_npi", 1)),
        "priority_flag": int(options.get("priority", 0)),
        "registered_delivery": 1,
        "data_coding": texts.UCS2,
        "validity_period": f"0000{hours // 24:02d}{hours % 24:02d}0000000R" if hours else "",
    }
    return zone, constant


def _found(pattern, words):
    found = pattern.search(words)
    return found.group(1) if found else ""
