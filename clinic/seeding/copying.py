"""COPY as the owner: rows by the million, in the tables' own order of columns."""

import contextlib
import io
import queue
import threading
from datetime import date, datetime

from django.db import connection

ESCAPES = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})


def field(value):
    """One value in COPY's text form."""
    if value is None:
        return r"\N"
    if value is True or value is False:
        return "t" if value else "f"
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    return str(value).translate(ESCAPES)


def line(values):
    return "\t".join(map(field, values)) + "\n"


def copy(cursor, table, columns, text):
    """Send lines made by ``line``. What the tables' constraints refuse, they refuse here too."""
    quoted = ", ".join(f'"{name}"' for name in columns)
    cursor.copy_expert(f'COPY "{table}" ({quoted}) FROM STDIN', io.StringIO(text))


def reserve(cursor, table, count):
    """Take ``count`` row numbers at once; return the first."""
    cursor.execute(
        "SELECT setval(s.name, nextval(s.name) + %s) - %s FROM (SELECT pg_get_serial_sequence(%s, 'id') AS name) s",
        [count, count, table],
    )
    return cursor.fetchone()[0]


@contextlib.contextmanager
def triggers_off(*tables):
    """Let old signatures in. Only the owner may, only inside a transaction: whoever looks from outside sees
    the triggers always on, and a failure brings them back with the rollback."""
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute(f'ALTER TABLE "{table}" DISABLE TRIGGER USER')
        yield
        # A table with deferred checks pending cannot be altered.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table in tables:
            cursor.execute(f'ALTER TABLE "{table}" ENABLE TRIGGER USER')
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")


def ahead(chunks):
    """Run the generator in a thread, two chunks ahead: the server and the inventing take a core each."""
    waiting = queue.Queue(maxsize=2)
    stop = threading.Event()

    def produce():
        try:
            for chunk in chunks:
                if stop.is_set():
                    return
                waiting.put(chunk)
            waiting.put(None)
        except Exception as error:  # noqa: BLE001 - raised again where it is waited for
            waiting.put(error)

    threading.Thread(target=produce, daemon=True).start()
    try:
        while (chunk := waiting.get()) is not None:
            if isinstance(chunk, Exception):
                raise chunk
            yield chunk
    finally:
        stop.set()
