"""Autosave: nothing is lost, nothing is overwritten silently, nothing is kept that was not typed."""

import uuid

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clinic.errors import Conflict
from emr.actions import drafts
from emr.codes import EncounterStatus
from emr.drafting import fields
from emr.models import Encounter, Note, Save

pytestmark = pytest.mark.django_db


def stored(note):
    return Note.objects.get(pk=note.pk)


def test_a_save_answers_version_time_receipt_and_count(charting, note):
    answer = charting.save({"chief_complaint": "咳嗽3天"}).json()
    save = Save.objects.get()
    assert (answer["version"], answer["receipt"], answer["characters"]) == (1, save.receipt, 4)
    assert len(answer["saved_at"]) == 8
    assert stored(note).chief_complaint == "咳嗽3天"


def test_only_the_changed_fields_are_written(charting, note):
    charting.save({"chief_complaint": "咳嗽", "treatment": "多饮水"})
    charting.save({"treatment": "休息"}, version=1)
    assert (stored(note).chief_complaint, stored(note).treatment) == ("咳嗽", "休息")


def test_a_repeated_key_gets_the_same_answer_and_changes_nothing(charting, note):
    key = uuid.uuid4()
    first = charting.save({"treatment": "甲"}, key=key)
    charting.save({"treatment": "乙"}, version=1)
    again = charting.save({"treatment": "甲"}, key=key)
    assert (again.status_code, again.json()) == (200, first.json())
    assert stored(note).treatment == "乙"
    assert Save.objects.count() == 2


def test_a_key_used_for_other_text_is_refused_not_swallowed(charting, note):
    key = uuid.uuid4()
    charting.save({"treatment": "甲"}, key=key)
    for version in (0, 1):
        answer = charting.save({"treatment": "乙"}, version=version, key=key)
        assert (answer.status_code, answer.json()["error"]) == (400, "key")


def test_a_key_of_another_note_is_refused(charting, as_user, doctor, another_visit):
    key = uuid.uuid4()
    charting.save({"treatment": "甲"}, key=key)
    answer = as_user(doctor, another_visit).save({"treatment": "甲"}, key=key)
    assert (answer.status_code, answer.json()["error"]) == (400, "key")
    assert stored(another_visit.note).version == 0


def test_a_stale_version_gets_both_texts_and_overwrites_nothing(charting, note, doctor):
    charting.save({"treatment": "先", "signs": "咽红"})
    answer = charting.save({"treatment": "后"}, version=0)
    body = answer.json()
    assert (answer.status_code, body["error"], body["version"]) == (409, "stale", 1)
    assert (body["theirs"], body["changed"]) == ({"treatment": "先"}, {"signs": "咽红"})
    assert body["by"] == doctor.name
    assert stored(note).treatment == "先"


def test_a_version_from_the_future_is_stale_too(charting, note):
    assert charting.save({"treatment": "后"}, version=7).status_code == 409


def test_a_save_costs_three_statements_besides_session_and_user(charting):
    charting.save({"treatment": "热身"})
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert charting.save({"treatment": "多饮水"}, version=1).status_code == 200
    spoken = [
        q["sql"] for q in queries if not q["sql"].startswith(("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE"))
    ]
    besides = [sql for sql in spoken if "django_session" not in sql and 'FROM "clinic_user"' not in sql]
    assert len(besides) <= 4, besides
    assert len(spoken) <= 6


def test_a_draft_writes_no_history(charting):
    before = Note.history.count()
    charting.save({"treatment": "多饮水"})
    assert Note.history.count() == before


