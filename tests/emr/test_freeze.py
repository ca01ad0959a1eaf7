"""A signed note stays as it was signed, whoever asks by whatever route."""

import pytest
from django.db import Error, connection, transaction
from django.utils import timezone

from emr.actions import corrections
from emr.models import Note, NoteReview, Save
from tests.emr import amending

NEVER = "a signed or imported note never changes"


def sign(note, by):
    Note.objects.filter(pk=note.pk).update(signed_at=timezone.now(), signed_by=by, signer=by.name)


def refused(why, sql, *parameters):
    """The statement fails for this reason and no other: a slip in the SQL is no refusal."""
    with pytest.raises(Error, match=why), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, parameters)


@pytest.mark.django_db
class TestSignedNote:
    def test_text_cannot_be_updated(self, note, doctor):
        sign(note, doctor)
        refused(NEVER, "UPDATE emr_note SET treatment = '改' WHERE id = %s", note.pk)

    def test_signing_time_cannot_be_moved(self, note, doctor):
        sign(note, doctor)
        refused(NEVER, "UPDATE emr_note SET signed_at = now() WHERE id = %s", note.pk)

    def test_cannot_be_deleted(self, note, doctor):
        refused("permission denied", "DELETE FROM emr_note WHERE id = %s", note.pk)

    def test_pgtrigger_escape_does_not_open_it(self, note, doctor):
        sign(note, doctor)
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL pgtrigger.ignore = '{emr_note:append_only,emr_note_freeze}'")
        refused(NEVER, "UPDATE emr_note SET treatment = '改' WHERE id = %s", note.pk)

    def test_nobody_signs_for_yesterday(self, note, doctor):
        refused(
            "signing time is the server time",
            "UPDATE emr_note SET signed_at = now() - interval '1 day', signed_by_id = %s WHERE id = %s",
            doctor.pk,
            note.pk,
        )

    def test_takes_no_further_diagnosis(self, note, doctor, resident):
        sign(note, doctor)
        refused(
            "takes no further line",
            "INSERT INTO emr_diagnosis (note_id, resident_id, position, system, release, code, name, certainty, "
            "\"primary\") VALUES (%s, %s, 1, 'icd10', '', 'I10', '高血压', 'confirmed', false)",
            note.pk,
            resident.pk,
        )


@pytest.mark.django_db
@pytest.mark.parametrize("model", [Save, NoteReview])
def test_append_only_rows_are_beyond_the_app_role(model):
    table = model._meta.db_table
    for sql in (f"UPDATE {table} SET id = id", f"DELETE FROM {table}", f"TRUNCATE {table} CASCADE"):
        refused("permission denied", sql)


@pytest.mark.django_db
def test_app_role_owns_nothing_and_disables_no_trigger():
    refused("must be owner", "ALTER TABLE emr_note DISABLE TRIGGER ALL")
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_tables WHERE tableowner = current_user")
        assert cursor.fetchone() == (0,)


