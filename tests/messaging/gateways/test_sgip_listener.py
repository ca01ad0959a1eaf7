"""Our listener, where China Unicom brings its reports, and what others may try there."""

import asyncio
import logging
from contextlib import asynccontextmanager, suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from messaging.gateways import sgip_frames as wire
from messaging.gateways.base import Outcome
from messaging.gateways.sgip_frames import Bind, Command, Deliver, Report
from messaging.gateways.sgip_listener import Listener, disguised
from tests.messaging.gateways.stand import LOGIN, SECRET, Ears, account, until

PHONE = "8613012345678"
SUBMIT = bytes(range(12))
SEQUENCE = b"\xee\x6b\x28\x00\x43\xc6\xae\x4c\x00\x00\x00\x07"
UNBIND = wire.pack(Command.UNBIND, SEQUENCE)


class Nowhere:
    port = 1


def bind(login_type=2, name=LOGIN, password=SECRET):
    return wire.pack(Command.BIND, SEQUENCE, Bind(login_type, name, password))


def report(number=PHONE, state=0, error=0, submit=SUBMIT):
    return wire.pack(Command.REPORT, SEQUENCE, Report(submit, number, state, error))


@asynccontextmanager
async def listening(ears=None, **options):
    ears = ears or Ears()
    options = {"listen_host": "127.0.0.1", "listen_port": 0, **options}
    listener = Listener(account(Nowhere, "sgip", options=options, connect_seconds=0.3), ears)
    await listener.open()
    try:
        yield listener, ears
    finally:
        await listener.close(1)


async def say(listener, *frames, address="127.0.0.1"):
    """What comes back when these are written and the other side, or after a moment we, have finished."""
    reader, writer = await asyncio.open_connection("127.0.0.1", listener.port, local_addr=(address, 0))
    with suppress(ConnectionError):
        for frame in frames:
            writer.write(frame)
        await writer.drain()
        heard = await asyncio.wait_for(reader.read(), 3)
        writer.close()
        return heard
    return b""


def trial(work, **options):
    async def run():
        async with listening(**options) as (listener, ears):
            await asyncio.wait_for(work(listener, ears), 8)

    asyncio.run(run())


def test_reports_are_acknowledged_after_they_were_kept():
    async def work(listener, ears):
        heard = await say(listener, bind(), report(), UNBIND)
        assert heard == b"".join(
            wire.answer(one, SEQUENCE) for one in (Command.BIND, Command.REPORT, Command.UNBIND)
        )
        assert [(one.remote_id, one.phone, one.outcome) for one in ears.reports] == [
            (SUBMIT.hex(), "13012345678", Outcome.DELIVERED)
        ]

    trial(work)


def test_without_a_secret_nobody_is_let_in():
    async def work(listener, ears):
        assert await say(listener, bind(password=""), report()) == wire.answer(Command.BIND, SEQUENCE, 1)
        assert not ears.reports

    trial(work, listen_password="")


def test_reports_that_cannot_be_kept_are_not_acknowledged():
    async def work(listener, ears):
        ears.broken = True
        assert await say(listener, bind(), report()) == wire.answer(Command.BIND, SEQUENCE)
        ears.broken = False
        assert wire.answer(Command.REPORT, SEQUENCE) in await say(listener, bind(), report(), UNBIND)

    trial(work)


def test_frames_arrive_byte_by_byte():
    async def work(listener, ears):
        every = bind() + report() + UNBIND
        heard = await say(listener, *(every[at : at + 1] for at in range(len(every))))
        assert len(heard) == 29 + 29 + 20

    trial(work)


@pytest.mark.parametrize(
    ("frame", "result"),
    [
        (bind(name="someone"), 1),
        (bind(password="wrong"), 1),
        (bind(password=""), 1),
        (bind(login_type=1), 4),
    ],
    ids=["name", "password", "no password", "kind"],
)
def test_wrong_logins_are_answered_and_left(frame, result, caplog):
    async def work(listener, ears):
        assert await say(listener, frame, report()) == wire.answer(Command.BIND, SEQUENCE, result)
        assert not ears.reports

    with caplog.at_level(logging.DEBUG):
        trial(work)
    assert SECRET not in caplog.text
    assert "someone" not in caplog.text


def test_the_listener_has_its_own_login():
    async def work(listener, ears):
        assert (await say(listener, bind()))[20] == 1
        assert (await say(listener, bind(name="smg", password="own"), UNBIND))[20] == 0

    trial(work, listen_login="smg", listen_password="own")


def test_nobody_is_heard_before_the_login():
    async def work(listener, ears):
        for frame in (report(), UNBIND, wire.pack(Command.USERRPT, SEQUENCE)):
            assert await say(listener, frame) == b""
        assert not ears.reports

    trial(work)


def test_a_second_login_on_a_connection_is_repeated():
    async def work(listener, ears):
        heard = await say(listener, bind(), bind(), report(), UNBIND)
        assert [heard[20], heard[49], heard[78]] == [0, 2, 0]

    trial(work)


@pytest.mark.parametrize("peers", [["10.0.0.0/8"], "10.0.0.0/8, 192.168.0.1"], ids=["list", "words"])
def test_strangers_are_not_spoken_to(peers):
    async def work(listener, ears):
        assert await say(listener, bind(), report()) == b""
        assert not ears.reports
        assert not listener.doors

    trial(work, peers=peers)


def test_the_gateways_own_address_is_let_in_and_its_neighbour_is_not():
    async def work(listener, ears):
        assert await say(listener, bind(), UNBIND)
        assert await say(listener, bind(), UNBIND, address="127.0.0.2") == b""

    trial(work)


