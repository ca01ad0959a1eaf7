"""Which database, as whom: the one switch between the app's role and the owner's, and what the app's may do.

Web and worker processes connect as a role that owns nothing, so that nobody who reaches the database through
them can truncate the audit trail or disable a trigger. Migrations and the other OWNER_COMMANDS connect as the
owner; ``manage.py`` chooses before settings load, through ``SHEYI_DB_ROLE`` (``app``, the default, or
``owner``).
"""

from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from clinic import postgres

ROLE_SWITCH = "SHEYI_DB_ROLE"
OWNER_COMMANDS = frozenset(
    {
        "migrate", "makemigrations", "prepare", "seed", "backup", "restore", "dbshell_owner", "import_legacy",
        "pgtrigger", "test",
    }
)  # fmt: skip
HOUSE = Path(__file__).resolve().parents[1]
# Rows that only a migration writes; the app's role reads them.
READ_ONLY_TABLES = ("django_migrations", "auth_permission", "django_content_type")

OWNER_MISSING = """\
DATABASE_URL is set, but DATABASE_OWNER_URL is not. Sheyi wants two roles: an owner, which migrates, and an
app role, which owns nothing. As a PostgreSQL superuser (choose your own passwords):

    CREATE ROLE sheyi_owner LOGIN CREATEDB PASSWORD '...';
    CREATE ROLE sheyi_app LOGIN PASSWORD '...';
    CREATE DATABASE sheyi OWNER sheyi_owner ENCODING 'UTF8' TEMPLATE template0;
    REVOKE ALL ON DATABASE sheyi FROM PUBLIC;
    GRANT CONNECT ON DATABASE sheyi TO sheyi_app;

then set DATABASE_URL=postgresql://sheyi_app:...@host:5432/sheyi
and DATABASE_OWNER_URL=postgresql://sheyi_owner:...@host:5432/sheyi (only where owner commands run)."""


class DatabaseUrlError(ValueError):
    """A database URL that cannot be used; the message is a sentence that holds no password."""


def database_urls(env, var=None):
    """Return (app URL, owner URL or None) from the environment, else those of the embedded server."""
    if env.get("DATABASE_URL"):
        return env["DATABASE_URL"], env.get("DATABASE_OWNER_URL") or None
    return postgres.urls(var)


def owner_missing(env):
    """Return the sentence that says how to create both roles, or None when both are known."""
    return OWNER_MISSING if env.get("DATABASE_URL") and not env.get("DATABASE_OWNER_URL") else None


def databases(env, var=None):
    """Return Django's DATABASES for this process' role.

    Without an owner's URL an owner command gets the app's, and the database refuses what it must refuse.
    """
    app, owner = database_urls(env, var)
    role = env.get(ROLE_SWITCH) or "app"
    if role not in {"app", "owner"}:
        raise DatabaseUrlError(f"{ROLE_SWITCH} is 'app' or 'owner'.")
    return {"default": parse(owner if role == "owner" and owner else app)}