@pytest.mark.django_db
class TestCorrection:
    """Drafts of corrections are written with the app's rights; what is signed or withdrawn is beyond everybody."""

    @pytest.fixture
    def draft(self, client, resident, doctor):
        return amending.begin(amending.signed_note(client, resident, doctor), doctor)

    @pytest.fixture
    def signed(self, draft, doctor):
        amending.save(draft, doctor, {"signs": "改"})
        return amending.sign(draft, doctor)

    FROZEN = "a signed or withdrawn correction never changes"
    KEPT = "a correction keeps its note, number, writer, kind and reason"

    def test_signed_text_cannot_be_updated(self, signed):
        refused(self.FROZEN, "UPDATE emr_correction SET signs = '又改' WHERE id = %s", signed.pk)

    def test_withdrawn_text_cannot_be_updated(self, draft, doctor):
        corrections.withdraw(correction=draft.uuid, by=doctor)
        refused(self.FROZEN, "UPDATE emr_correction SET withdrawn_at = NULL WHERE id = %s", draft.pk)

    def test_pgtrigger_escape_does_not_open_it(self, signed):
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL pgtrigger.ignore = '{emr_correction_freeze}'")
        refused(self.FROZEN, "UPDATE emr_correction SET signs = '又改' WHERE id = %s", signed.pk)

    @pytest.mark.parametrize(
        "change",
        [
            "number = 9", "author_id = author_id + 1", "key = gen_random_uuid()", "kind = 'undo'", "void = true",
            "reason = '别的'", "version = version - 1", "note_id = note_id + 1",
        ],
    )  # fmt: skip
    def test_a_draft_keeps_what_it_stands_for(self, draft, change):
        refused(self.KEPT, f"UPDATE emr_correction SET {change} WHERE id = %s", draft.pk)  # noqa: S608 - own words

    @pytest.mark.parametrize(
        ("signature", "why"),
        [
            (
                "signed_at = now() - interval '1 day', signed_by_id = author_id",
                "signing time is the server time",
            ),
            ("signed_at = now(), signed_by_id = author_id + 1", "signed by its writer"),
        ],
    )
    def test_nobody_signs_for_yesterday_or_for_another(self, draft, signature, why):
        refused(why, f"UPDATE emr_correction SET {signature} WHERE id = %s", draft.pk)  # noqa: S608

    def test_an_unsigned_note_takes_none_and_none_is_born_signed(self, another_visit, draft):
        copied = (
            "INSERT INTO emr_correction (SELECT (jsonb_populate_record(c, jsonb_build_object('id', 0, 'uuid', "
            "gen_random_uuid(), 'key', gen_random_uuid(), 'number', 7, 'note_id', %s::int) || %s::jsonb)).* "
            "FROM emr_correction c WHERE id = %s)"
        )
        refused("only a signed note is corrected", copied, another_visit.note.pk, "{}", draft.pk)
        born_signed = '{"signed_at": "2026-01-01T00:00:00Z"}'
        refused("begins as a draft", copied, draft.note_id, born_signed, draft.pk)

    def test_undoing_wants_anothers_leave(self, client, resident, doctor, manager):
        note = amending.signed_note(client, resident, doctor)
        leave = amending.allowed(note, doctor, manager, "undo")
        draft = amending.begin(note, doctor, kind="undo")
        signing = "UPDATE emr_correction SET signed_at = now(), signed_by_id = author_id, request_id = %s WHERE id = %s"
        refused("needs an approved request", signing, None, draft.pk)
        with connection.cursor() as cursor:
            cursor.execute(signing, [leave.pk, draft.pk])

    def test_lines_come_before_its_signature_and_belong_to_its_note(
        self, signed, draft, resident, another_visit
    ):
        line = (
            "INSERT INTO emr_diagnosis (note_id, correction_id, resident_id, position, system, release, code, name, "
            "certainty, \"primary\") VALUES (%s, %s, %s, 9, 'icd10', '', 'I10', '高血压', 'confirmed', false)"
        )
        refused("takes no further line", line, signed.note_id, signed.pk, resident.pk)
        refused("belongs to the note of its correction", line, another_visit.note.pk, signed.pk, resident.pk)

    def test_a_decided_request_never_changes(self, client, resident, doctor, manager):
        leave = amending.allowed(amending.signed_note(client, resident, doctor), doctor, manager, "undo")
        for change in ("state = 'refused'", "answer = '改'", "state = 'waiting', decided_at = NULL"):
            refused(
                "a decided request never changes",
                f"UPDATE emr_changerequest SET {change} WHERE id = %s",  # noqa: S608 - own words
                leave.pk,
            )

    def test_a_waiting_request_keeps_its_words_and_is_not_born_decided(
        self, client, resident, doctor, manager
    ):
        row = amending.ask(amending.signed_note(client, resident, doctor), doctor, "undo")
        refused("keeps its note", "UPDATE emr_changerequest SET reason = '别的' WHERE id = %s", row.pk)
        yesterday = "UPDATE emr_changerequest SET state = 'approved', decided_at = now() - interval '1 day', decided_by_id = %s WHERE id = %s"
        refused("deciding time is the server time", yesterday, manager.pk, row.pk)
        own = "UPDATE emr_changerequest SET state = 'approved', decided_at = now(), decided_by_id = %s WHERE id = %s"
        refused("change_request_by_another", own, doctor.pk, row.pk)

    @pytest.mark.parametrize("table", ["emr_correction", "emr_changerequest"])
    def test_nothing_is_deleted(self, table):
        refused("permission denied", f"DELETE FROM {table}")  # noqa: S608 - own names


@pytest.mark.django_db(transaction=True)
def test_not_even_the_owner_deletes_a_correction_or_a_request(client, resident, doctor, manager, as_owner):
    note = amending.signed_note(client, resident, doctor)
    amending.allowed(note, doctor, manager, "undo")
    amending.begin(note, doctor, kind="undo")
    for table in ("emr_correction", "emr_changerequest"):
        with pytest.raises(Exception, match="never deleted"):
            as_owner.execute(f"DELETE FROM {table}")  # noqa: S608 - own names
