"""The seal: made with the signature, over everything that was signed, and for ever to be recomputed."""

import uuid

import pytest

from emr import seal, seal_keys, seal_rows
from emr.actions import signing
from emr.models import Seal
from tests import factories
from tests.emr.conftest import COMPLETE

MEDICINE = {
    "drug": " 阿莫西林胶囊 ",
    "dose": "0.5g",
    "route": "po",
    "frequency": "tid",
    "days": "3",
    "reason": "",
}


@pytest.fixture(autouse=True)
def own_folders(settings, tmp_path):
    settings.ANCHORS, settings.SEAL_KEYS = tmp_path / "anchors", tmp_path / "keys"


@pytest.fixture
def signed(doctor, resident):
    """A note signed as the page signs it."""
    visit = factories.encounter(resident, doctor, **COMPLETE, medications=[MEDICINE])
    return signing.sign(encounter=visit.uuid, key=uuid.uuid4(), version=0, by=doctor)


@pytest.mark.django_db
def test_a_signature_makes_one_seal_that_its_rows_answer_for(signed):
    made = Seal.objects.get(note=signed)
    row, code = seal_rows.of(signed.pk)
    assert made.sha256 == seal.hash_of(row, code)
    assert (made.institution_id, made.institution_code) == (row.institution_id, code)
    message = seal.statement(1, made.sha256, code, signed.signed_at)
    assert seal_keys.check(made.key_id, message, made.signature)
