"""Restore a backup. ``--check`` proves that it can be restored and changes nothing; ``--into NAME`` fills a new database, which
the settings are then pointed at."""

from pathlib import Path

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _
from psycopg2 import sql

from maintenance.backups import container, restoring, server
from maintenance.backups.errors import BackupError
from maintenance.management.commands.backup import key_file


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser):
        parser.add_argument("file", type=Path)
        way = parser.add_mutually_exclusive_group(required=True)
        way.add_argument("--check", action="store_true", help="into a scratch database that is dropped again")
        way.add_argument("--into", metavar="NAME", help="into a new database of this name")

    def handle(self, *args, file, check, into=None, **options):
        try:
            with open(file, "rb") as opened:
                _told, _reader, salt, _head = container.read_head(opened)
            key = container.read_key(key_file()) if salt else None
            self._check(file, key) if check else self._into(file, key, into)
        except (BackupError, OSError) as error:
            raise CommandError(str(error)) from error

    def _check(self, file, key):
        result = restoring.check(file, key=key)
        if result.faults:
            raise CommandError("\n".join(result.faults))
        facts = {"tables": len(result.manifest["tables"]), "at": result.manifest["taken_at"]}
        self.stdout.write(
            _("Good: %(tables)d tables as the manifest of %(at)s tells, verified, dropped again.") % facts
        )

    def _into(self, file, key, name):
        restoring.read_through(file, key)
        with server.connected("postgres", autocommit=True) as link, link.cursor() as cursor:
            cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name])
            if cursor.fetchone():
                raise CommandError(_("There is a database %(name)s already.") % {"name": name})
            made = sql.SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8'").format(
                sql.Identifier(name)
            )
            cursor.execute(made)
        restoring.fill(name, file, key)
        self.stdout.write(
            _("Restored into %(name)s. Point DATABASE_URL and DATABASE_OWNER_URL at it and run migrate: it gives the app's role its rights.")  # noqa: E501
            % {"name": name}
        )  # fmt: skip
