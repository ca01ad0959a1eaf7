"""Take over residents and past visits of the old system from CSV files (docs/import.md).

Each file is taken whole or not at all. Run it again with the same files, and nothing happens twice.
"""

from pathlib import Path

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from clinic.errors import Refused
from clinic.legacy.residents import import_residents
from clinic.models import Institution, User
from emr.legacy import import_visits


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser):
        parser.add_argument("--residents", type=Path, metavar="FILE")
        parser.add_argument("--visits", type=Path, metavar="FILE", help="taken after the residents")
        parser.add_argument("--institution", metavar="CODE", help="for rows that name none")
        parser.add_argument("--by", metavar="USERNAME", help="who stands in the audit trail")
        parser.add_argument("--dry-run", action="store_true", help="check every row and keep nothing")

    def handle(self, *, residents, visits, institution, by, dry_run, **options):
        if not (residents or visits):
            raise CommandError(_("Name a file: --residents FILE, --visits FILE, or both."))
        if dry_run and residents and visits:
            raise CommandError(
                _("Try the files one after the other: visits can be checked once their residents are in.")
            )
        given = {
            "institution": _one(Institution, "code", institution),
            "by": _one(User, "username", by),
            "dry_run": dry_run,
        }
        for path, take in ((residents, import_residents), (visits, import_visits)):
            if path:
                self.tell(path, self.take(take, path, given), dry_run)

    def take(self, act, path, given):
        try:
            return act(path, **given)
        except OSError as error:
            raise CommandError(_("%(file)s cannot be read.") % {"file": path}) from error
        except Refused as error:
            raise CommandError(f"{path}: {error}") from error

    def tell(self, path, report, dry_run):
        if report.ignored:
            self.stdout.write(_("Columns left aside: %(names)s.") % {"names": "、".join(report.ignored)})
        if report.failed:
            lines = [
                _("Row %(row)d: %(sentence)s") % {"row": row, "sentence": sentence}
                for row, sentence in report.errors
            ]
            raise CommandError(
                "\n".join([*lines, _("%(file)s: %(count)d faulty rows, nothing was taken over.")
                           % {"file": path, "count": report.failed}])
            )  # fmt: skip
        sentence = (
            _("%(file)s: %(made)d rows would be taken over, %(known)d are here already.")
            if dry_run
            else _("%(file)s: %(made)d rows taken over, %(known)d were here already.")
        )
        self.stdout.write(sentence % {"file": path, "made": report.made, "known": report.known})


def _one(model, name, value):
    if value is None:
        return None
    try:
        return model.objects.get(**{name: value})
    except model.DoesNotExist as error:
        raise CommandError(_("There is no %(value)s.") % {"value": value}) from error
