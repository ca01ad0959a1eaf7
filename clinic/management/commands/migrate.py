"""Django's migrate, as the owner, followed by the app role's rights on whatever tables there are now."""

import os

from django.apps import apps
from django.core.management.base import CommandError
from django.core.management.commands import migrate
from django.db import ProgrammingError, connections, transaction

from clinic import database


class Command(migrate.Command):
    """Also the way the tests' database is made, so tests run with production's rights."""

    def handle(self, *args, **options):
        sentence = database.owner_missing(os.environ)
        if sentence:
            raise CommandError(sentence)
        super().handle(*args, **options)
        if not options["plan"]:
            self.grant(options["database"])

    def grant(self, alias):
        """Give the app's role its rights; a role that does not exist is told with the SQL that makes it."""
        try:
            with transaction.atomic(using=alias):
                role = database.app_role(os.environ)
                added, kept = database.append_only_tables(apps), database.kept_tables(apps)
                opened = database.opened_columns(apps)
                database.grant_app_role(connections[alias], added, role, kept, opened)
        except database.DatabaseUrlError as error:
            raise CommandError(str(error)) from error
        except ProgrammingError as error:
            raise CommandError(f"{error}\n{database.OWNER_MISSING}") from error
