"""The district's platform against its simulation, over real sockets."""

import asyncio
import gzip
import ssl
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from types import SimpleNamespace

import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from messaging.gateways import http, probe
from messaging.gateways import http_wire as wire
from messaging.gateways.base import Answer, LoginRefused, Outcome, Report, Unreachable, Verdict
from messaging.simulators.http import HttpCarrier
from tests.messaging.gateways.stand import (
    SECRET,
    account,
    all_accepted,
    connected,
    open_carrier,
    segment,
    send,
    send_many,
    until,
)

PHONE = "13312345678"


def trial(work, faults=None, carrier=None, **more):
    """Run ``work(carrier, pool, ears)`` on a pool that is up."""

    async def run():
        async with open_carrier(HttpCarrier, None, **(carrier or {})) as server:
            async with connected(server, "http", **more) as (pool, ears):
                server.faults.update_from(faults or {})
                await asyncio.wait_for(work(server, pool, ears), 8)

    asyncio.run(run())


@asynccontextmanager
async def hook(answers=(200,)):
    """A receipt hook that keeps what it is told: (address, calls)."""
    calls, left = [], list(answers)

    async def take(request):
        body = await request.read()
        stamp, nonce = request.headers[wire.TIME], request.headers[wire.NONCE]
        assert request.headers[wire.SIGNATURE] == wire.signature(SECRET, stamp, nonce, body)
        status = left.pop(0) if len(left) > 1 else left[0]
        if status == 200:
            calls.append(body)
        return web.Response(status=status)

    app = web.Application()
    app.router.add_post("/hook", take)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.05)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}/hook", calls
    await runner.cleanup()


def test_messages_are_accepted_in_batches():
    async def work(carrier, pool, ears):
        await send_many(pool, ears, 100)
        assert all_accepted(ears, 100)
        assert len({one.remote_id for one in ears.answers}) == 100
        assert len({one["sequence"] for one in carrier.ledger.entries}) == 100
        assert carrier._requests <= 8 + 1
        assert not carrier.ledger.duplicates()

    trial(work, up=2, connections=2, window=40)


def test_receipts_and_messages_from_handsets_are_told_to_the_hook():
    async def run():
        async with hook((503, 200)) as (address, calls), open_carrier(HttpCarrier, hook=address) as carrier:
            async with connected(carrier, "http") as (pool, ears):
                carrier.faults.update_from(
                    {"resend_seconds": 0.05, "stat_numbers": {segment(2).phone: "EXPIRED"}}
                )
                await send_many(pool, ears, 3)
                carrier.send_mo(PHONE, "退订", to="10690001")
                await until(lambda: carrier.ledger.counts["acknowledged"] == 4)
            reports, incoming = all_told(calls)
            assert {one.remote_id for one in reports} == {one.remote_id for one in ears.answers}
            assert sorted(one.outcome.value for one in reports) == ["delivered", "delivered", "expired"]
            assert [(one.phone, one.text, one.to) for one in incoming] == [(PHONE, "退订", "10690001")]

    asyncio.run(run())


def all_told(calls):
    told = [wire.Words({}).told(body) for body in calls]
    return [one for reports, _ in told for one in reports], [one for _, heard in told for one in heard]


