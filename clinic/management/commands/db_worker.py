"""django-tasks' worker, which also says that it lives, so that jobs of a killed one are found at once."""

import threading

from django.db import DatabaseError, InterfaceError, connection
from django.utils import timezone
from django_tasks_db.management.commands import db_worker

from clinic import timetable

BEAT_SECONDS = 15


class Command(db_worker.Command):
    def configure_logging(self, verbosity):
        """settings.LOGGING decides."""

    def handle(self, *, worker_id, **options):
        stop = threading.Event()
        timetable.beat(worker_id, timezone.now())
        pulse = threading.Thread(target=self.pulse, args=(worker_id, stop), daemon=True)
        pulse.start()
        try:
            super().handle(worker_id=worker_id, **options)
        finally:
            stop.set()
            self.quietly(timetable.rest, worker_id)

    def pulse(self, worker_id, stop):
        """In a thread with a connection of its own: a long job must not look like a dead worker."""
        while not stop.wait(BEAT_SECONDS):
            self.quietly(timetable.beat, worker_id, timezone.now())

    def quietly(self, act, *args):
        """The database may be away; the next beat comes."""
        try:
            act(*args)
        except (DatabaseError, InterfaceError):
            connection.close()
