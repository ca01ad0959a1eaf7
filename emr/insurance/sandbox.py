"""The client of our own sandbox (emr/insurance/service.py): JSON over HTTP, signed both ways.

It trusts nothing that comes back: one deadline for the whole exchange, however slowly it drips; at most 64 kB;
no redirects; an answer that is not signed for this very question is none.
"""

import http.client
import io
import json
import socket
import time
from dataclasses import asdict
from urllib.parse import urlsplit

from django.conf import settings

from emr.codes import InsuranceWay
from emr.insurance import NUMBER, Garbled, Interface, Outcome, Refused, Standing, TooSlow, Unreachable, wire

PIECE = 16 * 1024


class Sandbox(Interface):
    way = InsuranceWay.SANDBOX

    def __init__(self, address=None, secret=None, seconds=None):
        self.address = address or settings.INSURANCE_SANDBOX_URL
        self.secret = secret or settings.INSURANCE_SECRET
        self.seconds = seconds or settings.INSURANCE_SECONDS

    def submit(self, claim):
        outcome = self._ask("/claims", {**asdict(claim), "on": claim.on.isoformat()})
        if outcome.standing is Standing.UNKNOWN:
            raise Garbled("a claim was submitted and is unknown")
        return outcome

    def query(self, *, key="", number=""):
        return self._ask("/query", {"key": key, "number": number})

    def cancel(self, number, reason):
        return self._ask("/cancel", {"number": number, "reason": reason})

    def control(self, mood):
        """Steer the sandbox; for tests and the demo."""
        self._answer("/control", {"mood": mood})

    def _ask(self, path, question):
        return _outcome(self._answer(path, question))

    def _answer(self, path, question):
        """The answer as a dict, or a fault."""
        body = json.dumps(question).encode()
        now = str(int(time.time()))
        signature = wire.of_request(self.secret, path, now, body)
        raw = exchange(self.address, path, body, {wire.TIME: now, wire.SIGNATURE: signature}, self.seconds)
        status, given, content = _parse(raw)
        if status in (502, 503, 504):
            raise Unreachable("the service is down")
        if not wire.equal(wire.of_answer(self.secret, signature, status, content), given):
            raise Garbled("not signed by the sandbox")
        answer = _json(content)
        if status == 422:
            raise Refused(answer.get("code", ""), answer.get("sentence", ""))
        if status != 200:
            raise Garbled("neither yes nor no")
        return answer


def exchange(address, path, body, headers, seconds) -> bytes:
    """Send one request and return all that comes back until the other side closes, headers included."""
    parts = urlsplit(address)
    host, port = parts.hostname, parts.port or 80
    if parts.scheme != "http" or not host:
        raise Unreachable("no usable address", sent=False)
    lines = {
        "Host": f"{host}:{port}",
        "Content-Type": "application/json",
        "Content-Length": len(body),
        **headers,
    }
    head = f"POST {path} HTTP/1.0\r\n" + "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    end = time.monotonic() + seconds
    try:
        link = socket.create_connection((host, port), timeout=seconds)
    except OSError as error:
        raise Unreachable("nobody listens", sent=False) from error
    try:
        with link:
            link.settimeout(_left(end))
            link.sendall(head.encode() + b"\r\n" + body)
            return _read(link, end)
    except TimeoutError as error:
        raise TooSlow("no answer in time") from error
    except OSError as error:
        raise Unreachable("broken off") from error


def _read(link, end):
    parts, size = [], 0
    while True:
        link.settimeout(_left(end))
        part = link.recv(PIECE)
        if not part:
            break
        parts.append(part)
        size += len(part)
        if size > wire.LIMIT:
            raise Garbled("too long")
    if not parts:
        raise Unreachable("closed without an answer")
    return b"".join(parts)


def _left(end):
    left = end - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


class _Received:
    """What http.client wants of a socket: the bytes that came."""

    def __init__(self, raw):
        self.raw = raw

    def makefile(self, mode):
        return io.BytesIO(self.raw)


def _parse(raw):
    """(status, signature, content) of a whole HTTP answer."""
    answer = http.client.HTTPResponse(_Received(raw))
    try:
        answer.begin()
        return answer.status, answer.getheader(wire.SIGNATURE, ""), answer.read()
    except (http.client.HTTPException, ValueError, OSError) as error:
        raise Garbled("no HTTP answer") from error


def _json(content):
    try:
        answer = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise Garbled("no JSON") from error
    if not isinstance(answer, dict):
        raise Garbled("no object")
    return answer


def _outcome(answer):
    standing, number = answer.get("standing"), answer.get("number", "")
    if standing == Standing.UNKNOWN.value:
        return Outcome(Standing.UNKNOWN)
    if standing not in (Standing.BOOKED.value, Standing.CANCELLED.value):
        raise Garbled("no standing")
    if not isinstance(number, str) or not NUMBER.fullmatch(number):
        raise Garbled("no number")
    return Outcome(Standing(standing), number)
