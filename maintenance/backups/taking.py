"""Taking a backup: manifest and dump in one snapshot, into a file that appears whole or not at all."""

import contextlib
import fcntl
import os
from pathlib import Path

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from maintenance.backups import container, manifest, server
from maintenance.backups.errors import BackupError
from maintenance.codes import BackupState
from maintenance.models import Backup

SUFFIX, PART = ".sheyi", ".part"


def take(folder: Path, *, key: bytes | None = None, now=None) -> Backup:
    """Write one into the folder; returns its row. What a killed run left is cleared away and its row says so."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with alone(folder):
        _clear(folder)
        row = Backup.objects.create(began_at=now or timezone.now(), encrypted=key is not None)
        name = f"sheyi-{timezone.localtime(row.began_at):%Y%m%d-%H%M%S}{SUFFIX}"
        part = folder / f"{name}{PART}"
        try:
            row.manifest, row.sha256 = _write(part, key)
            row.size = part.stat().st_size
            part.rename(folder / name)
            _sync(folder)
        except BaseException as error:
            part.unlink(missing_ok=True)
            row.state, row.fault = BackupState.FAILED, _words(error)
            row.ended_at = timezone.now()
            row.save()
            raise
        row.state, row.file, row.ended_at = BackupState.DONE, name, timezone.now()
        row.save()
        return row


@contextlib.contextmanager
def alone(folder):
    """One run at a time in a folder; the kernel lets go for a killed one."""
    with open(folder / ".lock", "a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise BackupError(_("Another backup is being taken into this folder.")) from error
        yield


def _clear(folder):
    for left in folder.glob(f"*{PART}"):
        left.unlink()
    for row in Backup.objects.filter(state=BackupState.RUNNING):
        row.state, row.fault, row.ended_at = BackupState.FAILED, _("It was broken off."), timezone.now()
        row.save()


def _write(part, key):
    """(manifest, SHA-256) of what was written and reached the disk."""
    told = {
        "taken_at": timezone.now().isoformat(),
        "release": settings.RELEASE,
        "anchors": manifest.of_anchors(),
    }
    with server.connected() as link:
        link.set_session(isolation_level="REPEATABLE READ", readonly=True)
        with link.cursor() as cursor:
            cursor.execute("SELECT pg_export_snapshot()")
            [snapshot] = cursor.fetchone()
        told["tables"] = manifest.of_tables(link)
        dump = ("-Fc", "--no-owner", "--no-acl", "--schema=public", f"--snapshot={snapshot}")
        with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            with server.running("pg_dump", *dump) as process:
                digest = container.write(
                    file, told, iter(lambda: process.stdout.read(container.CHUNK), b""), key
                )
            file.flush()
            os.fsync(file.fileno())
    return {"taken_at": told["taken_at"], "release": told["release"], "tables": told["tables"]}, digest


def _sync(folder):
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _words(error):
    """A sentence of ours, or the error's kind: its own words may quote rows."""
    return str(error)[:300] if isinstance(error, BackupError) else type(error).__name__
