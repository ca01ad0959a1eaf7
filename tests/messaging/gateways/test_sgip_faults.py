"""What SGIP does about answers that do not come: the same twelve bytes once more, and then doubt."""

import asyncio

import pytest

from messaging.gateways import sgip_frames as wire
from messaging.gateways.base import Verdict
from tests.messaging.gateways.stand import (
    all_accepted,
    connected,
    open_carrier,
    segment,
    send,
    send_many,
    until,
)
from tests.messaging.gateways.test_sgip import OURS, PHONE, SgipCarrier, both_ways, trial


def counts(carrier):
    return carrier.ledger.counts


def test_a_window_that_lost_its_connection_is_written_again_and_nobody_gets_it_twice():
    async def work(carrier, pool, ears):
        await send_many(pool, ears, 60)
        assert sum(ears.verdicts().values()) == 60
        assert counts(carrier)["accepted"] == 60
        assert not carrier.ledger.duplicates()
        await until(lambda: len(ears.reports) == 60)

    trial(work, {"disconnect_after": 20, "latency": 0.005}, {"answers_copies": 9})


def test_a_copy_that_is_called_repeated_was_taken():
    async def work(carrier, pool, ears):
        await send_many(pool, ears, 60)
        assert all_accepted(ears, 60)
        assert counts(carrier)["dropped"] > 0

    trial(work, {"disconnect_after": 20, "latency": 0.005}, {"answers_copies": 9})


def test_copies_dropped_in_silence_are_in_doubt_under_their_number():
    async def work(carrier, pool, ears):
        await send_many(pool, ears, 60)
        doubtful = [one for one in ears.answers if one.verdict is Verdict.IN_DOUBT]
        assert 0 < len(doubtful) <= 16
        await until(lambda: len(ears.reports) == 60)
        assert {one.remote_id for one in doubtful} <= {one.remote_id for one in ears.reports}
        assert counts(carrier)["dropped"] == len(doubtful)

    trial(work, {"disconnect_after": 20, "latency": 0.005}, answer_seconds=0.3)


def test_a_submit_that_never_arrived_is_delivered_by_its_copy():
    async def work(carrier, pool, ears):
        await send(pool, [segment(n) for n in range(1, 5)])
        await until(lambda: counts(carrier)["lost_submits"] == 4)
        carrier.faults.lost_submits = 0.0
        await until(lambda: len(ears.answers) == 4)
        assert all_accepted(ears, 4)
        assert counts(carrier)["accepted"] == 4

    trial(work, {"lost_submits": 1.0}, answer_seconds=0.2)


def test_an_overdue_answer_on_a_living_connection_is_asked_for_there():
    async def work(carrier, pool, ears):
        await send(pool, [segment(1)])
        await until(lambda: counts(carrier)["lost_submits"] == 1)
        carrier.faults.lost_submits = 0.0
        await send_many(pool, ears, 1)
        await until(lambda: len(ears.answers) == 2)
        assert all_accepted(ears, 2)
        assert counts(carrier)["logins"] == 1

    trial(work, {"lost_submits": 1.0}, answer_seconds=0.2)


def test_a_silent_connection_is_left_for_a_new_one():
    async def work(carrier, pool, ears):
        carrier.faults.black_hole = True
        await send(pool, [segment(n) for n in range(1, 4)])
        await until(lambda: "silent" in ears.errors)
        carrier.faults.black_hole = False
        await until(lambda: len(ears.answers) == 3)
        assert all_accepted(ears, 3)

    trial(work, answer_seconds=0.3)


def test_written_twice_and_never_answered_is_in_doubt_once():
    async def work(carrier, pool, ears):
        await send(pool, [segment(n) for n in range(1, 4)])
        await until(lambda: len(ears.answers) == 3)
        assert ears.verdicts() == {Verdict.IN_DOUBT: 3}
        assert {one.remote_id for one in ears.answers} == {one["sequence"] for one in carrier.ledger.entries}
        assert not carrier.ledger.duplicates()

    trial(work, {"lost_answers": 1.0}, answer_seconds=0.1)


@pytest.mark.parametrize("code", [88, 23, 3, 120])
def test_a_refused_copy_says_nothing_about_the_first(code):
    """Throttled would be sent anew under another number, although the first may have been taken."""

    async def work(carrier, pool, ears):
        await send_many(pool, ears, 2)
        assert ears.verdicts() == {Verdict.IN_DOUBT: 2}
        assert {one.code for one in ears.answers} == {str(code)}

    trial(work, {"lost_answers": 1.0}, {"answers_copies": code}, answer_seconds=0.1)


def test_a_copy_that_is_wrong_was_wrong_the_first_time():
    async def work(carrier, pool, ears):
        await send_many(pool, ears, 1)
        assert ears.verdicts() == {Verdict.REFUSED: 1}

    trial(work, {"lost_answers": 1.0}, {"answers_copies": 6}, answer_seconds=0.1)


