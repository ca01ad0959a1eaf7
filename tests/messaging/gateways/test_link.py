"""One connection: what becomes of its submits and reports when the carrier misbehaves, over real sockets."""

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from messaging.gateways import cmpp
from messaging.gateways import link as links
from messaging.gateways.base import Account, Verdict
from messaging.gateways.ear import Ear

from .stand import BOTH, Ears, all_accepted, segment, send, send_many, stand, until


@BOTH
def test_every_submit_is_answered_and_reported(protocol):
    async def story(carrier, pool, ears):
        await send_many(pool, ears, 500)
        await until(lambda: len(ears.reports) == 500)
        assert all_accepted(ears, 500)
        assert sorted(one.attempt for one in ears.answers) == list(range(1, 501))
        assert {one.remote_id for one in ears.answers} == {one.remote_id for one in ears.reports}
        await until(lambda: carrier.ledger.counts["acknowledged"] == 500)
        assert carrier.ledger.snapshot()["duplicate_count"] == 0

    stand(story, protocol=protocol)


@BOTH
def test_a_long_message_arrives_in_its_parts(protocol):
    async def story(carrier, pool, ears):
        parts = [segment(n, "字" * 67, "13800138000", part=n, parts=3, reference=9) for n in (1, 2, 3)]
        await send(pool, parts)
        await until(lambda: len(ears.reports) == 3)
        assert [one["part"] for one in carrier.ledger.entries] == [1, 2, 3]

    stand(story, protocol=protocol)


def test_latency_fills_the_window_and_no_more():
    async def story(carrier, pool, ears):
        slots = pool.reserve(100)
        assert len(slots) == 8
        assert pool.reserve(1) == []
        pool.send([(slot, segment(n)) for n, slot in enumerate(slots)])
        assert pool.reserve(1) == []
        await until(lambda: len(ears.answers) == 8)
        assert len(pool.reserve(100)) == 8

    stand(story, {"latency": 0.02, "jitter": 0.02}, window=8)


def test_no_answer_in_time_is_a_doubt_and_a_late_one_is_still_told():
    async def story(carrier, pool, ears):
        await send_many(pool, ears, 3)
        assert ears.verdicts() == {Verdict.IN_DOUBT: 3}
        await until(lambda: len(ears.answers) == 6)
        assert [one.verdict for one in ears.answers[3:]] == [Verdict.ACCEPTED] * 3
        assert {one.attempt for one in ears.answers[3:]} == {1, 2, 3}

    stand(story, {"latency": 0.4, "reports": False}, answer_seconds=0.1)


def test_lost_answers_free_the_window_after_their_time():
    async def story(carrier, pool, ears):
        await send_many(pool, ears, 40)
        assert ears.verdicts() == {Verdict.IN_DOUBT: 40}
        assert carrier.ledger.counts["accepted"] == 40
        await until(lambda: len(ears.reports) == 40)

    stand(story, {"lost_answers": 1.0}, answer_seconds=0.1)


def test_lost_submits_are_doubts_that_nobody_took():
    async def story(carrier, pool, ears):
        await send_many(pool, ears, 60)
        said, counts = ears.verdicts(), carrier.ledger.counts
        assert said[Verdict.ACCEPTED] == counts["accepted"]
        assert said[Verdict.IN_DOUBT] == counts["lost_submits"] > 0

    stand(story, {"lost_submits": 0.3, "reports": False, "seed": 4}, answer_seconds=0.2)


@pytest.mark.parametrize("answers", [False, True], ids=["cut", "closed"])
def test_a_break_in_the_window_leaves_doubts_and_the_ledger_knows(answers):
    async def story(carrier, pool, ears):
        await send_many(pool, ears, 60)
        said, counts = ears.verdicts(), carrier.ledger.counts
        assert said[Verdict.ACCEPTED] <= counts["accepted"] <= said[Verdict.ACCEPTED] + said[Verdict.IN_DOUBT]
        assert sum(said.values()) == 60
        assert 0 < said[Verdict.IN_DOUBT] <= 16
        assert carrier.ledger.snapshot()["duplicate_count"] == 0
        await until(lambda: len(ears.reports) == counts["accepted"])

    stand(story, {"disconnect_after": 25, "disconnect_answers": answers})


