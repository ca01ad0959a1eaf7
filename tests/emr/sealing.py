"""What the tests of seals share: signed notes, the chain, and an intruder with the owner's rights."""

import contextlib
import uuid
from datetime import timedelta
from io import StringIO

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.utils import timezone

from emr.actions import signing
from emr.models import Note
from emr.sealing import adoption, chain
from tests import factories, waiting
from tests.emr.conftest import COMPLETE

MEDICINE = {
    "drug": " 阿莫西林胶囊 ", "dose": "0.5g", "route": "po", "frequency": "tid", "days": "3", "reason": "",
}  # fmt: skip
TABLES = [
    *(model._meta.db_table for model in apps.get_app_config("emr").get_models()),
    "clinic_auditentry",
    "clinic_auditlink",
]


def sign(doctor, resident, **fields):
    """A note signed by the action that the page calls."""
    visit = factories.encounter(resident, doctor, **{**COMPLETE, "medications": [MEDICINE], **fields})
    return signing.sign(encounter=visit.uuid, key=uuid.uuid4(), version=0, by=doctor)


def settle():
    """Link everything and move the mark: two runs, far enough apart."""
    now = timezone.now()
    chain.chain_all(now)
    waiting.for_open_transactions()
    chain.chain_all(now + timedelta(minutes=2))


def close_adoption():
    """The first look of a new installation."""
    adoption.adopt()
    assert adoption.state().closed


@contextlib.contextmanager
def triggers_off(cursor):
    for table in TABLES:
        cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    try:
        yield
    finally:
        for table in TABLES:
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")


def tamper(cursor, *statements):
    """As the database's owner, with the triggers off: what an intruder with all rights would do."""
    with triggers_off(cursor):
        for statement, *values in statements:
            cursor.execute(statement, values)


def told(*words) -> str:
    """What verify says of broken seals."""
    with pytest.raises(CommandError) as stopped:
        call_command("verify", "seals", *words, stdout=StringIO())
    assert stopped.value.returncode == 1
    return str(stopped.value)


def verify(*words) -> str:
    """What verify says while all is well."""
    out = StringIO()
    call_command("verify", "seals", *words, stdout=out)
    return out.getvalue()


def delete_note(note):
    """Statements that leave nothing of a signed note."""
    first = (
        "DELETE FROM emr_seallink WHERE seal_id IN (SELECT id FROM emr_seal WHERE note_id = %s)",
        note.pk,
    )
    hanging = [
        (f'DELETE FROM "{link.related_model._meta.db_table}" WHERE "{link.field.column}" = %s', row.pk)
        for row in (note, note.encounter)
        for link in row._meta.related_objects
        if link.related_model is not Note
    ]
    return [
        first,
        *hanging,
        ("DELETE FROM emr_note WHERE id = %s", note.pk),
        ("DELETE FROM emr_encounter WHERE id = %s", note.encounter_id),
    ]
