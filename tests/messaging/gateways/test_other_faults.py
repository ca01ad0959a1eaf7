"""Any faults together, at China Unicom and China Telecom."""

import asyncio
import random

import pytest

from messaging.gateways import probe
from messaging.gateways.base import GatewayError
from messaging.simulators.sgip import SgipCarrier
from messaging.simulators.smgp import SmgpCarrier

from .stand import LOGIN, account, connected, open_carrier, until
from .test_any_faults import CHOICES, Moody, judge, push
from .test_sgip import OURS

KINDS = {"sgip": SgipCarrier, "smgp": SmgpCarrier}


async def story(protocol, seed, count):
    dice = random.Random(seed)
    faults = {name: dice.choice(values) for name, values in CHOICES.items()} | {"seed": seed}
    more = {
        "connections": dice.randrange(1, 4), "window": dice.choice([1, 16, 64]), "answer_seconds": 0.4,
        "idle_seconds": 0.3, "connect_seconds": 2, "options": dict(OURS),
    }  # fmt: skip
    manners = {"answers_copies": dice.choice([None, 0, 9, 88])} if protocol == "sgip" else {}
    async with open_carrier(KINDS[protocol], faults, **manners) as carrier:
        async with connected(carrier, protocol, ears=Moody(dice), **more) as (pool, ears):
            if protocol == "sgip":
                await until(lambda: pool.listener.server)
                carrier.listens(LOGIN, "127.0.0.1", pool.listener.port)
            await push(pool, carrier, dice, count)
            await all_is_quiet(carrier, ears, count)


async def all_is_quiet(carrier, ears, count):
    await until(lambda: len({one.attempt for one in ears.answers}) == count, 20)
    ears.share = 0
    taken = {entry["remote_id"] for entry in carrier.ledger.entries}
    await until(lambda: taken <= {one.remote_id for one in ears.reports}, 20)
    judge(ears, carrier, count)


@pytest.mark.parametrize("protocol", KINDS)
@pytest.mark.parametrize("seed", [1, 2])
def test_any_faults_together(protocol, seed):
    asyncio.run(story(protocol, seed, 120))


@pytest.mark.soak
@pytest.mark.parametrize("protocol", KINDS)
@pytest.mark.parametrize("seed", range(3, 33))
def test_any_faults_together_for_long(protocol, seed):
    asyncio.run(story(protocol, seed, 400))


@pytest.mark.parametrize("protocol", KINDS)
@pytest.mark.parametrize(
    ("faults", "code"),
    [({"login": "silent"}, "login"), ({"login": "garbage"}, "length"), ({"black_hole": True}, "login")],
    ids=["silent", "garbage", "black hole"],
)
def test_logins_that_are_never_answered(protocol, faults, code):
    async def run():
        async with open_carrier(KINDS[protocol], faults) as carrier:
            with pytest.raises(GatewayError) as fault:
                await probe(account(carrier, protocol, options=OURS, connect_seconds=0.1))
            assert fault.value.code == code

    asyncio.run(run())
