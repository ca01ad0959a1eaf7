"""The audit trail's chain: complete, in one line, and every kind of tampering is named."""

import json
import os
import threading
from datetime import date, timedelta
from io import StringIO

import psycopg2
import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from clinic import anchors, audit, chain, linking, verification
from clinic.codes import Act
from clinic.models import AuditAnchor, AuditEntry, AuditLink, Lease
from tests import waiting
from tests.conftest import Rights

DAY = date(2026, 11, 22)


@pytest.fixture(autouse=True)
def anchor_folder(settings, tmp_path):
    settings.ANCHORS = tmp_path / "anchors"


@pytest.fixture
def trail(transactional_db):
    """Five entries, linked and anchored."""
    for number in range(5):
        audit.record(Act.VIEW, detail={"n": number})
    chain.chain_all()
    return list(AuditEntry.objects.order_by("pk").values_list("pk", flat=True))


@pytest.fixture
def slow(transactional_db):
    """A transaction that stays open, at most until the test ends."""
    link = open_transaction()
    yield link
    link.close()


def tamper(cursor, *statements):
    """As the database's owner, with the triggers off: what an intruder with all rights would do."""
    for table in ("clinic_auditentry", "clinic_auditlink", "clinic_auditanchor"):
        cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    try:
        for statement, *values in statements:
            cursor.execute(statement, values)
    finally:
        for table in ("clinic_auditentry", "clinic_auditlink", "clinic_auditanchor"):
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")


def sentence():
    """What verify says of the broken trail."""
    with pytest.raises(CommandError) as stopped:
        call_command("verify", "audit", stdout=StringIO())
    assert stopped.value.returncode == 1
    return str(stopped.value)


def test_every_entry_gets_one_link_in_order(trail):
    links = AuditLink.objects.order_by("position").values_list("position", "entry_id")
    assert list(links) == list(enumerate(trail, start=1))


def test_an_untouched_trail_passes_and_the_tail_is_reported_as_such(trail):
    audit.record(Act.VIEW)
    out = StringIO()
    call_command("verify", stdout=out)
    assert "5" in out.getvalue()
    assert verification.audit_trail().notes[0].startswith("1")


def test_a_changed_entry_is_named(trail, as_owner):
    tamper(as_owner, ("UPDATE clinic_auditentry SET username = 'nobody' WHERE id = %s", trail[2]))
    assert str(trail[2]) in sentence()


def test_a_changed_detail_is_named(trail, as_owner):
    tamper(as_owner, ("UPDATE clinic_auditentry SET detail = '{\"n\": 9}' WHERE id = %s", trail[1]))
    assert str(trail[1]) in sentence()


def test_a_deleted_entry_is_named_by_its_position(trail, as_owner):
    tamper(
        as_owner,
        ("DELETE FROM clinic_auditlink WHERE entry_id = %s", trail[2]),
        ("DELETE FROM clinic_auditentry WHERE id = %s", trail[2]),
    )
    assert "3" in sentence()


def test_a_removed_first_entry_is_found(trail, as_owner):
    tamper(as_owner, ("DELETE FROM clinic_auditlink WHERE position = 1",))
    assert "1" in sentence()


def test_an_entry_pushed_in_with_a_forged_link_is_named(trail, as_owner):
    late = audit.record(Act.VIEW, reason="forged")
    tamper(
        as_owner,
        ("UPDATE clinic_auditlink SET position = position + 100 WHERE position > 2",),
        ("UPDATE clinic_auditlink SET position = position - 99 WHERE position > 100",),
        (
            "INSERT INTO clinic_auditlink (position, entry_id, hash) VALUES (3, %s, %s)",
            late.pk,
            "f" * 64,
        ),
    )
    assert str(late.pk) in sentence()


def test_reordered_entries_are_found_at_the_first_of_them(trail, as_owner):
    tamper(
        as_owner,
        ("UPDATE clinic_auditlink SET position = 100 WHERE position = 2",),
        ("UPDATE clinic_auditlink SET position = 2 WHERE position = 4",),
        ("UPDATE clinic_auditlink SET position = 4 WHERE position = 100",),
    )
    assert str(trail[3]) in sentence()


