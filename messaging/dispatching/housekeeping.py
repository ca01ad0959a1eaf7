"""What one dispatcher of many does for all, and any may do twice: recoveries, decisions, ends."""

import asyncio
import logging
from time import monotonic

from django.utils import timezone

from messaging.dispatching import compaction, doubts, leases, matching, recovery, running
from messaging.dispatching.database import DATABASE_FAULTS, together

log = logging.getLogger("sheyi.dispatcher")

EVERY = 1.0
SWEEP_SECONDS = 2.0
SETTLE_SECONDS = 5.0
FINISH_SECONDS = 2.0
ADD_UP_SECONDS = 10.0
# At most so many batches of one kind in a round, so that nothing else waits for long.
ROUNDS = 20


class Housekeeping:
    def __init__(self, dispatcher):
        self.dispatcher = dispatcher
        self.settled_to = None
        self._next = dict.fromkeys(("sweep", "settle", "finish", "add_up"), 0.0)

    async def run(self):
        """Dead dispatchers are seen by everybody, the rest is done by whoever holds the lease."""
        while True:
            for act in (self._recover, self._keep):
                try:
                    if self.dispatcher.in_force():
                        await self.dispatcher.threads.run(act)
                except DATABASE_FAULTS as error:
                    log.warning("housekeeping: %s", type(error).__name__)
                except Exception:
                    log.exception("housekeeping went wrong")
            await asyncio.sleep(EVERY)

    def _recover(self):
        if buried := leases.bury():
            log.warning("dispatchers gone", extra={"facts": {"count": buried}})
        _until_nothing(recovery.recover)

    def _keep(self):
        if not leases.take(leases.HOUSEKEEPING, self.dispatcher.name):
            self.settled_to = None
            return
        table = self.dispatcher.routes.table
        _until_nothing(lambda now: len(doubts.decide(table, now)))
        _until_nothing(running.close_late)
        running.close_routeless(table, timezone.now())
        if self._due("sweep", SWEEP_SECONDS):
            with together():
                matching.sweep(timezone.now())
        if self._due("settle", SETTLE_SECONDS):
            self.settled_to = running.settle(self._from(), timezone.now())
        if self._due("finish", FINISH_SECONDS):
            running.finish(timezone.now())
        if self._due("add_up", ADD_UP_SECONDS) and (sending := list(self.dispatcher.work.allowed)):
            compaction.add_up(sending, compaction.LEAST_RUNNING)

    def _from(self):
        """A little before where we were: rows are numbered before they are committed."""
        if self.settled_to is None:
            return running.last_tally() - FIRST_LOOK
        return self.settled_to - OVERLAP

    def _due(self, what, seconds):
        if monotonic() < self._next[what]:
            return False
        self._next[what] = monotonic() + seconds
        return True


OVERLAP = 2_000
FIRST_LOOK = 200_000


def _until_nothing(act):
    for _ in range(ROUNDS):
        if not act(timezone.now()):
            return
