"""Whatever faults come together: every submit has one end, what the carrier took is ours to know of, and every report
of it arrives."""

import asyncio
import random

import pytest

from messaging.gateways.base import Verdict
from messaging.simulators.cmpp import CmppCarrier

from .stand import Ears, connected, open_carrier, segment, until

NEVER_TAKEN = (Verdict.NOT_SENT, Verdict.REFUSED, Verdict.THROTTLED, Verdict.ELSEWHERE)
CHOICES = {
    "latency": (0.0, 0.005, 0.02), "jitter": (0.0, 0.02), "lost_answers": (0.0, 0.02), "lost_submits": (0.0, 0.02),
    "refuse": (0.0, 0.1), "throttle_above": (0, 300), "disconnect_after": (0, 7, 60), "disconnect_times": (1, 5),
    "disconnect_answers": (False, True), "garbage_after": (0, 30), "report_early": (0.0, 0.3),
    "report_twice": (0.0, 0.2), "report_shuffle": (False, True), "report_delay": (0.0, 0.05),
    "report_under_way": (0.0, 0.2), "resend_seconds": (0.05, 30.0),
}  # fmt: skip


class Moody(Ears):
    """Takes its time, and now and then cannot take reports at all."""

    def __init__(self, dice):
        super().__init__()
        self.dice, self.share = dice, 0.03

    async def reported(self, reports):
        self.slow, self.broken = self.dice.random() * 0.01, self.dice.random() < self.share
        await super().reported(reports)


async def push(pool, carrier, dice, count):
    """Send so many, giving places back now and then, while the line is cut now and then."""
    sent = 0
    while sent < count:
        await asyncio.wait_for(pool.room(), 20)
        slots = pool.reserve(dice.randrange(1, 100))
        used = [slot for slot in slots if dice.random() > 0.03][: count - sent]
        if dice.random() < 0.02:
            carrier.kick()
        pool.send([(slot, segment(number)) for number, slot in enumerate(used, sent)])
        pool.give_back([slot for slot in slots if slot not in used])
        sent += len(used)


def judge(ears, carrier, count):
    """What must hold once all is quiet."""
    ends = {}
    for answer in ears.answers:
        if answer.attempt in ends:  # only a doubt may be lifted later
            assert ends[answer.attempt].verdict is Verdict.IN_DOUBT
        ends[answer.attempt] = answer
    assert len(ends) == count
    taken = {entry["phone"]: entry["remote_id"] for entry in carrier.ledger.entries}
    assert carrier.ledger.snapshot()["duplicate_count"] == 0
    for attempt, answer in ends.items():
        known = taken.get(segment(attempt).phone)
        assert answer.verdict not in NEVER_TAKEN or known is None
        assert answer.verdict is not Verdict.ACCEPTED or answer.remote_id == known


async def story(seed, count):
    dice = random.Random(seed)
    faults = {name: dice.choice(values) for name, values in CHOICES.items()} | {"seed": seed}
    more = {
        "connections": dice.randrange(1, 4), "window": dice.choice([1, 16, 64]), "answer_seconds": 0.4,
        "idle_seconds": 0.3, "connect_seconds": 2,
    }  # fmt: skip
    async with open_carrier(CmppCarrier, faults) as carrier:
        async with connected(carrier, dice.choice(["cmpp2", "cmpp3"]), ears=Moody(dice), **more) as (
            pool,
            ears,
        ):
            await push(pool, carrier, dice, count)
            await until(lambda: len({one.attempt for one in ears.answers}) == count, 20)
            ears.share = 0
            taken = {entry["remote_id"] for entry in carrier.ledger.entries}
            await until(lambda: taken <= {one.remote_id for one in ears.reports}, 20)
            judge(ears, carrier, count)


@pytest.mark.parametrize("seed", range(5))
def test_any_faults_together(seed):
    asyncio.run(story(seed, 150))


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(5, 45))
def test_any_faults_together_for_long(seed):
    asyncio.run(story(seed, 400))