@pytest.mark.parametrize(
    ("faults", "verdict", "code", "seconds"),
    [({"refuse": 1}, Verdict.REFUSED, "refused", 0), ({"refuse": 1, "refuse_code": 1}, Verdict.ELSEWHERE, "elsewhere", 0),
     ({"refuse": 1, "refuse_code": 4}, Verdict.CLOSED, "closed", 0),
     ({"refuse": 1, "refuse_code": 429}, Verdict.THROTTLED, "http 429", 0),
     ({"refuse": 1, "refuse_code": 500}, Verdict.IN_DOUBT, "http 500", 0),
     ({"refuse": 1, "refuse_code": 503}, Verdict.THROTTLED, "http 503", 0),
     ({"refuse": 1, "refuse_code": 404}, Verdict.CLOSED, "http 404", 60),
     ({"refuse": 1, "refuse_code": 422}, Verdict.REFUSED, "http 422", 0),
     ({"login": "refuse"}, Verdict.CLOSED, "http 401", 300), ({"login": "garbage"}, Verdict.IN_DOUBT, "json", 0),
     ({"lost_submits": 1}, Verdict.IN_DOUBT, "connect", 0), ({"lost_answers": 1}, Verdict.IN_DOUBT, "connect", 0),
     ({"garbage_after": 1}, Verdict.IN_DOUBT, "json", 0)],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_answers_say_what_follows(faults, verdict, code, seconds):
    async def work(carrier, pool, ears):
        await send_many(pool, ears, 1)
        assert ears.answers == [Answer(1, verdict, "", code, seconds)]

    trial(work, faults, options={"http": {"503": "throttled"}})


def test_a_throttled_request_says_when_to_come_again():
    async def work(carrier, pool, ears):
        carrier._in_second, carrier._second = 99, int(carrier.loop.time())
        await send_many(pool, ears, 1)
        assert ears.answers[0].verdict in (Verdict.THROTTLED, Verdict.ACCEPTED)
        if ears.answers[0].verdict is Verdict.THROTTLED:
            assert ears.answers[0].seconds == 1
            assert pool.reserve(1) == []

    trial(work, {"throttle_above": 2})


class Picky(HttpCarrier):
    """Takes no request with the third number in it."""

    async def _send(self, request):
        if segment(3).phone in await request.text():
            return web.json_response({}, status=400)
        return await super()._send(request)


def test_a_batch_with_one_bad_message_loses_only_that():
    async def run():
        async with open_carrier(Picky) as carrier, connected(carrier, "http") as (pool, ears):
            await send_many(pool, ears, 5)
            assert ears.verdicts() == {Verdict.ACCEPTED: 4, Verdict.REFUSED: 1}
            assert next(one for one in ears.answers if one.verdict is Verdict.REFUSED).attempt == 3

    asyncio.run(run())


def test_a_request_cut_in_the_middle_is_in_doubt_and_can_be_asked_for():
    async def work(carrier, pool, ears):
        slots = pool.reserve(2)
        pool.send([(slot, segment(at)) for at, slot in enumerate(slots, 1)])
        await until(lambda: len(ears.answers) == 2)
        assert ears.verdicts() == {Verdict.IN_DOUBT: 2}
        found = await pool.query(slots[0].sequence, "", segment(1).phone)
        assert isinstance(found, Report)
        assert (found.outcome, found.phone) == (Outcome.DELIVERED, segment(1).phone)
        assert found.remote_id == carrier.ledger.entries[0]["remote_id"]
        await carrier.close_door()
        assert await pool.query(slots[0].sequence, "", PHONE) is None

    trial(work, {"disconnect_after": 1})


def test_that_the_platform_never_heard_of_it_counts_later(monkeypatch):
    async def work(carrier, pool, ears):
        (slot,) = pool.reserve(1)
        pool.send([(slot, segment(1))])
        await until(lambda: ears.answers)
        assert await pool.query(slot.sequence, "", PHONE) is None
        assert await pool.query("f" * 24, "", PHONE) is None
        monkeypatch.setattr(http, "SETTLE", 0)
        never = Answer(0, Verdict.NOT_SENT, code="unknown")
        assert [await pool.query(one, "", PHONE) for one in (slot.sequence, "f" * 24)] == [never, never]

    trial(work, {"lost_submits": 1})


def test_an_unanswered_request_is_in_doubt_in_time():
    async def work(carrier, pool, ears):
        await send_many(pool, ears, 1)
        assert ears.answers == [Answer(1, Verdict.IN_DOUBT, code="timeout")]
        assert pool.pending == 0

        await until(lambda: not pool.up)

    trial(work, {"black_hole": True}, connect_seconds=0.05, answer_seconds=0.05)


def test_a_platform_that_is_away_comes_back():
    async def work(carrier, pool, ears):
        await carrier.close_door()
        await send(pool, [segment(1)])
        await until(lambda: ears.answers)
        assert ears.answers == [Answer(1, Verdict.NOT_SENT)]
        assert not pool.up
        assert pool.reserve(1) == []
        await carrier.open_door()
        await send_many(pool, ears, 1)
        assert ears.answers[-1].verdict is Verdict.ACCEPTED
        assert ears.changes[0] == (1, None)
        assert (0, "connect") in ears.changes

    trial(work)


def test_stopping_waits_for_answers_then_tells_the_doubt():
    async def work(carrier, pool, ears):
        slots = pool.reserve(4)
        pool.send([(slots[0], segment(1))])
        pool.give_back(slots[2:])
        await asyncio.sleep(0.05)
        pool.send([(slots[1], segment(2)), (slots[2], segment(3))])
        await pool.stop(0.05)
        said = {one.attempt: one.verdict for one in ears.answers}
        assert said == {1: Verdict.IN_DOUBT, 2: Verdict.NOT_SENT, 3: Verdict.NOT_SENT}
        assert pool.reserve(1) == []

    trial(work, {"latency": 5.0})


@asynccontextmanager
async def platform(answer, tls=None):
    """Somebody's server that answers everything with ``answer(request)``."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.05)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
    yield SimpleNamespace(port=runner.addresses[0][1])
    await runner.cleanup()


def test_redirects_are_not_followed():
    hits = []

    async def away(request):
        hits.append(request.path)
        raise web.HTTPFound("/sms/elsewhere")

    async def run():
        async with platform(away) as place, connected(place, "http", up=0) as (_, ears):
            await until(lambda: ears.errors)
            assert ears.errors[0] == "http 302"
        assert set(hits) == {"/sms/query"}

    asyncio.run(run())


def test_an_answer_without_end_is_not_read_to_its_end():
    async def endless(request):
        answer = web.StreamResponse()
        await answer.prepare(request)
        with suppress(ConnectionError):
            for _ in range(10_000):
                await answer.write(b" " * 100_000)
        return answer

    async def run():
        async with platform(endless) as place, connected(place, "http", up=0) as (_, ears):
            await until(lambda: ears.errors)
            assert ears.errors[0] == "size"

    asyncio.run(run())


def test_a_packed_answer_is_not_unpacked():
    async def packed(request):
        return web.Response(body=gzip.compress(b'{"results": []}'), headers={"Content-Encoding": "gzip"})

    async def run():
        async with platform(packed) as place, connected(place, "http") as (pool, ears):
            await send_many(pool, ears, 1)
            assert ears.answers == [Answer(1, Verdict.IN_DOUBT, code="json")]

    asyncio.run(run())


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """(server's context, path of its certificate) for 127.0.0.1, signed by itself."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "platform")])
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(1).not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(
            [x509.IPAddress(ip_address("127.0.0.1")), x509.DNSName("sms.invalid")]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True).sign(key, hashes.SHA256())
    )  # fmt: skip
    folder = tmp_path_factory.mktemp("tls")
    plain = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "key.pem").write_bytes(key.private_bytes(*plain))
    (folder / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return context, str(folder / "cert.pem")


def test_a_stranger_with_a_certificate_of_his_own_gets_nothing(certificate):
    context, path = certificate
    asked = []

    async def answer(request):
        asked.append(request.path)
        return web.json_response({"results": []})

    async def run():
        async with platform(answer, context) as place:
            with pytest.raises(Unreachable) as refused:
                await probe(account(place, "http", options={"tls": True}))
            assert (refused.value.code, asked) == ("certificate", [])
            await probe(account(place, "http", options={"tls": True, "ca": path}))

    asyncio.run(run())


def test_a_certificate_is_about_the_name_wherever_it_is(certificate):
    context, path = certificate

    async def answer(request):
        return web.json_response({"results": []})

    async def run():
        given = {"addresses": ("127.0.0.1",), "options": {"tls": True, "ca": path}}
        async with platform(answer, context) as place:
            await probe(account(place, "http", host="sms.invalid", **given))
            with pytest.raises(Unreachable) as refused:
                await probe(account(place, "http", host="another.invalid", **given))
            assert refused.value.code == "certificate"

    asyncio.run(run())


def test_a_probe_knocks_and_says_why_not():
    async def run():
        async with open_carrier(HttpCarrier) as carrier:
            assert await probe(account(carrier, "http")) < 2
            with pytest.raises(LoginRefused):
                await probe(account(carrier, "http", secret="wrong"))
            with pytest.raises(Unreachable):
                await probe(account(carrier, "http", options={"tls": True}))
        with pytest.raises(Unreachable):
            await probe(account(carrier, "http"))

    asyncio.run(run())


@pytest.mark.parametrize(
    "options",
    [{"path": "sms"}, {"batch": "x"}, {"statuses": {"1": "?"}}, {"tls": True, "ca": "/no/such/file"}, {"answer": 3}],
    ids=["path", "batch", "statuses", "ca", "answer"],
)  # fmt: skip
def test_settings_that_fit_nowhere_close_the_account_only(options):
    async def run():
        async with open_carrier(HttpCarrier) as carrier:
            async with connected(carrier, "http", up=0, options=options) as (pool, ears):
                assert ears.changes == [(0, "settings")]
                assert pool.reserve(1) == []

    asyncio.run(run())


def test_the_platform_of_china_mobile_takes_one_text_for_many():
    async def work(carrier, pool, ears):
        await send(pool, [segment(1), segment(2), segment(3, "另一条")])
        await until(lambda: len(ears.answers) == 3)
        assert all_accepted(ears, 3)
        assert carrier._requests == 2
        numbers = {one.attempt: one.remote_id for one in ears.answers}
        assert numbers[1].endswith(f":{segment(1).phone}")
        assert numbers[1].partition(":")[0] == numbers[2].partition(":")[0]
        assert not pool.can_query

    trial(work, options={"preset": "mas", "constant": {"ecName": "社区"}}, window=50)
