"""``manage.py verify``: every kind of tampering with what was signed is found and named, and nothing else is."""

import uuid
from datetime import date, timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from clinic import anchors
from emr.models import Seal, SealAnchor, SealLink
from emr.sealing import adoption, chain, keys, rows, seal
from tests import factories
from tests.emr import amending, sealing
from tests.emr.sealing import delete_note, settle, sign, tamper, told, verify

pytestmark = pytest.mark.django_db(transaction=True)
DAY = date(2026, 11, 22)


@pytest.fixture(autouse=True)
def own_folders(settings, tmp_path):
    settings.ANCHORS, settings.SEAL_KEYS = tmp_path / "anchors", tmp_path / "keys"


@pytest.fixture
def notes(doctor, station):
    """Five signed notes of one station, linked; adoption is over."""
    sealing.close_adoption()
    made = [sign(doctor, factories.resident(station, name=f"居民{number}")) for number in range(5)]
    settle()
    return made


def named(note, sentence):
    day = f"{timezone.localtime(note.encounter.started_at):%Y-%m-%d}"
    return str(note.uuid) in sentence and day in sentence and note.encounter.institution.code in sentence


def test_what_nobody_touched_passes(notes, doctor, resident):
    sign(doctor, resident)
    said = verify()
    assert "5" in said.splitlines()[0]
    assert said.splitlines()[1].startswith("1")


# The five kinds -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("treatment", "多饮水"), ("visit_kind", "return"), ("signer", "李四"), ("signer_licence", "1"),
        ("needs_review", True), ("imported", True), ("vitals", '{"pulse": "70"}'), ("marks", '{"signs": {}}'),
        ("signed_at", "2020-01-01 08:00+08"), ("uuid", "00000000-0000-4000-8000-000000000001"),
    ],
)  # fmt: skip
def test_a_changed_note_is_named(notes, as_owner, column, value):
    statement = f"UPDATE emr_note SET {column} = %s{', signed_at = NULL, signed_by_id = NULL' * (column == 'imported')} WHERE id = %s"
    tamper(as_owner, (statement, value, notes[2].pk))
    said = told()
    assert (value if column == "uuid" else str(notes[2].uuid)) in said
    assert str(notes[1].uuid) not in said


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("department", "中医科"),
        ("status", "in-progress"),
        ("arrived_at", "2020-01-01 08:00+08"),
        ("uuid", "00000000-0000-4000-8000-000000000002"),
    ],
)
def test_a_changed_visit_is_named(notes, as_owner, column, value):
    tamper(as_owner, (f"UPDATE emr_encounter SET {column} = %s WHERE id = %s", value, notes[2].encounter_id))
    assert str(notes[2].uuid) in told()


def test_a_note_given_to_another_resident_is_named(notes, as_owner, station):
    other = factories.resident(station, name="别人")
    tamper(
        as_owner,
        ("UPDATE emr_encounter SET resident_id = %s WHERE id = %s", other.pk, notes[3].encounter_id),
    )
    assert named(notes[3], told())


def test_the_changed_field_is_told_and_not_its_text(notes, as_owner):
    tamper(as_owner, ("UPDATE emr_note SET treatment = '手术' WHERE id = %s", notes[2].pk))
    said = told()
    assert named(notes[2], said)
    assert str(notes[2]._meta.get_field("treatment").verbose_name) in said
    assert "手术" not in said


def test_a_deleted_note_is_named_by_the_trail(notes, as_owner):
    tamper(as_owner, *delete_note(notes[2]))
    said = told()
    assert str(notes[2].uuid) in said
    assert "3" in said


def test_a_deleted_seal_is_named_by_its_note(notes, as_owner):
    tamper(
        as_owner,
        ("DELETE FROM emr_seallink WHERE position = 2",),
        ("DELETE FROM emr_seal WHERE note_id = %s", notes[1].pk),
    )
    assert named(notes[1], told())


def test_a_deleted_link_is_named(notes, as_owner):
    tamper(as_owner, ("DELETE FROM emr_seallink WHERE position = 1",))
    said = told()
    assert named(notes[0], said)
    assert str(notes[1].uuid) not in said


