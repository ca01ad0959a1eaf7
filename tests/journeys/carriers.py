"""All simulated carriers, a dispatcher and a worker for the jobs, as the demo runs them: real processes and sockets."""

import json
import os
import signal
import subprocess
import sys
import urllib.request

from django.conf import settings

from messaging.models import Gateway
from messaging.seeding import gateways
from messaging.simulators import accounts
from messaging.simulators.control import TOKEN
from tests.journeys.server import database_url, free_port
from tests.messaging.dispatching.processes import DispatcherProcess


class Carriers:
    def __init__(self, folder, hook):
        self.folder = folder
        self.asked = {"reports": free_port(), "hook": hook}
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", "simulate_carriers", "--ports", '{"control": 0}'],
            cwd=settings.BASE_DIR, stdout=subprocess.PIPE, text=True, env=self._environ(),
        )  # fmt: skip
        self.ports = {}
        for line in self.process.stdout:
            name, _, address = line.strip().partition(": ")
            self.ports[name] = int(address.rpartition(":")[2])
            if name == "Simulated carriers":
                break
        self.control = self.ports.pop("Simulated carriers")

    def _environ(self):
        return {
            **os.environ, "SHEYI_VAR": str(self.folder), "SHEYI_SECRET_KEY": settings.SECRET_KEY, "PYTHONUNBUFFERED": "1",
            "SHEYI_CARRIERS": json.dumps(self.asked),
        }  # fmt: skip

    def rows(self, settings, **rates):
        """The demo's gateways, pointed at these carriers; ``rates``: messages a second by carrier."""
        settings.SMS_SIMULATORS = {**settings.SMS_SIMULATORS, **self.ports, **self.asked}
        made = gateways.make()
        for name, rate in rates.items():
            row = Gateway.objects.get(pk=made[name].pk)
            row.rate = rate
            row.save()
        return made

    def tell(self, carrier, **words):
        body = json.dumps({"carrier": carrier, "words": words}).encode()
        headers = {"Content-Type": "application/json", TOKEN: accounts.control_token()}
        request = urllib.request.Request(f"http://127.0.0.1:{self.control}/tell", body, headers)
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(10)
        self.process.stdout.close()


class Worker:
    """``manage.py db_worker`` over the test database."""

    def __init__(self, folder):
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", "db_worker", "--queue-name", "*", "--no-reload", "--interval", "0.2"],
            cwd=settings.BASE_DIR,
            env={
                **os.environ, "DATABASE_URL": database_url(), "SHEYI_DB_ROLE": "app", "SHEYI_VAR": str(folder),
                "SHEYI_SECRET_KEY": settings.SECRET_KEY, "SHEYI_LOG_LEVEL": "ERROR",
            },
        )  # fmt: skip

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(10)


def dispatcher(folder):
    return DispatcherProcess(SHEYI_VAR=str(folder))
