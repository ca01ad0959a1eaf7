"""The demo stations' visits: months of signed ones, today's waiting list, a draft, a note awaiting review."""

import random
from datetime import timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.module_loading import import_string

from clinic import registry
from clinic.models import Resident
from clinic.seeding import places
from clinic.seeding import residents as people
from clinic.seeding.copying import triggers_off
from emr import term_lists
from emr.codes import EncounterStatus, System
from emr.models import Diagnosis, DiagnosisUse, Encounter, Medication, Note, TermRelease
from emr.sealing import adoption
from emr.seeding import corrections, filings, pace, papers, referrals, saves, standing, templates
from emr.seeding.stories import STORIES, note_fields, vitals

FROZEN = ("emr_encounter", "emr_note", "emr_diagnosis", "emr_medication")
SEED = 7


@transaction.atomic
def make():
    """Everything of the demo; on an empty database."""
    term_lists.load_starter()
    made = places.make()
    everybody = people.make(made["communities"])
    day = Day(made["staff"], everybody)
    day.make()
    # Each room shows itself through its own actions, so the later ones find what the earlier ones made.
    for room in (templates, corrections, standing, saves, referrals, filings, papers):
        room.make(made["staff"], day.here)
    for path in registry.demo_rooms:
        import_string(path)(made["staff"], day.here)


def release_name():
    """The ICD-10 release in force, as notes keep it."""
    release = TermRelease.objects.filter(system=System.ICD10).in_force(timezone.localdate()).first()
    return release.name if release else ""


class Day:
    """Visits of the demo station around now."""

    def __init__(self, staff, everybody):
        self.staff = staff
        self.now = timezone.now()
        self.rng = random.Random(SEED)
        self.release = release_name()
        here = staff["doctor"].institution_id
        self.here = [row for row in everybody if row.home_id == here]
        self.elsewhere = [row for row in everybody if row.home_id == staff["doctor_b"].institution_id]

    def make(self):
        with triggers_off(*FROZEN):
            self.past()
            self.today()
        adoption.seal_unsealed()

    def past(self):
        """Half a year: the first resident has come fifteen times, others once or twice."""
        visits = [(self.here[0], 12 * n + 3) for n in range(15)]
        visits += [(self.rng.choice(self.here), self.rng.randrange(2, 180)) for _n in range(45)]
        for number, (resident, days_ago) in enumerate(visits):
            doctor = self.staff["doctor2" if number % 3 == 2 else "doctor"]
            self.signed(
                resident, doctor, self.now - timedelta(days=days_ago, minutes=self.rng.randrange(300))
            )
        for resident in self.elsewhere[:5]:
            self.signed(
                resident, self.staff["doctor_b"], self.now - timedelta(days=self.rng.randrange(2, 90))
            )

    def today(self):
        doctor, waiting = self.staff["doctor"], EncounterStatus.WAITING
        here = iter(self.here[1:])
        for minutes, who in ((52, None), (34, doctor), (21, None), (8, None)):
            self.open(next(here), waiting, minutes, doctor=who)
        held = self.open(next(here), EncounterStatus.ON_HOLD, 75, doctor=doctor, hold_reason="去做心电图")
        self.draft(held, self.rng.choice(STORIES))
        begun = self.open(next(here), EncounterStatus.IN_PROGRESS, 65, doctor=doctor)
        self.draft(begun, STORIES[1], whole=False)
        self.signed(next(here), doctor, self.now - timedelta(minutes=90))
        self.signed(next(here), self.staff["doctor2"], self.now - timedelta(minutes=70))
        self.signed(next(here), self.staff["assistant"], self.now - timedelta(minutes=110), needs_review=True)

    def open(self, resident, status, minutes, doctor=None, **facts):
        arrived = self.now - timedelta(minutes=minutes)
        started = None if status == EncounterStatus.WAITING else arrived + timedelta(minutes=9)
        made = Encounter.objects.create(
            resident=resident, institution=self.staff["doctor"].institution, doctor=doctor, status=status,
            arrived_at=arrived, started_at=started, checked_in_by=self.staff["clerk"], **facts,
        )  # fmt: skip
        measured = vitals(self.rng) if minutes > 30 else {}
        self.quietly(Note(encounter=made, author=doctor if started else None, vitals=measured))
        return made

    def draft(self, encounter, story, whole=True):
        note = encounter.note
        fields = note_fields(story, self.rng, self.release)
        kept = fields if whole else {name: fields[name] for name in ("visit_kind", "chief_complaint")}
        for name, value in kept.items():
            setattr(note, name, value)
        made = pace.steps(kept, self.rng, self.now - timedelta(minutes=21))
        note.version, note.saved_at = len(made), made[-1][1]
        self.quietly(note)
        pace.keep(note, made)

    def signed(self, resident, doctor, at, needs_review=False):
        encounter = Encounter.objects.create(
            resident=resident, institution=doctor.institution, doctor=doctor, status=EncounterStatus.FINISHED,
            arrived_at=at - timedelta(minutes=25), started_at=at - timedelta(minutes=10), finished_at=at,
            checked_in_by=self.staff["clerk"],
        )  # fmt: skip
        fields = note_fields(self.rng.choice(STORIES), self.rng, self.release)
        fields["marks"] = {}
        made = [*pace.steps(fields, self.rng, encounter.started_at), ({}, at)]  # the last is the signature
        note = Note.objects.create(
            encounter=encounter, author=doctor, version=len(made), saved_at=at, signed_at=at, signed_by=doctor,
            signer=doctor.name, signer_title=doctor.title, signer_licence=doctor.licence,
            needs_review=needs_review, **fields,
        )  # fmt: skip
        pace.keep(note, made)
        write_lines(note, resident)
        count_use(doctor, note, at)

    def quietly(self, note):
        """A draft writes no history row (rule 5)."""
        note.skip_history_when_saving = True
        note.save()


def write_lines(note, resident: Resident):
    """The rows that signing makes of a note's lines."""
    for position, line in enumerate(note.diagnoses, start=1):
        Diagnosis.objects.create(note=note, resident=resident, position=position, **line)
    for position, line in enumerate(note.medications, start=1):
        Medication.objects.create(
            note=note, resident=resident, position=position, **{**line, "days": int(line["days"])}
        )


def count_use(doctor, note, at):
    for line in note.diagnoses:
        key = {name: line[name] for name in ("system", "code", "name")}
        use, _new = DiagnosisUse.objects.get_or_create(user=doctor, **key)
        use.count, use.last_used = use.count + 1, at
        use.save(update_fields=["count", "last_used"])
