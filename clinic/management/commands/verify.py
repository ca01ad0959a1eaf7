"""Check that what must never change has not changed. Exit code 1 and a sentence about each broken row, at most
twenty of a check. Told are dates, institutions and public ids; never what a record says."""

from django.core.management.base import BaseCommand, CommandError
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from clinic import registry
from clinic.models import Institution
from clinic.verification import Scope


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser):
        parser.add_argument(
            "checks", nargs="*", metavar="CHECK", help="only these checks; all when none is named"
        )
        parser.add_argument("--only", metavar="CHECK", help="only this check; the same as naming it")
        parser.add_argument("--institution", metavar="CODE", help="only this institution's chains")

    def handle(self, *args, checks, only=None, institution=None, **options):
        chosen = self._chosen([*checks, *filter(None, [only])], institution)
        place = self._place(institution)
        broken = []
        for check in chosen:
            finding = import_string(check.run)(Scope(place, self._progress(check.name)))
            self._wipe()
            if not finding.ok:
                broken.append(finding.sentence)
            for line in [finding.sentence, *finding.notes] if finding.ok else finding.notes:
                self.stdout.write(line)
        if broken:
            raise CommandError("\n".join(broken))

    def _chosen(self, names, institution):
        known = {check.name: check for check in registry.checks}
        if unknown := sorted(set(names) - set(known)):
            raise CommandError(
                _("There is no check %(name)s. There are: %(known)s.")
                % {"name": unknown[0], "known": ", ".join(known)}
            )
        chosen = [known[name] for name in dict.fromkeys(names or known)]
        if institution is None:
            return chosen
        fitting = [check for check in chosen if check.by_institution]
        if not fitting:
            raise CommandError(_("This check has one chain for all institutions."))
        return fitting

    def _place(self, code):
        if code is None:
            return None
        try:
            return Institution.objects.get(code=code)
        except Institution.DoesNotExist as error:
            raise CommandError(
                _("There is no institution with the code “%(code)s”.") % {"code": code[:30]}
            ) from error

    def _progress(self, name):
        """How far it is, on a terminal alone."""

        def tell(done, total):
            if self.stdout.isatty():
                self.stdout.write(f"\r{name}: {done:,} / {total:,} ", ending="")
                self.stdout.flush()

        return tell

    def _wipe(self):
        if self.stdout.isatty():
            self.stdout.write("\r\033[K", ending="")
