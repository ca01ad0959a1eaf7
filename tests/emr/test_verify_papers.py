"""``manage.py verify`` names a sealed copy or a register line that somebody changed past the triggers."""

import contextlib

import pytest
from django.db import connection

from clinic import registry
from clinic.verification import Scope
from emr.actions import papers as actions
from emr.papers import verification
from tests.emr import test_copies, test_sealed_copies
from tests.emr.test_sealed_copies import asked, daughter, keys, visit  # noqa: F401 - fixtures

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def sealed(asked):  # noqa: F811 - fixture
    return test_sealed_copies.seal(asked)


@pytest.fixture
def copied(asked, doctor, resident):  # noqa: F811 - fixture
    return test_copies.issue(
        {
            "resident": resident, "visits": asked["visits"], "applicant": asked["patient"], "purpose": "理赔",
            "paper": "a4", "key": asked["key"], "by": doctor,
        }
    )  # fmt: skip


@contextlib.contextmanager
def tampering(owner, table):
    owner.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    yield owner
    owner.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")


def tamper(owner, table, sql):
    with tampering(owner, table):
        owner.execute(sql)


def test_all_is_well(sealed, copied):
    finding = verification.all_papers()
    assert (finding.ok, finding.notes) == (True, [])
    assert "2" in finding.sentence


def test_unsealing_is_no_fault(sealed, manager):
    actions.unseal(sealed=sealed, hospital_party="甲", patient_party="乙", reason="丙", by=manager)
    assert verification.all_papers().ok


@pytest.mark.parametrize(
    "change",
    [
        "content = replace(content, '多饮水', '多喝酒')",
        "content = replace(content, '多饮水', '多喝酒'), "
        "sha256 = encode(sha256(convert_to(replace(content, '多饮水', '多喝酒'), 'UTF8')), 'hex')",
        "patient_party = '别人'",
        "reason = '别的'",
        "items = '[]'",
        "number = 'FC-20200101-001'",
        "signature = 'AAAA'",
    ],
)
def test_a_changed_sealed_copy_is_named(sealed, as_owner, change):
    tamper(as_owner, "emr_sealedcopy", f"UPDATE emr_sealedcopy SET {change}")  # noqa: S608
    sealed.refresh_from_db()
    finding = verification.all_papers()
    assert not finding.ok
    assert sealed.number in finding.sentence


@pytest.mark.parametrize("change", ["pages = 1000", "applicant = '别人'", "content = content || ' '"])
def test_a_changed_line_of_the_register_is_named(copied, as_owner, change):
    tamper(as_owner, "emr_copyissue", f"UPDATE emr_copyissue SET {change}")  # noqa: S608
    finding = verification.all_papers()
    assert not finding.ok
    assert copied.number in finding.sentence


def test_a_deleted_one_is_missed(sealed, asked, as_owner):  # noqa: F811 - fixture
    test_sealed_copies.seal(asked, key=sealed.uuid)
    tamper(as_owner, "emr_sealedcopy", f"DELETE FROM emr_sealedcopy WHERE id = {sealed.pk}")  # noqa: S608
    finding = verification.all_papers()
    assert not finding.ok
    assert sealed.number in finding.sentence


def test_without_the_key_it_says_that_it_could_not_look(sealed, settings, tmp_path):
    settings.SEAL_KEYS = tmp_path / "elsewhere"
    finding = verification.all_papers()
    assert finding.ok
    assert sealed.number in finding.notes[0]


def test_one_institution_alone(sealed, copied, station):
    finding = verification.all_papers(Scope(institution=station))
    assert finding.ok
    assert "1" in finding.sentence


def test_verify_asks_it():
    assert "emr.papers.verification.all_papers" in [check.run for check in registry.checks]


def test_the_triggers_are_back(sealed, as_owner):
    tamper(as_owner, "emr_sealedcopy", "UPDATE emr_sealedcopy SET reason = reason")
    with connection.cursor() as cursor:
        cursor.execute("SELECT tgenabled FROM pg_trigger WHERE tgname = 'emr_sealedcopy_freeze'")
        assert cursor.fetchone() == ("O",)
