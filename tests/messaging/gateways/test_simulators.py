"""The simulated carrier itself: it does what it is told and counts what it did."""

import asyncio
import json

import pytest

from messaging.gateways.base import Verdict
from messaging.simulators.cmpp import CmppCarrier
from messaging.simulators.faults import Faults, UnknownFault
from messaging.simulators.ledger import Ledger, read_ledger

from .stand import LOGIN, SECRET, connected, open_carrier, segment, send, send_many, until


def test_faults_change_and_go_back():
    faults = Faults()
    faults.update_from({"latency": 1, "moved": ["13800138000"], "stats": {"UNDELIV": 0.5}, "reports": False})
    assert (faults.latency, faults.reports, faults.as_dict()["moved"]) == (1.0, False, ["13800138000"])
    faults.update_from({"reset": True, "refuse": 0.1})
    assert (faults.latency, faults.moved, faults.refuse, faults.stats) == (0.0, [], 0.1, {})


@pytest.mark.parametrize(
    "words",
    [
        {"lateny": 1}, {"latency": "1"}, {"latency": -1}, {"latency": float("nan")}, {"latency": float("inf")},
        {"refuse": 1.5}, {"refuse": True}, {"throttle_above": 1.5}, {"login": "sulk"}, {"moved": [1]}, {"moved": "1"},
        {"stats": {"UNDELIV": "half"}}, {"refuse_numbers": {"1": "x"}}, {"stat": None}, {"reports": 1}, {"dice": 1},
        {"stat": "x" * 50}, {1: 2},
    ],
    ids=str,
)  # fmt: skip
def test_unknown_faults_and_strange_values_change_nothing(words):
    faults = Faults()
    with pytest.raises(UnknownFault):
        faults.update_from({"jitter": 0.5, "reset": True, **words})
    assert faults.as_dict() == Faults().as_dict()


def test_shares_of_stats_add_up():
    faults = Faults(stats={"UNDELIV": 0.3, "EXPIRED": 0.2}, seed=1)
    found = [faults.stat_of("1") for _ in range(2000)]
    assert 500 < found.count("UNDELIV") < 700
    assert 300 < found.count("EXPIRED") < 500
    assert found.count("DELIVRD") == 2000 - found.count("UNDELIV") - found.count("EXPIRED")


def test_a_ledger_sees_who_got_a_message_twice(tmp_path):
    ledger = Ledger(tmp_path / "taken.jsonl")
    for phone, part in [("1", 1), ("1", 2), ("2", 1), ("1", 1), ("1", 1)]:
        ledger.take(phone, "复诊", part, "00000001", "ab", 1)
    assert ledger.duplicates() == [("1", "复诊", 1, 3)]
    found = ledger.snapshot()
    assert (found["accepted"], found["messages"], found["duplicate_count"]) == (5, 3, 1)
    assert json.loads(json.dumps(found)) == found
    ledger.clear()
    assert (ledger.snapshot()["accepted"], ledger.duplicates()) == (0, [])
    ledger.close()


def test_a_ledger_keeps_the_newest_and_counts_all():
    ledger = Ledger(keep=10)
    for number in range(100):
        ledger.take(str(number), "复诊", 1, "00000001", "ab", 1)
    assert len(ledger.entries) <= 20
    assert ledger.entries[-1]["phone"] == "99"
    assert ledger.snapshot()["messages"] == 100


def test_another_process_reads_the_ledger_while_it_is_written(tmp_path):
    path = tmp_path / "taken.jsonl"

    async def run():
        async with (
            open_carrier(CmppCarrier, ledger=Ledger(path)) as carrier,
            connected(carrier) as (pool, ears),
        ):
            await send_many(pool, ears, 30)
            await until(lambda: len(read_ledger(path)) == 30)
            assert {one["phone"] for one in read_ledger(path)} == {segment(n).phone for n in range(1, 31)}

    asyncio.run(run())
    with path.open("a") as file:
        file.write('{"phone": "138')
    assert len(read_ledger(path)) == 30


def test_status_is_plain_data_without_secrets():
    async def run():
        async with open_carrier(CmppCarrier) as carrier, connected(carrier) as (pool, ears):
            await send_many(pool, ears, 3)
            said = json.dumps(carrier.status())
            assert SECRET not in said
            assert json.loads(said)["sessions"][0]["login"] == LOGIN
            assert json.loads(said)["ledger"]["accepted"] == 3

    asyncio.run(run())


def test_submits_before_a_login_are_not_taken():
    async def run():
        async with open_carrier(CmppCarrier) as carrier:
            reader, writer = await asyncio.open_connection("127.0.0.1", carrier.port)
            writer.write(bytes.fromhex("0000000c0000000800000001"))
            assert (await reader.readexactly(13))[7] == 8
            writer.write(bytes.fromhex("000000b50000000400000001") + bytes(105) + b"\1" + bytes(63))
            assert await reader.read() == b""
            assert carrier.ledger.counts["garbled"] == 1
            assert carrier.ledger.counts["accepted"] == 0

    asyncio.run(run())


@pytest.mark.parametrize(
    "junk", [b"\xff" * 100, b"\0" * 100, b"GET / HTTP/1.0\r\n\r\n"], ids=["ff", "00", "http"]
)
def test_strange_clients_are_turned_away(junk):
    async def run():
        async with open_carrier(CmppCarrier) as carrier:
            reader, writer = await asyncio.open_connection("127.0.0.1", carrier.port)
            writer.write(junk)
            assert await reader.read() == b""
            assert carrier.ledger.counts["garbled"] == 1

    asyncio.run(run())


def test_throttling_counts_by_the_second():
    async def run():
        async with open_carrier(CmppCarrier, {"throttle_above": 5}) as carrier:
            async with connected(carrier, window=64) as (pool, ears):
                await send(pool, [segment(n) for n in range(30)])
                await until(lambda: len(ears.answers) == 30)
                assert 5 <= ears.verdicts()[Verdict.ACCEPTED] <= 10

    asyncio.run(run())
