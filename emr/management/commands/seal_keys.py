"""The keys that seal signed notes: list them, make a further one, take one into use (docs/seal.md).

Old public keys stay in the folder: they verify what was sealed with them. Keep the folder with the backups.
"""

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from clinic.anchors import AnchorFileError
from clinic.errors import Refused
from emr.sealing import keys


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser):
        acts = parser.add_subparsers(dest="act", required=True)
        acts.add_parser("list", help="every public key, and which key is in use")
        acts.add_parser("new", help="make a further key; it is not in use yet")
        acts.add_parser("use", help="sign with this key from now on").add_argument("key", metavar="ID")

    def handle(self, *args, act, key=None, **options):
        try:
            getattr(self, f"_{act}")(key)
        except Refused as refusal:
            raise CommandError(refusal.message) from refusal
        except AnchorFileError as error:
            raise CommandError(
                _("Line %(line)d of the anchor file %(file)s cannot be read.")
                % {"line": error.number, "file": error.path}
            ) from error
        except OSError as error:
            raise CommandError(
                _("The folder of keys %(folder)s cannot be used: %(error)s.")
                % {"folder": keys.folder(), "error": error.strerror}
            ) from error

    def _list(self, _key):
        house, used = keys.registered(), keys.in_use()
        for key in keys.known():
            words = [key]
            if key == used:
                words.append(pgettext("key", "in use"))
            if key not in house:
                words.append(_("not one of this house"))
            self.stdout.write("  ".join(words))
        if not used:
            self.stdout.write(_("There is no key yet; the first signature makes one."))

    def _new(self, _key):
        key = keys.new()
        self.stdout.write(
            _("Made the key %(key)s. To sign with it: manage.py seal_keys use %(key)s") % {"key": key}
        )

    def _use(self, key):
        if settings.SEAL_KEY:
            raise CommandError(_("SHEYI_SEAL_KEY names the key in use; change it there."))
        keys.use(key)
        self.stdout.write(_("From now on seals are signed with %(key)s.") % {"key": key})