@pytest.fixture
def correction(notes, doctor):
    made = amending.corrected(notes[2], doctor, {"treatment": "多饮水"})
    settle()
    return made


def test_a_corrected_note_passes(correction):
    assert "6" in verify()


def test_a_changed_correction_is_named_with_its_version(correction, notes, as_owner):
    tamper(as_owner, ("UPDATE emr_correction SET reason = '别的' WHERE id = %s", correction.pk))
    said = told()
    assert named(notes[2], said)
    assert "第2版" in said


def test_a_changed_line_of_a_correction_is_named(correction, notes, as_owner):
    tamper(as_owner, ("UPDATE emr_diagnosis SET code = 'A00' WHERE correction_id = %s", correction.pk))
    said = told()
    assert named(notes[2], said)
    assert "诊断行" in said


def test_a_deleted_correction_is_named_by_the_trail(correction, notes, as_owner):
    hanging = [
        (f"DELETE FROM {table} WHERE correction_id = %s", correction.pk)
        for table in ("emr_save", "emr_diagnosis", "emr_medication", "emr_notereview")
    ]
    tamper(
        as_owner,
        ("DELETE FROM emr_seallink WHERE seal_id = (SELECT max(id) FROM emr_seal)",),
        ("DELETE FROM emr_seal WHERE correction_id = %s", correction.pk),
        *(hanging),
        ("DELETE FROM emr_correction WHERE id = %s", correction.pk),
    )
    assert str(correction.uuid) in told()


def test_a_line_slipped_into_an_unsigned_note_is_named(notes, as_owner, doctor, station):
    draft = factories.encounter(factories.resident(station, name="未签"), doctor).note
    tamper(
        as_owner, ("UPDATE emr_diagnosis SET note_id = %s, position = 9 WHERE note_id = %s", draft.pk, notes[1].pk)
    )  # fmt: skip
    said = told()
    assert str(draft.uuid) in said
    assert str(notes[1].uuid) in said


def test_an_inserted_note_is_named(notes, as_owner, doctor, resident):
    late = insert_signed(as_owner, doctor, resident)
    assert named(late, told())


def test_reordered_seals_are_named(notes, as_owner):
    tamper(
        as_owner,
        ("UPDATE emr_seallink SET position = 100 WHERE position = 2",),
        ("UPDATE emr_seallink SET position = 2 WHERE position = 4",),
        ("UPDATE emr_seallink SET position = 4 WHERE position = 100",),
    )
    said = told()
    assert named(notes[1], said)
    assert named(notes[3], said)
    assert str(notes[0].uuid) not in said


def test_a_cut_tail_is_found_by_the_anchor_outside(notes, as_owner):
    chain.anchor(DAY)
    cut = [statement for note in notes[3:] for statement in delete_note(note)]
    forget = (
        "DELETE FROM clinic_auditentry WHERE object_id IN (%s, %s)",
        *(str(note.uuid) for note in notes[3:]),
    )
    tamper(as_owner, *cut, ("DELETE FROM emr_sealanchor",), ("DELETE FROM clinic_auditlink",), forget)
    said = told()
    assert str(DAY) in said
    assert notes[0].encounter.institution.code in said


def test_a_cut_tail_is_found_without_an_anchor_too(notes, as_owner):
    tamper(as_owner, *delete_note(notes[4]))
    assert str(notes[4].uuid) in told()


# What else an intruder would try --------------------------------------------------------------------


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE emr_diagnosis SET code = 'A00.000' WHERE note_id = %s",
        "UPDATE emr_diagnosis SET certainty = 'suspected' WHERE note_id = %s",
        "DELETE FROM emr_diagnosis WHERE note_id = %s",
        "UPDATE emr_medication SET dose = '5g' WHERE note_id = %s",
        "UPDATE emr_medication SET days = 4 WHERE note_id = %s",
        'INSERT INTO emr_diagnosis (note_id, resident_id, position, system, release, code, name, certainty, "primary")'
        " SELECT note_id, resident_id, 9, '', '', '', '加的', 'confirmed', false FROM emr_diagnosis WHERE note_id = %s",
    ],
)
def test_a_line_changed_removed_or_added_is_named_as_a_line(notes, as_owner, statement):
    tamper(as_owner, (statement, notes[1].pk))
    said = told()
    assert named(notes[1], said)
    assert "诊断" in said


