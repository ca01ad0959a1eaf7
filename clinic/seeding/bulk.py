"""Any number of residents by COPY, the same for the same seed on the same database."""

import random
import uuid
from collections import defaultdict
from datetime import date

from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext as _

from clinic import pinyin
from clinic.codes import Occupation
from clinic.errors import Refused
from clinic.models import Community, RecordNumberCounter, Resident
from clinic.seeding import copying, names
from clinic.seeding.residents import STREETS, insurance

COLUMNS = (
    "id", "uuid", "record_number", "id_type", "id_number", "id_reversed", "name", "pinyin", "initials", "sex", "birth_date",
    "ethnicity", "nationality", "marital", "occupation", "employer", "phone", "phone_reversed", "contact_name",
    "contact_relation", "contact_phone", "community_id", "address", "home_id", "insurance", "insurance_number",
    "blood_type", "rh_type", "household_relation", "life_state", "note", "source_id", "created_at",
)  # fmt: skip
CHUNK = 20_000
TODAY = date(2026, 6, 1)


def random_uuid(rng):
    return str(uuid.UUID(int=rng.getrandbits(128), version=4))


def make(count, seed):
    """Add ``count`` residents over all neighbourhoods that have a station. Inside the caller's transaction."""
    rng = random.Random(f"residents {seed} {Resident.objects.count()}")
    communities = list(
        Community.objects.filter(institution__isnull=False).order_by("code").values("id", "code", "institution_id")
    )  # fmt: skip
    if count and not communities:
        raise Refused(_("There is no neighbourhood with a station: where should the residents live?"))
    taken = set(Resident.objects.exclude(id_number="").values_list("id_number", flat=True))
    serials = defaultdict(int, RecordNumberCounter.objects.values_list("area", "last"))
    spelled = Spelling()
    with connection.cursor() as cursor:
        first = copying.reserve(cursor, "clinic_resident", count)
        for start in range(0, count, CHUNK):
            lines = [
                copying.line(_row(first + number, rng, rng.choice(communities), serials, taken, spelled))
                for number in range(start, min(start + CHUNK, count))
            ]
            copying.copy(cursor, "clinic_resident", COLUMNS, "".join(lines))
    _keep_serials(serials)


class Spelling:
    """Pinyin of a name from its parts, each spelled once."""

    def __init__(self):
        self.known = {}

    def __call__(self, name):
        if name not in self.known:
            self.known[name] = pinyin.spell(name)
        return self.known[name]


def _row(pk, rng, community, serials, taken, spelled):
    sex = rng.choice("12")
    born = names.birth_date(rng, TODAY)
    name = names.full_name(rng, sex)
    number = names.id_number(rng, born, sex, taken)
    phone = names.phone(rng)
    full, initials = spelled(name)
    serials[community["code"]] += 1
    if serials[community["code"]] > 99_999:
        raise Refused(_("The neighbourhood %(code)s has no health-record numbers left.") % community)
    return (
        pk, random_uuid(rng), f"{community['code']}{serials[community['code']]:05d}", "01", number, number[::-1],
        name, full, initials, sex, born, 1, "中国", "20" if born.year < 2000 else "10", rng.choice(Occupation.values), "",
        phone, phone[::-1], "", "", "", community["id"], f"{rng.choice(STREETS)}{rng.randrange(1, 400)}号",
        community["institution_id"], insurance(born, rng), "", rng.choice(("A", "B", "O", "AB")), "+", "", "living", "",
        "", timezone.now(),
    )  # fmt: skip


def _keep_serials(serials):
    RecordNumberCounter.objects.bulk_create(
        [RecordNumberCounter(area=area, last=last) for area, last in serials.items()],
        update_conflicts=True, unique_fields=["area"], update_fields=["last"],
    )  # fmt: skip
