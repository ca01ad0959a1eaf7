"""China Telecom's gateway against its simulated carrier, over real sockets."""

import asyncio
from datetime import datetime

import pytest

from messaging.gateways import probe, smgp
from messaging.gateways import smgp_frames as wire
from messaging.gateways.base import LoginRefused, Outcome, Segment, Unreachable, Verdict
from messaging.simulators.smgp import SmgpCarrier
from tests.messaging.gateways.stand import (
    LOGIN,
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
    """Run ``work(carrier, pool, ears)`` on a connected pool."""

    async def run():
        async with open_carrier(SmgpCarrier, faults, **(carrier or {})) as server:
            async with connected(server, "smgp", **more) as (pool, ears):
                await asyncio.wait_for(work(server, pool, ears), 8)

    asyncio.run(run())


def test_messages_are_accepted_and_reported():
    async def work(carrier, pool, ears):
        await send_many(pool, ears, 200)
        await until(lambda: len(ears.reports) == 200)
        assert all_accepted(ears, 200)
        assert {one.remote_id for one in ears.answers} == {one.remote_id for one in ears.reports}
        assert all(len(one.remote_id) == 20 for one in ears.answers)
        assert {one.outcome for one in ears.reports} == {Outcome.DELIVERED}
        await until(lambda: carrier.ledger.counts["acknowledged"] == 200)
        assert not carrier.ledger.duplicates()

    trial(work)


@pytest.mark.parametrize("form", [8, 15])
def test_long_messages_arrive_in_parts(form):
    text = "请于明日上午到社区卫生服务中心复查血压。" * 3 + "𠮷"

    async def work(carrier, pool, ears):
        await send(pool, [Segment(n, PHONE, text[(n - 1) * 31 : n * 31], n, 2, 77) for n in (1, 2)])
        await until(lambda: len(ears.answers) == 2)
        assert [(one["part"], one["text"]) for one in carrier.ledger.entries] == [
            (1, text[:31]),
            (2, text[31:]),
        ]

    trial(work, options={"format": form})


def test_long_messages_in_gbk_carry_their_header_and_fields():
    part = Segment(1, PHONE, "您好", 2, 3, 77)
    form, content, fields = smgp.encoded(part, 15)
    assert (form, content) == (15, bytes((5, 0, 3, 77, 3, 2)) + "您好".encode("gbk"))
    assert fields == {2: b"\1", 9: b"\3", 10: b"\2"}


def test_signs_that_gbk_lacks_go_as_ucs2():
    assert smgp.encoded(Segment(1, PHONE, "𠮷"), 15) == (8, "𠮷".encode("utf-16-be"), {})


@pytest.mark.parametrize("padded", [False, True])
def test_short_accounts_log_in_as_the_operator_wants(padded):
    async def work(carrier, pool, ears):
        assert carrier.ledger.counts["logins"] == 1

    trial(work, carrier={"padded_id": padded}, options={"padded_id": padded})


def test_the_other_way_to_hash_is_refused():
    async def run():
        async with open_carrier(SmgpCarrier, padded_id=True) as carrier:
            with pytest.raises(LoginRefused) as refused:
                await probe(account(carrier, "smgp"))
            assert isinstance(refused.value, wire.SmgpError)
            assert refused.value.code == "login 21"
            assert SECRET not in str(refused.value)
            assert LOGIN not in str(refused.value)

    asyncio.run(run())


@pytest.mark.parametrize(
    ("code", "kind"), [(1, Unreachable), (2, Unreachable), (20, LoginRefused), (99, LoginRefused)]
)
def test_logins_that_are_not_let_in(code, kind):
    async def run():
        async with open_carrier(SmgpCarrier, {"login": "refuse", "login_code": code}) as carrier:
            with pytest.raises(kind) as fault:
                await probe(account(carrier, "smgp"))
            assert fault.value.code == f"login {code}"

    asyncio.run(run())


@pytest.mark.parametrize("faults", [{"login": "wrong"}, {}], ids=["wrong authenticator", "right"])
def test_a_wrong_authenticator_of_the_carrier_keeps_nobody_out(faults):
    async def run():
        async with open_carrier(SmgpCarrier, faults) as carrier:
            assert 0 < await probe(account(carrier, "smgp")) < 5

    asyncio.run(run())


@pytest.mark.parametrize(
    ("code", "verdict"),
    [
        (1, Verdict.THROTTLED),
        (10, Verdict.REFUSED),
        (39, Verdict.ELSEWHERE),
        (47, Verdict.REFUSED),
        (58, Verdict.ELSEWHERE),
        (74, Verdict.CLOSED),
        (75, Verdict.CLOSED),
        (76, Verdict.CLOSED),
        (128, Verdict.THROTTLED),
        (129, Verdict.REFUSED),
    ],
)
def test_statuses_become_verdicts(code, verdict):
    async def work(carrier, pool, ears):
        await send_many(pool, ears, 1, phone=PHONE)
        answer = ears.answers[0]
        assert (answer.verdict, answer.code, answer.remote_id) == (verdict, str(code), "")
        assert (answer.seconds > 0) == (verdict is Verdict.CLOSED)
        assert carrier.ledger.counts["accepted"] == 0

    trial(work, {"refuse_numbers": {PHONE: code}}, options={"codes": {"128": "throttled"}})


@pytest.mark.parametrize(
    ("status", "clock", "options", "seconds"),
    [
        (75, "23:00", {}, 3900),
        (75, "00:01", {}, 240),
        (74, "06:30", {}, 5400),
        (74, "21:00", {}, 11 * 3600),
        (74, "21:00", {"opens": "07:30"}, 10.5 * 3600),
        (74, "10:00", {}, 900),
        (74, "10:00", {"opens": "nonsense"}, 900),
        (76, "10:00", {}, 3600),
        (2, "10:00", {}, 60),
    ],
)
def test_how_long_an_account_is_closed(status, clock, options, seconds):
    now = datetime.fromisoformat(f"2026-11-23T{clock}:00").replace(tzinfo=smgp.CHINA)
    assert smgp.closed_for(status, options, now) == seconds


@pytest.mark.parametrize(
    ("stat", "outcome", "temporary"),
    [
        ("DELIVRD", Outcome.DELIVERED, False),
        ("DELIVED", Outcome.DELIVERED, False),
        ("EXPIRED/007", Outcome.EXPIRED, True),
        ("UNDELIV/003", Outcome.FAILED, False),
        ("UNDELIV/001", Outcome.FAILED, True),
        ("UNDELIV/006", Outcome.FAILED, True),
        ("MK:0001", Outcome.FAILED, False),
        ("ACCEPTD", Outcome.UNDER_WAY, False),
    ],
)
def test_words_of_reports(stat, outcome, temporary):
    async def work(carrier, pool, ears):
        await send_many(pool, ears, 1, phone=PHONE)
        await until(lambda: ears.reports)
        report = ears.reports[0]
        assert (report.outcome, report.temporary, report.phone) == (outcome, temporary, PHONE)
        assert report.stat == stat.partition("/")[0]
        assert report.done_at is not None

    trial(work, {"stat": stat}, options={"stats": {"UNDELIV 006": "temporary"}})


@pytest.mark.parametrize(
    "carrier",
    [
        {"labels": {b"submit date": b"Submit_Date", b"done date": b"Done_Date"}},
        {"labels": {b"submit date": b"submitdate", b"stat:": b"Stat: "}},
        {"uncounted_reserve": True},
    ],
    ids=["capitals", "another length", "reserve not counted"],
)
def test_reports_that_are_not_by_the_book(carrier):
    async def work(server, pool, ears):
        await send_many(pool, ears, 20)
        await until(lambda: len(ears.reports) == 20)
        assert {one.outcome for one in ears.reports} == {Outcome.DELIVERED}
        assert {one.remote_id for one in ears.answers} == {one.remote_id for one in ears.reports}
        assert len(pool.links) == 1

    trial(work, carrier=carrier)


def test_a_report_that_says_nothing_is_kept_and_acknowledged():
    deliver = wire.Deliver(b"\7" * 10, 1, PHONE, "10659", b"nothing one could read")
    report = smgp.told(deliver, b"raw")
    assert (report.outcome, report.remote_id, report.raw) == (Outcome.UNDER_WAY, "07" * 10, b"raw")


def test_reports_with_the_numbers_the_other_way_round():
    assert smgp.handset("10659001234", "8613312345678") == PHONE
    assert smgp.handset("8613312345678", "10659001234") == PHONE
    assert smgp.handset("1" * 21, "") == "1" * 20


def test_messages_from_handsets():
    async def work(carrier, pool, ears):
        carrier.send_mo(PHONE, "ＴＤ", "10690001")
        carrier.send_mo(PHONE, "退订" * 50, "10690001")
        await until(lambda: len(ears.messages) == 3)
        first, *parts = ears.messages
        assert (first.phone, first.to, first.text, first.parts) == (PHONE, "10690001", "ＴＤ", 1)
        assert "".join(one.text for one in parts) == "退订" * 50
        assert [(one.part, one.parts) for one in parts] == [(1, 2), (2, 2)]
        assert len({one.reference for one in parts}) == 1

    trial(work)


@pytest.mark.parametrize(
    "faults",
    [
        {"latency": 0.01, "jitter": 0.02},
        {"report_twice": 1.0},
        {"report_early": 1.0, "latency": 0.02},
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


def test_a_connection_that_breaks_in_the_middle_of_a_window():
    async def work(carrier, pool, ears):
        await send_many(pool, ears, 60)
        verdicts = ears.verdicts()
        assert sum(verdicts.values()) == 60
        assert 0 < verdicts[Verdict.IN_DOUBT] <= 16
        assert carrier.ledger.counts["accepted"] >= verdicts[Verdict.ACCEPTED]
        assert not carrier.ledger.duplicates()
        assert any(error in ("closed", "lost") for error in ears.errors)

    trial(work, {"disconnect_after": 20, "latency": 0.005})


def test_lost_answers_are_in_doubt_and_the_reports_still_come():
    async def work(carrier, pool, ears):
        await send_many(pool, ears, 4)
        assert ears.verdicts() == {Verdict.IN_DOUBT: 4}
        await until(lambda: len(ears.reports) == 4)

    trial(work, {"lost_answers": 1.0}, answer_seconds=0.1)


def test_throttling_slows_down_and_loses_nothing():
    async def work(carrier, pool, ears):
        await send_many(pool, ears, 16)
        verdicts = ears.verdicts()
        assert verdicts[Verdict.THROTTLED] > 0
        assert verdicts[Verdict.ACCEPTED] + verdicts[Verdict.THROTTLED] == 16
        assert pool.pace.wait() > 0
        assert carrier.ledger.counts["accepted"] == verdicts[Verdict.ACCEPTED]

    trial(work, {"throttle_above": 10})


def test_garbage_closes_the_connection_and_the_next_one_works():
    async def work(carrier, pool, ears):
        await send(pool, [segment(n) for n in range(1, 6)])
        await until(lambda: ears.errors)
        await until(lambda: pool.links)
        await send(pool, [segment(9)])
        await until(lambda: any(one.attempt == 9 and one.verdict is Verdict.ACCEPTED for one in ears.answers))

    trial(work, {"garbage_after": 3})


def test_active_tests_keep_an_idle_connection():
    async def work(carrier, pool, ears):
        link = next(iter(pool.links.values()))
        first = link.heard_at
        await until(lambda: link.heard_at > first)
        assert link.open

    trial(work, idle_seconds=0.05)


def test_an_answer_that_nobody_waits_for_changes_nothing():
    async def work(carrier, pool, ears):
        session = next(iter(carrier.sessions.values()))
        session.reply(wire.pack(wire.Command.SUBMIT | wire.RESPONSE, 99, wire.MessageResp(b"\1" * 10, 0)))
        session.reply(wire.pack(wire.Command.QUERY | wire.RESPONSE, 99, b"\0" * 40))
        session.flush()
        await send_many(pool, ears, 3)
        assert all_accepted(ears, 3)

    trial(work)


@pytest.mark.parametrize(
    "options",
    [{"mode": "both"}, {"codes": {"1": "nonsense"}}, {"stats": {"X": "nonsense"}}],
    ids=["mode", "codes", "stats"],
)
def test_options_that_do_not_fit_are_the_accounts_fault(options):
    async def run():
        async with open_carrier(SmgpCarrier) as carrier:
            with pytest.raises(wire.SmgpError) as fault:
                await probe(account(carrier, "smgp", options=options))
            assert fault.value.code == "settings"

    asyncio.run(run())


@pytest.mark.parametrize("options", [{"format": "GBK"}, {"service_id": "x" * 11}, {"company": "社医"}])
def test_messages_that_cannot_be_said_are_refused(options):
    async def work(carrier, pool, ears):
        await send_many(pool, ears, 2)
        assert ears.verdicts() == {Verdict.REFUSED: 2}
        assert carrier.ledger.counts["accepted"] == 0

    trial(work, options=options)
