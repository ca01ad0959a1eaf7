"""Connections go to the addresses that were looked up and allowed, whatever the host's name says by then."""

import asyncio

import pytest

from messaging.gateways import probe
from messaging.gateways.base import Unreachable
from messaging.simulators.cmpp import CmppCarrier
from messaging.simulators.http import HttpCarrier
from tests.messaging.gateways.stand import account, all_accepted, connected, open_carrier, send_many

BOTH = pytest.mark.parametrize(("kind", "protocol"), [(CmppCarrier, "cmpp2"), (HttpCarrier, "http")])
QUESTIONS = pytest.mark.parametrize("options", [{}, {"query_path": "none"}])
NAME = "sms.invalid"  # resolves nowhere


@BOTH
@QUESTIONS
def test_the_name_is_not_looked_up_again(kind, protocol, options):
    async def run():
        given = {"host": NAME, "addresses": ("127.0.0.1",), "options": options}
        async with open_carrier(kind) as carrier:
            async with connected(carrier, protocol, **given) as (pool, ears):
                await send_many(pool, ears, 20)
                assert all_accepted(ears, 20)

    asyncio.run(run())


@BOTH
@QUESTIONS
def test_where_one_address_is_dead_the_next_is_tried(kind, protocol, options):
    async def run():
        given = {"host": NAME, "addresses": ("127.0.0.9", "127.0.0.1"), "options": options}
        async with open_carrier(kind) as carrier:
            assert await probe(account(carrier, protocol, **given)) < 2
            await carrier.close_door()
            with pytest.raises(Unreachable):
                await probe(account(carrier, protocol, connect_seconds=0.2, **given))

    asyncio.run(run())
