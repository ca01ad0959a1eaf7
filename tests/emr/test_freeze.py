"""A signed note stays as it was signed, whoever asks by whatever route."""

import pytest
from django.db import Error, connection, transaction
from django.utils import timezone

from emr.models import Note, NoteReview, Save

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
