"""Everything a start needs before serving, in one process: migrate and what follows from it, collect static
files, seed if empty."""

import hashlib

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.utils.module_loading import import_string

from clinic import registry


class Command(BaseCommand):
    help = __doc__
    requires_system_checks = ()

    def handle(self, *args, **options):
        call_command("migrate", interactive=False, verbosity=0)
        for path in registry.preparations:
            import_string(path)()
        self.stdout.write("The database is up to date.")
        if collect_static():
            self.stdout.write("The static files are collected.")
        call_command("seed", if_empty=True)


def collect_static():
    """Collect and compress the static files unless none changed since; return True if it was done."""
    stamp = settings.STATIC_ROOT / ".collected"
    wanted = fingerprint()
    if stamp.exists() and stamp.read_text() == wanted:
        return False
    call_command("collectstatic", interactive=False, verbosity=0)
    stamp.write_text(wanted)
    return True


def fingerprint():
    """Return a hash over the names, sizes and times of every static file there is."""
    digest = hashlib.sha256()
    for finder in get_finders():
        for path, storage in finder.list([]):
            status = (storage.path(path), storage.size(path), storage.get_modified_time(path).timestamp())
            digest.update(repr(status).encode())
    return digest.hexdigest()
