"""A pool: connections kept up, pace, places; over real sockets where sockets matter."""

import asyncio
from collections import Counter

import pytest

from messaging import gateways
from messaging.gateways.base import GatewayError, LoginRefused, Slot, Unreachable, Verdict
from messaging.gateways.pace import Pace, Patience
from messaging.simulators.cmpp import CmppCarrier

from .stand import (
    Ears,
    account,
    all_accepted,
    connected,
    open_carrier,
    segment,
    send,
    send_many,
    stand,
    until,
)

# Connections


def test_all_connections_come_up_and_share_the_work():
    async def story(carrier, pool, ears):
        slots = pool.reserve(30)
        assert list(Counter(one.connection for one in slots).values()) == [10, 10, 10]
        assert len(pool.reserve(100)) == 18
        pool.give_back(slots)
        assert len({slot.sequence for slot in slots}) == 30
        await send_many(pool, ears, 300)
        assert all_accepted(ears, 300)
        assert all(session.submits > 50 for session in carrier.sessions.values())

    stand(story, connections=3, up=3)


def test_uneven_windows_are_filled_evenly():
    async def story(carrier, pool, ears):
        first, second = pool.links
        slots = pool.reserve(32)
        pool.give_back([one for one in slots if one.connection == second])
        assert {one.connection for one in pool.reserve(10)} == {second}

    stand(story, connections=2, up=2)


def test_a_connection_that_breaks_comes_back_and_is_told():
    async def story(carrier, pool, ears):
        carrier.kick()
        await until(lambda: ears.changes[-1] == (2, None) and len(ears.changes) >= 6)
        assert sorted(up for up, _ in ears.changes) == [0, 1, 1, 1, 2, 2]
        await send_many(pool, ears, 50)
        assert all_accepted(ears, 50)

    stand(story, connections=2, up=2)


def test_a_carrier_that_is_down_is_tried_until_it_is_back():
    async def story(carrier, pool, ears):
        await carrier.close_door()
        await until(lambda: ears.errors.count("connect") >= 3)
        assert pool.reserve(10) == []
        await carrier.open_door()
        await until(lambda: ears.changes[-1] == (1, None))
        await send_many(pool, ears, 10)

    stand(story)


@pytest.mark.parametrize(
    ("faults", "more", "code"),
    [
        ({"login": "refuse"}, {}, "login 3"),
        ({"login": "refuse", "login_code": 5}, {}, "login 5"),
        ({"login": "garbage"}, {}, "length"),
        ({"login": "silent"}, {"connect_seconds": 0.1}, "login"),
        ({"black_hole": True}, {"connect_seconds": 0.1}, "login"),
        ({}, {"secret": "wrong"}, "login 3"),
        ({}, {"login": "900009"}, "login 2"),
        ({}, {"login": "9000099"}, "field Msg_src"),
        ({}, {"options": {"version": 0x31}}, "login 4"),
    ],
    ids=str,
)
def test_logins_that_fail_are_told_and_tried_again(faults, more, code):
    async def story(carrier, pool, ears):
        await until(lambda: ears.errors.count(code) >= 2)
        assert {up for up, _ in ears.changes} == {0}
        assert set(ears.errors) == {code}

    stand(story, faults, up=0, **more)


def test_a_wrong_proof_from_the_carrier_is_forgiven():
    async def story(carrier, pool, ears):
        await send_many(pool, ears, 5)
        assert all_accepted(ears, 5)

    stand(story, {"login": "wrong"})


def test_a_login_that_is_refused_for_a_while():
    async def story(carrier, pool, ears):
        await until(lambda: ears.errors)
        carrier.faults.update_from({"login": ""})
        await until(lambda: ears.changes[-1] == (1, None))

    stand(story, {"login": "refuse"}, up=0)


def test_stopping_while_nobody_answers():
    async def story(carrier, pool, ears):
        async with asyncio.timeout(1):
            await pool.stop(5)
        assert pool.reserve(1) == []
        assert not carrier.sessions

    stand(story, {"login": "silent"}, up=0, connect_seconds=30)


def test_a_stopped_pool_takes_nothing_and_sends_nothing():
    async def story(carrier, pool, ears):
        slots = pool.reserve(2)
        stopping = asyncio.create_task(pool.stop(0.2))
        await asyncio.sleep(0)
        assert pool.reserve(5) == []
        await stopping
        pool.send([(slots[0], segment(1)), (Slot(99, "00000001"), segment(2))])
        assert ears.verdicts() == {Verdict.NOT_SENT: 2}

    stand(story)


def test_places_that_are_reserved_may_still_be_used_while_stopping():
    async def story(carrier, pool, ears):
        slots = pool.reserve(2)
        stopping = asyncio.create_task(pool.stop(2))
        await asyncio.sleep(0)
        pool.send([(slots[0], segment(1))])
        pool.give_back(slots[1:])
        async with asyncio.timeout(1):
            await stopping
        assert all_accepted(ears, 1)

    stand(story)


# Places and pace


def test_room_waits_for_an_answer():
    async def story(carrier, pool, ears):
        await send(pool, [segment(n) for n in range(4)])
        assert pool.reserve(1) == []
        await asyncio.wait_for(pool.room(), 2)
        assert ears.answers
        assert pool.reserve(1)

    stand(story, {"latency": 0.05}, window=4)


def test_room_waits_for_places_given_back():
    async def story(carrier, pool, ears):
        slots = pool.reserve(16)
        waiting = asyncio.create_task(pool.room())
        await asyncio.sleep(0.01)
        assert not waiting.done()
        pool.give_back(slots[:1])
        await asyncio.wait_for(waiting, 1)

    stand(story)


