"""Hosts that have moved: an account keeps the addresses it was opened with (they were allowed), so one that has lost
its connections looks its name up again now and then, and is opened anew where the name says something else."""

import asyncio
import logging

from messaging import allowed

log = logging.getLogger("sheyi.dispatcher")

EVERY = 15.0


class Names:
    """``run`` sets ``moved`` on the dispatcher's accounts; whether they may go there is asked when they are opened."""

    def __init__(self, dispatcher):
        self.dispatcher = dispatcher

    async def run(self):
        while True:
            await asyncio.sleep(EVERY)
            down = [one for one in self.dispatcher.accounts.values() if not one.pulse.up and not one.moved]
            for account in down:
                try:
                    found = await asyncio.to_thread(allowed.addresses, account.account.host)
                except Exception:
                    log.exception("a name could not be looked up")
                    continue
                account.moved = bool(found) and set(map(str, found)) != set(account.account.addresses)
