"""The database server as backups see it: its programs, its owner's connection, scratch databases."""

import contextlib
import os
import secrets
import subprocess
import threading
from urllib.parse import quote

import psycopg2
from django.conf import settings
from django.db import connection
from django.utils.translation import gettext as _
from psycopg2 import sql

from clinic.server_account import clean_environment, shipped_binaries
from maintenance.backups.errors import BackupError

# Checksums are over texts: both sides write them alike.
PLAIN = "SET TIME ZONE 'UTC'; SET DateStyle = 'ISO'; SET IntervalStyle = 'iso_8601'; SET extra_float_digits = 3; SET bytea_output = 'hex'"


def facts(name=None) -> dict:
    """How to reach a database of this server as the owner."""
    given = connection.settings_dict
    return {
        "host": given["HOST"], "port": str(given["PORT"] or ""), "user": given["USER"], "password": given["PASSWORD"],
        "dbname": name or given["NAME"],
    }  # fmt: skip


@contextlib.contextmanager
def connected(name=None, autocommit=False):
    link = psycopg2.connect(**{key: value for key, value in facts(name).items() if value})
    link.autocommit = autocommit
    try:
        with link.cursor() as cursor:
            cursor.execute(PLAIN)
            if not autocommit:
                link.rollback()
        yield link
    finally:
        link.close()


def address(name) -> str:
    """The URL of a database of this server, for a process of ours."""
    one = facts(name)
    password = f":{quote(one['password'], safe='')}" if one["password"] else ""
    port = f":{one['port']}" if one["port"] else ""
    return f"postgresql://{quote(one['user'], safe='')}{password}@{quote(one['host'], safe='')}{port}/{quote(name)}"


def environment(name=None) -> dict:
    """For PostgreSQL's programs; the password never stands in a command line."""
    one = facts(name)
    given = {
        "PGHOST": one["host"],
        "PGPORT": one["port"],
        "PGUSER": one["user"],
        "PGDATABASE": one["dbname"],
        "PGPASSWORD": one["password"],
    }
    return {**clean_environment(), **{key: value for key, value in given.items() if value}}


def program(name) -> str:
    """pg_dump and pg_restore of the setting's folder, else the newest that came with the packages; they serve older servers too."""
    return os.path.join(settings.POSTGRES_BINARIES or shipped_binaries(), name)


@contextlib.contextmanager
def running(name, *arguments, database=None, feed=None):
    """A program's output as chunks, or, with ``feed``, its input from them. BackupError with its first words when it fails."""
    command = [program(name), *arguments]
    streams = {
        "stdin": subprocess.PIPE if feed is not None else subprocess.DEVNULL,
        "stdout": subprocess.PIPE,
        "stderr": subprocess.PIPE,
    }
    process = subprocess.Popen(command, env=environment(database), cwd="/", **streams)
    said = []
    listener = threading.Thread(target=lambda: said.append(process.stderr.read()), daemon=True)
    listener.start()
    try:
        yield process
    except BaseException:
        process.kill()
        process.wait()
        raise
    if process.stdin:
        with contextlib.suppress(BrokenPipeError):
            process.stdin.close()
    code = process.wait()
    listener.join(5)
    if code:
        words = b"".join(said).decode(errors="replace").strip().splitlines()
        # PostgreSQL's later lines may quote rows.
        raise BackupError(
            _("%(program)s failed: %(words)s") % {"program": name, "words": (words or ["?"])[0][:200]}
        )


@contextlib.contextmanager
def scratch():
    """The name of an empty database that is dropped again."""
    name = f"sheyi_check_{secrets.token_hex(4)}"
    with connected("postgres", autocommit=True) as link:
        with link.cursor() as cursor:
            cursor.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8'").format(sql.Identifier(name))
            )
        try:
            yield name
        finally:
            with link.cursor() as cursor:
                cursor.execute(
                    sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
                )
