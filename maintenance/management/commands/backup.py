"""Take a backup of the whole database into a folder: one file, readable by its owner alone, with a manifest of every table's
count and checksum."""

from pathlib import Path

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from maintenance.backups import container, taking
from maintenance.backups.errors import BackupError


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser):
        parser.add_argument("folder", type=Path)
        parser.add_argument(
            "--encrypt",
            action="store_true",
            help="with the key of SHEYI_BACKUP_KEY (32 bytes as base64 in a file)",
        )
        parser.add_argument(
            "--keep", type=int, metavar="N", help="afterwards remove all but the newest N files of the folder"
        )

    def handle(self, *args, folder, encrypt, keep=None, **options):
        if keep is not None and keep < 1:
            raise CommandError(_("At least one backup is kept."))
        try:
            key = container.read_key(key_file()) if encrypt else None
            row = taking.take(folder, key=key)
        except (BackupError, OSError) as error:
            raise CommandError(str(error)) from error
        rows = sum(count for count, _sum in row.manifest["tables"].values())
        self.stdout.write(
            _("%(file)s: %(tables)d tables, %(rows)d rows, %(size)d bytes, SHA-256 %(hash)s")
            % {
                "file": folder / row.file, "tables": len(row.manifest["tables"]), "rows": rows, "size": row.size,
                "hash": row.sha256,
            }
        )  # fmt: skip
        for old in sorted(folder.glob(f"sheyi-*{taking.SUFFIX}"))[: -keep if keep else None] if keep else []:
            old.unlink()


def key_file() -> Path:
    if not settings.BACKUP_KEY:
        raise CommandError(_("SHEYI_BACKUP_KEY names the file of the key."))
    return Path(settings.BACKUP_KEY)
