"""Text of an earlier visit in a new note: what may be copied, how it is marked, and what signing asks."""

import uuid

import pytest
from django.utils import timezone

from clinic.codes import Act
from clinic.models import AuditEntry
from emr.actions import corrections
from emr.codes import EncounterStatus
from emr.models import ChangeRequest, Correction, Note, Save
from tests import factories
from tests.emr.conftest import COMPLETE

pytestmark = pytest.mark.django_db
COPIED = {"how": "copied", "from": "7d0a4b7e-4f2b-4a0f-9a3e-1f6d9c1b2a30"}


def finished(resident, doctor, **note):
    visit = factories.encounter(resident, doctor, status=EncounterStatus.FINISHED, **{**COMPLETE, **note})
    Note.objects.filter(encounter=visit).update(
        signed_at=timezone.now(), signed_by=doctor, signer=doctor.name
    )
    return visit


@pytest.fixture
def copy(client):
    def copy(user, visit, earlier):
        client.force_login(user)
        return client.post(
            f"/visits/{visit.uuid}/earlier/{earlier.uuid}", {}, content_type="application/json"
        )

    return copy


# What can be copied ------------------------------------------------------------------------------------


def test_the_whole_leaves_out_the_findings_of_that_day(copy, doctor, resident, encounter):
    earlier = finished(resident, doctor, vitals={"pulse": "80"})
    answer = copy(doctor, encounter, earlier).json()
    assert answer["fields"]["signs"] == COMPLETE["signs"]
    assert {"signs", "examinations"}.isdisjoint(answer["whole"])
    assert "vitals" not in answer["fields"]
    assert AuditEntry.objects.filter(act=Act.VIEW, detail__page="copy").exists()


def test_the_text_in_force_is_copied_and_not_what_it_replaced(copy, doctor, resident, encounter):
    earlier = finished(resident, doctor)
    row = corrections.open_correction(
        kind="correct", note=earlier.note, reason="写错", by=doctor, key=uuid.uuid4()
    )
    Correction.objects.filter(pk=row.pk).update(
        treatment="卧床休息。", signed_at=timezone.now(), signed_by=doctor
    )
    assert copy(doctor, encounter, earlier).json()["fields"]["treatment"] == "卧床休息。"


def test_nothing_is_copied_of_a_void_note(copy, doctor, manager, resident, encounter):
    earlier = finished(resident, doctor)
    asked = {"kind": "undo", "reason": "签错"}
    leave = ChangeRequest.objects.create(note=earlier.note, requested_by=doctor, key=uuid.uuid4(), **asked)
    ChangeRequest.objects.filter(pk=leave.pk).update(
        state="approved", decided_by=manager, decided_at=timezone.now()
    )
    void = {"note": earlier.note, "author": doctor, "number": 1, "void": True, "request": leave, **asked}
    row = Correction.objects.create(key=uuid.uuid4(), **void)
    Correction.objects.filter(pk=row.pk).update(signed_at=timezone.now(), signed_by=doctor)
    assert copy(doctor, encounter, earlier).json()["fields"] == {}


def test_lines_of_the_old_system_come_in_the_form_of_a_draft(copy, charting, doctor, resident, encounter):
    odd = {"diagnoses": [{"name": "高血压", "grade": 2}], "medications": [{"drug": "氨氯地平", "days": 28}]}
    fields = copy(doctor, encounter, finished(resident, doctor, **odd)).json()["fields"]
    assert charting.save({name: fields[name] for name in odd}).status_code == 200
    assert fields["medications"][0]["days"] == "28"


def test_another_persons_visit_is_not_there_to_copy(copy, doctor, station, encounter):
    another = finished(factories.resident(station, name="李四"), doctor)
    assert copy(doctor, encounter, another).status_code == 404


def test_a_stranger_and_a_nurse_copy_nothing(copy, stranger, nurse, doctor, resident, encounter):
    earlier = finished(resident, doctor)
    assert copy(stranger, encounter, earlier).status_code == 404
    assert copy(nurse, encounter, earlier).status_code == 403


def test_copying_costs_few_queries(charting, doctor, resident, encounter, django_assert_max_num_queries):
    earlier = finished(resident, doctor)
    address = f"/visits/{encounter.uuid}/earlier/{earlier.uuid}"
    charting.client.post(address, {}, content_type="application/json")
    with django_assert_max_num_queries(9):
        assert charting.client.post(address, {}, content_type="application/json").status_code == 200


# Marks -------------------------------------------------------------------------------------------------


def test_marks_are_saved_with_the_draft_and_are_no_characters_of_the_receipt(charting, encounter):
    answer = charting.save({"signs": "咽红", "marks": {"signs": COPIED}})
    assert answer.json()["characters"] == 2
    assert Note.objects.get(encounter=encounter).marks == {"signs": COPIED}


