"""One account over a carrier in memory: windows, long messages, a lapsed lease, a database that goes away."""

import asyncio
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_address
from time import monotonic

import pytest
from django.db import OperationalError, connection

from messaging import allowed, gateways
from messaging.codes import Carrier
from messaging.dispatching import beginning, health, leases, names, process
from messaging.dispatching.process import Dispatcher
from messaging.gateways.base import Verdict
from messaging.models import AllowedAddress, Attempt, AttemptResult, Gateway, GatewayHealth, Message
from tests.messaging import rows as campaigns
from tests.messaging.dispatching import rows
from tests.messaging.dispatching.fakes import FakePool

pytestmark = pytest.mark.django_db(transaction=True)
WINDOW = 8


@pytest.fixture(autouse=True)
def _loopback(db, settings, monkeypatch):
    AllowedAddress.objects.get_or_create(network="127.0.0.0/8")
    settings.SMS_QUIET_FROM = settings.SMS_QUIET_TO = "00:00"
    settings.SMS_LEASE_SECONDS = 3
    monkeypatch.setattr(process, "LOOK_SECONDS", 0.1)


@pytest.fixture
def gateway(_loopback):
    made = rows.gateway()
    Gateway.objects.filter(pk=made.pk).update(window=WINDOW)
    return made


@pytest.fixture
def campaign(station):
    return campaigns.campaign(station)


@pytest.fixture
def pools(monkeypatch):
    """The pools that were opened; ``say`` may be set before."""
    made = []

    def open_pool(account, sink):
        made.append(FakePool(account, sink, open_pool.say))
        return made[-1]

    open_pool.say, open_pool.made = None, made
    monkeypatch.setattr(gateways, "open_pool", open_pool)
    return open_pool


def run(condition, during=None, patience=10):
    """A dispatcher until the condition holds; ``during(dispatcher)`` is awaited first."""

    async def act():
        dispatcher = Dispatcher()
        running = asyncio.create_task(dispatcher.run())
        try:
            if during is not None:
                await during(dispatcher)
            await until(condition, patience)
        finally:
            dispatcher.stop()
            await running
        return dispatcher

    return asyncio.run(act())


async def until(condition, patience=10):
    end = monotonic() + patience
    while not await asyncio.to_thread(closing, condition):
        assert monotonic() < end, "not in time"
        await asyncio.sleep(0.02)


def closing(condition):
    try:
        return condition()
    finally:
        connection.close()


def states():
    return Counter(Message.objects.values_list("state", flat=True))


def test_the_windows_are_kept_and_everything_goes(gateway, campaign, pools):
    rows.queue(campaign, 100)
    run(lambda: states() == {"submitted": 100})
    (pool,) = pools.made
    assert len(pool.sent) == len({one.phone for one in pool.sent}) == 100
    assert pool.most <= WINDOW
    assert AttemptResult.objects.filter(kind="accepted").count() == Attempt.objects.count() == 100
    assert GatewayHealth.objects.get().state == "down"  # nobody owns it any more


def test_a_message_longer_than_the_window(gateway, campaign, pools):
    Gateway.objects.filter(pk=gateway.pk).update(window=2)
    rows.queue(campaign, 3, text="长" * 300, segments=5)
    run(lambda: states() == {"submitted": 3})
    (pool,) = pools.made
    parts = Counter((one.phone, one.part, one.parts) for one in pool.sent)
    assert len(parts) == 15
    assert set(parts.values()) == {1}
    assert len({(one.phone, one.reference) for one in pool.sent}) == 3


def test_a_lapsed_lease_stops_the_wire_at_once(gateway, campaign, pools, monkeypatch):
    """Committed, and then this process stood still for too long: what it knows it never wrote goes back."""
    rows.queue(campaign, 5)
    begin = beginning.begin

    def slow(*given):
        found = begin(*given)
        if found.attempts:
            Dispatcher.in_force = lambda self: False
        return found

    monkeypatch.setattr(beginning, "begin", slow)
    kept = Dispatcher.in_force
    try:
        run(lambda: AttemptResult.objects.filter(kind="not_sent").count() == 5)
    finally:
        Dispatcher.in_force = kept
    assert not pools.made[0].sent
    assert states() == {"queued": 5}


