"""Invented data: a demo that shows every state, and masses for measuring, both within the house's rules."""

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction

from clinic import identifiers
from clinic.models import Community, Institution, Resident, User
from clinic.permissions import ROLES
from emr import term_lists
from emr.codes import EncounterStatus, ReviewDecision, System
from emr.models import Diagnosis, DiagnosisUse, Encounter, Note
from emr.seeding import demo
from emr.seeding.stories import STORIES
from tests.conftest import Rights


@pytest.fixture
def demo_district(seed):
    seed(demo=True)


def test_the_demo_has_an_account_of_every_role(demo_district):
    roles = set(User.objects.values_list("role", flat=True))
    assert roles == {role.value for role in ROLES} - {"integrator"}


def test_demo_accounts_sign_in_without_changing_their_password(demo_district, client):
    doctor = User.objects.get(username="doctor")
    assert doctor.check_password("sheyi-demo-1")
    assert not doctor.must_change_password


def test_the_demos_password_comes_from_the_environment(seed, monkeypatch):
    monkeypatch.setenv("SHEYI_DEMO_PASSWORD", "another one")
    seed(demo=True)
    assert User.objects.get(username="nurse").check_password("another one")


def test_the_demo_stands_where_it_should(demo_district):
    assert Institution.objects.filter(kind="centre").count() == 2
    assert Institution.objects.filter(kind="station").count() == 4
    homes = {name: User.objects.get(username=name).institution for name in ("doctor", "doctor2", "doctor_b")}
    assert homes["doctor"] == homes["doctor2"]
    assert homes["doctor_b"].parent != homes["doctor"].parent
    assert all(code.startswith("110101") for code in Community.objects.values_list("code", flat=True))


def test_every_demo_resident_passes_the_forms_checks(demo_district):
    residents = list(Resident.objects.all())
    assert len(residents) >= 35
    for resident in residents:
        resident.full_clean()
        identifiers.check_id(resident.id_type, resident.id_number)
        facts = identifiers.facts_of_id(resident.id_type, resident.id_number)
        assert facts in (None, (resident.birth_date, resident.sex))


def test_rare_signs_and_one_sound_for_two_names_are_among_them(demo_district):
    names = set(Resident.objects.values_list("name", flat=True))
    assert {"𠮷祥", "王晓明", "王小明"} <= names


def test_the_demo_day_shows_every_state(demo_district):
    states = set(Encounter.objects.values_list("status", flat=True))
    assert states >= {"arrived", "in-progress", "onhold", "finished"}
    doctor = User.objects.get(username="doctor")
    assert Note.objects.unsigned_by(doctor).exists()
    assert Note.objects.awaiting_review().filter(author__username="assistant").exists()
    assert not Note.objects.filter(reviews__decision=ReviewDecision.APPROVED).exists()


def test_signed_demo_notes_have_their_lines_and_are_frozen(demo_district):
    note = Note.objects.filter(signed_at__isnull=False).first()
    assert note.diagnosis_rows.count() == len(note.diagnoses) == 1
    note.treatment = "改"
    with pytest.raises(IntegrityError), transaction.atomic():
        note.save(update_fields=["treatment"])


def test_the_stories_use_the_starters_terms():
    terms = term_lists.read((term_lists.STARTER / "icd10.csv").read_bytes(), System.ICD10)
    known = {(line.code, line.name) for line in terms.lines}
    assert {(story.code, story.name) for story in STORIES} <= known


def test_a_full_database_is_left_alone(seed, demo_district):
    before = Resident.objects.count()
    seed(if_empty=True)
    assert Resident.objects.count() == before
    with pytest.raises(CommandError):
        seed(demo=True)


def test_masses_fill_the_stations(seed):
    seed(residents=200, encounters=400)
    assert Resident.objects.count() == 200
    assert Encounter.objects.filter(status=EncounterStatus.FINISHED).count() == 400
    assert Note.objects.filter(signed_at__isnull=False).count() == Diagnosis.objects.count() == 400
    assert Resident.objects.values("home").distinct().count() == 4


def test_masses_are_valid_people(seed):
    seed(residents=150)
    for resident in Resident.objects.all():
        resident.full_clean()
        identifiers.check_id(resident.id_type, resident.id_number)
        assert resident.id_reversed == resident.id_number[::-1]
        assert resident.pinyin


def test_masses_leave_the_triggers_on(seed):
    seed(residents=20, encounters=20)
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_trigger WHERE tgenabled = 'D'")
        assert cursor.fetchone() == (0,)
    with pytest.raises(IntegrityError), transaction.atomic():
        Note.objects.filter(signed_at__isnull=False).update(treatment="改")


def test_one_seed_makes_the_same_people_another_seed_others(seed):
    made = []
    for number in (5, 5, 6):
        Rights.take(Rights.owner)
        with transaction.atomic(), connection.cursor() as cursor:
            call_command("seed", residents=30, seed=number, verbosity=0)
            made.append(set(Resident.objects.values_list("id_number", flat=True)))
            transaction.set_rollback(True)
            assert cursor
        Rights.take(Rights.app)
    assert made[0] == made[1] != made[2]


def test_masses_come_on_top_of_the_demo_and_of_each_other(seed, demo_district):
    before = Resident.objects.count()
    seed(residents=50, encounters=10, seed=3)
    seed(residents=50, encounters=10, seed=3)
    assert Resident.objects.count() == before + 100


def test_visits_count_among_their_doctors_most_used(seed):
    seed(residents=20, encounters=50)
    assert sum(DiagnosisUse.objects.values_list("count", flat=True)) == 50


def test_nothing_asked_for_is_told_in_a_sentence(seed):
    with pytest.raises(CommandError):
        seed()
    with pytest.raises(CommandError):
        seed(residents=-1)


def test_a_failure_leaves_nothing_behind(seed, monkeypatch):
    def fail(*args):
        raise RuntimeError

    monkeypatch.setattr(demo.people, "make", fail)
    with pytest.raises(RuntimeError):
        seed(demo=True)
    assert not User.objects.exists()


def test_masses_bring_no_demo_account_into_a_house_that_works(seed, station, doctor):
    Community.objects.create(code="110101001001", name="社区", street="街道", institution=station)
    seed(residents=5, encounters=5)
    assert list(User.objects.values_list("username", flat=True)) == [doctor.username]
    assert Encounter.objects.filter(doctor=doctor).count() == 5


def test_masses_without_a_place_or_a_doctor_are_refused(seed, station):
    with pytest.raises(CommandError):
        seed(residents=5)
    with pytest.raises(CommandError):
        seed(encounters=5)
