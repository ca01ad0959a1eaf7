"""URLs, the switch between the roles, and what the app's role may do in the suite's own database."""

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import ProgrammingError, connection, transaction

from clinic import database, postgres

OWNER = {database.ROLE_SWITCH: "owner"}
BOTH = {"DATABASE_URL": "postgresql://a:1@h/n", "DATABASE_OWNER_URL": "postgresql://o:2@h/n"}


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgres://u:p%40s%2F@db:6432/n", ("u", "p@s/", "db", "6432", "n")),
        ("postgresql://u@%2Frun%2FPg:5433/n", ("u", "", "/run/Pg", "5433", "n")),
        ("postgresql://u@/n?host=/run/Pg", ("u", "", "/run/Pg", "", "n")),
        ("postgresql://u:p@[::1]:5432/n", ("u", "p", "::1", "5432", "n")),
        ("postgresql://u:p@/n?host=db1,db2&port=5432,5433", ("u", "p", "db1,db2", "5432,5433", "n")),
        ("postgresql://u:p@h/%E7%A4%BE%E5%8C%BB", ("u", "p", "h", "", "社医")),
    ],
)
def test_urls(url, expected):
    parsed = database.parse(url)
    assert tuple(parsed[key] for key in ("USER", "PASSWORD", "HOST", "PORT", "NAME")) == expected


def test_url_options_go_to_libpq_and_pgbouncer_to_django():
    parsed = database.parse("postgresql://u@h/n?sslmode=verify-full&pgbouncer=1")
    assert parsed["OPTIONS"]["sslmode"] == "verify-full"
    assert "pgbouncer" not in parsed["OPTIONS"]
    assert parsed["DISABLE_SERVER_SIDE_CURSORS"]


@pytest.mark.parametrize("url", ["mysql://u:geheim@h/n", "u:geheim@h", "postgres://u:geheim@h:port/n"])
def test_a_bad_url_is_refused_without_showing_the_password(url):
    with pytest.raises(database.DatabaseUrlError) as refused:
        database.parse(url)
    assert "geheim" not in str(refused.value)


@pytest.mark.parametrize(
    ("env", "user"),
    [(BOTH, "a"), (BOTH | OWNER, "o"), ({}, postgres.APP_ROLE), (OWNER, postgres.OWNER_ROLE)],
)
def test_one_switch_chooses_the_role(env, user):
    assert database.databases(env)["default"]["USER"] == user


def test_a_third_role_is_refused():
    with pytest.raises(database.DatabaseUrlError):
        database.databases({database.ROLE_SWITCH: "root"})


def test_migrate_without_an_owner_says_how_to_make_both_roles(monkeypatch):
    monkeypatch.setenv("DATABASE_URL", BOTH["DATABASE_URL"])
    monkeypatch.delenv("DATABASE_OWNER_URL", raising=False)
    with pytest.raises(CommandError, match="CREATE ROLE sheyi_owner") as refused:
        call_command("migrate")
    assert "GRANT CONNECT ON DATABASE" in str(refused.value)


def refused(sql):
    with pytest.raises(ProgrammingError, match="permission denied|must be owner"):
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(sql)


def rights(table):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT array_agg(r) FROM unnest(ARRAY['SELECT','INSERT','UPDATE','DELETE','TRUNCATE','TRIGGER']) r"
            " WHERE has_table_privilege(current_user, %s, r)",
            [table],
        )
        return set(cursor.fetchone()[0])


@pytest.mark.django_db
def test_append_only_tables_can_only_be_added_to():
    tables = database.append_only_tables(apps)
    assert {"clinic_auditentry", "clinic_historicalresident"} <= set(tables)
    assert {table: rights(table) for table in tables} == dict.fromkeys(tables, {"SELECT", "INSERT"})


@pytest.mark.django_db
def test_of_append_only_tables_only_the_named_columns_can_be_updated():
    opened = database.opened_columns(apps)
    assert opened == {
        "emr_save": ("changes", "thinned_at"),
        "messaging_receipt": ("attempt_id", "matched_at"),
    }
    with connection.cursor() as cursor:
        for table in database.append_only_tables(apps):
            cursor.execute(
                "SELECT coalesce(array_agg(attname::text ORDER BY attnum), '{}') FROM pg_attribute"
                " WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped"
                " AND has_column_privilege(current_user, attrelid, attnum, 'UPDATE')",
                [table],
            )
            assert set(cursor.fetchone()[0]) == set(opened.get(table, ())), table


@pytest.mark.django_db
def test_every_other_table_can_be_written_but_not_emptied():
    ours = {model._meta.db_table for model in apps.get_models(include_auto_created=True)}
    kept = set(database.kept_tables(apps))
    for table in ours - set(database.append_only_tables(apps)) - set(database.READ_ONLY_TABLES):
        deleting = set() if table in kept else {"DELETE"}
        assert rights(table) == {"SELECT", "INSERT", "UPDATE"} | deleting, table


@pytest.mark.django_db
@pytest.mark.parametrize("table", database.READ_ONLY_TABLES)
def test_what_only_migrations_write_can_only_be_read(table):
    assert rights(table) == {"SELECT"}


@pytest.mark.django_db
@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE clinic_auditentry SET id = id",
        "SET LOCAL pgtrigger.ignore = '{*}'; DELETE FROM clinic_auditentry",
        "TRUNCATE clinic_auditentry",
        "TRUNCATE clinic_resident CASCADE",
        "ALTER TABLE clinic_auditentry DISABLE TRIGGER ALL",
        "DROP TABLE clinic_auditentry",
        "CREATE TABLE mine (x int)",
        "CREATE TEMPORARY TABLE clinic_auditentry (x int)",
        "INSERT INTO django_migrations (app, name, applied) VALUES ('a', 'b', now())",
    ],
)
def test_the_app_role_is_refused(sql):
    refused(sql)


@pytest.mark.django_db
def test_owner_and_app_must_be_two_roles():
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        (me,) = cursor.fetchone()
    with pytest.raises(database.DatabaseUrlError, match="two roles"):
        database.grant_app_role(connection, [], me)