def test_a_line_of_another_resident_is_found(notes, as_owner, station):
    other = factories.resident(station, name="别人")
    tamper(as_owner, ("UPDATE emr_diagnosis SET resident_id = %s WHERE note_id = %s", other.pk, notes[1].pk))
    assert named(notes[1], told())


def test_ignoring_pgtriggers_does_not_help_the_app(notes):
    with connection.cursor() as cursor:
        cursor.execute("SET pgtrigger.ignore = '{*}'")
        with pytest.raises(Exception, match="permission denied"):
            cursor.execute("UPDATE emr_seal SET sha256 = ''")
        with pytest.raises(Exception, match="permission denied"):
            cursor.execute("DELETE FROM emr_seallink")


def test_ignoring_pgtriggers_as_the_owner_is_found(notes, as_owner):
    as_owner.execute(
        "SELECT tgname FROM pg_trigger WHERE tgrelid = 'emr_seal'::regclass AND tgname LIKE 'pgtrigger%'"
    )
    as_owner.execute("SELECT set_config('pgtrigger.ignore', %s, false)", [f"{{{as_owner.fetchone()[0]}}}"])
    as_owner.execute("UPDATE emr_seal SET adopted = true WHERE note_id = %s", [notes[2].pk])
    assert named(notes[2], told())


def test_a_note_and_its_seal_changed_together_are_named_for_the_signature(notes, as_owner):
    """Who knows the format can compute the hash, and even the chain; not the signature."""
    tamper(as_owner, ("UPDATE emr_note SET treatment = '手术' WHERE id = %s", notes[2].pk))
    row, code = rows.of(notes[2].pk)
    tamper(
        as_owner, ("UPDATE emr_seal SET sha256 = %s WHERE note_id = %s", seal.hash_of(row, code), notes[2].pk)
    )
    write_chain_anew(as_owner)
    said = told()
    assert named(notes[2], said)
    assert "签名" in said


def test_a_seal_forged_with_a_foreign_key_is_named(notes, as_owner, settings, tmp_path):
    row, code = rows.of(notes[2].pk)
    house, settings.SEAL_KEYS, settings.ANCHORS = settings.SEAL_KEYS, tmp_path / "other", tmp_path / "others"
    forged = seal.build(row, code)
    public = (settings.SEAL_KEYS / f"{forged.key_id}.pub.pem").read_bytes()
    settings.SEAL_KEYS, settings.ANCHORS = house, tmp_path / "anchors"
    (house / f"{forged.key_id}.pub.pem").write_bytes(public)
    tamper(
        as_owner,
        ("UPDATE emr_seal SET key_id = %s, signature = %s WHERE note_id = %s", forged.key_id, forged.signature, notes[2].pk),
    )  # fmt: skip
    write_chain_anew(as_owner)
    said = told()
    assert named(notes[2], said)
    assert forged.key_id in said


def test_a_chain_written_anew_is_found_by_the_anchor_outside(notes, as_owner):
    chain.anchor(DAY)
    tamper(
        as_owner, ("UPDATE emr_seal SET adopted = true WHERE note_id = %s", notes[0].pk), ("DELETE FROM emr_sealanchor",)
    )  # fmt: skip
    write_chain_anew(as_owner)
    said = told()
    assert named(notes[4], said)
    assert str(DAY) in said


def test_a_cut_anchor_file_is_told(notes):
    chain.anchor(DAY)
    anchors.path(anchors.SEALS).write_text("")
    assert str(DAY) in told()


def test_a_missing_anchor_folder_is_told_once_and_not_for_every_seal(notes):
    for name in (keys.REGISTER, adoption.FILE):
        anchors.path(name).unlink()
    chain.anchor(DAY)
    said = told()
    assert "keys.jsonl" in said
    assert "adoption.jsonl" in said
    assert str(notes[0].uuid) not in said


