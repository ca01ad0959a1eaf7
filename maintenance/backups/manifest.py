"""What a backup holds, so that a restored database can be compared: every table's count and checksum, the migrations, the
anchors of the time."""

from psycopg2 import sql

from clinic import anchors

TABLES = """
    SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p') AND n.nspname = 'public' ORDER BY c.relname
"""
# Order-independent, and a change of any column of any row changes it.
SUM = "SELECT count(*), coalesce(sum(hashtextextended(t::text, 42)::numeric), 0)::text FROM {} t"


def of_tables(link) -> dict:
    """{table: [count, checksum]} in the link's transaction."""
    found = {}
    with link.cursor() as cursor:
        cursor.execute(TABLES)
        for (name,) in cursor.fetchall():
            cursor.execute(sql.SQL(SUM).format(sql.Identifier(name)))
            found[name] = list(cursor.fetchone())
    return found


def differences(told: dict, found: dict) -> list[str]:
    """Names of tables that are not as the manifest tells."""
    return sorted(name for name in told.keys() | found.keys() if told.get(name) != found.get(name))


def of_anchors() -> dict:
    """{file: its text} of the anchors outside the database."""
    folder = anchors.path().parent
    return {one.name: one.read_text() for one in sorted(folder.glob("*.jsonl"))} if folder.is_dir() else {}