def test_the_first_answer_may_still_come_after_the_doubt():
    async def work(carrier, pool, ears):
        await send_many(pool, ears, 1)
        assert ears.verdicts() == {Verdict.IN_DOUBT: 1}
        session = next(one for one in carrier.sessions.values() if not one.takes_reports)
        session.reply(wire.answer(wire.Command.SUBMIT, bytes.fromhex(ears.answers[0].remote_id)))
        session.flush()
        await until(lambda: len(ears.answers) == 2)
        assert ears.answers[1].verdict is Verdict.ACCEPTED

    trial(work, {"lost_answers": 1.0}, {"answers_copies": 88}, answer_seconds=0.1)


def test_no_copies_for_a_carrier_that_does_not_drop_them():
    async def work(carrier, pool, ears):
        await send_many(pool, ears, 3)
        assert ears.verdicts() == {Verdict.IN_DOUBT: 3}
        assert counts(carrier)["dropped"] == 0

    trial(work, {"lost_answers": 1.0}, answer_seconds=0.1, options={"resend": False})


def test_a_carrier_that_stays_away_leaves_doubt():
    async def work(carrier, pool, ears):
        await send(pool, [segment(n) for n in range(1, 6)])
        await until(lambda: counts(carrier)["accepted"] == 5)
        await carrier.close_door()
        await until(lambda: len(ears.answers) == 5)
        assert ears.verdicts() == {Verdict.IN_DOUBT: 5}

    trial(work, {"latency": 5.0}, answer_seconds=0.2)


def test_stopping_tells_the_doubt_of_what_waits_for_a_connection():
    async def work(carrier, pool, ears):
        await send(pool, [segment(n) for n in range(1, 6)])
        await until(lambda: counts(carrier)["accepted"] == 5)
        await carrier.close_door()
        await until(lambda: not pool.links)
        await pool.stop(0.1)
        assert ears.verdicts() == {Verdict.IN_DOUBT: 5}

    trial(work, {"latency": 5.0})


def test_stopping_finishes_the_window():
    async def work(carrier, pool, ears):
        await send(pool, [segment(n) for n in range(1, 17)])
        await pool.stop(3)
        assert all_accepted(ears, 16)
        assert pool.reserve(1) == []

    trial(work, {"latency": 0.1})


@pytest.mark.parametrize("faults", [{"garbage_after": 3}, {"garbage_after": 3, "latency": 0.02}])
def test_garbage_closes_the_connection_and_the_window_survives(faults):
    async def work(carrier, pool, ears):
        await send_many(pool, ears, 20)
        assert all_accepted(ears, 20)
        assert "length" in ears.errors or "garbled" in ears.errors

    trial(work, faults, {"answers_copies": 9})


def test_several_connections_share_what_one_has_lost():
    async def work(carrier, pool, ears):
        await until(lambda: len(pool.links) == 3)
        await send_many(pool, ears, 150)
        assert all_accepted(ears, 150)
        assert not carrier.ledger.duplicates()

    faults = {"disconnect_after": 15, "disconnect_times": 3, "latency": 0.005}
    trial(work, faults, {"answers_copies": 0}, connections=3)


def test_a_carrier_that_throws_us_out_again_and_again_is_told_as_down():
    async def work(carrier, pool, ears):
        carrier.closes_after = 0.01
        await until(lambda: (0, None) in ears.changes)

    trial(work)


@pytest.mark.parametrize("code", [2, 3])
def test_connections_of_the_last_owner_that_still_count_are_waited_for(code):
    async def run():
        async with open_carrier(SgipCarrier, {"login": "refuse", "login_code": code}) as carrier:
            quick = {**OURS, "refused_first": 60}
            async with connected(carrier, "sgip", up=0, options=quick) as (pool, ears):
                await until(lambda: f"login {code}" in ears.errors)
                carrier.faults.login = ""
                await until(lambda: pool.links)

    asyncio.run(run())


def test_stopping_while_an_idle_connection_is_made_anew():
    async def work(carrier, pool, ears):
        await until(lambda: any(link.leaving for link in pool.links.values()))
        await pool.stop(1)
        assert not pool.links
        assert pool.listener.server is None

    trial(work, idle_seconds=0.05)


def test_options_that_cannot_be_said_refuse_the_message():
    async def work(carrier, pool, ears):
        await send_many(pool, ears, 2, phone=PHONE)
        assert ears.verdicts() == {Verdict.REFUSED: 2}

    trial(work, options={"corp_id": "123456"})


def test_the_next_owner_takes_the_listeners_port_at_once():
    async def run():
        async with open_carrier(SgipCarrier) as carrier:
            async with both_ways(carrier) as (first, ears):
                options = {**OURS, "listen_port": first.listener.port}
                await send_many(first, ears, 3)
                await until(lambda: len(ears.reports) == 3)
                async with connected(carrier, "sgip", options=options) as (second, heirs):
                    await until(lambda: "listen" in heirs.errors)
                    await first.stop(0.2)
                    await until(lambda: second.listener.server)
                    await send_many(second, heirs, 3)
                    await until(lambda: len(heirs.reports) == 3)

    asyncio.run(run())
