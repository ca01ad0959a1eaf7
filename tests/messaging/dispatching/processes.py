"""``manage.py dispatch_sms`` over the test database, to be stopped or killed."""

import os
import signal
import subprocess
import sys

from django.conf import settings

from tests.journeys.server import database_url


class DispatcherProcess:
    def __init__(self, lease_seconds=2, **environ):
        self.log = None
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", "dispatch_sms"],
            cwd=settings.BASE_DIR,
            env={
                **os.environ, "DATABASE_URL": database_url(), "SHEYI_DB_ROLE": "app",
                "SHEYI_SECRET_KEY": settings.SECRET_KEY, "SHEYI_SMS_LEASE_SECONDS": str(lease_seconds),
                "SHEYI_SMS_QUIET_FROM": "00:00", "SHEYI_SMS_QUIET_TO": "00:00",
                "SHEYI_LOG_LEVEL": os.environ.get("SHEYI_LOG_LEVEL", "ERROR"), **environ,
            },
        )  # fmt: skip

    @property
    def pid(self):
        return self.process.pid

    def kill(self):
        """At any moment, without a word."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def freeze(self):
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self):
        self.process.send_signal(signal.SIGCONT)

    def stop(self, patience=30) -> int:
        """In good order; its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(patience)
