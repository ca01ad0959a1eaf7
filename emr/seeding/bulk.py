"""Any number of past, signed visits by COPY: a thread invents while the server stores."""

import json
import random
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import F, Value
from django.utils import timezone
from django.utils.translation import gettext as _

from clinic.codes import Role
from clinic.errors import Refused
from clinic.models import Resident, User
from clinic.seeding import copying
from clinic.seeding.bulk import random_uuid
from emr.codes import DIAGNOSIS_SYSTEMS
from emr.models import DiagnosisUse, Encounter
from emr.sealing import adoption
from emr.seeding.demo import FROZEN, release_name
from emr.seeding.stories import STORIES, note_fields

CHUNK = 10_000
YEARS = 10
ENCOUNTER = (
    "id", "uuid", "resident_id", "institution_id", "department", "doctor_id", "status", "arrived_at", "started_at",
    "finished_at", "hold_reason", "cancel_reason", "imported", "source_id",
)  # fmt: skip
NOTE = (
    "id", "uuid", "encounter_id", "author_id", "visit_kind", "chief_complaint", "present_illness", "past_history", "signs",
    "examinations", "treatment", "vitals", "diagnoses", "medications", "version", "saved_at", "signed_at", "signed_by_id",
    "signer", "signer_title", "signer_licence", "needs_review", "imported", "imported_doctor",
)  # fmt: skip
DIAGNOSIS = (
    "note_id", "resident_id", "position", "system", "release", "code", "name", "certainty", "primary",
)  # fmt: skip
JSON_FIELDS = ("vitals", "diagnoses", "medications")


def make(count, seed, seals=True):
    """Add ``count`` finished visits with signed, sealed notes. Inside the caller's transaction, as the owner.

    Without ``seals`` it takes half the time, and ``manage.py verify`` calls the notes inserted.
    """
    residents = list(Resident.objects.current().order_by("pk").values_list("pk", "home_id"))
    if not residents:
        raise Refused(_("There is no resident to make visits for."))
    doctors = _doctors()
    # A resident sees a doctor at home; where a station has none, any.
    everybody = [doctor for staff in doctors.values() for doctor in staff]
    rng = random.Random(f"visits {seed} {Encounter.objects.count()}")
    with connection.cursor() as cursor:
        first = copying.reserve(cursor, "emr_encounter", count)
        first_note = copying.reserve(cursor, "emr_note", count)
    author = Author(rng, residents, doctors, everybody, first, first_note)
    with copying.triggers_off(*FROZEN), connection.cursor() as cursor:
        for encounters, notes, diagnoses in copying.ahead(author.chunks(count)):
            copying.copy(cursor, "emr_encounter", ENCOUNTER, encounters)
            copying.copy(cursor, "emr_note", NOTE, notes)
            copying.copy(cursor, "emr_diagnosis", DIAGNOSIS, diagnoses)
    _count_uses(author.uses)
    if seals:
        adoption.seal_unsealed(after=first_note - 1)


def _doctors():
    made = {}
    for user in User.objects.filter(role=Role.DOCTOR, is_active=True).order_by("pk"):
        made.setdefault(user.institution_id, []).append(user)
    if not made:
        raise Refused(_("There is no doctor to sign the visits."))
    return made


class Author:
    """Writes the lines of visit after visit."""

    def __init__(self, rng, residents, doctors, everybody, first, first_note):
        self.rng = rng
        self.residents, self.doctors, self.everybody = residents, doctors, everybody
        self.shift = first_note - first
        self.first = first
        self.release = release_name()
        self.uses = {}
        day = timezone.localtime().replace(hour=8, minute=0, second=0, microsecond=0)
        self.today: datetime = day
        # Encoding the same two hundred texts a million times would be half of the work.
        self.texts = {story.code: [self._texts(story) for _variant in range(24)] for story in STORIES}

    def _texts(self, story):
        fields = note_fields(story, self.rng, self.release)
        for name in JSON_FIELDS:
            fields[name] = json.dumps(fields[name], ensure_ascii=False)
        names = NOTE[NOTE.index("visit_kind") : NOTE.index("version")]
        return copying.line([fields[name] for name in names]).rstrip("\n")

    def chunks(self, count):
        for start in range(self.first, self.first + count, CHUNK):
            rows = [self.visit(pk) for pk in range(start, min(start + CHUNK, self.first + count))]
            yield tuple("".join(parts) for parts in zip(*rows, strict=True))

    def visit(self, pk):
        rng = self.rng
        resident, home = rng.choice(self.residents)
        doctor = rng.choice(self.doctors.get(home) or self.everybody)
        story = rng.choice(STORIES)
        at = self.today - timedelta(days=rng.randrange(1, 365 * YEARS), minutes=-rng.randrange(540))
        end = (at + timedelta(minutes=rng.randrange(12, 40))).isoformat()
        arrived, started = at.isoformat(), (at + timedelta(minutes=6)).isoformat()
        note = pk + self.shift
        use = (doctor.pk, story.code, story.name)
        self.uses[use] = self.uses.get(use, 0) + 1
        encounter = (
            f"{pk}\t{random_uuid(rng)}\t{resident}\t{doctor.institution_id}\t全科\t{doctor.pk}\tfinished\t{arrived}"
            f"\t{started}\t{end}\t\t\tf\t\n"
        )
        text = (
            f"{note}\t{random_uuid(rng)}\t{pk}\t{doctor.pk}\t{rng.choice(self.texts[story.code])}\t3\t{end}\t{end}"
            f"\t{doctor.pk}\t{copying.field(doctor.name)}\t{copying.field(doctor.title)}"
            f"\t{copying.field(doctor.licence)}\tf\tf\t\n"
        )
        diagnosis = f"{note}\t{resident}\t1\ticd10\t{copying.field(self.release)}\t{story.code}\t{story.name}\tconfirmed\tt\n"
        return encounter, text, diagnosis


def _count_uses(uses):
    """As signing would have counted them, so that the picker shows each doctor's own."""
    system = DIAGNOSIS_SYSTEMS[0]
    DiagnosisUse.objects.bulk_create(
        [DiagnosisUse(user_id=user, system=system, code=code, name=name) for user, code, name in uses],
        ignore_conflicts=True,
    )
    for (user, code, name), count in uses.items():
        DiagnosisUse.objects.filter(user=user, system=system, code=code, name=name).update(
            count=F("count") + Value(count)
        )
