"""Signing: the password again, what the rules demand, the server's time, and only once."""

import uuid

import pytest
from django.utils import timezone

from clinic.codes import Act
from clinic.models import Allergy, AuditEntry
from emr.codes import EncounterStatus
from emr.models import Diagnosis, DiagnosisUse, Encounter, Medication, Note
from tests.emr.conftest import COMPLETE

pytestmark = pytest.mark.django_db


@pytest.fixture
def complete(charting):
    """A page whose draft has what a first visit needs: version 1."""
    charting.save(COMPLETE)
    return charting


def test_a_signed_note_tells_who_signed_and_when(complete, doctor):
    answer = complete.sign(version=1)
    note = Note.objects.get()
    assert answer.status_code == 200
    assert answer.json()["signer"] == note.signer == doctor.name
    assert (note.signer_title, note.signer_licence) == (doctor.title, doctor.licence)
    assert abs((timezone.now() - note.signed_at).total_seconds()) < 5


def test_signing_finishes_the_visit(complete):
    complete.sign(version=1)
    visit = Encounter.objects.get()
    assert (visit.status, visit.finished_at is not None) == (EncounterStatus.FINISHED, True)


def test_signing_writes_the_lines_as_rows(complete):
    medication = {"drug": "阿莫西林胶囊", "dose": "0.5g", "route": "po", "frequency": "tid", "days": "５天"}
    complete.save({"medications": [medication, {"drug": " "}]}, version=1)
    complete.sign(version=2)
    assert Diagnosis.objects.values_list("code", "name", "primary").get() == (
        "J06.900",
        "急性上呼吸道感染",
        True,
    )
    assert Medication.objects.values_list("drug", "days").get() == ("阿莫西林胶囊", 5)


def test_the_first_diagnosis_is_primary_where_none_is_marked(complete):
    complete.save({"diagnoses": [{"name": "感冒"}, {"name": "咽炎"}]}, version=1)
    complete.sign(version=2)
    assert list(Diagnosis.objects.values_list("name", "primary")) == [("感冒", True), ("咽炎", False)]


def test_a_used_code_is_counted_for_the_picker(complete, doctor):
    complete.sign(version=1)
    assert DiagnosisUse.objects.values_list("user", "code", "count").get() == (doctor.pk, "J06.900", 1)


def test_signing_writes_the_first_history_row_and_the_trail(complete):
    before = Note.history.count()
    complete.sign(version=1)
    assert Note.history.count() == before + 1
    assert AuditEntry.objects.filter(act=Act.SIGN, object_type="emr.note").count() == 1


def test_the_same_key_signs_once_and_answers_twice(complete):
    key = uuid.uuid4()
    first, again = complete.sign(version=1, key=key), complete.sign(version=1, key=key)
    assert (again.status_code, again.json()) == (200, first.json())
    assert AuditEntry.objects.filter(act=Act.SIGN).count() == 1


def test_another_key_is_told_that_it_is_signed(complete):
    complete.sign(version=1)
    answer = complete.sign(version=1)
    assert (answer.status_code, answer.json()["error"]) == (409, "signed")


def test_a_key_of_a_save_does_not_sign(complete):
    key = uuid.uuid4()
    complete.save({"treatment": "休息"}, version=1, key=key)
    assert complete.sign(version=2, key=key).json()["error"] == "key"
    assert Note.objects.get().signed_at is None


def test_a_wrong_password_signs_nothing_and_stands_in_the_trail(complete):
    answer = complete.sign(version=1, password="wrong")
    assert (answer.status_code, answer.json()["error"]) == (403, "password")
    assert Note.objects.get().signed_at is None
    assert AuditEntry.objects.filter(act=Act.REFUSED, reason="password").exists()


def test_guessing_the_password_locks(complete, settings):
    codes = [
        complete.sign(version=1, password="wrong").status_code
        for _try in range(settings.AXES_FAILURE_LIMIT + 1)
    ]
    assert codes[0] == 403
    assert codes[-1] == 429
    assert complete.sign(version=1).json()["message"]


def test_four_wrong_and_one_right_begin_anew(complete):
    for _try in range(4):
        complete.sign(version=0, password="wrong")
    assert complete.sign(version=0).status_code == 409
    assert complete.sign(version=1, password="wrong").status_code == 403
    assert complete.sign(version=1).status_code == 200


def test_what_is_missing_is_listed(charting):
    answer = charting.sign()
    body = answer.json()
    assert (answer.status_code, body["error"]) == (422, "incomplete")
    assert {entry["field"] for entry in body["missing"]} >= {"chief_complaint", "diagnoses", "treatment"}
    assert all(entry["label"] and entry["sentence"] for entry in body["missing"])


def test_hints_alone_do_not_block(complete, resident):
    Allergy.objects.create(resident=resident, substance="青霉素")
    lines = [{"drug": "阿莫西林", "dose": "0.5g", "route": "po", "frequency": "tid", "days": "3"}]
    complete.save({"medications": lines, "vitals": {"temperature": "43"}}, version=1)
    assert complete.sign(version=2).status_code == 200
    assert AuditEntry.objects.get(act=Act.SIGN).detail["hints"] == ["vitals", "medications"]


def test_an_old_version_is_not_signed(complete):
    answer = complete.sign(version=0)
    assert (answer.status_code, answer.json()["error"]) == (409, "stale")
    assert "chief_complaint" in answer.json()["changed"]


def test_a_held_visit_is_signed_without_taking_it_up_first(complete, encounter):
    Encounter.objects.filter(pk=encounter.pk).update(status=EncounterStatus.ON_HOLD)
    assert complete.sign(version=1).status_code == 200


def test_nobody_signs_for_a_colleague(complete, as_user, colleague, encounter):
    answer = as_user(colleague, encounter).sign(version=1)
    assert (answer.status_code, answer.json()["error"]) == (403, "author")


def test_a_stranger_finds_nothing_to_sign(complete, as_user, stranger, encounter):
    assert as_user(stranger, encounter).sign(version=1).status_code == 404


def test_a_nurse_does_not_sign(as_user, nurse, encounter):
    assert as_user(nurse, encounter).sign().status_code == 403


def test_a_signed_note_takes_no_save(complete, doctor):
    complete.sign(version=1)
    answer = complete.save({"treatment": "改"}, version=2)
    assert (answer.status_code, answer.json()["error"]) == (409, "signed")
    assert doctor.name in answer.json()["message"]


@pytest.mark.parametrize("password", [None, 7, ["a"], {"a": 1}])
def test_a_password_that_is_no_text_is_a_sentence(complete, password):
    assert complete.sign(version=1, password=password).status_code == 400


def test_signed_out_gets_401(complete):
    complete.client.logout()
    assert complete.sign(version=1).status_code == 401
