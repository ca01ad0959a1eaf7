"""Fill the database with invented people and visits: a small demo, or any number for measuring.

Runs as the owner: signatures of the past are let in with the freezing triggers off for the transaction.
"""

import time

from django.core.management.base import BaseCommand, CommandError
from django.db import connection, transaction
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from clinic import registry
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
        parser.add_argument(
            "--stations",
            type=int,
            default=0,
            metavar="N",
            help="as many stations as this in all, with centres and staff",
        )
        parser.add_argument("--residents", type=int, default=0, metavar="N")
        parser.add_argument("--encounters", type=int, default=0, metavar="M", help="finished, signed visits")
        parser.add_argument(
            "--no-seals", action="store_true", help="leave the signed visits without their seals"
        )
        for volume in registry.volumes:
            parser.add_argument(f"--{volume.name}", type=int, default=0, metavar="N", help=volume.help)
        parser.add_argument("--seed", type=int, default=1, metavar="S", help="same number, same people")

    def handle(self, *, demo, if_empty, residents, encounters, **options):
        volumes = {volume: options[volume.name] for volume in registry.volumes if options[volume.name]}
        stations = options["stations"]
        if not (demo or if_empty or stations or residents or encounters or volumes):
            raise CommandError(_("Say what to make: --demo, --if-empty, or --residents N --encounters M."))
        if min(stations, residents, encounters, *volumes.values()) < 0:
            raise CommandError(_("The numbers of residents and visits cannot be negative."))
        if demo or if_empty:
            self.make_demo(if_empty)
        if stations or residents or encounters or volumes:
            self.make_many(stations, residents, encounters, volumes, options)

    def make_demo(self, if_empty):
        if places.is_empty():
            demo.make()
            self.stdout.write(_("The demo district is ready."))
        elif not if_empty:
            raise CommandError(_("The database is not empty: the demo district was not made."))

    def make_many(self, stations, residents, encounters, volumes, options):
        began = time.monotonic()
        with transaction.atomic():
            if not Term.objects.exists():
                term_lists.load_starter()
            # Never demo accounts, whose password is known, beside real ones.
            if places.is_empty():
                places.make()
            try:
                places.grow(stations)
                bulk_residents.make(residents, options["seed"])
                if encounters:
                    bulk_visits.make(encounters, options["seed"], seals=not options["no_seals"])
                for volume, count in volumes.items():
                    import_string(volume.make)(count, options["seed"])
            except Refused as error:
                raise CommandError(str(error)) from error
        with connection.cursor() as cursor:
            for table in (*FILLED, *(table for volume in volumes for table in volume.tables)):
                cursor.execute(f'ANALYZE "{table}"')
        self.stdout.write(
            _("%(residents)d residents and %(visits)d visits made in %(seconds)d seconds.")
            % {"residents": residents, "visits": encounters, "seconds": time.monotonic() - began}
        )
        for volume, count in volumes.items():
            self.stdout.write(f"--{volume.name}: {count}")
