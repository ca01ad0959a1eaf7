"""The suite creates and migrates its database as the owner, then works as the app's role.

So every test runs with production's rights: a refusal by the database is a refusal in production.
"""

import contextlib
import fcntl
import os
import time

import psycopg2
import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import OperationalError, ProgrammingError, connection
from django.test import TransactionTestCase
from django.test.utils import setup_databases, teardown_databases

from clinic import database, page_notices, postgres
from clinic.codes import InstitutionKind, Role
from tests import factories


def pytest_configure(config):
    """whitenoise asks for the folder; the suite serves files from where they lie."""
    settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)


class Rights:
    """Switches the suite's one connection between the owner and the app's role."""

    app = owner = None

    @classmethod
    def learn(cls):
        keep = ("USER", "PASSWORD", "HOST", "PORT")
        owner = database.databases({**os.environ, "SHEYI_DB_ROLE": "owner"}, settings.VAR)["default"]
        cls.owner = {key: owner.get(key, "") for key in keep}
        cls.app = {key: settings.DATABASES["default"].get(key, "") for key in keep}

    @classmethod
    def take(cls, rights):
        connection.close()
        connection.settings_dict.update(rights)


@pytest.fixture(scope="session")
def django_db_setup(request, django_test_environment, django_db_blocker, django_db_modify_db_settings):
    reuse = request.config.getvalue("reuse_db") and not request.config.getvalue("create_db")
    worker = getattr(request.config, "workerinput", {}).get("workerid", "")
    name = "_".join(filter(None, [os.environ.get("SHEYI_TEST_DB", "test_sheyi"), worker]))
    with django_db_blocker.unblock():
        Rights.learn()
        connection.settings_dict["TEST"]["NAME"] = name
        Rights.take(Rights.owner)
        let_owner_empty()
        run = getattr(request.config, "workerinput", {}).get("testrunuid")
        made = one_for_each(name, run) if run and not reuse else migrated(keepdb=reuse)
        Rights.take(Rights.app)
    yield
    if not reuse:
        with django_db_blocker.unblock():
            Rights.take(Rights.owner)
            wait_until_alone()
            # A database left behind is dropped by the next run; it says nothing about the product.
            with contextlib.suppress(OperationalError):
                teardown_databases(made, verbosity=0)


def migrated(**options):
    return setup_databases(verbosity=0, interactive=False, aliases=["default"], **options)


def one_for_each(name, run):
    """Workers of one run share a migration: the first one makes a database, all copy it. The last run's is overwritten."""
    pattern = os.environ.get("SHEYI_TEST_DB", "test_sheyi") + "_migrated"
    marker = settings.VAR / f"{pattern}.run"
    with open(settings.VAR / f"{pattern}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not marker.exists() or marker.read_text() != run:
            connection.settings_dict["TEST"]["NAME"] = pattern
            [(_link, before, _destroy)] = migrated(keepdb=False)
            connection.close()
            connection.settings_dict["NAME"] = before
            marker.write_text(run)
        before = connection.settings_dict["NAME"]
        with connection._nodb_cursor() as cursor:
            cursor.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
            cursor.execute(f'CREATE DATABASE "{name}" TEMPLATE "{pattern}" STRATEGY FILE_COPY')
            # A copy has the pattern's tables and not what was said of the database itself.
            cursor.execute(f'REVOKE TEMPORARY ON DATABASE "{name}" FROM PUBLIC')
    connection.close()
    connection.settings_dict["NAME"] = settings.DATABASES["default"]["NAME"] = name
    connection.settings_dict["TEST"]["NAME"] = name
    return [(connection, before, True)]


def wait_until_alone(patience=30):
    """A killed web server's sessions end when PostgreSQL notices, a moment later; until then nobody may drop."""
    end = time.monotonic() + patience
    others = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    with connection.cursor() as cursor:
        while time.monotonic() < end:
            cursor.execute(others)
            if cursor.fetchone() == (0,):
                return
            time.sleep(0.1)


_flush = TransactionTestCase._fixture_teardown
# What migrating fills, and no test changes.
STAY = {"django_migrations", "django_content_type", "auth_permission", "auth_group", "auth_group_permissions"}


def _flush_as_owner(self):
    """Emptying all tables is the owner's right; the app's role may not truncate."""
    Rights.take(Rights.owner)
    try:
        if not emptied():
            _flush(self)
    finally:
        Rights.take(Rights.app)


def emptied():
    """Delete what is there, with triggers off: a tenth of the time of truncating every table after each test. False where
    that right was not given (``let_owner_empty``)."""
    with connection.cursor() as cursor:
        try:
            cursor.execute("SET session_replication_role = replica")
        except ProgrammingError:
            return False
        tables = sorted(set(connection.introspection.table_names(cursor)) - STAY)
        cursor.execute(" UNION ALL ".join(f"(SELECT '{name}' FROM {name} LIMIT 1)" for name in tables))
        for (name,) in cursor.fetchall():
            cursor.execute(f"DELETE FROM {name}")
    return True


def let_owner_empty():
    """The bundled server's own account gives the right; a server of somebody else's keeps it."""
    with (
        contextlib.suppress(psycopg2.Error, postgres.PostgresError),
        postgres.connect(settings.VAR) as server,
    ):
        server.cursor().execute(f"GRANT SET ON PARAMETER session_replication_role TO {postgres.OWNER_ROLE}")


TransactionTestCase._fixture_teardown = _flush_as_owner


@pytest.fixture(autouse=True)
def _plain_static_files(settings):
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }


