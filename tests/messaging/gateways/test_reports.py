"""Reports and messages from handsets: told in order, acknowledged after they were taken, however they come."""

import asyncio

import pytest

from .stand import BOTH, all_accepted, segment, send, send_many, stand, until


@pytest.mark.parametrize(
    ("faults", "count"),
    [
        ({"report_twice": 1.0}, 60),
        ({"report_lost": 1.0}, 0),
        ({"reports": False}, 0),
        ({"report_unknown": 1.0}, 60),
        ({"report_under_way": 1.0}, 60),
        ({"report_early": 1.0}, 30),
        ({"report_early": 1.0, "latency": 0.02}, 30),
        ({"report_delay": 0.05, "report_jitter": 0.05}, 30),
        ({"report_late": 0.5, "late_seconds": 0.1}, 30),
        ({"report_shuffle": True}, 30),
    ],
    ids=str,
)
def test_reports_however_they_come(faults, count):
    async def story(carrier, pool, ears):
        await send_many(pool, ears, 30)
        await until(lambda: len(ears.reports) == count)
        await until(lambda: carrier.ledger.counts["acknowledged"] == count)
        assert all_accepted(ears, 30)

    stand(story, faults)


def test_early_reports_come_before_the_answer():
    order = []

    async def story(carrier, pool, ears):
        ears.answered = lambda answers: order.append("answer")
        ears.reported = lambda reports: asyncio.sleep(0, order.append("report"))
        await send(pool, [segment(1)])
        await until(lambda: len(order) == 2)
        assert order == ["report", "answer"]

    stand(story, {"report_early": 1.0, "latency": 0.02})


def test_reports_say_what_they_are_told_to():
    async def story(carrier, pool, ears):
        await send_many(pool, ears, 3)
        await until(lambda: len(ears.reports) == 3)
        found = {one.phone: (one.stat, one.cause) for one in ears.reports}
        assert found["13800000001"] == ("MK:0001", "empty_number")
        assert found["13800000002"] == ("MB:1049", "elsewhere")
        assert found["13800000003"] == ("EXPIRED", "")

    numbers = {"13800000001": "MK:0001"}
    moved = {"moved": ["13800000002"], "moved_says": "report"}
    stand(story, {"stats": {"EXPIRED": 1.0}, "stat_numbers": numbers, **moved})


def test_a_report_is_acknowledged_after_it_was_taken_and_not_before():
    async def story(carrier, pool, ears):
        ears.slow = 0.05
        await send_many(pool, ears, 5)
        assert carrier.ledger.counts["acknowledged"] == 0
        await until(lambda: carrier.ledger.counts["acknowledged"] == 5)
        assert len(ears.reports) == 5

    stand(story)


def test_reports_that_cannot_be_taken_are_not_acknowledged_and_come_again():
    async def story(carrier, pool, ears):
        ears.broken = True
        await send_many(pool, ears, 5)
        await until(lambda: "inbox" in ears.errors)
        assert carrier.ledger.counts["acknowledged"] == 0
        ears.broken = False
        await until(lambda: carrier.ledger.counts["acknowledged"] == 5)
        assert len({one.remote_id for one in ears.reports}) == 5

    stand(story)


def test_reports_left_by_a_broken_connection_come_again():
    async def story(carrier, pool, ears):
        ears.slow = 0.1
        await send_many(pool, ears, 5)
        carrier.kick()
        ears.slow = 0
        await until(lambda: carrier.ledger.counts["acknowledged"] == 5)
        assert carrier.ledger.counts["reports_again"] == 5
        assert len({one.remote_id for one in ears.reports}) == 5

    stand(story)


def test_an_unacknowledged_report_comes_again_on_the_same_connection():
    async def story(carrier, pool, ears):
        ears.slow = 0.3
        await send_many(pool, ears, 2)
        await until(lambda: carrier.ledger.counts["reports_again"] >= 2)
        assert ears.errors == []

    stand(story, {"resend_seconds": 0.05})


def test_a_slow_database_slows_the_carrier_and_memory_stays(monkeypatch):
    monkeypatch.setattr("messaging.gateways.ear.BACKLOG", 20)
    monkeypatch.setattr("messaging.gateways.ear.BATCH", 10)

    async def story(carrier, pool, ears):
        ears.slow, carrier.report_window = 0.005, 1000
        (link,) = pool.links.values()
        backlogs, pause = [], link.transport.pause_reading
        link.transport.pause_reading = lambda: (backlogs.append(len(link._told)), pause())
        await send_many(pool, ears, 400)
        await until(lambda: len(ears.reports) == 400)
        assert all_accepted(ears, 400)
        assert 20 < max(backlogs) < 420
        assert max(ears.batches) <= 10

    stand(story, answer_seconds=0.3)


def test_messages_keep_their_order_among_reports():
    async def story(carrier, pool, ears):
        heard = []

        async def kept(items):
            await asyncio.sleep(0.002)
            heard.extend(one.phone for one in items)

        ears.reported = ears.heard = kept
        for number in range(6):
            carrier.send_mo(f"1390000000{number}", "TD")
            await send(pool, [segment(number)])
        await until(lambda: len(heard) == 12)
        assert [phone for phone in heard if phone.startswith("139")] == [f"1390000000{n}" for n in range(6)]

    stand(story)


@BOTH
@pytest.mark.parametrize("text", ["TD", "退订", "字" * 200, "😀" * 50], ids=["td", "word", "long", "pairs"])
def test_messages_from_handsets(protocol, text):
    async def story(carrier, pool, ears):
        carrier.send_mo("13800138000", text, to="10690001")
        await until(lambda: ears.messages and len(ears.messages) == ears.messages[0].parts)
        assert "".join(one.text for one in sorted(ears.messages, key=lambda one: one.part)) == text
        assert {(one.phone, one.to) for one in ears.messages} == {("13800138000", "10690001")}
        await until(lambda: carrier.ledger.counts["acknowledged"] == len(ears.messages))

    stand(story, protocol=protocol)