def test_the_rate_is_kept_over_all_connections():
    async def story(carrier, pool, ears):
        loop = asyncio.get_running_loop()
        begin = loop.time()
        await send_many(pool, ears, 120)
        assert loop.time() - begin >= 0.4
        assert all_accepted(ears, 120)

    stand(story, rate=200, connections=2, up=2)


def test_a_throttling_carrier_is_spoken_to_more_slowly():
    async def story(carrier, pool, ears):
        await send_many(pool, ears, 200)
        assert ears.verdicts()[Verdict.THROTTLED] <= 80
        assert pool.pace.learnt
        assert carrier.ledger.counts["throttled"] == ears.verdicts()[Verdict.THROTTLED]

    stand(story, {"throttle_above": 100}, window=32)


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


def test_pace_lets_a_tenth_of_a_second_through_at_once():
    clock = Clock()
    pace = Pace(100, clock)
    assert pace.take(50) == 10
    assert pace.take(1) == 0
    assert pace.wait() == pytest.approx(0.05)
    clock.now += 0.05
    assert pace.take(50) == 5
    pace.back(3)
    assert pace.take(50) == 3


def test_pace_without_a_limit():
    pace = Pace(0, Clock())
    assert pace.take(10_000) == 10_000
    assert pace.wait() == 0


def test_pace_of_less_than_ten_a_second():
    clock = Clock()
    pace = Pace(1, clock)
    assert (pace.take(5), pace.take(5)) == (1, 0)
    clock.now += 1
    assert pace.take(5) == 1


def test_a_throttled_pace_stops_slows_down_and_grows_again():
    clock = Clock()
    pace = Pace(0, clock)
    pace.accepted(100)
    pace.throttled()
    assert pace.take(10) == 0
    assert pace.wait() >= Pace.HOLD
    assert pace.learnt == pytest.approx(70)
    pace.throttled()
    assert pace.learnt == pytest.approx(70)
    for seconds in [1] * 20:
        clock.now += seconds
        pace.take(1)
    assert 200 < pace.learnt < 1000
    clock.now += 600
    assert (pace.take(1), pace.learnt) == (1, None)


def test_a_throttled_pace_never_exceeds_the_accounts_rate():
    clock = Clock()
    pace = Pace(50, clock)
    pace.accepted(40)
    pace.throttled()
    assert pace.limit == pytest.approx(28)
    clock.now += 30
    pace.take(1)
    assert pace.limit == 50


def test_one_throttled_burst_after_another_does_not_end_in_standstill():
    clock = Clock()
    pace = Pace(0, clock)
    pace.accepted(1000)
    for _ in range(3):
        pace.throttled()
        clock.now += 1
    assert pace.learnt >= 700 / 4


def test_patience_doubles_to_its_longest_with_jitter():
    patience = Patience({})
    fault = Unreachable("nobody")
    waits = [patience.next(fault) for _ in range(12)]
    assert 0.1 <= waits[0] <= 0.3
    assert all(15 <= wait <= 45 for wait in waits[-3:])
    patience.reset()
    assert patience.next(None) <= 0.3


def test_a_refused_login_waits_longer():
    patience = Patience({})
    assert 2.5 <= patience.next(LoginRefused("no")) <= 7.5
    assert [patience.next(LoginRefused("no")) for _ in range(10)][-1] >= 150


@pytest.mark.parametrize("value", ["soon", None, -1, 1e9, []], ids=str)
def test_strange_patience_is_the_usual_one(value):
    assert 0.1 <= Patience({"retry_first": value}).next(None) <= 0.3


# Doors


def probe(faults=None, **more):
    async def run():
        async with open_carrier(CmppCarrier, faults) as carrier:
            seconds = await gateways.probe(account(carrier, **more))
            assert not carrier.sessions
            return seconds

    return asyncio.run(run())


@pytest.mark.parametrize("protocol", ["cmpp2", "cmpp3"])
def test_a_probe_tells_how_long_it_took(protocol):
    assert 0 < probe(protocol=protocol) < 2


@pytest.mark.parametrize(
    ("faults", "more", "code"),
    [
        ({"login": "refuse"}, {}, "login 3"),
        ({"login": "garbage"}, {}, "length"),
        ({"login": "silent"}, {"connect_seconds": 0.1}, "login"),
        ({}, {"host": "127.0.0.255"}, "connect"),
        ({}, {"host": "no.such.host.invalid"}, "connect"),
        ({}, {"protocol": "telex"}, "protocol"),
        ({}, {"options": {"codes": 5}}, "settings"),
    ],
    ids=str,
)
def test_a_probe_tells_what_is_wrong_and_no_secret(faults, more, code):
    with pytest.raises(GatewayError) as raised:
        probe(faults, **more)
    assert raised.value.code == code
    assert "888888" not in raised.value.message


def test_a_probe_leaves_reports_to_the_dispatcher():
    async def run():
        async with open_carrier(CmppCarrier) as carrier:
            carrier.send_mo("13800138000", "TD")
            await gateways.probe(account(carrier))
            assert carrier.ledger.counts["acknowledged"] == 0
            async with connected(carrier) as (_, ears):
                await until(lambda: ears.messages)

    asyncio.run(run())


def test_a_pool_cannot_ask_what_became_of_a_message():
    async def story(carrier, pool, ears):
        assert pool.can_query is False
        assert await pool.query("00000001", "", "13800138000") is None

    stand(story, ears=Ears())
