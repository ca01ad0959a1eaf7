"""The district platform's JSON: signed, with names that an account may map to another platform's.

A request of ours, and a call of our hook, is signed with HMAC-SHA256 under the account's secret over the time stamp
(seconds since 1970), the nonce and the raw body, each on a line of its own::

    X-Sms-Time: 1795400000
    X-Sms-Nonce: 0f3c…           16 to 64 letters, digits, - or _; used once
    X-Sms-Signature: hex(hmac_sha256(secret, time + "\\n" + nonce + "\\n" + body))

Sent:      {"account", "from", "messages": [{"id", "phone", "text"}]}
Answered:  {"results": [{"id", "message_id", "status", "seconds"}]}
Asked:     {"account", "ids": [...]}, answered as above, "status" being a report's word once there is one
Reported:  {"reports": [{"message_id", "phone", "status", "error", "time"}],
            "incoming": [{"message_id", "phone", "to", "text"}]}
"""

import base64
import hashlib
import hmac
import json
import re
import secrets
from datetime import UTC, datetime, timedelta, timezone
from time import time

from django.utils.translation import gettext as _

from clinic import text
from messaging.gateways import options as settings
from messaging.gateways.base import Answer, Garbled, GatewayError, Incoming, Report, Verdict
from messaging.gateways.frames import digits
from messaging.gateways.words import outcome_of

TIME, NONCE, SIGNATURE, ACCOUNT = "X-Sms-Time", "X-Sms-Nonce", "X-Sms-Signature", "X-Sms-Account"
NONCES = re.compile(r"[A-Za-z0-9_-]{16,64}")
STAMPS = re.compile(r"[0-9]{1,12}")
CHINA = timezone(timedelta(hours=8))
ROWS = 1000  # reports and messages in one call
RAW = 1000  # bytes of each that are kept

FIELDS = {name: name for name in ("account", "from", "messages", "id", "phone", "text", "sign", "ids")}
ANSWER = {
    "results": "results", "id": "id", "message_id": "message_id", "status": "status", "seconds": "seconds",
    "batch_id": "",
}  # fmt: skip
REPORT = {
    "reports": "reports", "message_id": "message_id", "phone": "phone", "status": "status", "error": "error",
    "time": "time", "incoming": "incoming", "to": "to", "text": "text", "batch_id": "",
}  # fmt: skip
# Status words of an answer; any case. What is not here is nobody's word: in doubt, unless options["other"] says more.
STATUSES = {
    "ok": "accepted", "accepted": "accepted", "success": "accepted", "0": "accepted", "true": "accepted",
    "throttled": "throttled", "busy": "throttled", "elsewhere": "elsewhere", "closed": "closed",
    "quota": "closed", "refused": "refused", "unknown": "not_sent", "under_way": "accepted",
}  # fmt: skip
# 移动云MAS, POST /sms/norsubmit (sms-protocols 2.6): one text to several numbers, one number for the batch, no query.
MAS = {
    "path": "/sms/norsubmit",
    "query_path": "none",
    "answer": {"results": "", "status": "rspcod", "batch_id": "msgGroup", "id": "", "message_id": ""},
    "report": {
        "reports": "", "batch_id": "msgGroup", "message_id": "", "phone": "mobile", "status": "reportStatus",
        "error": "errorCode", "time": "receiveDate",
    },
    "statuses": {"InvalidUsrOrPwd": "closed", "NoSign": "refused", "IllegalSignId": "closed",
                 "TooManyMobiles": "refused", "InvalidMessage": "refused", "IllegalMac": "closed"},
    "stats": {"CM:0000": "delivered"},
}  # fmt: skip


class HttpError(GatewayError):
    """A fault of this platform."""


class HttpGarbled(HttpError, Garbled):
    """An answer, or a call of the hook, that says nothing in the account's words."""

    def __init__(self, code="answer"):
        super().__init__(_("the platform sent what cannot be read"), code=code)


def signature(secret: str, stamp: str, nonce: str, body: bytes) -> str:
    return hmac.new(secret.encode(), f"{stamp}\n{nonce}\n".encode() + body, hashlib.sha256).hexdigest()


def signed(secret: str, body: bytes, account: str = "") -> dict[str, str]:
    """Headers of a request made now."""
    stamp, nonce = str(int(time())), secrets.token_hex(16)
    headers = {TIME: stamp, NONCE: nonce, SIGNATURE: signature(secret, stamp, nonce, body)}
    return {**headers, ACCOUNT: account} if account else headers


