"""The embedded server, for real: in a private folder with a space, killed, restarted, started twice at once."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psycopg2
import pytest

from clinic import postgres, server_account

PATIENT = "张秀英咳嗽三日"
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the server as another account")


@pytest.fixture(scope="module")
def var(tmp_path_factory):
    """A running, durable cluster. pytest's own folder is 0700, which is half of the point."""
    folder = tmp_path_factory.mktemp("a clinic's data") / "var"
    postgres.ensure_running(folder)
    yield folder
    postgres.destroy(folder)


@pytest.fixture
def up(var):
    """The cluster, started again if the test before left it down."""
    postgres.ensure_running(var)
    return var


def ask(var, sql, arguments=(), *, owner=False):
    """Run one statement as the app's role, or the owner's, and return its first value."""
    with contextlib.closing(psycopg2.connect(postgres.urls(var)[owner])) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(sql, arguments)
            return cursor.fetchone()[0] if cursor.description else None


def command(*arguments):
    return [sys.executable, "-m", "clinic.postgres", *map(str, arguments)]


def pid_of(var):
    return postgres.postmaster_pid((var / "postgres").resolve())


def wait_until(true, seconds=10):
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("data_checksums", "on"), ("fsync", "on"), ("synchronous_commit", "on"), ("full_page_writes", "on"),
        ("server_encoding", "UTF8"), ("TimeZone", "Asia/Shanghai"), ("jit", "off"), ("listen_addresses", ""),
    ],
)  # fmt: skip
def test_server_is_durable_and_private(up, setting, value):
    assert ask(up, f"SHOW {setting}") == value


def test_socket_folder_is_private_and_short(up):
    folder = postgres.socket_folder(up)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert len(str(folder / ".s.PGSQL.5432")) < 60


def test_app_role_owns_and_makes_nothing(up):
    for statement in (
        "CREATE TABLE mine (x int)",
        "CREATE SCHEMA mine",
        "CREATE TEMPORARY TABLE mine (x int)",
    ):
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            ask(up, statement)
    assert ask(up, "SELECT count(*) FROM pg_class WHERE relowner = 'sheyi_app'::regrole") == 0
    assert ask(up, "SELECT bool_or(rolsuper OR rolcreatedb OR rolcreaterole) FROM pg_roles"
               " WHERE rolname = 'sheyi_app'") is False  # fmt: skip


def test_no_value_reaches_the_log(up):
    """A constraint's detail, a cast's message, the statement and its parameters all quote the patient."""
    ask(up, "CREATE TABLE IF NOT EXISTS note (text text UNIQUE, day date)", owner=True)
    ask(up, "INSERT INTO note VALUES (%s) ON CONFLICT DO NOTHING", [PATIENT], owner=True)
    for failing in (
        "INSERT INTO note VALUES (%s)",
        "INSERT INTO note (day) VALUES (%s)",
        "SELECT %s FRO note",
    ):
        with pytest.raises(psycopg2.Error):
            ask(up, failing, [PATIENT], owner=True)
    log = (up / "postgres.log").read_text()
    assert "ready to accept connections" in log
    assert PATIENT not in log
    assert "note" not in log


def test_data_survive_stop_and_start(up):
    ask(up, "CREATE TABLE kept AS SELECT 7 AS x", owner=True)
    assert postgres.stop(up)
    assert not postgres.is_running(up)
    assert not postgres.stop(up)
    assert postgres.ensure_running(up)
    assert not postgres.ensure_running(up)
    assert ask(up, "SELECT x FROM kept", owner=True) == 7


def test_starts_after_kill_9_with_what_was_committed(up):
    ask(up, "CREATE TABLE acknowledged AS SELECT 8 AS x", owner=True)
    pid = pid_of(up)
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not postgres.alive(pid))
    assert pid_of(up) == pid  # the stale file is there
    assert postgres.ensure_running(up)
    assert ask(up, "SELECT x FROM acknowledged", owner=True) == 8


def test_starts_when_the_stale_pid_is_another_program_by_now(up):
    postgres.stop(up)
    pid_file = (up / "postgres").resolve() / "postmaster.pid"
    user = server_account.account().pw_uid
    other = subprocess.Popen(["sleep", "60"], cwd="/", user=user if os.geteuid() == 0 else None)
    pid_file.write_text(f"{other.pid}\n{pid_file.parent}\n1\n5432\n\n\n\n")
    try:
        assert postgres.ensure_running(up)
    finally:
        other.kill()
        other.wait()


def test_two_starters_at_once_make_one_server(up):
    postgres.stop(up)
    starters = [subprocess.Popen(command("start", "--var", up), cwd=postgres.PROJECT) for _ in range(2)]
    assert [starter.wait() for starter in starters] == [0, 0]
    assert postgres.is_running(up)
    assert subprocess.run(command("status", "--var", up), cwd=postgres.PROJECT, check=False).returncode == 0