@pytest.fixture(autouse=True)
def _no_notices():
    """A page asks for notices now and then; in tests when a test says so."""
    page_notices.board.pretend()


@pytest.fixture
def as_owner(db):
    """A cursor with the owner's rights, for showing what even the owner's SQL cannot do. Transactional
    tests only: the rows of an unfinished test transaction are not visible to it."""
    import psycopg2

    given = {**connection.settings_dict, **Rights.owner}
    link = psycopg2.connect(
        dbname=given["NAME"], user=given["USER"], password=given["PASSWORD"] or None,
        host=given["HOST"] or None, port=given["PORT"] or None,
    )  # fmt: skip
    link.autocommit = True
    yield link.cursor()
    link.close()


@pytest.fixture
def seed(transactional_db, capsys):
    """The command with the owner's rights, as manage.py runs it."""

    def run(**options):
        Rights.take(Rights.owner)
        try:
            call_command("seed", **options)
        finally:
            Rights.take(Rights.app)
        return capsys.readouterr().out

    return run


@pytest.fixture
def district(db):
    return factories.institution(InstitutionKind.DISTRICT, "SG", "东城社管中心")


@pytest.fixture
def centre(district):
    return factories.institution(InstitutionKind.CENTRE, "C01", "东直门社区卫生服务中心", district)


@pytest.fixture
def station(centre):
    return factories.institution(InstitutionKind.STATION, "S0101", "胡家园社区卫生服务站", centre)


@pytest.fixture
def other_centre(district):
    return factories.institution(InstitutionKind.CENTRE, "C02", "和平里社区卫生服务中心", district)


@pytest.fixture
def other_station(other_centre):
    return factories.institution(InstitutionKind.STATION, "S0201", "安德路社区卫生服务站", other_centre)


@pytest.fixture
def doctor(station):
    return factories.user(Role.DOCTOR, station, name="王淑珍")


@pytest.fixture
def colleague(station):
    """Another doctor of the same station."""
    return factories.user(Role.DOCTOR, station, name="李国强")


@pytest.fixture
def stranger(other_station):
    """A doctor of a station of another centre."""
    return factories.user(Role.DOCTOR, other_station, name="赵敏")


@pytest.fixture
def assistant(station):
    return factories.user(Role.ASSISTANT, station, name="周晓")


@pytest.fixture
def nurse(station):
    return factories.user(Role.NURSE, station, name="孙丽")


@pytest.fixture
def clerk(station):
    return factories.user(Role.CLERK, station, name="钱芳")


@pytest.fixture
def manager(centre):
    return factories.user(Role.MANAGER, centre, name="吴卫东")


@pytest.fixture
def auditor(district):
    return factories.user(Role.AUDITOR, district, name="郑清")


@pytest.fixture
def secadmin(district):
    return factories.user(Role.SECADMIN, district, name="冯安")


@pytest.fixture
def resident(station):
    return factories.resident(station, name="张秀英")


@pytest.fixture
def encounter(resident, doctor):
    """A visit that the doctor has begun, with its empty note."""
    return factories.encounter(resident, doctor)


@pytest.fixture
def note(encounter):
    return encounter.note
