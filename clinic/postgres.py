"""The embedded PostgreSQL: with no ``DATABASE_URL`` the project runs a server of its own under ``var/``.

It is a real, durable server (checksums, fsync), reachable only through a Unix socket in a private folder.
Free of Django, because it must run before settings can be loaded. Use ``running()`` around whatever needs a
database; the last user that leaves stops the server, also when the others were killed.
``python -m clinic.postgres start|stop|status|urls``.
"""

import argparse
import contextlib
import fcntl
import hashlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import quote

import psycopg2

from clinic.server_account import PostgresError, account, clean_environment, give, settle

DATABASE, APP_ROLE, OWNER_ROLE, SUPERUSER = "sheyi", "sheyi_app", "sheyi_owner", "postgres"
PROJECT = Path(__file__).resolve().parent.parent
SOCKETS = Path(
    "/tmp"
)  # not TMPDIR: a socket path has room for about 100 bytes, and every process must agree on it
PORT = 5432
START_SECONDS, STOP_SECONDS, RETRY_SECONDS = 300, 60, 20
LOG_BYTES = 10_000_000

SETTINGS = {
    "listen_addresses": "",
    "max_connections": "100",
    "shared_buffers": "256MB",
    "wal_compression": "on",
    "jit": "off",
    "timezone": "Asia/Shanghai",
    "log_timezone": "Asia/Shanghai",
    # No patient text in the server's log. An error's statement, detail and parameters quote it, and so may
    # its first line ('invalid input syntax for type date: "…"'), hence errors of statements are not logged
    # here at all: the application sees and logs them.
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_statement": "none",
    "log_min_duration_statement": "-1",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
}
DURABLE = {"fsync": "on", "full_page_writes": "on", "synchronous_commit": "on"}
THROWAWAY = dict.fromkeys(DURABLE, "off")  # for tests only: a power cut loses the cluster


def var_folder(var=None):
    """Return the absolute data folder: the argument, else ``SHEYI_VAR``, else ``var/`` in the project."""
    return Path(var or os.environ.get("SHEYI_VAR") or PROJECT / "var").resolve()


def socket_folder(var=None):
    """Return the short private folder of the server's socket: a matter of account and path alone."""
    digest = hashlib.sha256(os.fsencode(var_folder(var))).hexdigest()[:12]
    return SOCKETS / f"sheyi-{account().pw_uid}-{digest}"


def urls(var=None):
    """Return the (app role, owner role) database URLs, whether or not the server runs."""
    host = quote(str(socket_folder(var)), safe="")
    return tuple(f"postgresql://{role}@{host}:{PORT}/{DATABASE}" for role in (APP_ROLE, OWNER_ROLE))


def is_running(var=None):
    """Say whether the server accepts connections."""
    try:
        connect(var).close()
    except psycopg2.OperationalError:
        return False
    return True


def ensure_running(var=None, *, throwaway=False):
    """Start the server unless it runs; return True if this call did. Several processes may call at once."""
    var = var_folder(var)
    make_folder(var)
    with locked(var / "postgres.lock"):
        if is_running(var):
            return False
        keep_marker(var).unlink(missing_ok=True)
        try:
            place = prepare(var, throwaway)
            launch(var, place, THROWAWAY if throwaway else DURABLE)
            create_roles(var)
        except BaseException:
            shut_down(var)
            raise
        return True


@contextlib.contextmanager
def running(var=None, *, throwaway=False):
    """Have a server for the duration of the block; yields its URLs.

    Afterwards it is stopped, unless somebody else uses it or ``start`` keeps it. Users are counted by a
    shared lock, which the kernel releases even for a killed process.
    """
    var = var_folder(var)
    make_folder(var)
    with (var / "postgres.users").open("a") as users:
        fcntl.flock(users, fcntl.LOCK_SH)
        try:
            ensure_running(var, throwaway=throwaway)
            yield urls(var)
        finally:
            leave(var, users)


def leave(var, users):
    """Stop the server if nobody else holds the users' lock and no operator asked for it to stay."""
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return
    if not keep_marker(var).exists():
        stop(var)


