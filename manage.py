#!/usr/bin/env python
"""Django's command line, with two things decided before settings load: which database role, and which server.

Owner commands (migrate, seed, backup …) connect as the database's owner, everything else as the app's role.
With no DATABASE_URL the embedded server is started for the command and stopped after it, unless it is in use.
"""

import contextlib
import os
import signal
import sys

from clinic import database, postgres

# They answer without a database; starting one for them would only cost time.
NO_DATABASE = frozenset(
    [
        "help",
        "--help",
        "-h",
        "version",
        "--version",
        "check",
        "collectstatic",
        "compilemessages",
        "diffsettings",
        "makemessages",
        "spectacular",
        "startapp",
    ]
)


def main(arguments):
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clinic.settings")
    command = arguments[1] if len(arguments) > 1 else "help"
    if command in database.OWNER_COMMANDS:
        os.environ.setdefault(database.ROLE_SWITCH, "owner")
        sentence = database.owner_missing(os.environ)
        if sentence and command != "makemigrations":
            sys.exit(sentence)
    embedded = not os.environ.get("DATABASE_URL") and command not in NO_DATABASE
    if embedded:
        signal.signal(signal.SIGTERM, leave)
    with postgres.running() if embedded else contextlib.nullcontext():
        from django.core.management import execute_from_command_line

        execute_from_command_line(arguments)


def leave(signum, frame):
    """A SIGTERM unwinds like Ctrl-C, so that the server started for us is stopped."""
    sys.exit(128 + signum)


if __name__ == "__main__":
    try:
        main(sys.argv)
    except KeyboardInterrupt:
        sys.exit(130)
    except postgres.PostgresError as error:
        sys.exit(str(error))
