"""Signed requests to the district's platform: what came back, or what is known of where it stopped."""

import asyncio
import re
import socket
import ssl

import aiohttp
from aiohttp.abc import AbstractResolver
from django.utils.translation import gettext as _

from messaging.gateways.base import Account, GatewayError, LoginRefused, Unreachable
from messaging.gateways.http_wire import HttpError, Words, signed
from messaging.gateways.options import settled

HOSTS = re.compile(r"[A-Za-z0-9_.:-]+")
LIMIT = 1 << 20  # bytes of an answer
KEEP_ALIVE = 1  # seconds a connection may idle and still be written to: platforms close them without a word
# Statuses that mean the message, not the account or the address; a batch is then tried one by one.
OUR_MESSAGE = (400, 413, 422)
# Of an exception the first that fits: a certificate's is a ValueError too.
FAULTS = ((aiohttp.ClientSSLError, "certificate"), (TimeoutError, "timeout"), (ValueError, "size"))


class HttpLoginRefused(HttpError, LoginRefused):
    """401 or 403."""


class HttpUnreachable(HttpError, Unreachable):
    """No connection."""


class Doubt(HttpError):
    """Written, and no whole answer came."""


class Addresses(AbstractResolver):
    """The host's addresses as they were looked up and found to be allowed; a certificate is still about the name."""

    def __init__(self, addresses):
        self.addresses = addresses

    async def resolve(self, host, port=0, family=socket.AF_UNSPEC):
        return [
            {
                "hostname": host, "host": address, "port": port, "proto": 0, "flags": socket.AI_NUMERICHOST,
                "family": socket.AF_INET6 if ":" in address else socket.AF_INET,
            }
            for address in self.addresses
        ]  # fmt: skip

    async def close(self):
        """Nothing is open."""


class Client:
    """Signed requests to one account's platform."""

    def __init__(self, account: Account):
        self.account = account
        self.words = Words(account.options, account.login, account.secret, account.access_number)
        scheme, context = settled(HttpError, lambda: _tls(account.options))
        if not HOSTS.fullmatch(account.host):
            raise HttpUnreachable(_("nobody answers at this address"), code="address")
        host = f"[{account.host}]" if ":" in account.host else account.host
        self.address = f"{scheme}://{host}:{account.port}"
        trace = aiohttp.TraceConfig()
        trace.on_connection_create_end.append(_on_the_wire)
        trace.on_connection_reuseconn.append(_on_the_wire)
        self.session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=0, ssl=context, keepalive_timeout=KEEP_ALIVE,
                resolver=Addresses(account.addresses) if account.addresses else None,
            ),
            cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False, trace_configs=[trace],
            timeout=aiohttp.ClientTimeout(
                total=account.connect_seconds + account.answer_seconds, connect=account.connect_seconds
            ),
        )  # fmt: skip

    async def close(self):
        await self.session.close()

    async def post(self, path: str, body: bytes, state: dict) -> tuple[int, dict, bytes]:
        """(status, headers, body) of the answer. ``state["written"]`` tells whether anything may have been written.
        Raises HttpUnreachable if nothing was, Doubt if something was and no whole answer came."""
        headers = {
            **signed(self.account.secret, body, self.account.login),
            "Content-Type": "application/json", "Accept-Encoding": "identity",
        }  # fmt: skip
        try:
            async with self.session.post(
                self.address + path,
                data=body,
                headers=headers,
                allow_redirects=False,
                trace_request_ctx=state,
            ) as answer:
                return answer.status, answer.headers, await _bounded(answer)
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            kind = next((word for kinds, word in FAULTS if isinstance(error, kinds)), "connect")
            if state.get("written"):
                raise Doubt(_("the platform did not answer"), code=kind) from error
            raise HttpUnreachable(_("nobody answers at this address"), code=kind) from error

    async def ask(self, sequences) -> bytes:
        """The body of a query's answer. Raises GatewayError."""
        status, headers, body = await self.post(self.words.query_path, self.words.asking(sequences), {})
        if fault := fault_of(status):
            raise fault
        if not 200 <= status < 300:
            raise HttpError(_("the platform did not answer"), code=f"http {status}")
        return body

    async def knock(self) -> None:
        """Whether the platform would let us send: a query for nothing; where there is none, a connection."""
        if self.words.query_path:
            return await self.ask([])
        fault = None
        for host in self.account.addresses or (self.account.host,):
            try:
                async with asyncio.timeout(self.account.connect_seconds):
                    _reader, writer = await asyncio.open_connection(host, self.account.port)
            except (OSError, UnicodeError, TimeoutError) as error:
                fault = error
            else:
                return writer.close()
        raise HttpUnreachable(_("nobody answers at this address"), code="connect") from fault


def fault_of(status: int) -> GatewayError | None:
    """The account's or the address' fault that a status tells of."""
    if status in (401, 403):
        return HttpLoginRefused(_("the platform refused the login"), code=f"http {status}")
    if 300 <= status < 500 and status not in (*OUR_MESSAGE, 429):
        return HttpError(_("the platform does not know this address"), code=f"http {status}")
    return None


async def _bounded(answer) -> bytes:
    raw = bytearray()
    async for piece in answer.content.iter_any():
        raw += piece
        if len(raw) > LIMIT:
            raise ValueError("the answer is too long")
    return bytes(raw)


async def _on_the_wire(session, context, params):
    """From here on something may have been written."""
    if isinstance(context.trace_request_ctx, dict):
        context.trace_request_ctx["written"] = True


def _tls(options):
    """(scheme, what aiohttp wants as ``ssl``)."""
    if not options.get("tls"):
        return "http", True
    try:
        return "https", ssl.create_default_context(cafile=options.get("ca") or None)
    except OSError as error:
        raise ValueError("no certificates") from error