def test_a_commit_nobody_heard_of(gateway, campaign, pools, monkeypatch):
    """The connection to the database breaks just when the attempts are committed: none of them was written."""
    rows.queue(campaign, 5)
    begin, broken = beginning.begin, []

    def breaking(*given):
        found = begin(*given)
        if not broken:
            broken.append(True)
            raise OperationalError("gone")
        return found

    monkeypatch.setattr(beginning, "begin", breaking)
    run(lambda: states() == {"submitted": 5})
    assert Counter(one.phone for one in pools.made[0].sent).most_common(1)[0][1] == 1
    kinds = Counter(AttemptResult.objects.values_list("kind", flat=True))
    assert kinds == {"not_sent": 5, "accepted": 5}


def test_the_rest_of_a_long_message_when_a_commit_was_not_heard_of(gateway, campaign, pools, monkeypatch):
    """Its first parts are on the wire: they are not sent again, and the others are."""
    Gateway.objects.filter(pk=gateway.pk).update(window=2)
    rows.queue(campaign, 1, text="长" * 300, segments=5)
    begin, turns = beginning.begin, []

    def breaking(*given):
        found = begin(*given)
        turns.append(found)
        if len(turns) == 2:
            raise OperationalError("gone")
        return found

    monkeypatch.setattr(beginning, "begin", breaking)
    run(lambda: states() == {"submitted": 1})
    assert Counter(one.part for one in pools.made[0].sent) == dict.fromkeys(range(1, 6), 1)


def test_a_stop_gives_back_and_leaves_the_rest_in_doubt(gateway, campaign, pools, monkeypatch):
    monkeypatch.setattr(process, "STOP_SECONDS", 0.2)
    pools.say = lambda segment: None
    rows.queue(campaign, 50)
    dispatcher = run(lambda: pools.made and len(pools.made[0].open) == WINDOW)
    assert states() == {"queued": 50 - WINDOW, "unknown": WINDOW}
    assert not leases.rows("SELECT * FROM clinic_lease WHERE holder = %s", [dispatcher.name])


def test_a_paused_campaign_gives_back_what_is_at_hand(gateway, campaign, pools):
    pools.say = lambda segment: None
    rows.queue(campaign, 50)

    async def pause(dispatcher):
        await until(lambda: states()["claimed"] > WINDOW)
        campaign.state = "paused"
        await asyncio.to_thread(lambda: closing(campaign.save))

    run(lambda: states()["queued"] == 50 - WINDOW, pause)


def test_another_gateway_takes_over_while_the_first_is_closed(gateway, campaign, pools):
    other = rows.gateway(carrier=Carrier.UNICOM, position=2, routes=[Carrier.MOBILE])
    closed = {"now": True}

    def say(segment):
        if closed["now"] and Attempt.objects.get(pk=segment.attempt).gateway_id == gateway.pk:
            return Verdict.CLOSED
        return Verdict.ACCEPTED

    pools.say = lambda segment: closing_in_thread(say, segment)
    rows.queue(campaign, 20)
    run(lambda: states() == {"submitted": 20})
    assert set(Message.objects.values_list("gateway", flat=True)) == {other.pk}


def closing_in_thread(say, segment):
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(closing, lambda: say(segment)).result(5)


def test_a_number_of_another_carrier_goes_on(gateway, campaign, pools):
    other = rows.gateway(carrier=Carrier.UNICOM, position=2, routes=[Carrier.MOBILE])
    (ported, _own) = rows.queue(campaign, 2)
    tried = []

    def say(segment):
        tried.append(segment.phone)
        return (
            Verdict.ELSEWHERE
            if tried.count(ported.phone) == 1 and segment.phone == ported.phone
            else Verdict.ACCEPTED
        )

    pools.say = say
    run(lambda: states() == {"submitted": 2})
    assert (rows.fresh(ported).gateway_id, rows.fresh(ported).refused_by) == (other.pk, [gateway.pk])


def test_a_switched_off_gateway_is_let_go(gateway, campaign, pools):
    async def switch_off(dispatcher):
        await until(lambda: GatewayHealth.objects.filter(state="up").exists())
        row = Gateway.objects.filter(pk=gateway.pk)
        await asyncio.to_thread(closing, lambda: row.update(active=False))

    run(lambda: GatewayHealth.objects.filter(state="off").exists(), switch_off)


