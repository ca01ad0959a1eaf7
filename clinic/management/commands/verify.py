"""Check that what must never change has not changed. Exit code 1 and a sentence about the first broken row."""

from django.core.management.base import BaseCommand, CommandError
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from clinic import registry


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser):
        parser.add_argument(
            "checks", nargs="*", metavar="CHECK", help="only these checks; all when none is named"
        )

    def handle(self, *args, checks, **options):
        known = {check.name: check for check in registry.checks}
        if unknown := sorted(set(checks) - set(known)):
            raise CommandError(
                _("There is no check %(name)s. There are: %(known)s.")
                % {"name": unknown[0], "known": ", ".join(known)}
            )
        broken = []
        for name in checks or known:
            finding = import_string(known[name].run)()
            if not finding.ok:
                broken.append(finding.sentence)
                continue
            for line in [finding.sentence, *finding.notes]:
                self.stdout.write(line)
        if broken:
            raise CommandError("\n".join(broken))
