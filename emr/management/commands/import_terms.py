"""Bring in a list of diagnosis or medicine terms from a CSV file with the columns code and name.

Nothing of a faulty file is imported. Old notes keep the code and name they were signed with.
"""

from datetime import date
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.translation import gettext as _

from clinic.errors import Refused
from emr import term_lists
from emr.codes import System


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser):
        parser.add_argument("system", metavar="SYSTEM", help=", ".join(System.values))
        parser.add_argument("file", metavar="FILE", help="CSV, UTF-8 or GB18030, with the columns code,name")
        parser.add_argument("--release", help="name of the release; the file's name without it")
        parser.add_argument("--valid-from", help="first day of its use, YYYY-MM-DD; today without it")
        parser.add_argument("--dry-run", action="store_true", help="check the file and import nothing")

    def handle(self, *args, system, file, release, valid_from, dry_run, **options):
        try:
            self._import(system, Path(file), release, _day(valid_from), dry_run)
        except Refused as refusal:
            raise CommandError(refusal.message) from refusal

    def _import(self, system, path, release, day, dry_run):
        if system not in System.values:
            raise Refused(
                _("There is no code system %(name)s. There are: %(known)s.")
                % {"name": system, "known": ", ".join(System.values)}
            )
        name = path.stem[:40] if release is None else release.strip()
        term_lists.check_release(system, name)
        terms = term_lists.read(_content(path), system)
        if not dry_run:
            term_lists.store(system=system, name=name, valid_from=day, terms=terms)
        sentence = (
            _("Checked: %(count)s terms, %(repeated)s repeats. Nothing was imported.")
            if dry_run
            else _(
                "Imported %(count)s terms as %(release)s, valid from %(day)s; %(repeated)s repeats were skipped."
            )
        )
        self.stdout.write(
            sentence % {"count": len(terms.lines), "repeated": terms.repeated, "release": name, "day": day}
        )


def _content(path):
    try:
        with path.open("rb") as file:
            return file.read(term_lists.BYTES + 1)
    except (OSError, ValueError) as error:
        raise Refused(_("The file %(path)s cannot be read.") % {"path": path}) from error


def _day(given):
    if given is None:
        return timezone.localdate()
    try:
        return date.fromisoformat(given)
    except ValueError as error:
        raise Refused(_("The first day of use must be a date such as 2026-01-31.")) from error
