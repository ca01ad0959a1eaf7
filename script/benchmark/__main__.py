"""Server, data, gunicorn, measuring, table; everything that was started is stopped at the end."""

import argparse
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from clinic import postgres

PROJECT = postgres.PROJECT
NATIONAL_LIST = PROJECT.parent / "shared" / "data" / "icd10.csv"
# So many visits have seals: enough to measure verify by, and sealing them all would take minutes.
SEALED = 100_000
EXTERNAL = ("DATABASE_URL", "DATABASE_OWNER_URL", "SHEYI_DB_ROLE", "PORT")


def arguments():
    parser = argparse.ArgumentParser(prog="script/bench", description=__doc__)
    parser.add_argument("--residents", type=int, default=100_000)
    parser.add_argument("--encounters", type=int, default=1_000_000)
    parser.add_argument("--agreements", type=int, default=60_000, help="with their plans")
    parser.add_argument(
        "--district", action="store_true", help="the whole district: 900 000 residents, 500 000 agreements"
    )
    parser.add_argument("--renewals", type=int, default=5_000, help="agreements renewed at once")
    parser.add_argument("--seconds", type=float, default=10, help="length of each measurement")
    parser.add_argument("--recipients", type=int, default=1_000_000, help="of the campaign that is built")
    parser.add_argument("--messages", type=int, default=40_000, help="sent end to end")
    parser.add_argument("--small", action="store_true", help="6 000 residents, 20 000 visits, 2 s each")
    parser.add_argument("--only", nargs="*", default=[], metavar="PAGE")
    given = parser.parse_args()
    if given.district:
        given.residents, given.agreements = 900_000, 500_000
    if given.small:
        given.residents, given.encounters, given.seconds = 6_000, 20_000, 2
        given.recipients, given.messages, given.agreements, given.renewals = 20_000, 5_000, 4_000, 500
    return given


def main():
    given = arguments()
    signal.signal(signal.SIGTERM, lambda *_args: sys.exit(143))
    var = Path(tempfile.mkdtemp(prefix="sheyi-bench-"))
    kept = {key: value for key, value in os.environ.items() if key not in EXTERNAL}
    environment = {
        **kept, "SHEYI_VAR": str(var), "DJANGO_SETTINGS_MODULE": "benchmark.settings", "PORT": str(free_port()),
        "SHEYI_LOG_LEVEL": "INFO",
    }  # fmt: skip
    os.environ.update(SHEYI_VAR=str(var))
    try:
        with postgres.running(var):
            fill(given, environment)
            for password in ("argon2", "none"):
                with gunicorn({**environment, "BENCH_PASSWORD": password}, var):
                    measure(given, {**environment, "BENCH_PASSWORD": password})
                    if password == "argon2" and (not given.only or "messages" in given.only):
                        send(given, {**environment, "BENCH_PASSWORD": password})
                    if password == "argon2" and (not given.only or "renewals" in given.only):
                        renew(given, {**environment, "BENCH_PASSWORD": password})
    finally:
        postgres.destroy(var)
        shutil.rmtree(var, ignore_errors=True)


def fill(given, environment):
    print(f"# Bench: {given.residents:,} residents, {given.encounters:,} visits", file=sys.stderr)
    began = time.monotonic()
    manage(environment, "migrate", "--verbosity", "0")
    manage(environment, "collectstatic", "--no-input", "--verbosity", "0")
    if NATIONAL_LIST.exists():
        manage(environment, "import_terms", "icd10", str(NATIONAL_LIST))
    manage(environment, "seed", "--demo")
    loading = time.monotonic()
    sealed = min(given.encounters, SEALED)
    manage(
        environment, "seed", "--residents", str(given.residents), "--encounters", str(given.encounters - sealed),
        "--no-seals", "--agreements", str(given.agreements), "--stations", "40" if given.district else "0",
    )  # fmt: skip
    manage(
        environment,
        "shell",
        "-v",
        "0",
        "-c",
        "from contracts.figures import adding_up; adding_up.add_up_all()",
    )
    manage(environment, "seed", "--seed", "2", "--encounters", str(sealed))
    print(
        f"Loading took {time.monotonic() - loading:.0f} s, everything before measuring"
        f" {time.monotonic() - began:.0f} s.\n"
    )


def manage(environment, *words):
    # Progress goes to stderr: stdout is the table's.
    subprocess.run(
        [sys.executable, "manage.py", *words], cwd=PROJECT, env=environment, check=True, stdout=sys.stderr
    )


def measure(given, environment):
    command = [sys.executable, "-m", "benchmark.measure", str(given.seconds), *given.only]
    subprocess.run(command, cwd=PROJECT, env={**environment, **urls()}, check=True)


def send(given, environment):
    """Messages, in the same database and beside the same web server."""
    words = (given.recipients, given.messages, given.seconds)
    command = [sys.executable, "-m", "benchmark.messages", *map(str, words)]
    subprocess.run(command, cwd=PROJECT, env={**environment, **urls()}, check=True)


def renew(given, environment):
    """Agreements in bulk, by the job's own hand."""
    command = [sys.executable, "-m", "benchmark.signing", str(given.renewals)]
    subprocess.run(command, cwd=PROJECT, env={**environment, **urls()}, check=True)


def urls():
    """The measuring process works in the database as the owner: it makes sessions and drafts."""
    _app, owner = postgres.urls()
    return {"DATABASE_URL": owner}


@contextlib.contextmanager
def gunicorn(environment, var):
    with (var / "gunicorn.log").open("wb") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "clinic.wsgi", "-c", "deploy/gunicorn.py"],
            cwd=PROJECT, env={**environment, **dict(zip(("DATABASE_URL",), postgres.urls(), strict=False))},
            stdout=log, stderr=log,
        )  # fmt: skip
    try:
        wait_for(f"http://127.0.0.1:{environment['PORT']}/healthz", server, var)
        yield
    finally:
        server.terminate()
        server.wait(30)


def wait_for(url, server, var):
    for _try in range(300):
        if server.poll() is not None:
            sys.exit((var / "gunicorn.log").read_text()[-3000:])
        with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=5):
            return
        time.sleep(0.1)
    sys.exit("gunicorn does not answer.")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


if __name__ == "__main__":
    try:
        main()
    except subprocess.CalledProcessError as error:
        sys.exit(error.returncode)
    except KeyboardInterrupt:
        sys.exit(130)
