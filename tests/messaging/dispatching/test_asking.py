"""Carriers that can be asked about a doubt are asked, whatever one of them does."""

import asyncio
from types import SimpleNamespace

from messaging.dispatching import asking
from messaging.dispatching.asking import Asking


def test_a_fault_of_ours_ends_no_asking(monkeypatch):
    monkeypatch.setattr(asking, "EVERY", 0)
    asked = []

    class Threads:
        async def run(self, act, *args):
            return [(1, 1, "01", "01", "13800138000")]

    class Pool:
        can_query = True

        async def query(self, *args):
            asked.append(args)
            raise AttributeError

    account = SimpleNamespace(
        pool=Pool(), threads=Threads(), gateway=1, asked=0, owned=True, pulse=SimpleNamespace(sending=True)
    )

    async def run():
        task = asyncio.create_task(Asking(SimpleNamespace(accounts={1: account})).run())
        async with asyncio.timeout(2):
            while len(asked) < 3:
                await asyncio.sleep(0)
        task.cancel()

    asyncio.run(run())
