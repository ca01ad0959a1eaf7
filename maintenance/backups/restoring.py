"""Restoring a backup, and proving in a scratch database that it can be restored."""

import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from maintenance.backups import container, manifest, server
from maintenance.backups.errors import BackupError, Damaged
from maintenance.codes import BackupState
from maintenance.models import Backup


@dataclass
class Result:
    """``faults``: sentences; none of them, and the backup is good."""

    manifest: dict
    faults: list[str] = field(default_factory=list)


def check(file: Path, *, key=None, verify=True) -> Result:
    """Restore into a scratch database, compare with the manifest, run ``verify`` against the anchors of the time, drop it. The
    file's row, where there is one, becomes checked or damaged. Damaged: the file is not what was written."""
    try:
        told = read_through(file, key)
        with server.scratch() as name:
            fill(name, file, key)
            result = Result(told, _compared(name, told))
            if verify and not result.faults:
                result.faults += _verified(name, told)
    except Damaged as damage:
        _mark(file, BackupState.DAMAGED, str(damage))
        raise
    _mark(file, BackupState.DAMAGED if result.faults else BackupState.CHECKED, " ".join(result.faults))
    return result


def read_through(file: Path, key=None) -> dict:
    """Read every byte before anything is done with it; returns the manifest. Raises Damaged."""
    with open(file, "rb") as opened:
        told, reader, salt, head = container.read_head(opened)
        for _chunk in container.read_body(reader, salt, head, key):
            pass
    return told


def fill(name, file: Path, key=None):
    """Restore into an empty database, all or nothing."""
    restore = ("--no-owner", "--no-acl", "--exit-on-error", "--single-transaction", f"--dbname={name}")
    with server.connected(name, autocommit=True) as link, link.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'public'"
        )
        if cursor.fetchone()[0]:
            raise BackupError(_("The database %(name)s is not empty.") % {"name": name})
        cursor.execute("DROP SCHEMA IF EXISTS public")
    with open(file, "rb") as opened:
        _told, reader, salt, head = container.read_head(opened)
        with server.running("pg_restore", *restore, database=name, feed=True) as process:
            try:
                for chunk in container.read_body(reader, salt, head, key):
                    process.stdin.write(chunk)
            except BrokenPipeError:
                pass  # its own words follow


def _compared(name, told):
    with server.connected(name) as link:
        different = manifest.differences(told["tables"], manifest.of_tables(link))
    return [
        _("The table %(name)s is not as the manifest tells.") % {"name": table} for table in different[:20]
    ]


def _verified(name, told):
    """What ``manage.py verify`` says of the restored rows, against the anchors as they stood; and whether today's anchors
    still begin with those."""
    faults = [
        _("The anchors %(file)s outside the database are not those of the backup's time.") % {"file": file}
        for file, text in told["anchors"].items()
        if not manifest.of_anchors().get(file, "").startswith(text)
    ]
    with tempfile.TemporaryDirectory(prefix="sheyi-anchors-") as folder:
        for file, text in told["anchors"].items():
            (Path(folder) / Path(file).name).write_text(text)
        url = server.address(name)
        given = {
            **os.environ, "DATABASE_URL": url, "DATABASE_OWNER_URL": url, "SHEYI_ANCHORS": folder, "SHEYI_DB_ROLE": "app",
            "SHEYI_VAR": str(settings.VAR),
        }  # fmt: skip
        done = subprocess.run(
            [sys.executable, str(settings.BASE_DIR / "manage.py"), "verify"], env=given, capture_output=True, text=True,
            check=False, cwd=settings.BASE_DIR,
        )  # fmt: skip
    if done.returncode:
        faults.append(done.stderr.strip()[-1000:] or _("verify failed."))
    return faults


def _mark(file, state, fault):
    row = Backup.objects.filter(file=file.name).order_by("-began_at").first()
    if row is not None:
        row.state, row.checked_at, row.fault = state, timezone.now(), fault[:300]
        row.save()