def test_an_unreadable_anchor_line_is_named(notes):
    chain.anchor(DAY)
    with anchors.path(anchors.SEALS).open("a") as file:
        file.write("nonsense\n")
    assert "2" in told()


def test_all_broken_rows_are_named_up_to_twenty(doctor, station, as_owner):
    sealing.close_adoption()
    for number in range(23):
        sign(doctor, factories.resident(station, name=f"居民{number}"))
    settle()
    tamper(as_owner, ("UPDATE emr_note SET treatment = '手术' WHERE signed_at IS NOT NULL",))
    lines = told().splitlines()
    assert len(lines) == 22
    assert "3" in lines[-1]


# No false alarm --------------------------------------------------------------------------------------


def test_one_institution_alone_is_looked_at(notes, as_owner, stranger, other_station):
    sign(stranger, factories.resident(other_station, name="远人"))
    settle()
    tamper(as_owner, ("UPDATE emr_note SET treatment = '手术' WHERE id = %s", notes[0].pk))
    assert "1" in verify("--institution", other_station.code)
    assert named(notes[0], told("--institution", notes[0].encounter.institution.code))


def test_a_terminal_sees_how_far_it_is_and_a_pipe_does_not(notes):
    class Terminal(StringIO):
        isatty = staticmethod(lambda: True)

    for out, shown in ((Terminal(), True), (StringIO(), False)):
        call_command("verify", "--only", "seals", stdout=out)
        assert ("5 / 5" in out.getvalue()) is shown


@pytest.mark.parametrize(
    "words", [("--only", "nothing"), ("--institution", "X999"), ("audit", "--institution", "S0101")]
)
def test_what_cannot_be_asked_is_told(notes, words):
    with pytest.raises(CommandError):
        call_command("verify", *words, stdout=StringIO())


def test_a_missing_public_key_is_a_failure_and_no_alarm(notes):
    key = Seal.objects.first().key_id
    keys._public.clear()
    (keys.folder() / f"{key}.pub.pem").unlink()
    said = told()
    assert key in said
    assert str(notes[0].uuid) not in said


def test_keys_change_and_old_seals_stay_good(notes, doctor, resident):
    keys.use(keys.new())
    sign(doctor, resident)
    settle()
    assert Seal.objects.values("key_id").distinct().count() == 2
    assert "6" in verify()


def test_imported_notes_have_no_seal_and_need_none(notes, resident, doctor):
    visit = factories.encounter(resident, doctor, imported=True, treatment="旧")
    assert visit.note.imported
    verify()


def test_a_crash_between_the_file_and_the_row(notes):
    end = chain.heads()[notes[0].encounter.institution_id]
    line = anchors.Anchor(DAY, *end, "", str(notes[0].encounter.institution.uuid))
    anchors.append_all([line], anchors.SEALS)
    verify()
    chain.anchor(DAY)
    assert len(anchors.read(anchors.SEALS)) == SealAnchor.objects.count() == 1
    verify()


def insert_signed(cursor, doctor, resident):
    """By raw SQL, past every trigger: a signed note that nobody signed."""
    visit = factories.encounter(resident, doctor, treatment="伪造", status="finished")
    tamper(
        cursor,
        ("UPDATE emr_note SET signed_at = now(), signed_by_id = %s, signer = 'x' WHERE id = %s", doctor.pk, visit.note.pk),
    )  # fmt: skip
    return visit.note


def write_chain_anew(cursor):
    """With the hashes of what is there now: the links need no key."""
    tamper(cursor, ("DELETE FROM emr_seallink",), ("DELETE FROM clinic_lease WHERE name = 'seal_chain'",))
    settle()


def test_the_fixture_makes_what_it_says(notes):
    assert SealLink.objects.count() == Seal.objects.count() == 5
    assert uuid.UUID(str(notes[0].uuid))
    assert timezone.now() - notes[0].signed_at < timedelta(minutes=5)
