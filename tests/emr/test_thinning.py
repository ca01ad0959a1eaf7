"""Draft texts after the signature: the state at every minute's end stays exact, whoever asks for more is refused."""

import uuid
from datetime import datetime, timedelta

import psycopg2
import pytest
from django.conf import settings
from django.db import Error, connection, transaction
from django.utils import timezone
from django.utils.timezone import get_default_timezone

from emr import jobs
from emr.actions import drafts
from emr.codes import EncounterStatus
from emr.models import Encounter, Save
from emr.saved import thinning, versions
from tests.emr.amending import begin, save

pytestmark = pytest.mark.django_db(transaction=True)
NOON = datetime(2026, 3, 2, 12, 0, tzinfo=get_default_timezone())
LATER = timedelta(days=31)
TEXTS = [
    (0, {"treatment": "甲", "signs": "咽红"}), (10, {"treatment": "乙"}), (50, {"treatment": "丙", "examinations": "暂无"}),
    (70, {"treatment": "丁"}), (75, {"chief_complaint": "咳嗽"}), (80, {"treatment": "戊"}), (200, {"treatment": ""}),
]  # fmt: skip


@pytest.fixture
def now():
    return timezone.now()


@pytest.fixture
def old(as_owner, note, doctor):
    """A note charted at noon of a past day and signed then; the owner puts it there, triggers off."""
    for version, (second, changes) in enumerate(TEXTS, 1):
        write(note, doctor, version, NOON + timedelta(seconds=second), changes)
    signature = write(note, doctor, len(TEXTS) + 1, NOON + timedelta(seconds=230), {})
    age(as_owner, note, doctor, signature.saved_at)
    return note


def write(note, doctor, version, at, changes, correction=None):
    note.version = version - 1
    made = Save(
        key=uuid.uuid4(), note=note, correction=correction, by=doctor, version=version, changes=changes,
        characters=drafts.count_characters(changes), sha256=drafts.fingerprint(changes), saved_at=at,
    )  # fmt: skip
    assert Save.objects.insert_once(made)
    return made


def age(owner, note, doctor, at):
    owner.execute("ALTER TABLE emr_note DISABLE TRIGGER USER")
    owner.execute(
        "UPDATE emr_note SET signed_at = %s, signed_by_id = %s, version = %s WHERE id = %s",
        [at, doctor.pk, len(TEXTS) + 1, note.pk],
    )
    owner.execute("ALTER TABLE emr_note ENABLE TRIGGER USER")


def held(note):
    return [save.changes for save in Save.objects.filter(note=note).order_by("version")]


def at_minutes_ends(note):
    ends = {}
    for row in Save.objects.filter(note=note).order_by("version"):
        ends[row.saved_at.replace(second=0, microsecond=0)] = versions.state(row)
    return ends


def test_each_minute_keeps_its_last_text_and_every_receipt(old, now):
    before, receipts = at_minutes_ends(old), list(Save.objects.values_list("pk", "characters", "sha256"))
    assert thinning.thin(now) == 3
    assert held(old) == [
        {"signs": "咽红"}, {}, {"treatment": "丙", "examinations": "暂无"},
        {}, {"chief_complaint": "咳嗽"}, {"treatment": "戊"}, {"treatment": ""}, {},
    ]  # fmt: skip
    assert at_minutes_ends(old) == before
    assert list(Save.objects.values_list("pk", "characters", "sha256")) == receipts


def test_the_job_runs_twice_without_harm_and_does_not_read_thinned_notes_again(old, now):
    jobs.thin_drafts.call()
    assert thinning.thin(now) == 0
    asked = {"before": now, "after": "-infinity", "after_id": 0, "limit": 9, "cancelled": "cancelled"}
    assert thinning._due(asked) == []


def test_what_was_cut_off_goes_on(old, now, monkeypatch):
    monkeypatch.setattr(thinning, "DONE", "SELECT 1/0")
    with pytest.raises(Error):
        thinning.thin(now)
    assert held(old)[0] == {"treatment": "甲", "signs": "咽红"}
    monkeypatch.undo()
    assert thinning.thin(now) == 3


def test_a_longer_setting_is_kept_and_a_shorter_one_is_no_way_around_the_law(old, settings):
    settings.DRAFT_TEXT_DAYS = 60
    assert thinning.thin(NOON + timedelta(days=59)) == 0
    settings.DRAFT_TEXT_DAYS = 1
    assert thinning.thin(NOON + timedelta(days=29)) == 0
    assert thinning.thin(NOON + timedelta(days=61)) == 3


def test_an_unsigned_draft_is_left_alone_however_old(note, doctor, now):
    for version, (second, changes) in enumerate(TEXTS, 1):
        write(note, doctor, version, NOON + timedelta(seconds=second), changes)
    assert thinning.thin(now + 10 * LATER) == 0


def test_a_note_signed_today_is_left_alone(charting, note, now):
    charting.save({"treatment": "甲"})
    charting.save({"treatment": "乙"}, version=1)
    assert thinning.thin(now) == 0
    assert held(note) == [{"treatment": "甲"}, {"treatment": "乙"}]


def test_a_cancelled_visit_counts_from_its_end(as_owner, note, doctor, encounter, now):
    for version, (second, changes) in enumerate(TEXTS, 1):
        write(note, doctor, version, NOON + timedelta(seconds=second), changes)
    as_owner.execute("UPDATE emr_note SET version = %s WHERE id = %s", [len(TEXTS), note.pk])
    Encounter.objects.filter(pk=encounter.pk).update(
        status=EncounterStatus.CANCELLED, cancel_reason="走了", finished_at=NOON + timedelta(minutes=9)
    )
    assert thinning.thin(NOON + timedelta(days=29)) == 0
    assert thinning.thin(now) == 3


