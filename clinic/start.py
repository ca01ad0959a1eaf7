"""What ``script/server`` runs after the set-up: database, preparation, then the Procfile until Ctrl-C or SIGTERM."""

import contextlib
import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request

from honcho import manager as honcho
from honcho.environ import expand_processes, parse_procfile

from clinic import database, postgres

READY_SECONDS = 60
# So long a process may take to end before it is killed, as TimeoutStopSec of deploy/systemd: a dispatcher waits 20
# seconds for its carriers' answers and then books them.
STOP_SECONDS = 40
CARRIERS = ("cmpp3", "cmpp2", "sgip", "smgp", "smpp", "http", "reports", "control")
ACCOUNTS = (
    "doctor doctor2 assistant nurse clerk manager centre_it district district_it vendor auditor sysadmin secadmin"
    " doctor_b clerk_b"
)


class Processes(honcho.Manager):
    """honcho's manager, which alone would fail on a Ctrl-C that comes before every process has its pid, and would kill
    after five seconds."""

    stop_asked = False

    def terminate(self):
        self.stop_asked = True
        if self._all_started():
            super().terminate()

    def _all_stopped(self):
        if self.stop_asked:
            super().terminate()
        return super()._all_stopped()


def main():
    """Run everything; return the exit code of what ended it."""
    for signum in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, leave)
    port = int(os.environ.get("PORT") or 8000)
    os.environ["PORT"] = str(port)
    refuse(database.owner_missing(os.environ))
    refuse(port_taken(port))
    with contextlib.nullcontext() if os.environ.get("DATABASE_URL") else postgres.running():
        try:
            os.environ.setdefault("SHEYI_CARRIERS", json.dumps(carriers(port)))
            return prepare() or serve(port)
        finally:
            for signum in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
                signal.signal(signum, signal.SIG_IGN)


def leave(signum, frame):
    """Unwind, so that what was started is stopped; a closed terminal counts as SIGTERM."""
    if signum == signal.SIGHUP:
        signal.raise_signal(signal.SIGTERM)
    else:
        sys.exit(128 + signum)


def refuse(sentence):
    if sentence:
        sys.exit(sentence)


def port_taken(port):
    """Return a sentence if another program listens on our port; better now than after the migrations."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((os.environ.get("SHEYI_BIND", "127.0.0.1"), port))
        except OSError as error:
            return f"Port {port} cannot be used ({error.strerror}). Choose another: PORT={port + 1} script/server"
    return None


def prepare():
    """Migrate, collect static files and seed in one process, as owner; return its exit code."""
    child = subprocess.Popen([sys.executable, "manage.py", "prepare"], cwd=postgres.PROJECT)
    try:
        return child.wait()
    except BaseException:
        child.terminate()
        child.wait()
        raise


def serve(port):
    """Run the Procfile's processes until one ends or we are told to stop."""
    honcho.KILL_WAIT = STOP_SECONDS
    manager = Processes()
    procfile = parse_procfile((postgres.PROJECT / "Procfile").read_text())
    environment = child_environment()
    environment.setdefault("SHEYI_INSURANCE_SANDBOX_URL", f"http://127.0.0.1:{free_port()}")
    for process in expand_processes(procfile.processes, env=environment, port=port):
        name = process.name.removesuffix(".1")
        manager.add_process(name, process.cmd, env=process.env, cwd=str(postgres.PROJECT))
    threading.Thread(target=announce, args=(port, manager), daemon=True).start()
    manager.loop()
    return manager.returncode


def free_port():
    """For the insurance sandbox: its address is told to every process, and nobody types it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def carriers(port):
    """Where the simulated carriers will listen, for settings.SMS_SIMULATORS: chosen before the database is prepared,
    since rows name the ports. The last start's if they are free, so that the rows stay as they are."""
    note = postgres.var_folder() / "carriers.json"
    try:
        ports = {name: int(json.loads(note.read_text())[name]) for name in CARRIERS}
    except (OSError, ValueError, KeyError, TypeError):
        ports = {}
    if not ports or not all(map(is_free, ports.values())):
        ports = free_row()
        with contextlib.suppress(OSError):
            note.write_text(json.dumps(ports))
    bind = os.environ.get("SHEYI_BIND", "127.0.0.1")
    here = "127.0.0.1" if bind in ("0.0.0.0", "::", "localhost") else bind  # noqa: S104 - it is only read
    return {**ports, "hook": f"http://{here}:{port}", "hook_host": own_host()}


def free_row():
    """{name: port} of ports in a row that nobody listens on, below those the kernel gives to connections."""
    for _ in range(100):
        first = random.randrange(20000, 32000, 10)
        row = dict(zip(CARRIERS, range(first, first + len(CARRIERS)), strict=True))
        if all(map(is_free, row.values())):
            return row
    sys.exit("No free ports for the simulated carriers: name them in SHEYI_CARRIERS.")


def is_free(port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except (OSError, OverflowError):
            return False
    return True


def child_environment():
    """Return what the processes get: the app's URL and never the owner's, so that none can be more than the app."""
    kept = {key: value for key, value in os.environ.items() if key != "DATABASE_OWNER_URL"}
    app, _ = database.database_urls(os.environ)
    return {**kept, "DATABASE_URL": app, "PYTHONUNBUFFERED": "1"}


def announce(port, manager):
    """Wait for readiness, then say where to go and as whom."""
    deadline = time.monotonic() + READY_SECONDS
    while not (ready := is_ready(port)) and time.monotonic() < deadline and not manager.stop_asked:
        time.sleep(0.1)
    if manager.stop_asked:
        return
    password = os.environ.get("SHEYI_DEMO_PASSWORD") or "sheyi-demo-1"
    lines = [
        "",
        f"Sheyi is {'ready' if ready else 'not ready yet (see /readyz and the lines above)'}: http://localhost:{port}/",
        f"Demo accounts: {', '.join(ACCOUNTS.split())}",
        f"Password of each: {password}    Stop: Ctrl-C",
        "",
    ]
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()


def own_host():
    """A host that settings allow."""
    allowed = os.environ.get("SHEYI_ALLOWED_HOSTS", "").replace(",", " ").split()
    return allowed[0].lstrip(".") if allowed and allowed[0] != "*" else "localhost"


def is_ready(port):
    """Ask /readyz."""
    host = own_host()
    request = urllib.request.Request(f"http://127.0.0.1:{port}/readyz", headers={"Host": host})  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310
            return answer.status == 200
    except (urllib.error.URLError, OSError):
        return False


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
    except (postgres.PostgresError, OSError) as error:
        sys.exit(str(error))
