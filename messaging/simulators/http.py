"""A simulated district platform: JSON over HTTP, signed, and calls of the receipt hook.

It goes wrong as other carriers do; what they do to a connection it does to a request: ``login`` "refuse" is a 401,
"garbage" an answer that is no JSON, "silent" and ``black_hole`` no answer. A ``refuse_code`` from 400 on is the HTTP
status of a whole request, where none of its messages was taken.
"""

import asyncio
import base64
import hashlib
import json
from contextlib import suppress
from datetime import UTC, datetime
from hmac import compare_digest
from itertools import islice
from time import time
from weakref import WeakSet

import aiohttp
from aiohttp import web

from messaging.gateways import http_wire as wire
from messaging.gateways.frames import digits
from messaging.simulators.carrier import Carrier

ELSEWHERE, THROTTLED, REFUSED, CLOSED, UNAUTHORISED = 1, 2, 3, 4, 401
STATUSES = {0: "ok", ELSEWHERE: "elsewhere", THROTTLED: "throttled", REFUSED: "refused", CLOSED: "closed"}
BATCH = 100  # reports in one call of the hook
FRESH = 300  # seconds a request's time stamp may be off
REMEMBERED = 100_000
LIMIT = 1 << 20


class HttpCarrier(Carrier):
    """``hook``: where receipts are told, or {login: where}; "" keeps them. ``hook_host``: the Host header for it."""

    protocol = "http"
    WRONG_NUMBER, THROTTLED, REFUSED, LOGIN_REFUSED = ELSEWHERE, THROTTLED, REFUSED, UNAUTHORISED

    def __init__(self, logins, *, hook="", hook_host="", **more):
        super().__init__(logins, **more)
        self.hook, self.hook_host = hook, hook_host
        self.states: dict[tuple[str, str], tuple[str, str]] = {}  # (login, its id) → (our number, stat)
        self.mas: set[str] = set()
        self.hook_answers: list[int] = []  # statuses the hook gave, the last hundred
        self._ids = int(time()) * 1000
        self._nonces: dict[str, float] = {}
        self._wires: WeakSet = WeakSet()
        self._pushing: set[str] = set()
        self._tasks: set[asyncio.Task] = set()
        self._not_before = 0.0
        self._taken = self._requests = 0
        self._client: aiohttp.ClientSession | None = None

    # open and closed

    async def open_door(self):
        app = web.Application(client_max_size=LIMIT)
        app.router.add_post("/sms/send", self._send)
        app.router.add_post("/sms/query", self._query)
        app.router.add_post("/sms/norsubmit", self._norsubmit)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.05)
        await runner.setup()
        site = web.TCPSite(runner, self.host, self.port, reuse_address=True)
        try:
            await site.start()
        except OSError:
            await runner.cleanup()
            raise
        self._server = runner
        self.port = runner.addresses[0][1]

    async def close_door(self):
        runner, self._server = self._server, None
        self.kick()
        for task in list(self._tasks):
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        if runner is not None:
            await runner.cleanup()
        if self._client is not None:
            await self._client.close()
            self._client = None

    def kick(self):
        for transport in list(self._wires):
            transport.abort()

    # what it is asked

    async def _send(self, request):
        login, said = await self._let_in(request)
        rows = said.get("messages")
        if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
            raise web.HTTPBadRequest
        results, code = [], 0
        for row in rows:
            phone, number = digits(str(row.get("phone", ""))), str(row.get("id", ""))
            part = row["part"] if isinstance(row.get("part"), int) else 1
            fate, remote_id = self._take(login, phone, str(row.get("text", "")), number, part=part)
            code = code or fate.code
            if fate.answered:
                result = {"id": number, "status": STATUSES.get(fate.code, "refused")}
                results.append({**result, "message_id": remote_id} if remote_id else result)
        return await self._answer(request, {"results": results}, results, code)

    async def _norsubmit(self, request):
        """移动云MAS."""
        try:
            said = json.loads(base64.b64decode(await self._listen(request)))
            login, content, mobiles = said["apId"], said["content"], said["mobiles"].split(",")
            secret = self.logins[login]
            words = (said["ecName"], login, secret, said["mobiles"], content, said["sign"], said["addSerial"])
            mac = hashlib.md5("".join(words).encode(), usedforsecurity=False).hexdigest()
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise web.HTTPBadRequest from error
        if not same(mac, str(said.get("mac", ""))):
            return web.json_response({"success": False, "rspcod": "IllegalMac", "msgGroup": ""})
        self.mas.add(login)
        group, answered, code = self.new_id(), [], 0
        for phone in mobiles:
            fate, _number = self._take(login, phone, content, "", f"{group}:{phone}")
            code = code or fate.code
            answered += [phone] if fate.answered else []
        word = "success" if not code else "InvalidMessage"
        return await self._answer(
            request, {"success": not code, "rspcod": word, "msgGroup": "" if code else group}, answered, code
        )

    async def _query(self, request):
        login, said = await self._let_in(request)
        asked = said.get("ids")
        if not isinstance(asked, list):
            raise web.HTTPBadRequest
        results = []
        for number in map(str, asked[:1000]):
            known = self.states.get((login, number))
            if known is None:
                results.append({"id": number, "status": "unknown"})
            else:
                results.append({"id": number, "message_id": known[0], "status": known[1]})
        return await self._answer(request, {"results": results}, [True], 0)

    async def _let_in(self, request):
        """(login, JSON) of a signed request; anything else is refused."""
        body = await self._listen(request)
        login = request.headers.get(wire.ACCOUNT, "")
        stamp, nonce = request.headers.get(wire.TIME, ""), request.headers.get(wire.NONCE, "")
        secret = self.logins.get(login)
        right = (
            secret is not None
            and wire.STAMPS.fullmatch(stamp)
            and abs(time() - int(stamp)) <= FRESH
            and same(wire.signature(secret, stamp, nonce, body), request.headers.get(wire.SIGNATURE, ""))
            and nonce not in self._nonces
        )
        if not right or self.faults.login == "refuse":
            self.ledger.counts["logins_refused"] += 1
            raise web.HTTPUnauthorized
        self._nonces[nonce] = time()
        if len(self._nonces) > REMEMBERED:
            del self._nonces[next(iter(self._nonces))]
        try:
            said = json.loads(body)
        except ValueError as error:
            raise web.HTTPBadRequest from error
        if not isinstance(said, dict):
            raise web.HTTPBadRequest
        return login, said

    async def _listen(self, request):
        self._wires.add(request.transport)
        while self.faults.black_hole or self.faults.login == "silent":
            await asyncio.sleep(0.02)
        return await request.read()

    def _take(self, login, phone, text, number, remote_id="", part=1):
        """(fate, our number for it or "")."""
        fate = self.fate(phone)
        if not fate.taken:
            return fate, ""
        remote_id = remote_id or self.new_id()
        self._taken += 1
        self.ledger.take(phone, text, part, number, remote_id, 1)
        if number:
            self.states[(login, number)] = remote_id, self.faults.stat_of(phone)
            if len(self.states) > REMEMBERED:
                del self.states[next(iter(self.states))]
        if self.faults.reports:
            for wait, out in self.reports(login, phone, remote_id):
                if number and out.remote_id == remote_id:
                    self.states[(login, number)] = remote_id, out.stat
                self.wheel.add(max(0.0, wait) + self.faults.latency, (1, out))
        return fate, remote_id

    async def _answer(self, request, said, answered, code):
        faults = self.faults
        self._requests += 1
        if pause := faults.pause(faults.latency, faults.jitter):
            await asyncio.sleep(pause)
        if self._cut_now() or not answered:
            request.transport.abort()
            return web.Response()
        if faults.login == "garbage" or self._garbage_now():
            return web.Response(body=b"\xff\xfe no answer of anybody's")
        nothing_taken = all(isinstance(one, dict) and not one.get("message_id") for one in answered)
        if nothing_taken and code == THROTTLED:
            return web.json_response(said, status=429, headers={"Retry-After": "1"})
        if nothing_taken and code >= 400:
            return web.json_response({"error": "refused"}, status=code)
        return web.json_response(said)

    def _cut_now(self):
        faults = self.faults
        if not (0 < faults.disconnect_after <= self._taken and faults.disconnect_times):
            return False
        faults.disconnect_times -= 1
        self._taken = 0
        self.ledger.counts["disconnected"] += 1
        return not faults.disconnect_answers

    def _garbage_now(self):
        faults = self.faults
        if not (0 < faults.garbage_after <= self._requests and faults.garbage_times):
            return False
        faults.garbage_times -= 1
        return True

    # what it tells

    def new_id(self):
        self._ids += 1
        return str(self._ids)

    def pump(self, login):
        hook = self.hook.get(login, "") if isinstance(self.hook, dict) else self.hook
        ready = hook and self.outboxes.get(login) and self._server is not None and not self.faults.black_hole
        if not ready or login in self._pushing or self.loop.time() < self._not_before:
            return
        self._pushing.add(login)
        task = self.loop.create_task(self._push(login, hook))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _push(self, login, hook):
        """Call the hook until the outbox is empty or a call fails; what was not taken is told again."""
        outbox = self.outboxes[login]
        try:
            while outbox:
                outs = list(islice(outbox, BATCH))
                if not await self._call(hook, self.logins[login], self._said(login, outs)):
                    for out in outs:
                        out.again = True
                    self._not_before = self.loop.time() + min(1.0, self.faults.resend_seconds)
                    return
                for out in outs:
                    outbox.popleft()
                    kind = "reports_again" if out.again else "reports" if out.stat else "incoming"
                    self.ledger.counts[kind] += 1
                    self.ledger.counts["acknowledged"] += 1
        finally:
            self._pushing.discard(login)

    def _said(self, login, outs):
        if login in self.mas:
            return [
                {
                    "msgGroup": out.remote_id.partition(":")[0], "mobile": out.phone, "errorCode": out.stat,
                    "reportStatus": "CM:0000" if out.stat == "DELIVRD" else out.stat,
                }
                for out in outs
                if out.stat
            ]  # fmt: skip
        now = datetime.now(UTC).isoformat(timespec="seconds")
        reports = [
            {"message_id": out.remote_id, "phone": out.phone, "status": out.stat, "error": "", "time": now}
            for out in outs
            if out.stat
        ]
        incoming = [
            {"message_id": out.remote_id, "phone": out.phone, "to": out.to, "text": out.text}
            for out in outs
            if not out.stat
        ]
        return {"reports": reports, "incoming": incoming}

    async def _call(self, hook, secret, said) -> bool:
        body = json.dumps(said, ensure_ascii=False).encode()
        headers = {**wire.signed(secret, body), "Content-Type": "application/json"}
        if self.hook_host:
            headers["Host"] = self.hook_host
        if self._client is None:
            self._client = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30))
        status = 0
        with suppress(aiohttp.ClientError, OSError, TimeoutError):
            async with self._client.post(hook, data=body, headers=headers, allow_redirects=False) as answer:
                status = answer.status
        self.hook_answers = [*self.hook_answers[-99:], status]
        return status == 200

    def status(self):
        last = self.hook_answers[-1] if self.hook_answers else None
        here = [{"login": ""} for transport in self._wires if not transport.is_closing()]
        return {**super().status(), "sessions": here, "hook": self.hook, "hook_answer": last}


def same(made, given):
    """compare_digest of texts knows ASCII only."""
    return compare_digest(made.encode(), given.encode("utf-8", "replace"))
