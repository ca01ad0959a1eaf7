"""Fire what recurs (clinic.timetable). Any number may run; one fires."""

import logging
import os
import signal
import socket
import sys
import time
import uuid

from django.core.management.base import BaseCommand
from django.db import DatabaseError, InterfaceError, close_old_connections, connection
from django.utils import timezone

from clinic.timetable import Timetable

log = logging.getLogger("sheyi.timetable")
TICK_SECONDS = 1


def leave(signum, frame):
    sys.exit(0)


class Command(BaseCommand):
    help = __doc__

    def handle(self, *args, **options):
        for signum in (signal.SIGTERM, signal.SIGINT):
            signal.signal(signum, leave)
        holder = f"{socket.gethostname()[:50]}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
        timetable = Timetable(holder)
        log.info("timetable started", extra={"facts": {"holder": holder}})
        try:
            while True:
                self.tick(timetable)
                time.sleep(TICK_SECONDS)
        finally:
            self.release(timetable)

    def tick(self, timetable):
        """A database that is away for a while ends nothing: the lease ends by itself, and we try again."""
        try:
            close_old_connections()
            for name in timetable.tick(timezone.now()) or []:
                log.debug("fired", extra={"facts": {"line": name}})
        except (DatabaseError, InterfaceError):
            log.warning("database away")
            timetable.until = None
            connection.close()

    def release(self, timetable):
        try:
            timetable.release()
        except (DatabaseError, InterfaceError):
            log.info("lease left to run out")