def stop(var=None):
    """Stop the server (connections are closed, nothing committed is lost); return False if it did not run."""
    var = var_folder(var)
    if not var.is_dir():
        return False
    with locked(var / "postgres.lock"):
        keep_marker(var).unlink(missing_ok=True)
        return shut_down(var)


def keep_marker(var):
    return var / "postgres.keep"


@contextlib.contextmanager
def locked(path):
    """Hold an exclusive lock on a file: one process at a time starts or stops the server."""
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def make_folder(var):
    try:
        var.mkdir(parents=True, exist_ok=True)
        (var / "postgres.users").touch()
    except PermissionError as error:
        raise PostgresError(
            f"{var} belongs to another account: use that account, or set SHEYI_VAR to a folder of yours."
        ) from error


def connect(var=None, dbname="postgres", user=SUPERUSER):
    """Connect through the socket, autocommit. Only our own account and root can enter the socket's folder."""
    connection = psycopg2.connect(
        host=str(socket_folder(var)),
        port=PORT,
        dbname=dbname,
        user=user,
        connect_timeout=5,
        sslmode="disable",
    )
    connection.autocommit = True
    return connection


def prepare(var, throwaway):
    """Make the socket's folder and, where missing, the cluster; return the Place to run it."""
    folder = socket_folder(var)
    folder.mkdir(mode=0o700, exist_ok=True)
    owner = folder.lstat().st_uid
    if folder.is_symlink() or owner not in {os.geteuid(), account().pw_uid}:
        raise PostgresError(f"{folder} belongs to another account (uid {owner}); remove it and start again.")
    give(folder)
    place = settle(var / "postgres")
    if not place.data.exists():
        initialise(place, throwaway)
    return place


def initialise(place, throwaway):
    """Run initdb aside and rename, so that a killed initdb leaves no half a cluster.

    The built-in C.UTF-8 sorts by code point and needs no locale of the operating system.
    """
    fresh = place.data.with_name("postgres.new")
    if fresh.exists():
        run(["rm", "-rf", "--", str(fresh)])
    fresh.mkdir()
    give(fresh)
    options = ["--username", SUPERUSER, "--auth=trust", "--data-checksums", "--encoding=UTF8", "--locale=C"]
    options += [
        "--locale-provider=builtin",
        "--builtin-locale=C.UTF-8",
        *(["--no-sync"] if throwaway else []),
    ]
    run(place.command("initdb", "--pgdata", fresh, *options))
    fresh.rename(place.data)