@pytest.mark.parametrize(
    "text",
    [
        "𠮷野家😀",
        "  前后空格 \n\t",
        "é",
        "‮\u200b﻿",
        "a" * 20_000,
        "𠮷" * 20_000,
        "'; DROP TABLE emr_note; --",
        "<script>",
    ],
    ids=[
        "extension B and emoji",
        "blanks",
        "combining",
        "invisible",
        "20 000",
        "20 000 of four bytes",
        "SQL",
        "HTML",
    ],
)
def test_text_is_kept_exactly(charting, note, text):
    assert charting.save({"present_illness": text}).status_code == 200
    assert stored(note).present_illness == text


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b'{"key": "%s", "version": 0, "changes": {"treatment": "a\\u0000b"}}', "unstorable"),
        (b'{"key": "%s", "version": 0, "changes": {"treatment": "a\\ud800b"}}', "unstorable"),
        (b'{"key": "%s", "version": 0, "changes": {"vitals": {"\\udfff": "1"}}}', "unstorable"),
        (b'{"key": "%s", "version": 0, "changes": {"treatment": NaN}}', "json"),
        (b'{"key": "%s", "version": 1e999, "changes": {"treatment": "a"}}', "form"),
        (b'{"key": "%s", "version": true, "changes": {"treatment": "a"}}', "form"),
        (b'{"key": "%s", "version": 99999999999999999999, "changes": {"treatment": "a"}}', "form"),
        (b'{"key": "%s", "changes": {"treatment": "a"}}', "form"),
        (b'{"key": ["%s"], "version": 0, "changes": {"treatment": "a"}}', "form"),
        (b'{"version": 0, "changes": {"treatment": "a"}}', "form"),
        (b'{"key": "%s", "version": 0}', "invalid"),
        (b'{"key": "%s", "version": 0, "changes": ["treatment"]}', "invalid"),
        (b'["%s"]', "form"),
        (b"\xff%s", "json"),
        (b"[" * 50_000 + b"%s", "json"),
    ],
)  # fmt: skip
def test_a_hostile_body_is_a_sentence(charting, note, body, error):
    sent = body.replace(b"%s", str(uuid.uuid4()).encode())
    answer = charting.client.post(
        f"/visits/{charting.visit.uuid}/save", sent, content_type="application/json"
    )
    assert (answer.status_code, answer.json()["error"]) == (400, error)
    assert answer.json()["message"]
    assert stored(note).version == 0


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"treatment": "a" * 20_001}, "treatment"),
        ({"treatment": 7}, "treatment"),
        ({"treatment": None}, "treatment"),
        ({"signed_at": "2020-01-01"}, "signed_at"),
        ({"author": "1"}, "author"),
        ({"visit_kind": "third"}, "visit_kind"),
        ({"visit_kind": ["first"]}, "visit_kind"),
        ({"vitals": {"pulse": 80}}, "vitals"),
        ({"vitals": {"pulse": "80" * 6}}, "vitals"),
        ({"vitals": {"mood": "good"}}, "vitals"),
        ({"vitals": "80"}, "vitals"),
        ({"diagnoses": {"name": "高血压"}}, "diagnoses"),
        ({"diagnoses": ["高血压"]}, "diagnoses"),
        ({"diagnoses": [{"name": "高" * 201}]}, "diagnoses"),
        ({"diagnoses": [{"name": "高血压", "system": "snomed"}]}, "diagnoses"),
        ({"diagnoses": [{"name": "高血压", "certainty": "maybe"}]}, "diagnoses"),
        ({"diagnoses": [{"name": "高血压", "weight": "1"}]}, "diagnoses"),
        ({"diagnoses": [{"name": "甲", "primary": True}, {"name": "乙", "primary": True}]}, "diagnoses"),
        ({"diagnoses": [{"name": "甲", "primary": "yes"}]}, "diagnoses"),
        ({"diagnoses": [{"name": "甲"}] * 31}, "diagnoses"),
        ({"medications": [{"drug": "阿莫西林", "route": "by ear"}]}, "medications"),
        ({"medications": [{"drug": "阿莫西林", "days": 7}]}, "medications"),
        ({"medications": [{}] * 41}, "medications"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_by_field_and_nothing_is_stored(charting, note, changes, field):
    answer = charting.save({"chief_complaint": "咳嗽", **changes})
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid")
    assert list(answer.json()["fields"]) == [field]
    assert (stored(note).chief_complaint, Save.objects.count()) == ("", 0)


def test_half_filled_lines_are_kept(charting, note):
    lines = [{"drug": "阿莫西林", "dose": "", "days": "七"}, {}]
    assert charting.save({"medications": lines}).status_code == 200
    assert stored(note).medications == lines


def test_signed_out_gets_401_and_no_redirect(charting):
    charting.client.logout()
    answer = charting.save({"treatment": "甲"})
    assert (answer.status_code, answer.json()["error"]) == (401, "signed-out")


def test_a_colleague_may_not_write(as_user, encounter, colleague, note):
    answer = as_user(colleague, encounter).save({"treatment": "甲"})
    assert (answer.status_code, answer.json()["error"]) == (403, "author")
    assert stored(note).treatment == ""


def test_a_colleague_learns_nothing_from_a_stale_version(as_user, encounter, colleague, doctor):
    Note.objects.update(treatment="先", version=3)
    assert "先" not in as_user(colleague, encounter).save({"treatment": "甲"}).content.decode()


def test_a_stranger_finds_nothing(as_user, encounter, stranger):
    assert as_user(stranger, encounter).save({"treatment": "甲"}).status_code == 404


def test_a_cancelled_visit_takes_no_text(charting, encounter):
    Encounter.objects.filter(pk=encounter.pk).update(status=EncounterStatus.CANCELLED, cancel_reason="走了")
    answer = charting.save({"treatment": "甲"})
    assert (answer.status_code, answer.json()["error"]) == (409, "cancelled")


def test_an_imported_note_takes_no_text(charting, note):
    Note.objects.filter(pk=note.pk).update(imported=True)
    assert charting.save({"treatment": "甲"}).json()["error"] == "signed"


def test_a_receipt_hashes_the_canonical_changes():
    one = drafts.fingerprint({"b": "1", "a": {"y": "𠮷", "x": ""}})
    assert one == drafts.fingerprint({"a": {"x": "", "y": "𠮷"}, "b": "1"})
    assert one != drafts.fingerprint({"a": {"x": "", "y": "吉"}, "b": "1"})


def test_a_body_past_all_bounds_is_a_sentence(charting, settings):
    answer = charting.save({"treatment": "a" * (settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1)})
    assert answer.status_code in {400, 413}
    assert answer.json()["message"]


def test_both_pressures_are_read_as_one():
    taken = {"pulse": "80", "systolic": "150", "diastolic": "90"}
    assert [value for _label, value, _unit in fields.readable_vitals(taken)] == ["80", "150/90"]


text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=30)
changes = st.dictionaries(st.sampled_from(Note.TEXT_FIELDS), text, min_size=1, max_size=3)
steps = st.lists(st.tuples(changes, st.integers(-2, 1), st.integers(0, 4)), max_size=12)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=steps)
def test_the_note_is_always_the_sum_of_its_saves(steps, note, doctor):
    """Whatever versions and keys arrive in whatever order."""
    visit, keys = note.encounter, [uuid.uuid4() for _number in range(5)]
    for changed, drift, key in steps:
        try:
            drafts.save_draft(
                encounter=visit.uuid, key=keys[key], version=max(stored(note).version + drift, 0),
                changes=changed, by=doctor,
            )  # fmt: skip
        except (Conflict, drafts.Refused):
            continue
    told = {}
    for save in Save.objects.filter(note=note).order_by("version"):
        told.update(save.changes)
    now = stored(note)
    assert {name: getattr(now, name) for name in told} == told
    assert now.version == Save.objects.filter(note=note).count()
