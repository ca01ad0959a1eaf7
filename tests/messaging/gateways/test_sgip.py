"""China Unicom's gateway against its simulated carrier, over real sockets in both directions."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from messaging.gateways import probe
from messaging.gateways import sgip_frames as wire
from messaging.gateways.base import LoginRefused, Outcome, Segment, Verdict
from messaging.gateways.sgip import Sgip
from messaging.simulators.sgip import SgipCarrier
from tests.messaging.gateways.stand import (
    LOGIN,
    account,
    all_accepted,
    connected,
    open_carrier,
    segment,
    send,
    send_many,
    until,
)

PHONE = "13012345678"
OURS = {"node": 3_021_012_345, "listen_host": "127.0.0.1", "listen_port": 0}


@asynccontextmanager
async def both_ways(carrier, **more):
    """(pool, ears) of a connected pool whose listener the carrier knows."""
    options = {**OURS, **more.pop("options", {})}
    async with connected(carrier, "sgip", options=options, **more) as (pool, ears):
        if options["listen_port"] is not None:
            await until(lambda: pool.listener.server)
            carrier.listens(LOGIN, "127.0.0.1", pool.listener.port)
        yield pool, ears


def trial(work, faults=None, carrier=None, **more):
    """Run ``work(carrier, pool, ears)`` on a connected pool."""

    async def run():
        async with open_carrier(SgipCarrier, faults, **(carrier or {})) as server:
            async with both_ways(server, **more) as (pool, ears):
                await asyncio.wait_for(work(server, pool, ears), 8)

    asyncio.run(run())


def test_messages_are_accepted_and_reported_to_our_listener():
    async def work(carrier, pool, ears):
        await send_many(pool, ears, 200)
        await until(lambda: len(ears.reports) == 200)
        assert all_accepted(ears, 200)
        assert {one.remote_id for one in ears.answers} == {one.remote_id for one in ears.reports}
        assert {one["sequence"] for one in carrier.ledger.entries} == {one.remote_id for one in ears.answers}
        assert {(one.outcome, one.phone[:3], len(one.phone)) for one in ears.reports} == {
            (Outcome.DELIVERED, "138", 11)
        }
        await until(lambda: carrier.ledger.counts["acknowledged"] == 200)

    trial(work)


def test_sequences_hold_node_time_and_counter_and_never_repeat():
    async def work(carrier, pool, ears):
        twenty = [pool.next_sequence() for _ in range(20)]
        assert len(set(twenty)) == 20
        assert all(len(one) == 24 and int(one[:8], 16) == OURS["node"] for one in twenty)
        other = type(pool)(pool.account, ears)
        assert int(other.next_sequence()[16:], 16) - int(twenty[-1][16:], 16) not in range(-20, 20)

    trial(work)


def test_slots_say_what_will_stand_in_the_frame():
    async def work(carrier, pool, ears):
        slot = pool.reserve(1)[0]
        pool.send([(slot, segment(1))])
        await until(lambda: ears.answers)
        assert carrier.ledger.entries[0]["sequence"] == slot.sequence == ears.answers[0].remote_id

    trial(work)


def test_long_messages_arrive_in_parts():
    async def work(carrier, pool, ears):
        await send(pool, [Segment(n, PHONE, "请复诊。" * 15 + str(n), n, 3, 9) for n in (1, 2, 3)])
        await until(lambda: len(ears.reports) == 3)
        assert [(one["part"], one["text"][-1]) for one in carrier.ledger.entries] == [
            (1, "1"),
            (2, "2"),
            (3, "3"),
        ]
        assert {one["phone"] for one in carrier.ledger.entries} == {PHONE}

    trial(work)


def test_the_window_is_never_wider_than_32():
    async def work(carrier, pool, ears):
        assert len(pool.reserve(100)) == 32

    trial(work, window=100)


@pytest.mark.parametrize(
    "carrier", [{"short_answers": True}, {"short_answers": False}], ids=["21 bytes", "29"]
)
def test_probing(carrier):
    async def run():
        async with open_carrier(SgipCarrier, **carrier) as server:
            assert 0 < await probe(account(server, "sgip", options=OURS)) < 5

    asyncio.run(run())


@pytest.mark.parametrize(
    ("more", "kind", "code"),
    [
        ({"secret": "wrong"}, LoginRefused, "login 1"),
        ({"secret": "x" * 17}, wire.GatewayError, "field password"),
        ({"options": {"node": 0}}, wire.SgipError, "node"),
        ({"options": {"node": "far too large"}}, wire.SgipError, "settings"),
        ({"options": {}}, wire.SgipError, "settings"),
        ({"options": {**OURS, "login_type": 300}}, wire.SgipError, "settings"),
    ],
    ids=["secret", "long secret", "no node", "node is no number", "node missing", "login type"],
)
def test_logins_that_go_wrong(more, kind, code):
    async def run():
        async with open_carrier(SgipCarrier) as server:
            with pytest.raises(kind) as fault:
                await probe(account(server, "sgip", **{"options": OURS, **more}))
            assert fault.value.code == code
            assert "wrong" not in str(fault.value)

    asyncio.run(run())


@pytest.mark.parametrize(
    ("code", "verdict"),
    [
        (1, Verdict.CLOSED),
        (6, Verdict.REFUSED),
        (9, Verdict.REFUSED),
        (11, Verdict.THROTTLED),
        (21, Verdict.ELSEWHERE),
        (22, Verdict.ELSEWHERE),
        (23, Verdict.ELSEWHERE),
        (33, Verdict.THROTTLED),
        (88, Verdict.THROTTLED),
        (120, Verdict.ELSEWHERE),
        (121, Verdict.REFUSED),
    ],
)
def test_results_become_verdicts(code, verdict):
    async def work(carrier, pool, ears):
        await send_many(pool, ears, 1, phone=PHONE)
        answer = ears.answers[0]
        assert (answer.verdict, answer.code, answer.remote_id) == (verdict, str(code), "")

    trial(work, {"refuse_numbers": {PHONE: code}}, options={"codes": {"120": "elsewhere"}})


@pytest.mark.parametrize(
    ("stat", "outcome", "temporary", "cause"),
    [
        ("DELIVRD", Outcome.DELIVERED, False, ""),
        ("ACCEPTD", Outcome.UNDER_WAY, False, ""),
        ("25", Outcome.FAILED, True, "absent"),
        ("26", Outcome.FAILED, True, "full"),
        ("29", Outcome.FAILED, False, "empty_number"),
        ("MB:1049", Outcome.FAILED, False, "elsewhere"),
        ("27", Outcome.FAILED, False, ""),
        ("200", Outcome.FAILED, False, "blacklisted"),
    ],
)
def test_states_and_errors_of_reports(stat, outcome, temporary, cause):
    async def work(carrier, pool, ears):
        await send_many(pool, ears, 1, phone=PHONE)
        await until(lambda: ears.reports)
        report = ears.reports[0]
        assert (report.outcome, report.temporary, report.cause, report.phone) == (
            outcome,
            temporary,
            cause,
            PHONE,
        )

    trial(work, {"stat": stat}, options={"stats": {"2 200": "blacklisted"}})


@pytest.mark.parametrize("disguise", ["body", "words"])
def test_reports_that_come_as_deliver(disguise):
    async def work(carrier, pool, ears):
        await send_many(pool, ears, 5)
        await until(lambda: len(ears.reports) == 5)
        assert {one.remote_id for one in ears.reports} == {one.remote_id for one in ears.answers}
        assert {one.outcome for one in ears.reports} == {Outcome.DELIVERED}
        assert not ears.messages

    trial(work, carrier={"disguise": disguise})


def test_messages_from_handsets():
    async def work(carrier, pool, ears):
        carrier.send_mo(PHONE, "ＴＤ", "10690001")
        carrier.send_mo(PHONE, "退订" * 50, "10690001")
        await until(lambda: len(ears.messages) == 3)
        first, *parts = ears.messages
        assert (first.phone, first.to, first.text, first.parts) == (PHONE, "10690001", "ＴＤ", 1)
        assert "".join(one.text for one in parts) == "退订" * 50
        assert len({one.remote_id for one in ears.messages}) == 3
        await until(lambda: carrier.ledger.counts["acknowledged"] == 3)

    trial(work)


@pytest.mark.parametrize(
    "faults",
    [
        {"latency": 0.01, "jitter": 0.02},
        {"report_twice": 1.0},
        {"report_early": 1.0, "latency": 0.03},
        {"report_late": 0.5, "late_seconds": 0.1, "report_shuffle": True},
        {"report_unknown": 1.0},
        {"report_under_way": 1.0},
    ],
    ids=["latency", "twice", "early", "late and out of order", "unknown", "under way"],
)
def test_reports_come_as_they_like(faults):
    async def work(carrier, pool, ears):
        await send_many(pool, ears, 40)
        sent = {one.remote_id for one in ears.answers}
        await until(
            lambda: sent <= {one.remote_id for one in ears.reports if one.outcome is Outcome.DELIVERED}
        )
        assert all_accepted(ears, 40)
        await until(lambda: carrier.ledger.counts["acknowledged"] >= len(ears.reports) >= 40)

    trial(work, faults)


def test_without_a_listener_reports_wait_at_the_carrier():
    async def work(carrier, pool, ears):
        await send_many(pool, ears, 3)
        assert carrier.status()["reports_waiting"] == {LOGIN: 3}
        assert not ears.reports

    trial(work, options={"listen_port": None})


def test_throttling_slows_down_and_loses_nothing():
    async def work(carrier, pool, ears):
        await send_many(pool, ears, 16)
        verdicts = ears.verdicts()
        assert verdicts[Verdict.THROTTLED] > 0
        assert verdicts[Verdict.ACCEPTED] + verdicts[Verdict.THROTTLED] == 16
        assert pool.pace.wait() > 0
        assert carrier.ledger.counts["accepted"] == verdicts[Verdict.ACCEPTED]

    trial(work, {"throttle_above": 10})


def test_a_connection_the_carrier_closes_because_it_is_idle_is_no_fault():
    async def work(carrier, pool, ears):
        await until(lambda: carrier.ledger.counts["logins"] >= 2)
        await until(lambda: pool.links)
        carrier.closes_after = 0
        await send_many(pool, ears, 3)
        assert all_accepted(ears, 3)
        assert not ears.errors

    trial(work, carrier={"closes_after": 0.1})


def test_an_idle_connection_is_made_anew_before_that():
    async def work(carrier, pool, ears):
        await until(lambda: carrier.ledger.counts["logins"] >= 3)
        assert not ears.errors
        assert [up for up, _ in ears.changes if up == 0] == []

    trial(work, idle_seconds=0.05)


def test_node_and_time_stand_in_front_of_the_counter():
    sequence = Sgip.sequence(account_with(4_000_000_000), 7)
    assert sequence[:8] == "ee6b2800"
    assert sequence[16:] == "00000007"
    assert 101_000_000 <= int(sequence[8:16], 16) <= 1_231_235_959


def account_with(node):
    class Somewhere:
        port = 0

    return account(Somewhere, "sgip", options={"node": node})