class Words:
    """An account's options, read once. Raises HttpError "settings" where one fits nowhere."""

    def __init__(self, given: dict, login="", secret="", access_number=""):
        settings.settled(HttpError, lambda: self._read(dict(given or {})))
        self.login, self.secret, self.access_number = login, secret, access_number

    def _read(self, given):
        self.mas = given.get("preset") == "mas"
        options = {**MAS, **given} if self.mas else given
        preset = MAS if self.mas else {}
        both = lambda name: {**preset.get(name, {}), **(given.get(name) or {})}  # noqa: E731
        self.path = str(options.get("path", "/sms/send"))
        self.query_path = str(options.get("query_path", "/sms/query"))
        if self.query_path == "none":
            self.query_path = ""
        self.batch = max(1, int(options.get("batch", 20)))
        self.fields = {**FIELDS, **(options.get("fields") or {})}
        self.answer = {**ANSWER, **both("answer")}
        self.report = {**REPORT, **both("report")}
        statuses = {**STATUSES, **both("statuses")}
        self.statuses = {str(word).lower(): Verdict(said) for word, said in statuses.items()}
        self.other = Verdict(options.get("other", "in_doubt"))
        self.by_status = {int(code): Verdict(said) for code, said in (options.get("http") or {}).items()}
        self.meanings = settings.meanings({"stats": both("stats")}, HttpError)
        self.constant = dict(options.get("constant") or {})
        self.sign = str(options.get("sign", ""))
        if not all(path.startswith("/") for path in (self.path, self.query_path or "/")):
            raise ValueError("an address's path begins with /")
        if not all(
            isinstance(name, str)
            for names in (self.fields, self.answer, self.report)
            for name in names.values()
        ):
            raise ValueError("a name is a text")

    # what we say

    def sending(self, work) -> bytes:
        """The body that carries these (sequence, Segment)."""
        if self.mas:
            return self._mas(work)
        names = self.fields
        rows = []
        for sequence, segment in work:
            row = {names["id"]: sequence, names["phone"]: segment.phone, names["text"]: segment.text}
            if segment.parts > 1:
                row |= {"part": segment.part, "parts": segment.parts, "reference": segment.reference}
            if self.sign:
                row[names["sign"]] = self.sign
            rows.append(row)
        said = {**self.constant, names["account"]: self.login, names["messages"]: rows}
        if self.access_number:
            said[names["from"]] = self.access_number
        return json.dumps(said, ensure_ascii=False).encode("utf-8", "replace")

    def asking(self, sequences) -> bytes:
        names = self.fields
        said = {**self.constant, names["account"]: self.login, names["ids"]: list(sequences)}
        return json.dumps(said, ensure_ascii=False).encode()

    def _mas(self, work):
        company, content = str(self.constant.get("ecName", "")), work[0][1].text
        mobiles = ",".join(segment.phone for _, segment in work)
        serial = self.access_number
        parts = (company, self.login, self.secret, mobiles, content, self.sign, serial)
        mac = hashlib.md5("".join(parts).encode("utf-8", "replace"), usedforsecurity=False).hexdigest()
        said = {
            "ecName": company, "apId": self.login, "mobiles": mobiles, "content": content, "sign": self.sign,
            "addSerial": serial, "mac": mac,
        }  # fmt: skip
        return base64.b64encode(json.dumps(said, ensure_ascii=False).encode("utf-8", "replace"))

    # what we hear

    def answers(self, body: bytes, work) -> list[Answer]:
        """One answer for each of ``work``; IN_DOUBT for those the platform says nothing of. Raises HttpGarbled."""
        said = read_json(body)
        if self.answer["batch_id"]:
            return self._batch_answers(said, work)
        rows = {word(row.get(self.answer["id"])): row for row in self._rows(said, self.answer["results"])}
        return [self._one(rows.get(sequence), sequence, segment) for sequence, segment in work]

    def _one(self, row, sequence, segment):
        if row is None:
            return Answer(segment.attempt, Verdict.IN_DOUBT, code="no result")
        status = word(row.get(self.answer["status"]))
        verdict = self.statuses.get(status.lower(), self.other)
        number = word(row.get(self.answer["message_id"])) or sequence
        taken = verdict is Verdict.ACCEPTED
        return Answer(
            segment.attempt, verdict, number if taken else "", status[:40],
            0 if taken else seconds(row.get(self.answer["seconds"])),
        )  # fmt: skip

    def _batch_answers(self, said, work):
        if not isinstance(said, dict):
            raise HttpGarbled
        status, batch = word(said.get(self.answer["status"])), word(said.get(self.answer["batch_id"]))
        verdict = self.statuses.get(status.lower(), self.other)
        taken = verdict is Verdict.ACCEPTED
        if taken and not batch:
            raise HttpGarbled
        return [
            Answer(one.attempt, verdict, f"{batch}:{one.phone}"[:65] if taken else "", status[:40])
            for _, one in work
        ]

    def found(self, body: bytes, sequence: str, phone: str) -> Report | Answer | None:
        """What the platform says of one message it was asked for."""
        rows = [row for row in self._rows(read_json(body), self.answer["results"])
                if word(row.get(self.answer["id"])) == sequence]  # fmt: skip
        if not rows:
            return None
        status, number = (
            word(rows[0].get(self.answer["status"])),
            word(rows[0].get(self.answer["message_id"])),
        )
        verdict = self.statuses.get(status.lower())
        if verdict is not None and status not in self.meanings:
            accepted = verdict is Verdict.ACCEPTED
            return Answer(0, verdict, (number or sequence) if accepted else "", status[:40])
        error = word(rows[0].get(self.report["error"]))
        return self._report(number or sequence, phone, status, error, rows[0])

    def told(self, body: bytes) -> tuple[list[Report], list[Incoming]]:
        """What a call of the hook says. Raises HttpGarbled if any of it cannot be read: then nothing is kept, and the
        platform's people see it."""
        said, names = read_json(body), self.report
        reports = self._rows(said, names["reports"], needed=False)
        incoming = self._rows(said, names["incoming"], needed=False) if names["incoming"] else []
        if not 0 < len(reports) + len(incoming) <= ROWS:
            raise HttpGarbled("rows")
        return [self._said_of(row) for row in reports], [self._heard(row) for row in incoming]

    def _said_of(self, row):
        names = self.report
        phone, status = phone_of(row.get(names["phone"])), word(row.get(names["status"]))
        number = word(row.get(names["message_id"]))
        if names["batch_id"]:
            number = f"{word(row.get(names['batch_id']))}:{phone}"
        if not number or not status or number.startswith(":"):
            raise HttpGarbled("report")
        return self._report(number, phone, status, word(row.get(names["error"])), row)

    def _report(self, number, phone, status, error, row):
        outcome, temporary, cause = outcome_of(status, error, self.meanings)
        return Report(
            remote_id=number, phone=phone, outcome=outcome, stat=status[:40], error=error[:40],
            temporary=temporary, cause=cause, done_at=moment(row.get(self.report["time"])), raw=raw(row),
        )  # fmt: skip

    def _heard(self, row):
        names = self.report
        said, number = row.get(names["text"]), word(row.get(names["message_id"]))
        if not isinstance(said, str) or len(said) > 2000 or not number:
            raise HttpGarbled("incoming")
        return Incoming(
            remote_id=number, phone=phone_of(row.get(names["phone"])), to=word(row.get(names["to"]))[:30],
            text=said, raw=raw(row),
        )  # fmt: skip

    def _rows(self, said, path, needed=True):
        for name in filter(None, path.split(".")):
            said = said.get(name) if isinstance(said, dict) else None
        if said is None and not needed:
            return []
        rows = [said] if isinstance(said, dict) and not path else said
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise HttpGarbled("rows")
        return rows


