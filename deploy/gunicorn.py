"""gunicorn's settings, from the environment. Run: ``gunicorn clinic.wsgi -c deploy/gunicorn.py``."""

import logging
import os
import re
import traceback

from gunicorn.glogging import Logger


class NoQueries(logging.Filter):
    """Keeps names out of gunicorn's error log.

    It quotes the address of a request that failed and the line that it cannot read: each is cut at the question
    mark. Of an exception the frames and the class stay, not the message, which may quote a row.
    """

    def filter(self, record):
        lines = [re.sub(r"\?.*", "?…", record.getMessage(), flags=re.DOTALL)]
        if record.exc_info and record.exc_info[0]:
            kind, _, frames = record.exc_info
            lines += [*(line.rstrip() for line in traceback.format_tb(frames)), kind.__name__]
        record.msg, record.args, record.exc_info, record.exc_text = "\n".join(lines), (), None, None
        return True


class QuietLogger(Logger):
    def setup(self, cfg):
        super().setup(cfg)
        self.error_log.addFilter(NoQueries())


# Loopback unless told: in production nginx stands in front and speaks TLS.
bind = f"{os.environ.get('SHEYI_BIND', '127.0.0.1')}:{os.environ.get('PORT', '8000')}"
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
# Pages are bound by rendering: sync workers had a half to a third of the p95 of threads on two cores.
threads = int(os.environ.get("SHEYI_THREADS", "1"))
worker_class = "gthread" if threads > 1 else "sync"
timeout = 60
graceful_timeout = 25
keepalive = 5
max_requests = 0
# No access log: its lines hold query strings, which may hold a name. Our own request log has the path only.
accesslog = None
logger_class = QuietLogger
errorlog = "-"
loglevel = os.environ.get("SHEYI_GUNICORN_LOG_LEVEL", "warning")
forwarded_allow_ips = os.environ.get("SHEYI_FORWARDED_ALLOW_IPS", "127.0.0.1,::1")
preload_app = True
worker_tmp_dir = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108


def post_fork(server, worker):
    """A connection opened while the application loaded must not be shared by the workers."""
    from django.db import connections  # noqa: PLC0415 - this file is read before Django is set up

    for connection in connections.all(initialized_only=True):
        connection.connection = None


def post_worker_init(worker):
    """Each worker writes down how its pages answer."""
    from clinic import metering  # noqa: PLC0415 - this file is read before Django is set up

    metering.start()