def parse(url):
    """Return Django's settings for a ``postgresql://user:password@host:port/name?option=value`` URL.

    A Unix socket's folder stands percent-encoded in the host or as ``?host=/folder``. Other options go to
    libpq, save ``pgbouncer=1``: behind transaction pooling a server-side cursor outlives its connection.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise DatabaseUrlError("The database URL has a port or host that cannot be read.") from None
    if parts.scheme not in {"postgres", "postgresql"}:
        raise DatabaseUrlError("A database URL begins with postgresql:// (PostgreSQL is the only engine).")
    options = {"connect_timeout": "5", "application_name": "sheyi", **dict(parse_qsl(parts.query))}
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.removeprefix("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": options.pop("host", None) or host_of(parts.netloc),
        "PORT": str(options.pop("port", None) or port or ""),
        "DISABLE_SERVER_SIDE_CURSORS": options.pop("pgbouncer", "0") in {"1", "true"},
        "OPTIONS": options,
        "CONN_MAX_AGE": 600,
        "CONN_HEALTH_CHECKS": True,
    }


def host_of(netloc):
    """Return the host with its case kept (urlsplit's own lower-cases it, and a socket's folder is a path)."""
    location = netloc.rpartition("@")[2]
    if location.startswith("["):
        return location[1:].partition("]")[0]
    return unquote(location.partition(":")[0])


def append_only_tables(apps):
    """Return the tables of models that say ``append_only = True`` and of every history model, sorted."""
    return sorted(
        model._meta.db_table
        for model in apps.get_models(include_auto_created=True)
        if getattr(model, "append_only", False) or is_history(model)
    )


def opened_columns(apps):
    """Return {table: columns} of append-only models that say ``append_only_except``: the columns that the app's
    role may update nevertheless. A trigger of theirs says how."""
    return {
        model._meta.db_table: model.append_only_except
        for model in apps.get_models()
        if getattr(model, "append_only", False) and getattr(model, "append_only_except", ())
    }


def kept_tables(apps):
    """Return the tables of the house's own models, sorted: their rows change and are never deleted. A model
    whose rows may go says ``deletable = True``; append-only ones have a list of their own."""
    return sorted(
        model._meta.db_table
        for config in apps.get_app_configs()
        if Path(config.path).parent == HOUSE
        for model in config.get_models()
        if not (
            getattr(model, "deletable", False) or getattr(model, "append_only", False) or is_history(model)
        )
    )


def is_history(model):
    """Say whether django-simple-history made this model (told by name: this module loads before Django)."""
    return any(base.__name__ == "HistoricalChanges" for base in model.__mro__)


def app_role(env):
    """Return the name of the app's role, as its URL has it."""
    role = parse(database_urls(env)[0])["USER"]
    if not role:
        raise DatabaseUrlError("DATABASE_URL names no user: it must name the app's role.")
    return role


def grant_app_role(connection, append_only, role, kept=(), opened=None):
    """As owner, in one transaction of the caller's: let ``role`` work with the rows and with nothing else.

    It may read and write every table of ours, delete nothing from the ``kept`` ones, only add to the
    ``append_only`` ones (and update what ``opened``, {table: columns}, names), only read Django's own tables of
    READ_ONLY_TABLES, and own, create or truncate nothing. Run after every migration: a new table grants nothing
    to anybody.
    """
    name = connection.ops.quote_name
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user, current_schema(), current_database()")
        owner, schema, database = cursor.fetchone()
        if owner == role:
            raise DatabaseUrlError(f"The app's role and the owner are both {role!r}: they must be two roles.")
        tables, sequences, views = (owned(cursor, kinds) for kinds in (["r", "p"], ["S"], ["v", "m"]))
        added = [table for table in tables if table in set(append_only)]
        kept = [table for table in tables if table in set(kept)]
        read = [table for table in tables if table in READ_ONLY_TABLES] + views
        for statement, objects in (
            ("GRANT SELECT, INSERT, UPDATE, DELETE ON TABLE {} TO {}", tables),
            ("GRANT USAGE, SELECT ON SEQUENCE {} TO {}", sequences),
            ("REVOKE UPDATE, DELETE, TRUNCATE ON TABLE {} FROM {}", added),
            ("REVOKE DELETE, TRUNCATE ON TABLE {} FROM {}", kept),
            ("REVOKE ALL ON TABLE {} FROM {}", read),
            ("GRANT SELECT ON TABLE {} TO {}", read),
            ("GRANT USAGE ON SCHEMA {} TO {}", [schema]),
            # A temporary table would hide a real one of the same name for the rest of the session.
            ("REVOKE TEMPORARY ON DATABASE {} FROM PUBLIC, {}", [database]),
        ):
            if objects:
                cursor.execute(statement.format(", ".join(map(name, objects)), name(role)))
        # After the table's right was taken, which takes its columns' with it.
        for table, columns in (opened or {}).items():
            if table in tables:
                listed = ", ".join(map(name, columns))
                cursor.execute(f"GRANT UPDATE ({listed}) ON TABLE {name(table)} TO {name(role)}")


def owned(cursor, kinds):
    """Return the names of the current schema's relations of these kinds that the current role may grant."""
    cursor.execute(
        "SELECT relname FROM pg_class WHERE relnamespace = current_schema()::regnamespace"
        " AND relkind = ANY(%s::\"char\"[]) AND pg_has_role(relowner, 'USAGE') ORDER BY relname",
        [kinds],
    )
    return [relation for (relation,) in cursor.fetchall()]
