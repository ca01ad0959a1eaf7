"""SMPP against its simulated carrier, over real sockets."""

import asyncio

import pytest

from messaging.gateways import probe
from messaging.gateways.base import LoginRefused, Outcome, Report, Verdict
from messaging.simulators.smpp import SmppCarrier
from tests.messaging.gateways.stand import (
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
    """Run ``work(carrier, pool, ears)`` on a connected pool."""

    async def run():
        async with open_carrier(SmppCarrier, faults, **(carrier or {})) as server:
            async with connected(server, "smpp", **more) as (pool, ears):
                await asyncio.wait_for(work(server, pool, ears), 8)

    asyncio.run(run())


def test_messages_are_accepted_and_reported():
    async def work(carrier, pool, ears):
        await send_many(pool, ears, 100)
        await until(lambda: carrier.ledger.counts["acknowledged"] == 100)
        assert all_accepted(ears, 100)
        assert {one.remote_id for one in ears.answers} == {one.remote_id for one in ears.reports}
        assert {(one.outcome, one.stat) for one in ears.reports} == {(Outcome.DELIVERED, "DELIVRD")}
        assert {one.phone for one in ears.reports} == {segment(n).phone for n in range(1, 101)}
        assert not carrier.ledger.duplicates()

    trial(work)


def test_parts_of_a_long_message_keep_their_header():
    async def work(carrier, pool, ears):
        await send(pool, [segment(n, "𠮷" * 33, PHONE, part=n, parts=2, reference=7) for n in (1, 2)])
        await until(lambda: len(ears.answers) == 2)
        assert [(one["part"], one["text"]) for one in carrier.ledger.entries] == [
            (1, "𠮷" * 33),
            (2, "𠮷" * 33),
        ]

    trial(work)


@pytest.mark.parametrize("parameters", [True, False], ids=["parameters", "text"])
@pytest.mark.parametrize(
    ("written", "ids"),
    [
        ("hex", "loose"),
        ("decimal, receipts hex", "receipts_hex"),
        ("hex, receipts decimal", "receipts_decimal"),
    ],
    ids=["hex", "receipts-hex", "receipts-decimal"],
)
def test_receipts_find_their_message_however_ids_are_written(written, ids, parameters):
    async def work(carrier, pool, ears):
        await send_many(pool, ears, 5)
        await until(lambda: len(ears.reports) == 5)
        assert {one.remote_id for one in ears.answers} == {one.remote_id for one in ears.reports}

    trial(work, carrier={"ids": written, "parameters": parameters}, options={"ids": ids})


@pytest.mark.parametrize(
    ("code", "verdict"),
    [(0x58, Verdict.THROTTLED), (0x14, Verdict.THROTTLED), (0x0B, Verdict.ELSEWHERE), (0x65, Verdict.REFUSED),
     (0x04, Verdict.CLOSED), (0x401, Verdict.CLOSED)],
)  # fmt: skip
def test_refusals_say_what_follows(code, verdict):
    async def work(carrier, pool, ears):
        await send_many(pool, ears, 1)
        assert [(one.verdict, one.code, one.remote_id) for one in ears.answers] == [
            (verdict, f"0x{code:02x}", "")
        ]

    trial(work, {"refuse": 1, "refuse_code": code}, options={"codes": {"1025": "closed"}})


@pytest.mark.parametrize(
    ("stat", "outcome", "temporary"),
    [("UNDELIV", Outcome.FAILED, False), ("EXPIRED", Outcome.EXPIRED, True), ("REJECTD", Outcome.FAILED, True),
     ("ACCEPTD", Outcome.UNDER_WAY, False), ("DELETED", Outcome.FAILED, False)],
)  # fmt: skip
def test_receipts_say_what_became_of_it(stat, outcome, temporary):
    async def work(carrier, pool, ears):
        await send_many(pool, ears, 1)
        await until(lambda: ears.reports)
        report = ears.reports[0]
        assert (report.stat, report.outcome, report.temporary) == (stat, outcome, temporary)
        assert report.done_at is not None

    trial(work, {"stat": stat}, options={"stats": {"REJECTD 000": "temporary"}})


def test_a_handset_writes_back():
    async def work(carrier, pool, ears):
        carrier.send_mo(PHONE, "退订", to="10690001")
        carrier.send_mo(PHONE, "长" * 100)
        await until(lambda: len(ears.messages) == 3)
        first, *parts = ears.messages
        assert (first.phone, first.to, first.text) == (PHONE, "10690001", "退订")
        assert "".join(one.text for one in parts) == "长" * 100
        assert len({one.reference for one in parts}) == 1
        assert len({one.remote_id for one in ears.messages}) == 3

    trial(work)


def test_what_became_of_a_message_is_asked():
    async def work(carrier, pool, ears):
        await send_many(pool, ears, 1)
        number = ears.answers[0].remote_id
        found = await pool.query("", number, PHONE)
        assert isinstance(found, Report)
        assert (found.remote_id, found.phone, found.outcome) == (number, PHONE, Outcome.DELIVERED)
        assert await pool.query("", "77", PHONE) is None
        assert await pool.query("00000001", "", PHONE) is None

    trial(work, {"report_lost": 1})


def test_a_question_without_an_answer_ends_with_its_connection():
    async def work(carrier, pool, ears):
        carrier.faults.update_from({"black_hole": True})
        asked = asyncio.create_task(pool.query("", "77", PHONE))
        await asyncio.sleep(0)
        carrier.kick()
        assert await asked is None

    trial(work)


def test_a_broken_connection_leaves_doubt_and_comes_back():
    async def work(carrier, pool, ears):
        await send_many(pool, ears, 30)
        doubtful = ears.verdicts().get(Verdict.IN_DOUBT, 0)
        assert 0 < doubtful <= 16
        assert doubtful + ears.verdicts()[Verdict.ACCEPTED] == 30
        await send_many(pool, ears, 10)
        await until(lambda: len(ears.reports) == len(carrier.ledger.entries))

    trial(work, {"disconnect_after": 10, "lost_answers": 0.1})


def test_reports_are_not_acknowledged_before_they_are_kept():
    async def work(carrier, pool, ears):
        ears.broken = True
        await send_many(pool, ears, 3)
        await until(lambda: "inbox" in ears.errors)
        assert carrier.ledger.counts["acknowledged"] == 0
        ears.broken = False
        await until(lambda: carrier.ledger.counts["acknowledged"] == 3)

    trial(work)


@pytest.mark.parametrize("how", ["refuse", "silent", "garbage"])
def test_logins_that_fail_are_told(how):
    async def run():
        async with open_carrier(SmppCarrier, {"login": how}) as carrier:
            async with connected(carrier, "smpp", up=0, connect_seconds=0.1) as (pool, ears):
                await until(lambda: ears.errors)
                assert ears.errors[0] == {"refuse": "login 0x0e", "silent": "login", "garbage": "length"}[how]
                assert pool.reserve(1) == []

    asyncio.run(run())


def test_a_probe_logs_in_and_leaves():
    async def run():
        async with open_carrier(SmppCarrier) as carrier:
            assert await probe(account(carrier, "smpp")) < 1
            with pytest.raises(LoginRefused):
                await probe(account(carrier, "smpp", secret="wrong"))
            await until(lambda: not carrier.sessions)

    asyncio.run(run())


def test_an_idle_connection_is_tested():
    async def work(carrier, pool, ears):
        await until(lambda: pool.links[1]._tests)
        await until(lambda: pool.links[1].heard_at > pool.links[1]._tested_at > 0)
        assert ears.errors == []

    trial(work, idle_seconds=0.05)


def test_settings_that_fit_nowhere_close_the_account_only():
    async def run():
        async with open_carrier(SmppCarrier) as carrier:
            for options in ({"zone": "x"}, {"stats": {"A": "?"}}, {"codes": {"x": "closed"}}):
                async with connected(carrier, "smpp", up=0, options=options) as (_, ears):
                    await until(lambda: ears.errors)
                    assert set(ears.errors) == {"settings"}

    asyncio.run(run())
