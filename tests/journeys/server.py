"""The real web server over the test database, so that a test can kill it in the middle of a word."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from urllib.parse import quote, urlencode

from django.conf import settings
from django.db import connection

PATIENCE = 30
# Not localhost and not HTTPS: the browser gives such a page no crypto.subtle. Chromium maps it to loopback.
PLAIN_HOST = "clinic.test"


class Server:
    def __init__(self, var):
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self.plain_address = f"http://{PLAIN_HOST}:{self.port}"
        self.environ = {
            **os.environ,
            "DATABASE_URL": database_url(),
            "SHEYI_DB_ROLE": "app",
            "SHEYI_VAR": str(var),
            "SHEYI_SECRET_KEY": settings.SECRET_KEY,
            "SHEYI_ALLOWED_HOSTS": f"127.0.0.1 {PLAIN_HOST}",
            "SHEYI_LOG_LEVEL": "WARNING",
            "SHEYI_NOTICE_SECONDS": "0",
            "PORT": str(self.port),
            "WEB_CONCURRENCY": "2",
        }
        self.process = None

    def collect(self):
        command = [sys.executable, "manage.py", "collectstatic", "--noinput", "-v0"]
        subprocess.run(command, cwd=settings.BASE_DIR, env=self.environ, check=True)

    def start(self):
        command = [sys.executable, "-m", "gunicorn", "clinic.wsgi", "-c", "deploy/gunicorn.py"]
        self.process = subprocess.Popen(
            command,
            cwd=settings.BASE_DIR,
            env=self.environ,
            start_new_session=True,
            stdout=subprocess.DEVNULL,
        )
        end = time.monotonic() + PATIENCE
        while not self.answers():
            assert self.process.poll() is None, "gunicorn ended"
            assert time.monotonic() < end, "gunicorn did not start"
            time.sleep(0.05)

    def answers(self):
        try:
            return urllib.request.urlopen(f"{self.address}/healthz", timeout=2).status == 200
        except (urllib.error.URLError, OSError):
            return False

    def kill(self):
        """As a power cut would: no worker finishes its request."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def ensure(self):
        """A test that failed half-way may have left it dead."""
        if self.process is None or self.process.poll() is not None:
            self.start()


def database_url():
    given = connection.settings_dict
    person = quote(given["USER"], safe="") + (
        f":{quote(given['PASSWORD'], safe='')}" if given["PASSWORD"] else ""
    )
    options = {name: given[key] for name, key in (("host", "HOST"), ("port", "PORT")) if given[key]}
    return f"postgresql://{person}@/{quote(given['NAME'], safe='')}?{urlencode(options)}"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
