"""A backup taken under load restores and verifies; a file that is not as it was written is refused with a sentence."""

import io
import os
import signal
import stat
import subprocess
import sys
import threading
import time
import uuid
from datetime import timedelta

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.utils import timezone

from clinic.codes import Role
from clinic.models import AuditEntry, Institution
from maintenance.backups import container, manifest, restoring, server, taking, watching
from maintenance.backups.errors import BackupError, Damaged
from maintenance.models import Backup, Contact
from messaging.models import Message
from tests import factories
from tests.conftest import Rights

KEY = bytes(range(32))
NOW = timezone.now()


def packed(chunks, key=None, told=None):
    out = io.BytesIO()
    digest = container.write(out, told or {"tables": {}}, chunks, key)
    return out.getvalue(), digest


def unpacked(data, key=None):
    file = io.BytesIO(data)
    _told, reader, salt, head = container.read_head(file)
    return b"".join(container.read_body(reader, salt, head, key))


# The file --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", [None, KEY])
@pytest.mark.parametrize("size", [0, 1, container.CHUNK - 1, container.CHUNK, container.CHUNK * 2 + 5])
def test_what_goes_in_comes_out(key, size):
    body = os.urandom(size)
    data, _digest = packed([body[:7], body[7:]], key)
    assert unpacked(data, key) == body


@pytest.mark.parametrize("key", [None, KEY])
def test_any_changed_byte_is_found(key):
    data, _digest = packed([os.urandom(500)], key)
    for place in range(len(data)):
        broken = bytearray(data)
        broken[place] ^= 1
        with pytest.raises(Damaged):
            unpacked(bytes(broken), key)


@pytest.mark.parametrize("key", [None, KEY])
def test_a_cut_or_grown_file_is_found(key):
    data, _digest = packed([os.urandom(300)], key)
    for broken in [data[:n] for n in range(0, len(data), 13)] + [data + b"x"]:
        with pytest.raises(Damaged):
            unpacked(broken, key)


def test_another_key_opens_nothing():
    data, _digest = packed([b"row"], KEY)
    with pytest.raises(Damaged):
        unpacked(data, bytes(32))
    with pytest.raises(BackupError, match="."):
        unpacked(data)


def test_nothing_of_an_encrypted_body_is_readable():
    assert "张秀英".encode() not in packed(["张秀英".encode() * 50], KEY)[0]


# The database ----------------------------------------------------------------------------------------


@pytest.fixture
def owner(transactional_db):
    """Backups run as the owner."""
    Rights.take(Rights.owner)
    yield
    Rights.take(Rights.app)


@pytest.fixture
def full(owner, doctor, resident):
    for _n in range(20):
        AuditEntry.objects.create(act="view", username="doctor")


@pytest.mark.django_db(transaction=True)
def test_taken_under_load_it_is_one_moment(full, tmp_path, doctor):
    """Pairs of rows are written in one transaction all the while: a backup holds both or none."""
    stop, written = threading.Event(), []

    def load():
        while not stop.is_set():
            with transaction.atomic():
                written.append(factories.resident(doctor.institution))
        connection.close()

    writer = threading.Thread(target=load)
    writer.start()
    while len(written) < 5:
        time.sleep(0.01)
    try:
        row = taking.take(tmp_path)
    finally:
        stop.set()
        writer.join()
    told = row.manifest["tables"]
    # Each resident has one row of history, written with it.
    assert told["clinic_resident"][0] == told["clinic_historicalresident"][0]
    assert len(written) > 5
    result = restoring.check(tmp_path / row.file, verify=False)
    row.refresh_from_db()
    assert (result.faults, row.state) == ([], "checked")


def test_the_file_is_its_owners_alone_and_the_row_tells(full, tmp_path):
    row = taking.take(tmp_path, key=KEY)
    file = tmp_path / row.file
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert (row.state, row.encrypted, row.size) == ("done", True, file.stat().st_size)
    assert [one.name for one in tmp_path.iterdir() if not one.name.startswith(".")] == [row.file]
    assert not restoring.check(file, key=KEY, verify=False).faults


def test_a_damaged_file_is_refused_before_anything_is_restored(full, tmp_path, monkeypatch):
    row = taking.take(tmp_path)
    file = tmp_path / row.file
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)
    monkeypatch.setattr(server, "scratch", None)
    with pytest.raises(CommandError, match="."):
        call_command("restore", file, check=True)
    row.refresh_from_db()
    assert row.state == "damaged"


def test_a_table_that_differs_from_the_manifest_is_named(full, tmp_path, monkeypatch):
    real = manifest.of_tables
    monkeypatch.setattr(manifest, "of_tables", lambda link: {**real(link), "clinic_resident": [99, "1"]})
    row = taking.take(tmp_path)
    monkeypatch.setattr(manifest, "of_tables", real)
    result = restoring.check(tmp_path / row.file, verify=False)
    assert ["clinic_resident" in fault for fault in result.faults] == [True]