def test_a_cut_tail_is_found_by_the_anchor_outside(trail, as_owner):
    chain.anchor(DAY)
    tamper(
        as_owner,
        ("DELETE FROM clinic_auditlink WHERE position > 3",),
        ("DELETE FROM clinic_auditentry WHERE id > %s", trail[2]),
        ("DELETE FROM clinic_auditanchor",),
    )
    assert "3" in sentence()
    assert str(DAY) in sentence()


def test_a_chain_written_anew_is_found_by_the_anchor_outside(trail, as_owner):
    chain.anchor(DAY)
    tamper(
        as_owner,
        ("DELETE FROM clinic_auditlink",),
        ("UPDATE clinic_auditentry SET username = 'nobody' WHERE id = %s", trail[0]),
        ("DELETE FROM clinic_auditanchor",),
    )
    Lease.objects.filter(name=chain.HEAD).update(last_run={})
    chain.chain_all()
    assert str(trail[4]) in sentence()


def test_an_entry_slipped_in_behind_the_chain_is_named(trail, as_owner):
    settle()
    tamper(
        as_owner,
        ("UPDATE clinic_auditentry SET id = -5 WHERE id = %s", audit.record(Act.VIEW).pk),
    )
    assert "-5" in sentence()


def test_a_lost_anchor_file_is_told(trail):
    chain.anchor(DAY)
    anchors.path().unlink()
    assert str(DAY) in sentence()


def test_an_unreadable_anchor_line_is_named(trail):
    chain.anchor(DAY)
    with anchors.path().open("a") as file:
        file.write("nonsense\n")
    assert "2" in sentence()


def test_nobody_reads_half_a_line(trail, monkeypatch):
    chain.anchor(DAY)
    write, findings = os.write, []
    reader = threading.Thread(target=verify_in_thread, args=[findings])

    def in_halves(descriptor, text):
        write(descriptor, text[:9])
        reader.start()
        reader.join(0.5)  # it waits for the other half; who does not has long been there
        return 9 + write(descriptor, text[9:])

    monkeypatch.setattr(os, "write", in_halves)
    chain.anchor(DAY + timedelta(days=1))
    reader.join(30)
    assert findings[0].ok, findings[0].sentence
    assert len(anchors.read()) == 2


def test_the_anchor_is_one_line_a_day_however_often_asked(trail):
    for _again in range(3):
        chain.anchor(DAY)
    chain.anchor(DAY + timedelta(days=1))
    lines = [json.loads(line) for line in anchors.path().read_text().splitlines()]
    assert [line["day"] for line in lines] == ["2026-11-22", "2026-11-23"]
    assert (lines[0]["position"], lines[0]["hash"]) == chain.head()


def test_a_crash_after_the_file_takes_the_files_line_over(trail):
    anchors.append(DAY, *chain.head())
    audit.record(Act.VIEW)
    chain.chain_all()
    chain.anchor(DAY)
    assert AuditAnchor.objects.get().position == 5
    assert len(anchors.read()) == 1


def test_an_empty_trail_writes_no_anchor(transactional_db):
    assert chain.anchor(DAY) is None
    assert not anchors.path().exists()


def test_an_entry_that_commits_late_is_not_skipped(trail):
    slow = open_transaction()
    late = insert_entry(slow)
    audit.record(Act.VIEW)
    run_for_minutes()
    slow.commit()
    chain.chain_all()
    assert AuditLink.objects.filter(entry_id=late).exists()
    assert verification.audit_trail().ok


def test_the_mark_moves_once_all_open_transactions_ended(trail):
    settle()
    assert chain.low() == trail[4]


def test_the_mark_waits_for_an_open_transaction(trail):
    slow = open_transaction()
    insert_entry(slow)
    audit.record(Act.VIEW)
    run_for_minutes()
    assert chain.low() <= trail[4]
    slow.rollback()