def test_an_address_outside_the_list_is_not_spoken_to(gateway, campaign, pools):
    AllowedAddress.objects.update(active=False)
    run(lambda: GatewayHealth.objects.filter(state="down").exclude(last_error="").exists())
    assert not pools.made


@pytest.mark.parametrize("peers", [[], ["127.0.0.0/24"]])
def test_what_is_no_longer_allowed_is_let_go(gateway, campaign, pools, peers):
    """The host, or the networks from which the carrier comes to us."""
    Gateway.objects.filter(pk=gateway.pk).update(options={"peers": peers})
    if peers:
        AllowedAddress.objects.get_or_create(network="127.0.0.1/32")

    async def forbid(dispatcher):
        await until(lambda: GatewayHealth.objects.filter(state="up").exists())
        wide = AllowedAddress.objects.filter(network="127.0.0.0/8")
        await asyncio.to_thread(closing, lambda: wide.update(active=False))

    run(lambda: GatewayHealth.objects.filter(state="down").exclude(last_error="").exists(), forbid)
    assert len(pools.made) == 1


def test_who_takes_long_to_end_holds_up_nobody(gateway, campaign, pools):
    """A gateway is switched off while its carrier is silent; meanwhile a campaign of another one begins."""
    other = rows.gateway(carrier=Carrier.UNICOM)

    async def switch_off(dispatcher):
        await until(lambda: GatewayHealth.objects.filter(state="up").count() == 2)
        answered = asyncio.Event()
        dispatcher.accounts[gateway.pk].pool.stop = lambda _seconds: answered.wait()
        row = Gateway.objects.filter(pk=gateway.pk)
        await asyncio.to_thread(closing, lambda: row.update(active=False))
        while gateway.pk not in dispatcher.going:
            await asyncio.sleep(0.01)
        await asyncio.to_thread(closing, lambda: rows.queue(campaign, 5, carrier=Carrier.UNICOM))
        await until(lambda: states() == {"submitted": 5})
        answered.set()

    run(lambda: GatewayHealth.objects.filter(state="off").exists(), switch_off)
    assert set(Message.objects.values_list("gateway", flat=True)) == {other.pk}


def test_a_name_that_means_another_address_by_now(gateway, campaign, pools, monkeypatch):
    """The account is opened anew there, once it has lost its connections."""
    found = ["127.0.0.1"]
    monkeypatch.setattr(allowed, "_resolve", lambda _name: [ip_address(one) for one in found])
    monkeypatch.setattr(names, "EVERY", 0.05)
    Gateway.objects.filter(pk=gateway.pk).update(host="sms.example")

    async def move(dispatcher):
        await until(lambda: GatewayHealth.objects.filter(state="up").exists())
        found[:] = ["127.0.0.2"]
        pools.made[0].sink.changed(0, None)

    run(lambda: len(pools.made) == 2, move)
    assert [pool.account.addresses for pool in pools.made] == [("127.0.0.1",), ("127.0.0.2",)]


def test_a_database_that_hiccups_while_an_account_is_opened(gateway, campaign, pools, monkeypatch):
    write, failed = health.write, []

    def hiccup(*given):
        if not failed:
            failed.append(given)
            raise OperationalError
        return write(*given)

    monkeypatch.setattr(health, "write", hiccup)
    rows.queue(campaign, 5)
    run(lambda: states() == {"submitted": 5})
    assert failed


def test_names_that_are_looked_up_for_long_hold_up_nobody(gateway, campaign, pools, monkeypatch):
    """The name server is away: gateways with a name wait for it, those with an address send."""
    answered = threading.Event()
    monkeypatch.setattr(allowed, "_resolve", lambda _name: answered.wait(10) and [])
    Gateway.objects.filter(pk=gateway.pk).update(host="sms.example")
    other = rows.gateway(carrier=Carrier.UNICOM)
    rows.queue(campaign, 5, carrier=Carrier.UNICOM)

    async def see(dispatcher):
        await until(lambda: states() == {"submitted": 5})
        answered.set()

    run(lambda: GatewayHealth.objects.filter(gateway=gateway).exclude(last_error="").exists(), see)
    assert [pool.account.gateway for pool in pools.made] == [other.pk]