def test_a_slot_of_a_connection_that_went_was_never_sent():
    async def story(carrier, pool, ears):
        slots = pool.reserve(4)
        carrier.kick()
        await until(lambda: (0, "lost") in ears.changes or (0, "closed") in ears.changes)
        pool.send([(slot, segment(n)) for n, slot in enumerate(slots)])
        assert ears.verdicts() == {Verdict.NOT_SENT: 4}
        assert carrier.ledger.counts["accepted"] == 0

    stand(story)


def test_a_slot_is_good_for_one_submit():
    async def story(carrier, pool, ears):
        (slot,) = pool.reserve(1)
        pool.send([(slot, segment(1)), (slot, segment(2))])
        await until(lambda: len(ears.answers) == 2)
        assert ears.verdicts() == {Verdict.NOT_SENT: 1, Verdict.ACCEPTED: 1}
        pool.give_back([slot])
        assert len(pool.reserve(100)) == 16

    stand(story)


def test_what_cannot_be_said_is_refused_and_the_rest_goes():
    async def story(carrier, pool, ears):
        await send(pool, [segment(1), segment(2, "字" * 71), segment(3, phone="1" * 40), segment(4)])
        await until(lambda: len(ears.answers) == 4)
        found = {one.attempt: (one.verdict, one.code) for one in ears.answers}
        assert found[2] == (Verdict.REFUSED, "length")
        assert found[3] == (Verdict.REFUSED, "field Dest_terminal_Id")
        assert found[1][0] is found[4][0] is Verdict.ACCEPTED

    stand(story)


@pytest.mark.parametrize(
    ("faults", "verdict", "code"),
    [
        ({"refuse": 1.0}, Verdict.REFUSED, "1"),
        ({"refuse": 1.0, "refuse_code": 6}, Verdict.REFUSED, "6"),
        ({"refuse": 1.0, "refuse_code": 9}, Verdict.ELSEWHERE, "9"),
        ({"refuse_numbers": {"13800000001": 11}}, Verdict.REFUSED, "11"),
        ({"moved": ["13800000001"]}, Verdict.ELSEWHERE, "13"),
    ],
    ids=str,
)
def test_refusals(faults, verdict, code):
    async def story(carrier, pool, ears):
        await send_many(pool, ears, 1)
        assert (ears.answers[0].verdict, ears.answers[0].code) == (verdict, code)
        assert carrier.ledger.counts["refused"] == 1
        assert not carrier.ledger.entries

    stand(story, faults)


# The line


def test_garbage_closes_the_connection_and_the_next_one_goes_on():
    async def story(carrier, pool, ears):
        await send_many(pool, ears, 60)
        assert "length" in ears.errors
        await until(lambda: len(ears.reports) == carrier.ledger.counts["accepted"])
        assert sum(ears.verdicts().values()) == 60

    stand(story, {"garbage_after": 10})


def test_a_carrier_that_takes_nothing_more_is_left_all_the_same(monkeypatch):
    monkeypatch.setattr("messaging.gateways.ear.UNREAD", 0.05)

    async def story(carrier, pool, ears):
        (link,), (session,) = pool.links.values(), carrier.sessions.values()
        session.transport.pause_reading()
        link.transport.write(bytes(20_000_000))
        link.data_received(b"\xff" * 12)
        await until(lambda: "length" in ears.errors)
        await until(lambda: ears.changes[-1] == (1, None))

    stand(story)


def test_a_silent_carrier_is_tested_and_given_up():
    async def story(carrier, pool, ears):
        carrier.faults.black_hole = True
        await send(pool, [segment(1)])
        await until(lambda: "silent" in ears.errors)
        assert ears.verdicts() == {Verdict.IN_DOUBT: 1}
        carrier.faults.black_hole = False
        await until(lambda: ears.changes[-1] == (1, None))

    stand(story, idle_seconds=0.05, answer_seconds=0.2, connect_seconds=0.2)


def test_an_idle_carrier_is_kept_alive_by_active_tests(monkeypatch):
    tests = []

    async def story(carrier, pool, ears):
        (link,) = pool.links.values()
        write = link.transport.write
        link.transport.write = lambda raw: (tests.append(raw[4:8]), write(raw))
        await until(lambda: len(tests) > links.TESTS + 2)
        assert set(tests) == {bytes((0, 0, 0, 8))}
        assert ears.errors == []

    stand(story, idle_seconds=0.05)