@pytest.mark.parametrize(
    "marks",
    [
        [], "copied", None, 1, {"signs": None}, {"signs": "copied"}, {"vitals": COPIED}, {"visit_kind": COPIED},
        {"nonsense": COPIED}, {"signs": {}}, {"signs": {"how": "stolen", "from": ""}}, {"signs": {"how": ["copied"]}},
        {"signs": {**COPIED, "note": "张秀英"}}, {"signs": {"how": "copied", "from": "张秀英"}},
        {"signs": {"how": "copied", "from": None}}, {"signs": {**COPIED, "stale": "yes"}},
        {"signs": {**COPIED, "stale": 1}}, {"signs": {"from": ""}},
    ],
)  # fmt: skip
def test_misshapen_marks_are_refused(charting, encounter, marks):
    answer = charting.save({"marks": marks})
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid")
    assert Note.objects.get(encounter=encounter).marks == {}


def test_a_nurse_changes_no_marks(as_user, nurse, encounter):
    answer = as_user(nurse, encounter).save({"marks": {}})
    assert answer.status_code in (403, 409)


# Signing asks once -------------------------------------------------------------------------------------


def test_signing_asks_about_copied_text_and_takes_a_yes(charting, encounter):
    charting.save({**COMPLETE, "marks": {"signs": COPIED, "past_history": {"how": "carried", "from": ""}}})
    answer = charting.sign(version=1)
    assert (answer.status_code, answer.json()["error"]) == (422, "copied")
    assert [entry["field"] for entry in answer.json()["fields"]] == ["signs"]
    assert not Note.objects.get(encounter=encounter).is_signed
    assert charting.sign(version=1, confirmed=True).status_code == 200
    note = Note.objects.get(encounter=encounter)
    assert note.marks["signs"] == COPIED
    assert AuditEntry.objects.get(act=Act.SIGN).detail["copied"] == ["signs"]


@pytest.mark.parametrize("mark", [{"how": "template", "from": ""}, {"how": "carried", "from": ""}])
def test_templates_and_what_was_carried_are_not_asked_about(charting, mark):
    charting.save({**COMPLETE, "marks": {"treatment": mark}})
    assert charting.sign(version=1).status_code == 200


def test_what_is_long_unconfirmed_is_asked_about(charting):
    charting.save({**COMPLETE, "marks": {"past_history": {"how": "carried", "from": "", "stale": True}}})
    assert charting.sign(version=1).json()["error"] == "copied"


@pytest.mark.parametrize("word", ["yes", 1, None, "true", {}])
def test_only_a_plain_yes_is_one(charting, word):
    charting.save({**COMPLETE, "marks": {"signs": COPIED}})
    assert charting.sign(version=1, confirmed=word).status_code == 422


def test_an_empty_field_is_not_asked_about(charting):
    charting.save({**COMPLETE, "medications": [], "marks": {"medications": COPIED}})
    assert charting.sign(version=1).status_code == 200


def test_a_refused_signature_leaves_no_save_behind(charting, encounter):
    charting.save({**COMPLETE, "marks": {"signs": COPIED}})
    charting.sign(version=1)
    assert Save.objects.filter(note__encounter=encounter).count() == 1


def test_a_correction_asks_only_about_what_it_copied_itself(charting, doctor, encounter):
    charting.save({**COMPLETE, "marks": {"signs": COPIED}})
    charting.sign(version=1, confirmed=True)
    note = Note.objects.get(encounter=encounter)
    row = corrections.open_correction(kind="correct", note=note, reason="写错", by=doctor, key=uuid.uuid4())

    def write(marks, version):
        changes = {"treatment": f"休息{version}", "marks": marks}
        corrections.save_correction(
            correction=row.uuid, key=uuid.uuid4(), version=version, changes=changes, by=doctor
        )
        body = {"key": str(uuid.uuid4()), "version": version + 1, "password": factories.PASSWORD}
        return charting.client.post(f"/corrections/{row.uuid}/sign", body, content_type="application/json")

    new = {**COPIED, "from": str(uuid.uuid4())}
    assert write({"signs": COPIED, "treatment": new}, row.version).json()["error"] == "copied"
    assert write({"signs": COPIED}, row.version + 1).status_code == 200


def test_marks_alone_are_no_correction(charting, doctor, encounter):
    charting.save({**COMPLETE, "marks": {"signs": COPIED}})
    charting.sign(version=1, confirmed=True)
    note = Note.objects.get(encounter=encounter)
    row = corrections.open_correction(kind="correct", note=note, reason="写错", by=doctor, key=uuid.uuid4())
    corrections.save_correction(
        correction=row.uuid, key=uuid.uuid4(), version=row.version, changes={"marks": {}}, by=doctor
    )
    body = {"key": str(uuid.uuid4()), "version": row.version + 1, "password": factories.PASSWORD}
    answer = charting.client.post(f"/corrections/{row.uuid}/sign", body, content_type="application/json")
    assert answer.json()["error"] == "unchanged"
