"""The first history row of many new rows, copied by the database itself: as many objects in Python would take as long as the rows."""

from django.db import connection


def copy_new(rows, by=None, now=None) -> None:
    """``rows``: saved just now in this transaction, of one model with a history."""
    if not rows:
        return
    model = type(rows[0])
    history = model.history.model
    names = ", ".join(
        connection.ops.quote_name(field.column) for field in history.tracked_fields if field.concrete
    )
    # Names of our own tables and columns; values are bound.
    statement = (
        f"INSERT INTO {history._meta.db_table} ({names}, history_date, history_type, history_user_id)"  # noqa: S608
        f" SELECT {names}, COALESCE(%s, now()), '+', %s FROM {model._meta.db_table} WHERE id = ANY(%s)"
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, [now, by and by.pk, [row.pk for row in rows]])
