"""A row's changes for the history page: when, who, which fields. Values stay where they are."""

from dataclasses import dataclass
from datetime import datetime

from django.core.exceptions import FieldDoesNotExist
from django.utils.translation import gettext as _

SHOWN = 100


@dataclass(frozen=True)
class Change:
    at: datetime
    by: str
    fields: list[str]
    created: bool


def changes_of(row) -> list[Change]:
    """The last hundred, newest first. Empty for models without history."""
    if not hasattr(row, "history"):
        return []
    entries = list(
        row.history.select_related("history_user").order_by("-history_date", "-history_id")[:SHOWN]
    )
    older = [*entries[1:], None]
    return [_change(entry, before) for entry, before in zip(entries, older, strict=True)]


def _change(entry, before):
    created = entry.history_type == "+"
    fields = [] if created or before is None else _changed_labels(entry, before)
    return Change(entry.history_date, str(entry.history_user or _("the system")), fields, created)


def _changed_labels(entry, before):
    names = [
        field.attname
        for field in entry.tracked_fields
        if getattr(entry, field.attname, None) != getattr(before, field.attname, None)
    ]
    return [_label(entry.instance_type, name) for name in names]


def _label(model, attname):
    for field in model._meta.concrete_fields:
        if field.attname == attname:
            return str(field.verbose_name)
    raise FieldDoesNotExist(attname)