def test_the_carriers_own_active_test_is_answered():
    async def story(carrier, pool, ears):
        (session,) = carrier.sessions.values()
        seen = []
        session.manner.read = lambda frame: seen.append(frame.hex())
        session.transport.write(bytes.fromhex("0000000c000000080000abcd"))
        await until(lambda: seen)
        assert seen == ["0000000d800000080000abcd00"]

    stand(story)


def test_a_carrier_that_says_good_bye_is_answered_and_left():
    async def story(carrier, pool, ears):
        (session,) = carrier.sessions.values()
        seen = []
        session.manner.read = lambda frame: seen.append(frame.hex())
        session.transport.write(bytes.fromhex("0000000c000000020000abcd"))
        await until(lambda: "closed" in ears.errors)
        await until(lambda: seen)
        assert seen == ["0000000c800000020000abcd"]

    stand(story)


def test_frames_of_an_unknown_command_are_passed_over():
    async def story(carrier, pool, ears):
        (session,) = carrier.sessions.values()
        session.transport.write(bytes.fromhex("0000000c00000666000000010000000c8000000400000001"))
        await until(lambda: "submit answer" in ears.errors)

    stand(story)


def test_a_clock_that_jumped_or_a_process_that_stood_still_makes_no_doubts():
    async def story(carrier, pool, ears):
        await send(pool, [segment(1)])
        (link,) = pool.links.values()
        link._ticked -= 60
        link.pending = {key: (attempt, written - 60) for key, (attempt, written) in link.pending.items()}
        await until(lambda: ears.answers)
        assert all_accepted(ears, 1)

    stand(story, {"latency": 0.1, "reports": False}, answer_seconds=2)


def test_leaving_waits_for_the_window_and_says_good_bye():
    async def story(carrier, pool, ears):
        await send(pool, [segment(n) for n in range(10)])
        await pool.stop(2)
        assert all_accepted(ears, 10)
        assert ears.changes[-1] == (0, None)
        assert len(ears.reports) == 10
        assert carrier.ledger.counts["acknowledged"] == 10
        assert not carrier.sessions

    stand(story, {"latency": 0.1, "report_early": 1.0})


def test_leaving_a_silent_carrier_ends_in_doubt_and_in_time():
    async def story(carrier, pool, ears):
        carrier.faults.black_hole = True
        await send(pool, [segment(n) for n in range(3)])
        async with asyncio.timeout(1):
            await pool.stop(0.1)
        assert ears.verdicts() == {Verdict.IN_DOUBT: 3}

    stand(story)


def test_ears_that_never_return_do_not_hold_up_leaving():
    async def story(carrier, pool, ears):
        ears.slow = 60
        await send_many(pool, ears, 1)
        async with asyncio.timeout(1.5):
            await pool.stop(0.1)
        assert ears.reports == []

    stand(story, ears=Ears())


# Whatever bytes come


class Wire(asyncio.Transport):
    """A transport that only remembers."""

    def __init__(self):
        super().__init__()
        self.written, self.closed = b"", False

    def write(self, data):
        self.written += data

    def is_closing(self):
        return self.closed

    def close(self):
        self.closed = True

    abort = close


noise = st.one_of(
    st.binary(max_size=80),
    st.builds(
        lambda command, body: cmpp.HEAD.pack(12 + len(body), command, 1) + body,
        st.sampled_from([1, 2, 4, 5, 8, 0x80000001, 0x80000004, 0x80000005, 0x80000008]),
        st.binary(max_size=150),
    ),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(noise, max_size=8), st.integers(1, 90), st.sampled_from(["cmpp2", "cmpp3"]))
def test_no_bytes_crash_a_connection(pieces, step, protocol):
    async def run():
        ears, wire = Ears(), Wire()
        ear = Ear(cmpp.Cmpp(Account(1, protocol, "", 1, "900001", "888888")), ears)
        ear.logged_in = ear.alive = ear.left = lambda: None
        ear.answered = lambda *values: None
        ear.connection_made(wire)
        stream = b"".join(pieces)
        for at in range(0, len(stream), step):
            if not wire.closed:
                ear.data_received(stream[at : at + step])
        await ear.settled()
        assert ear.error is None or ear.error.code

    asyncio.run(run())