def test_scratch_databases_are_dropped(full, tmp_path):
    def databases():
        with connection.cursor() as cursor:
            cursor.execute("SELECT datname FROM pg_database WHERE datname LIKE 'sheyi_check_%'")
            return cursor.fetchall()

    row = taking.take(tmp_path)
    restoring.check(tmp_path / row.file, verify=False)
    assert databases() == []


def test_into_a_new_database_alone(full, tmp_path):
    row = taking.take(tmp_path)
    taken = server.facts()["dbname"]
    with pytest.raises(CommandError):
        call_command("restore", tmp_path / row.file, into=taken)
    with server.scratch() as name:
        restoring.fill(name, tmp_path / row.file)
        with pytest.raises(BackupError):
            restoring.fill(name, tmp_path / row.file)
        with server.connected(name) as link:
            found = manifest.of_tables(link)
    assert manifest.differences(row.manifest["tables"], found) == []


def test_a_dump_that_fails_leaves_no_file_and_says_so(full, tmp_path, monkeypatch):
    monkeypatch.setattr(server, "program", lambda name: "/bin/false")
    with pytest.raises(BackupError):
        taking.take(tmp_path)
    assert [one.name for one in tmp_path.iterdir()] == [".lock"]
    assert Backup.objects.get().state == "failed"


@pytest.mark.django_db(transaction=True)
def test_killed_midway_it_is_told_by_the_next(full, tmp_path):
    """The real command in a process of its own, killed while the dump is written."""
    given = {
        **os.environ,
        "DATABASE_URL": server.address(server.facts()["dbname"]),
        "SHEYI_VAR": str(settings.VAR),
    }
    given |= {"DATABASE_OWNER_URL": given["DATABASE_URL"], "SHEYI_DB_ROLE": "owner"}
    with connection.cursor() as cursor:
        # A dump waits for this lock: it is killed in the middle, not by luck.
        cursor.execute("BEGIN; LOCK TABLE clinic_household IN ACCESS EXCLUSIVE MODE")
        command = [sys.executable, str(settings.BASE_DIR / "manage.py"), "backup", str(tmp_path)]
        process = subprocess.Popen(command, env=given, start_new_session=True, stderr=subprocess.DEVNULL)
        end = time.monotonic() + 30
        while not (tmp_path / ".lock").exists() and time.monotonic() < end:
            time.sleep(0.05)
        time.sleep(0.3)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        cursor.execute("ROLLBACK")
    assert not list(tmp_path.glob(f"*{taking.SUFFIX}"))
    row = taking.take(tmp_path)
    assert row.state == "done"
    assert not list(tmp_path.glob(f"*{taking.PART}"))
    assert Backup.objects.exclude(pk=row.pk).get().state == "failed"


def test_two_at_once_are_one(full, tmp_path):
    with taking.alone(tmp_path), pytest.raises(BackupError):
        taking.take(tmp_path)


def test_the_whole_command_with_its_proof(full, tmp_path, capsys):
    call_command("backup", tmp_path, keep=1)
    call_command("backup", tmp_path, keep=1)
    [file] = tmp_path.glob(f"*{taking.SUFFIX}")
    call_command("restore", file, check=True)
    assert "clinic" not in capsys.readouterr().err


# Watching --------------------------------------------------------------------------------------------


@pytest.fixture
def office(district):
    return Contact.objects.create(
        institution=district,
        side="district_it",
        name="值班",
        phone="13911112222",
        deputy="副班",
        deputy_phone="13911113333",
    )


def backup(hours, state="done"):
    at = NOW - timedelta(hours=hours)
    whole = {"ended_at": at, "sha256": "a"} if state in ("done", "checked") else {}
    return Backup.objects.create(began_at=at, state=state, **whole)


@pytest.mark.parametrize(("made", "told"), [([(20, "done")], 0), ([(30, "done")], 2), ([(30, "checked"), (2, "failed")], 2), ([(20, "done"), (2, "failed")], 2), ([(20, "done"), (2, "damaged")], 2), ([], 0)])  # fmt: skip
def test_who_is_told_when(office, made, told):
    for one in made:
        backup(*one)
    assert watching.alarm(NOW) == told
    watching.alarm(NOW)
    assert Message.objects.count() == told


def test_a_house_without_any_backup_is_told_after_a_day(office):
    AuditEntry.objects.create(act="view", at=NOW - timedelta(hours=40))
    assert watching.alarm(NOW) == 2


def test_the_desk_says_that_it_is_overdue(client, district):
    backup(40)
    client.force_login(factories.user(Role.DISTRICT_IT, district))
    page = client.get("/admin/maintenance/backup/").content.decode()
    assert "errornote" in page or "error" in page
    assert client.get(f"/admin/maintenance/backup/{uuid.uuid4()}/change/").status_code == 404
    client.force_login(factories.user(Role.MANAGER, district))
    assert client.get("/admin/maintenance/backup/").status_code == 403
    assert Institution.objects.exists()
