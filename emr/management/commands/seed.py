"""Fill the database with invented people and visits: a small demo, or any number for measuring.

Runs as the owner: signatures of the past are let in with the freezing triggers off for the transaction.
"""

import time

from django.core.management.base import BaseCommand, CommandError
from django.db import connection, transaction
from django.utils.translation import gettext as _

from clinic.errors import Refused
from clinic.seeding import bulk as bulk_residents
from clinic.seeding import places
from emr import term_lists
from emr.models import Term
from emr.seeding import bulk as bulk_visits
from emr.seeding import demo

FILLED = ("clinic_resident", "emr_encounter", "emr_note", "emr_diagnosis", "emr_diagnosisuse", "emr_seal")


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser):
        parser.add_argument(
            "--demo", action="store_true", help="the demo district; only into an empty database"
        )
        parser.add_argument("--if-empty", action="store_true", help="the demo district, or nothing at all")
        parser.add_argument("--residents", type=int, default=0, metavar="N")
        parser.add_argument("--encounters", type=int, default=0, metavar="M", help="finished, signed visits")
        parser.add_argument(
            "--no-seals", action="store_true", help="leave the signed visits without their seals"
        )
        parser.add_argument("--seed", type=int, default=1, metavar="S", help="same number, same people")

    def handle(self, *, demo, if_empty, residents, encounters, seed, no_seals, **options):
        if not (demo or if_empty or residents or encounters):
            raise CommandError(_("Say what to make: --demo, --if-empty, or --residents N --encounters M."))
        if residents < 0 or encounters < 0:
            raise CommandError(_("The numbers of residents and visits cannot be negative."))
        if demo or if_empty:
            self.make_demo(if_empty)
        if residents or encounters:
            self.make_many(residents, encounters, seed, seals=not no_seals)

    def make_demo(self, if_empty):
        if places.is_empty():
            demo.make()
            self.stdout.write(_("The demo district is ready."))
        elif not if_empty:
            raise CommandError(_("The database is not empty: the demo district was not made."))

    def make_many(self, residents, encounters, seed, *, seals):
        began = time.monotonic()
        with transaction.atomic():
            if not Term.objects.exists():
                term_lists.load_starter()
            # Never demo accounts, whose password is known, beside real ones.
            if places.is_empty():
                places.make()
            try:
                bulk_residents.make(residents, seed)
                if encounters:
                    bulk_visits.make(encounters, seed, seals)
            except Refused as error:
                raise CommandError(str(error)) from error
        with connection.cursor() as cursor:
            for table in FILLED:
                cursor.execute(f'ANALYZE "{table}"')
        self.stdout.write(
            _("%(residents)d residents and %(visits)d visits made in %(seconds)d seconds.")
            % {"residents": residents, "visits": encounters, "seconds": time.monotonic() - began}
        )