def run(command):
    """Run a server program; its own words become the error."""
    done = subprocess.run(
        command, cwd="/", env=clean_environment(), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise PostgresError((done.stderr or done.stdout).strip())


def launch(var, place, durability):
    """Start the postmaster in a session of its own (Ctrl-C is for us, not for it) and wait until it answers.

    After a kill -9 the old backends may hold the shared memory a moment longer: that refusal is tried again.
    """
    forget_stale_pid(place.data)
    settings = {**SETTINGS, **durability, "unix_socket_directories": str(socket_folder(var)), "port": PORT}
    options = [f"--{name}={value}" for name, value in settings.items()]
    retry_until = time.monotonic() + RETRY_SECONDS
    while True:
        seen = log_size(var)
        process = spawn(var, place.command("postgres", "-D", place.data, *options))
        if answers(var, process):
            return
        said = log_path(var).read_bytes()[seen if seen <= LOG_BYTES else 0 :].decode(errors="replace").strip()
        if "still in use" not in said or time.monotonic() > retry_until:
            raise PostgresError(f"PostgreSQL did not start ({log_path(var)}):\n{said}")
        time.sleep(0.3)


def spawn(var, command):
    """Start the postmaster; we open its log, so that its account needs no right to the log's folder."""
    path = log_path(var)
    if log_size(var) > LOG_BYTES:
        path.replace(path.with_suffix(".log.1"))
    with path.open("ab") as log:
        path.chmod(0o600)
        return subprocess.Popen(
            command,
            cwd="/",
            env=clean_environment(),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def answers(var, process):
    """Wait until the server answers (after a crash it replays its log first); False if it gave up."""
    until = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < until:
        if is_running(var):
            return True
        time.sleep(0.03)
    return False


def log_path(var):
    return var / "postgres.log"


def log_size(var):
    return log_path(var).stat().st_size if log_path(var).exists() else 0


def postmaster_pid(data):
    try:
        return int((data / "postmaster.pid").read_text().split("\n", 1)[0])
    except (FileNotFoundError, ValueError):
        return None


def forget_stale_pid(data):
    """Remove a pid file whose process is gone or is another program by now: a container's pids start over."""
    pid = postmaster_pid(data)
    if pid and not alive(pid):
        (data / "postmaster.pid").unlink(missing_ok=True)


def alive(pid):
    """Say whether the process is a living PostgreSQL; reaps it if it was our child."""
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
    try:
        os.kill(pid, 0)
        name, _, rest = Path(f"/proc/{pid}/stat").read_text().partition("(")[2].rpartition(")")
    except ProcessLookupError:
        return False
    except (PermissionError, FileNotFoundError):  # another account's process; or a system without /proc
        return not Path("/proc/self").exists()
    return name.startswith("postgres") and not rest.startswith(" Z")


def shut_down(var):
    """Ask the postmaster to stop at once but cleanly, then insist. Under the lock only."""
    data = (var / "postgres").resolve()
    pid = postmaster_pid(data)
    if not pid or not alive(pid):
        return False
    for signum in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signum)
        until = time.monotonic() + STOP_SECONDS
        while time.monotonic() < until:
            if not alive(pid):
                with contextlib.suppress(OSError):
                    socket_folder(var).rmdir()
                return True
            time.sleep(0.02)
    raise PostgresError(f"PostgreSQL (pid {pid}) does not stop.")


def create_roles(var):
    """Make the database and its two roles where missing: one owns and migrates, the app's owns nothing."""
    with contextlib.closing(connect(var)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT rolname FROM pg_roles")
        present = {name for (name,) in cursor.fetchall()}
        if OWNER_ROLE not in present:
            cursor.execute(f"CREATE ROLE {OWNER_ROLE} LOGIN CREATEDB")
        if APP_ROLE not in present:
            cursor.execute(f"CREATE ROLE {APP_ROLE} LOGIN")
        cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE])
        if not cursor.fetchone():
            cursor.execute(f"CREATE DATABASE {DATABASE} OWNER {OWNER_ROLE}")
        cursor.execute(f"REVOKE ALL ON DATABASE {DATABASE} FROM PUBLIC")
        cursor.execute(f"GRANT CONNECT ON DATABASE {DATABASE} TO {APP_ROLE}")


def destroy(var=None):
    """Stop the server and remove its data, for throwaway clusters only."""
    var = var_folder(var)
    stop(var)
    link = var / "postgres"
    target = link.resolve().parent if link.is_symlink() else link
    run(["rm", "-rf", "--", str(target), str(link), str(socket_folder(var))])


def main(arguments=None):
    """The command line. ``start`` leaves a server that stays until ``stop``."""
    parser = argparse.ArgumentParser(prog="python -m clinic.postgres", description="The embedded PostgreSQL.")
    parser.add_argument("command", choices=["start", "stop", "status", "urls", "destroy"])
    parser.add_argument("--var", help="data folder (default: SHEYI_VAR or var/)")
    parser.add_argument("--throwaway", action="store_true", help="no fsync: for tests, not for patients")
    options = parser.parse_args(arguments)
    if options.command == "destroy" and not options.throwaway:
        parser.error("destroy removes the data: it wants --throwaway.")
    try:
        return act(options.command, var_folder(options.var), options.throwaway)
    except (PostgresError, OSError) as error:
        print(error, file=sys.stderr)
        return 1


def act(command, var, throwaway):
    """Carry out one command; return the exit code (status: 0 runs, 3 does not)."""
    if command == "start":
        ensure_running(var, throwaway=throwaway)
        keep_marker(var).touch()
    elif command == "stop":
        stop(var)
    elif command == "destroy":
        destroy(var)
    elif command == "status":
        up = is_running(var)
        print("running" if up else "stopped")
        return 0 if up else 3
    else:
        app, owner = urls(var)
        print(f"DATABASE_URL={app}\nDATABASE_OWNER_URL={owner}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
