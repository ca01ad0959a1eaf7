"""Messages in doubt at carriers that can be asked about them (HTTP platform, SMPP)."""

import asyncio
import logging

from django.utils import timezone

from messaging.dispatching import doubts, inbox
from messaging.dispatching.booking import Result
from messaging.dispatching.database import DATABASE_FAULTS
from messaging.gateways.base import GatewayError, Report

log = logging.getLogger("sheyi.dispatcher")

EVERY = 5.0
MOST = 50
ASK_SECONDS = 20


class Asking:
    def __init__(self, dispatcher):
        self.dispatcher = dispatcher

    async def run(self):
        while True:
            await asyncio.sleep(EVERY)
            accounts = [one for one in self.dispatcher.accounts.values() if one.pool.can_query]
            await asyncio.gather(*(self._ask(account) for account in accounts))

    async def _ask(self, account):
        """One after the other: a carrier with trouble is not asked harder."""
        try:
            found = await account.threads.run(doubts.to_ask, account.gateway, MOST, account.asked)
            account.asked = found[-1][0] if len(found) == MOST else 0
            for _message, attempt, sequence, remote_id, phone in found:
                if not (account.pulse.sending and account.owned):
                    return
                async with asyncio.timeout(ASK_SECONDS):
                    said = await account.pool.query(sequence, remote_id, phone)
                await self._heard(account, attempt, said)
        except (*DATABASE_FAULTS, GatewayError, TimeoutError, OSError) as error:
            log.warning("not answered: %s", type(error).__name__)
        except Exception:  # ours: the others are still asked, and this one again
            log.exception("asking went wrong")

    async def _heard(self, account, attempt, said):
        if said is None:
            return
        if isinstance(said, Report):
            await account.threads.run(inbox.keep_said, account.gateway, attempt, said, timezone.now())
        else:
            account.books.late(Result(attempt, said.verdict.value, said.remote_id[:65], said.code[:40]))
            account.books.wake()