def read_json(body: bytes):
    """Raises HttpGarbled; NUL and half characters, which no database keeps, are garbage too."""
    try:
        said = json.loads(body.decode("utf-8"))
        unstorable = text.find_unstorable(said)
    except (ValueError, RecursionError) as error:
        raise HttpGarbled("json") from error
    if unstorable:
        raise HttpGarbled("json")
    return said


def word(value) -> str:
    """A short word or number as text; "" where there is none. Raises HttpGarbled for anything else."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int) and abs(value) < 10**40:
        return str(value)
    if isinstance(value, str) and len(value) <= 65 and value.isprintable():
        return value.strip()
    raise HttpGarbled("word")


def phone_of(value) -> str:
    number = digits(word(value))
    if not number or len(number) > 20 or not (number.isascii() and number.isdigit()):
        raise HttpGarbled("phone")
    return number


def seconds(value) -> float:
    """How long a platform wants to be left alone; at most a day."""
    if isinstance(value, str) and value.strip().isascii() and value.strip().isdigit():
        value = int(value.strip()[:9])
    return float(min(value, 86400)) if isinstance(value, int | float) and value > 0 else 0.0


def moment(value) -> datetime | None:
    """A time as platforms write it: seconds since 1970, ISO 8601, YYYYMMDDhhmmss; China's where no zone is said."""
    try:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(value, UTC)
        if not isinstance(value, str) or not value or len(value) > 40:
            return None
        if value.isdigit() and len(value) in (12, 14):
            return (
                datetime.strptime(value.ljust(14, "0"), "%Y%m%d%H%M%S").replace(tzinfo=CHINA).astimezone(UTC)
            )
        at = datetime.fromisoformat(value)
        return (at if at.tzinfo else at.replace(tzinfo=CHINA)).astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        return None


def raw(row) -> bytes:
    return json.dumps(row, ensure_ascii=False).encode("utf-8", "replace")[:RAW]