def test_a_job_that_was_overtaken_does_not_move_the_mark_of_another(trail, slow, monkeypatch):
    Lease.objects.filter(name=chain.HEAD).update(last_run={})
    now = timezone.now()
    chain.chain_all(now)
    waiting.for_open_transactions()
    late = []

    def other_job():
        late.append(insert_entry(slow))
        audit.record(Act.VIEW)
        chain.chain_all(now + timedelta(minutes=2))

    once_before(monkeypatch, linking.Linker, "_move_low", other_job)
    chain.chain_all(now + timedelta(minutes=2))
    assert chain.low() < late[0]
    passes_after_the_commit_of(slow)


def test_the_mark_knows_who_began_while_it_was_set(trail, slow, monkeypatch):
    Lease.objects.filter(name=chain.HEAD).update(last_run={})
    now = timezone.now()
    late = []
    snapshot = linking._snapshot

    def then_two_begin():
        found = snapshot()
        if not late:
            late.append(insert_entry(slow))
            with open_transaction() as quick:
                insert_entry(quick)
        return found

    monkeypatch.setattr(linking, "_snapshot", then_two_begin)
    chain.chain_all(now)
    chain.chain_all(now + timedelta(minutes=2))
    assert chain.low() < late[0]
    passes_after_the_commit_of(slow)


def test_two_jobs_at_once_do_not_fork_the_chain(transactional_db):
    AuditEntry.objects.bulk_create([AuditEntry(act=Act.VIEW) for _n in range(300)])
    threads = [threading.Thread(target=chain_in_thread) for _n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert AuditLink.objects.count() == 300
    assert verification.audit_trail().ok


def test_an_entry_that_waits_too_long_makes_the_chain_late(transactional_db):
    audit.record(Act.VIEW)
    assert not chain.behind(timezone.now())
    assert chain.behind(timezone.now() + timedelta(minutes=11))


def test_the_hash_covers_every_field_of_an_entry():
    assert set(chain.FIELDS) == {field.attname for field in AuditEntry._meta.concrete_fields}


def test_the_app_may_not_change_an_entry_even_with_the_triggers_ignored(trail):
    with connection.cursor() as cursor:
        cursor.execute("SET pgtrigger.ignore = '{*}'")
        with pytest.raises(Exception, match="permission denied"):
            cursor.execute("UPDATE clinic_auditentry SET username = 'x'")


def settle():
    """Two runs, far enough apart for the mark to move."""
    now = timezone.now()
    chain.chain_all(now)
    waiting.for_open_transactions()
    chain.chain_all(now + timedelta(minutes=2))


def run_for_minutes():
    """The job goes on while somebody's transaction stays open."""
    now = timezone.now()
    for minutes in (0, 2, 4, 6):
        chain.chain_all(now + timedelta(minutes=minutes))


def once_before(monkeypatch, place, name, act):
    """Have somebody act just before the first call."""
    call = getattr(place, name)

    def acts_first(*given, **named):
        monkeypatch.setattr(place, name, call)
        act()
        return call(*given, **named)

    monkeypatch.setattr(place, name, acts_first)


def passes_after_the_commit_of(slow):
    slow.commit()
    chain.chain_all()
    finding = verification.audit_trail()
    assert finding.ok, finding.sentence
    assert finding.notes[0].startswith("0")


def open_transaction():
    given = {**connection.settings_dict, **Rights.app}
    return psycopg2.connect(
        dbname=given["NAME"], user=given["USER"], password=given["PASSWORD"] or None,
        host=given["HOST"] or None, port=given["PORT"] or None,
    )  # fmt: skip


def insert_entry(link):
    """An entry of a transaction that stays open."""
    names = [name for name in chain.FIELDS if name not in {"id", "at", "act", "detail"}]
    cursor = link.cursor()
    cursor.execute(
        f"INSERT INTO clinic_auditentry (at, act, detail, {', '.join(names)})"
        f" VALUES (now(), 'view', '{{}}', {', '.join(['%s'] * len(names))}) RETURNING id",
        [""] * len(names),
    )
    return cursor.fetchone()[0]


def verify_in_thread(findings):
    try:
        findings.append(verification.audit_trail())
    finally:
        connection.close()


def chain_in_thread():
    try:
        chain.chain_all()
    finally:
        connection.close()
