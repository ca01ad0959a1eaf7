"""Starting and stopping everything on one machine."""

import re

from django.conf import settings
from honcho import manager as honcho

from clinic import start
from messaging.dispatching import process


def test_a_dispatcher_has_the_time_it_takes_to_stop(monkeypatch):
    """Who is killed in the middle of a window leaves messages of which nobody knows."""
    monkeypatch.setattr(honcho, "KILL_WAIT", 5)
    monkeypatch.setattr(start.Processes, "add_process", lambda *_, **__: None)
    monkeypatch.setattr(start.Processes, "loop", lambda _: None)
    monkeypatch.setattr(start, "announce", lambda *_: None)
    start.serve(0)
    unit = (settings.BASE_DIR / "deploy/systemd/sheyi-dispatcher.service").read_text()
    patience = {honcho.KILL_WAIT, int(re.search(r"TimeoutStopSec=(\d+)", unit)[1])}
    assert min(patience) > process.STOP_SECONDS + 10
