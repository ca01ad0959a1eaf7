"""Run a command against a PostgreSQL that lives as long as the command: ``python -m clinic.throwaway pytest``.

The server has a data folder of its own, so a running ``script/server`` is not disturbed, and does not fsync.
The command gets ``SHEYI_VAR``; its exit code is ours, and nothing is printed after it.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from clinic import postgres

EXTERNAL = ("DATABASE_URL", "DATABASE_OWNER_URL", "SHEYI_DB_ROLE")


def main(command):
    """Start the server, run the command, remove the server; return the command's exit code."""
    signal.signal(signal.SIGTERM, leave)
    var = Path(tempfile.mkdtemp(prefix="sheyi-test-"))
    try:
        postgres.ensure_running(var, throwaway=True)
        return supervise(command, var)
    except postgres.PostgresError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except KeyboardInterrupt:
        return 130
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        postgres.destroy(var)
        shutil.rmtree(var, ignore_errors=True)


def supervise(command, var):
    """Run the command; a Ctrl-C reaches it directly, a SIGTERM is passed on."""
    kept = {key: value for key, value in os.environ.items() if key not in EXTERNAL}
    child = subprocess.Popen(command, env={**kept, "SHEYI_VAR": str(var)})
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        return child.wait()
    finally:
        if child.poll() is None:
            child.terminate()
            child.wait()


def leave(signum, frame):
    sys.exit(128 + signum)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
