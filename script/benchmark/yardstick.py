"""How fast a carrier takes messages when nothing is kept: the frames of a campaign, without a database.

The figure a dispatcher is compared with, in the same run, against the same simulated carrier.
"""

import asyncio
from time import perf_counter

from messaging.gateways import open_pool
from messaging.gateways.base import Account, Segment

TEXT = "【社区卫生】您好，您的家庭医生提醒您按时复诊。"


class Counter:
    """A sink that counts and forgets."""

    def __init__(self, count):
        self.left, self.reports = count, 0

    def answered(self, answers):
        self.left -= len(answers)

    async def reported(self, reports):
        self.reports += len(reports)

    async def heard(self, messages):
        pass

    def changed(self, up, error):
        pass


async def messages_a_second(account: Account, count: int, text: str = TEXT, patience: float = 300) -> float:
    """Send so many, one segment each, and wait for their answers and reports. Raises TimeoutError."""
    sink = Counter(count)
    pool = open_pool(account, sink)
    await pool.start()
    try:
        async with asyncio.timeout(patience):
            await pool.room()
            begin = perf_counter()
            await _send(pool, count, text)
            while sink.left > 0 or sink.reports < count:
                await asyncio.sleep(0.002)
        return count / (perf_counter() - begin)
    finally:
        await pool.stop(2)


async def _send(pool, count, text):
    sent = 0
    while sent < count:
        await pool.room()
        slots = pool.reserve(min(256, count - sent))
        pool.send([
            (slot, Segment(number, f"138{number:08d}", text)) for number, slot in enumerate(slots, sent)
        ])  # fmt: skip
        sent += len(slots)