def test_a_correction_is_a_draft_of_its_own(as_owner, old, doctor, now, settings):
    settings.ARCHIVE_HOURS = 10**6
    thinning.thin(now)
    draft = begin(old, doctor)
    for text in ("一", "二", "三"):
        save(draft, doctor, {"treatment": text})
        draft.refresh_from_db()
    assert thinning.thin(now + LATER) == 0  # open
    age_correction(as_owner, draft, doctor)
    assert thinning.thin(now) == 2
    assert [row.changes for row in draft.saves.order_by("version")] == [{}, {}, {"treatment": "三"}]
    assert thinning.thin(now) == 0


def age_correction(owner, draft, doctor):
    """Written and withdrawn at noon of that day, as far as the rows tell."""
    at = NOON + timedelta(days=1)
    for table in ("emr_save", "emr_correction"):
        owner.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    owner.execute("UPDATE emr_save SET saved_at = %s WHERE correction_id = %s", [at, draft.pk])
    owner.execute("UPDATE emr_correction SET withdrawn_at = %s WHERE id = %s", [at, draft.pk])
    for table in ("emr_save", "emr_correction"):
        owner.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")


def test_the_jobs_look_up_uses_its_index(old, now):
    """Among many thinned notes it reads the few that wait."""
    thinning.thin(now)
    asked = {"before": now, "after": "-infinity", "after_id": 0, "limit": 9, "cancelled": "cancelled"}
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("EXPLAIN " + thinning.DUE, asked)
        assert "save_to_thin" in "\n".join(line for (line,) in cursor.fetchall())


class TestTheDatabaseRefuses:
    """The owner too, with django-pgtrigger's escape in hand."""

    @pytest.fixture
    def refused(self, as_owner):
        as_owner.execute("SET pgtrigger.ignore = '{*}'")

        def check(match, sql, *values):
            with pytest.raises(psycopg2.IntegrityError, match=match):
                as_owner.execute(sql, values)

        return check

    def first(self, note, version=1):
        return Save.objects.get(note=note, version=version).pk

    def test_deleting(self, old, refused):
        refused("never deleted", "DELETE FROM emr_save WHERE id = %s", self.first(old))

    @pytest.mark.parametrize(
        "column", ["sha256 = ''", "characters = 0", "version = 99", "saved_at = now()", "by_id = by_id + 1"]
    )
    def test_changing_a_receipt(self, old, refused, column):
        sql = f"UPDATE emr_save SET {column}, thinned_at = now() WHERE id = %s"  # noqa: S608 - above
        refused("never changes", sql, self.first(old))

    @pytest.mark.parametrize(
        "changes",
        [
            '{"treatment": "改", "signs": "咽红"}',
            '{"treatment": "甲", "signs": "咽红", "x": 1}',
            "[]",
            '"甲"',
        ],
    )
    def test_writing_another_text(self, old, refused, changes):
        sql = "UPDATE emr_save SET changes = %s, thinned_at = now() WHERE id = %s"
        refused("never changes", sql, changes, self.first(old))

    def test_taking_what_no_later_save_of_the_minute_holds(self, old, refused):
        thin = "UPDATE emr_save SET changes = changes - %s, thinned_at = now() WHERE id = %s"
        refused("only what a later save", thin, "signs", self.first(old))
        refused("only what a later save", thin, "treatment", self.first(old, 3))
        refused("only what a later save", thin, "treatment", self.first(old, 7))

    def test_a_save_put_behind_the_signature_justifies_nothing(self, old, doctor, refused):
        write(old, doctor, len(TEXTS) + 2, NOON + timedelta(seconds=205), {"treatment": "假"})
        thin = "UPDATE emr_save SET changes = changes - 'treatment', thinned_at = now() WHERE id = %s"
        refused("only what a later save", thin, self.first(old, 7))

    def test_thinning_without_saying_when(self, old, refused):
        thin = "UPDATE emr_save SET changes = changes - 'treatment', thinned_at = {} WHERE id = %s"
        refused("never changes", thin.format("NULL"), self.first(old))
        refused("never changes", thin.format("now() - interval '1 day'"), self.first(old))

    def test_thinning_before_the_thirtieth_day(self, charting, note, refused):
        charting.save({"treatment": "甲"})
        charting.save({"treatment": "乙"}, version=1)
        thin = "UPDATE emr_save SET changes = changes - 'treatment', thinned_at = now() WHERE id = %s"
        refused("30 days", thin, self.first(note))

    def test_a_signature_of_today_over_an_old_draft(self, as_owner, old, doctor, refused):
        age(as_owner, old, doctor, timezone.now() - timedelta(days=29))
        thin = "UPDATE emr_save SET changes = changes - 'treatment', thinned_at = now() WHERE id = %s"
        refused("30 days", thin, self.first(old))


def test_the_app_may_write_no_other_column(old):
    with pytest.raises(Error, match="permission denied"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE emr_save SET sha256 = '', thinned_at = now()")
    assert settings.DRAFT_TEXT_DAYS >= 30


def test_the_hash_of_a_thinned_save_is_told_as_thinned(old, now):
    thinning.thin(now)
    first, _second, third = Save.objects.filter(note=old).order_by("version")[:3]
    assert [versions.check(row) for row in (first, third)] == ["thinned", "matches"]
