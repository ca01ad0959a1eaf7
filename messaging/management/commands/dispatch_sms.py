"""Send messages through the carriers' gateways (messaging.dispatching). Any number may run, on any hosts.

SIGTERM: what was claimed and not begun goes back, the windows are finished, everything is booked.
"""

import asyncio
import logging
import signal

from django.core.management.base import BaseCommand
from django.db import connection

from messaging.dispatching.process import Dispatcher

log = logging.getLogger("sheyi.dispatcher")


class Command(BaseCommand):
    help = __doc__

    def handle(self, *args, **options):
        connection.close()  # threads have their own
        asyncio.run(self.dispatch())

    async def dispatch(self):
        """One dispatcher after the other: who lost its lease comes back under another name."""
        told, current = asyncio.Event(), []

        def leave():
            told.set()
            for one in current:
                one.stop()

        for signum in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(signum, leave)
        while not told.is_set():
            current[:] = [Dispatcher()]
            log.info("dispatcher started", extra={"facts": {"holder": current[0].name}})
            await current[0].run()
        log.info("dispatcher ended")
