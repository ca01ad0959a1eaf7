"""A test stand: a pool of ours against a simulated carrier over real sockets, and who hears what comes back."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from messaging.gateways import open_pool
from messaging.gateways.base import Account, Segment, Verdict
from messaging.simulators.cmpp import CmppCarrier

LOGIN, SECRET = "900001", "888888"
QUICK = {"retry_first": 0.01, "retry_longest": 0.05, "refused_first": 0.02, "refused_longest": 0.1}


class Ears:
    """A sink that keeps everything. ``broken``: reports cannot be taken; ``slow``: seconds it takes."""

    def __init__(self):
        self.answers, self.reports, self.messages, self.changes, self.batches = [], [], [], [], []
        self.broken = False
        self.slow = 0.0

    def answered(self, answers):
        self.answers += answers

    async def reported(self, reports):
        if self.slow:
            await asyncio.sleep(self.slow)
        if self.broken:
            raise OSError("no database")
        self.reports += reports
        self.batches.append(len(reports))

    async def heard(self, messages):
        await self.reported([])
        self.messages += messages

    def changed(self, up, error):
        self.changes.append((up, error.code if error else None))

    def verdicts(self):
        counted = {}
        for answer in self.answers:
            counted[answer.verdict] = counted.get(answer.verdict, 0) + 1
        return counted

    @property
    def errors(self):
        return [code for _, code in self.changes if code]


async def until(true, seconds=5):
    """Wait for a condition; fail after so many seconds."""
    async with asyncio.timeout(seconds):
        while not true():
            await asyncio.sleep(0.002)


def account(carrier, protocol="cmpp2", **more):
    options = {**QUICK, **more.pop("options", {})}
    values = {"login": LOGIN, "secret": SECRET, "access_number": "10690001", "answer_seconds": 5, **more}
    host = values.pop("host", "127.0.0.1")
    return Account(1, protocol, host, carrier.port, options=options, **values)


@asynccontextmanager
async def open_carrier(kind, faults=None, **more):
    carrier = kind({LOGIN: SECRET}, **more)
    carrier.faults.update_from(faults or {})
    await carrier.start()
    try:
        yield carrier
    finally:
        await carrier.stop()


@asynccontextmanager
async def connected(carrier, protocol="cmpp2", up=1, ears=None, **more):
    """(pool, ears), up; stopped at the end if the test did not."""
    ears = ears or Ears()
    pool = open_pool(account(carrier, protocol, **more), ears)
    await pool.start()
    try:
        if up:
            await until(lambda: any(count == up for count, _ in ears.changes))
        yield pool, ears
    finally:
        await pool.stop(0.05)


def segment(number, text="您好，请按时复诊。", phone=None, **more):
    return Segment(number, phone or f"138{number:08d}", text, **more)


async def send(pool, segments):
    """All of them, as the windows allow."""
    waiting = list(segments)
    while waiting:
        await asyncio.wait_for(pool.room(), 5)
        slots = pool.reserve(len(waiting))
        batch, waiting = waiting[: len(slots)], waiting[len(slots) :]
        pool.send(list(zip(slots, batch, strict=True)))


async def send_many(pool, ears, count, **more):
    """So many, and wait for their answers."""
    before = len(ears.answers)
    await send(pool, [segment(number, **more) for number in range(1, count + 1)])
    await until(lambda: len(ears.answers) >= before + count)


def all_accepted(ears, count):
    return ears.verdicts() == {Verdict.ACCEPTED: count}


BOTH = pytest.mark.parametrize("protocol", ["cmpp2", "cmpp3"])


def stand(story, faults=None, protocol="cmpp2", **more):
    """Run the story with a CMPP carrier of these faults and a pool that is up."""

    async def run():
        async with open_carrier(CmppCarrier, faults) as carrier:
            async with connected(carrier, protocol, **more) as (pool, ears):
                await story(carrier, pool, ears)

    asyncio.run(run())