@pytest.mark.parametrize("peers", [["nowhere/8"], [5.5], 7], ids=["words", "fraction", "number"])
def test_peers_that_are_no_networks(peers):
    async def run():
        with pytest.raises(wire.SgipError) as fault:
            async with listening(peers=peers):
                pass
        assert fault.value.code == "settings"

    asyncio.run(run())


LYING = b"\0\0\0\xff" + report()[4:]
ATTACKS = {
    "zeros": b"\0" * 400,
    "text": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    "endless frame": b"\xff\xff\xff\xff" + b"x" * 300,
    "shorter than a header": b"\0\0\0\x13" + b"\0" * 15,
    "larger than SGIP": b"\0\0\x08\x01" + b"\0" * 2045,
    "unknown command": wire.pack(0x99, SEQUENCE, b"x" * 20),
    "short report": wire.pack(Command.REPORT, SEQUENCE, b"\0" * 35),
    "lying content": wire.pack(Command.DELIVER, SEQUENCE, b"1" * 45 + b"\xff\xff\xff\xff" + b"x" * 20),
}


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
@pytest.mark.parametrize("bound", [False, True], ids=["stranger", "logged in"])
def test_garbage_closes_its_connection_and_no_other(attack, bound):
    async def work(listener, ears):
        reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
        writer.write(bind())
        await reader.readexactly(29)
        heard = await say(listener, bind() if bound else b"", attack, report())
        assert len(heard) == 29 * bound
        writer.write(report())
        assert await reader.readexactly(29) == wire.answer(Command.REPORT, SEQUENCE)
        writer.close()

    trial(work)


def test_a_length_that_promises_more_swallows_only_its_own_connection():
    async def work(listener, ears):
        assert len(await say(listener, bind(), LYING, report(), report(), report(), UNBIND)) == 29
        assert not ears.reports
        assert len(await say(listener, bind(), report(), UNBIND)) == 78

    trial(work)


def test_who_does_not_log_in_is_sent_away():
    async def work(listener, ears):
        assert await say(listener, bind()[:30]) == b""
        assert not listener.doors

    trial(work)


def test_a_silent_visitor_is_sent_away_in_the_end():
    async def work(listener, ears):
        assert len(await say(listener, bind())) == 29
        assert not listener.doors

    trial(work, listen_idle=0.4)


def test_no_more_than_so_many_at_once(monkeypatch):
    monkeypatch.setattr("messaging.gateways.sgip_listener.DOORS", 2)

    async def work(listener, ears):
        two = [await asyncio.open_connection("127.0.0.1", listener.port) for _ in range(2)]
        await until(lambda: len(listener.doors) == 2)
        assert await say(listener, bind(), UNBIND) == b""
        for _, writer in two:
            writer.close()
        await until(lambda: not listener.doors)
        assert len(await say(listener, bind(), UNBIND)) == 49

    trial(work)


def test_user_reports_are_answered_and_the_rest_is_passed_over():
    async def work(listener, ears):
        others = [wire.pack(one, SEQUENCE, b"\0" * 60) for one in (Command.USERRPT, Command.TRACE)]
        heard = await say(listener, bind(), *others, UNBIND)
        assert heard[29:] == wire.answer(Command.USERRPT, SEQUENCE) + wire.answer(Command.UNBIND, SEQUENCE)

    trial(work)


def test_numbers_of_any_length_fit_what_keeps_them():
    async def work(listener, ears):
        frame = wire.pack(Command.DELIVER, SEQUENCE, Deliver("9" * 21, "1" * 21, b"\0T\0D", 8))
        await say(listener, bind(), report(number="1" * 21), frame, UNBIND)
        assert len(ears.reports[0].phone) == len(ears.messages[0].phone) == 20

    trial(work)


def test_a_message_that_looks_like_a_report_of_another_phone_is_a_message():
    body = Report(SUBMIT, "8613099999999", 0).pack()
    assert disguised(Deliver(PHONE, "10690001", body, 4), b"") is None
    assert disguised(Deliver(PHONE, "10690001", b"stat:DELIVRD", 0), b"") is None


@pytest.mark.parametrize(
    ("words", "outcome", "temporary"),
    [
        ("stat:DELIVRD err:000", Outcome.DELIVERED, False),
        ("stat:ACCEPTD", Outcome.UNDER_WAY, False),
        ("stat:EXPIRED err:26", Outcome.EXPIRED, True),
        ("sub:001 stat:UNDELIV err:026 text:", Outcome.FAILED, True),
        ("stat:REJECTD", Outcome.FAILED, False),
    ],
)
def test_reports_in_words(words, outcome, temporary):
    content = f"id:{SUBMIT.hex()} {words}"
    for coding, raw in ((0, content.encode()), (8, content.encode("utf-16-be"))):
        found = disguised(Deliver(PHONE, "10690001", raw, coding), b"")
        assert (found.remote_id, found.outcome, found.temporary) == (SUBMIT.hex(), outcome, temporary)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.binary(max_size=120) | st.sampled_from([bind(), report(), UNBIND, LYING]), max_size=6))
def test_whatever_is_said_the_listener_goes_on(frames):
    async def work(listener, ears):
        reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
        writer.writelines(frames)
        writer.write_eof()
        with suppress(ConnectionError):
            await asyncio.wait_for(reader.read(), 2)
        writer.close()
        assert len(await say(listener, bind(), report(), UNBIND)) == 78

    trial(work)