def test_last_user_stops_the_server_and_a_killed_one_does_not_count(up):
    postgres.stop(up)
    hold = "import sys, time; from clinic import postgres\nwith postgres.running(sys.argv[1]):\n print(flush=True); time.sleep(60)"
    other = subprocess.Popen([sys.executable, "-c", hold, up], cwd=postgres.PROJECT, stdout=subprocess.PIPE)
    other.stdout.readline()
    with postgres.running(up):
        pass
    assert postgres.is_running(up)  # the other one still uses it
    other.kill()
    other.communicate()
    with postgres.running(up):
        pass
    assert not postgres.is_running(up)


def test_a_server_started_to_stay_stays(up):
    postgres.stop(up)
    subprocess.run(command("start", "--var", up), cwd=postgres.PROJECT, check=True)
    with postgres.running(up):
        pass
    assert postgres.is_running(up)


def test_a_failed_start_says_why_and_leaves_nothing(up):
    postgres.stop(up)
    settings = (up / "postgres").resolve() / "postgresql.auto.conf"
    kept = settings.read_text()
    settings.write_text("no_such_setting = 1\n")
    try:
        with pytest.raises(postgres.PostgresError, match="no_such_setting"):
            postgres.ensure_running(up)
        assert not postgres.is_running(up)
    finally:
        settings.write_text(kept)


def test_destroying_wants_the_word_throwaway(up):
    with pytest.raises(SystemExit):
        postgres.main(["destroy", "--var", str(up)])
    assert postgres.is_running(up)


@as_root
def test_root_hands_the_server_to_another_account_with_one_capability_at_most(up):
    status = Path(f"/proc/{pid_of(up)}/status").read_text()
    fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    assert fields["Uid"].split() == [str(server_account.account().pw_uid)] * 4
    assert int(fields["CapEff"], 16) in {0, 1 << 2}  # dac_read_search


@as_root
@pytest.mark.skipif(not server_account.capable_prefix(), reason="this machine refuses the capability")
def test_programs_and_data_in_a_private_folder_are_used_in_place(monkeypatch, tmp_path):
    """A checkout under /root: the server's account may not enter, and still everything stays under var/."""
    binaries = server_account.copied_binaries(server_account.shipped_binaries(), tmp_path / "a check out")
    monkeypatch.setattr(server_account, "shipped_binaries", lambda: binaries)
    var = tmp_path / "var"
    try:
        assert postgres.ensure_running(var, throwaway=True)
        assert Path(f"/proc/{pid_of(var)}/exe").resolve() == binaries / "postgres"
        assert not (var / "postgres").is_symlink()
    finally:
        postgres.destroy(var)


@pytest.fixture
def without_capabilities(monkeypatch):
    """A machine that refuses the capability; stores lie in a folder that everybody may enter."""
    stores = Path(tempfile.mkdtemp(prefix="sheyi-stores-"))
    stores.chmod(0o755)
    monkeypatch.setattr(server_account, "capable_prefix", tuple)
    monkeypatch.setattr(server_account, "STORES", stores)
    yield stores
    shutil.rmtree(stores)


@as_root
def test_without_the_capability_the_cluster_lives_in_a_store_of_its_own(without_capabilities, tmp_path):
    var = tmp_path / "closed off"
    try:
        postgres.ensure_running(var, throwaway=True)
        assert (var / "postgres").is_symlink()
        ask(var, "CREATE TABLE kept AS SELECT 9 AS x", owner=True)
        postgres.stop(var)
        postgres.ensure_running(var, throwaway=True)
        assert ask(var, "SELECT x FROM kept", owner=True) == 9
    finally:
        postgres.destroy(var)
    assert list(without_capabilities.iterdir()) == []


@as_root
def test_a_cluster_it_can_no_longer_reach_is_told_in_a_sentence(up, without_capabilities):
    postgres.stop(up)
    if (up / "postgres").is_symlink():
        pytest.skip("this machine refuses the capability, so the cluster is in a store of its own already")
    with pytest.raises(postgres.PostgresError, match="Move the checkout"):
        postgres.ensure_running(up)


def test_a_socket_folder_of_somebody_else_is_refused(tmp_path, monkeypatch):
    """Whoever made our socket's folder could answer in our server's name."""
    monkeypatch.setattr(postgres, "SOCKETS", tmp_path)
    var = tmp_path / "var"
    postgres.socket_folder(var).symlink_to(tmp_path)
    with pytest.raises(postgres.PostgresError, match="remove it"):
        postgres.ensure_running(var)
