"""One save of a draft: idempotency key, receipt and draft version in a single row."""

import json

from django.conf import settings
from django.db import connection, models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from clinic.models.base import AppendOnlyRow
from emr.models.correction import Correction
from emr.models.note import Note


class SaveQuerySet(models.QuerySet):
    def visible_to(self, user):
        return self.filter(note__in=Note.objects.visible_to(user))

    def insert_once(self, save):
        """Insert in one statement and set the pk; False, and no row, when the key was used before.

        SQL, since Django's ON CONFLICT DO NOTHING does not tell the new row's number.
        """
        values = {
            field.column: getattr(save, field.attname) for field in self.model._meta.concrete_fields[1:]
        }
        values["changes"] = json.dumps(save.changes)
        values["key"] = str(save.key)
        columns = ", ".join(f'"{name}"' for name in values)
        holes = ", ".join(["%s"] * len(values))
        sql = (
            f"INSERT INTO {self.model._meta.db_table} ({columns}) VALUES ({holes})"  # noqa: S608 - own names
            " ON CONFLICT (key) DO NOTHING RETURNING id"
        )
        with connection.cursor() as cursor:
            cursor.execute(sql, list(values.values()))
            row = cursor.fetchone()
        save.pk = row[0] if row else None
        return row is not None


class Save(AppendOnlyRow):
    """What the server had stored when it said "saved". The row number is the receipt's number.

    ``changes`` holds the changed fields alone; all versions of a draft are the sum of its saves.
    """

    PRIVATE_FIELDS = frozenset({"note", "changes"})

    key = models.UUIDField(_("client's key"), unique=True)
    note = models.ForeignKey(Note, models.PROTECT, related_name="saves", verbose_name=_("note"))
    correction = models.ForeignKey(
        Correction, models.PROTECT, null=True, related_name="saves", verbose_name=_("correction")
    )
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("by"))
    version = models.PositiveIntegerField(_("version"))
    changes = models.JSONField(_("changes"))
    characters = models.PositiveIntegerField(_("characters"))
    sha256 = models.CharField(_("hash"), max_length=64)
    saved_at = models.DateTimeField(_("saved at"), default=timezone.now)

    objects = SaveQuerySet.as_manager()

    class Meta(AppendOnlyRow.Meta):
        verbose_name = _("save")
        verbose_name_plural = _("saves")
        ordering = ["-pk"]
        constraints = [models.UniqueConstraint(fields=["note", "version"], name="save_version")]

    @property
    def receipt(self):
        """The number shown to the doctor: date of the save and row number, "20261122-000123"."""
        return f"{timezone.localtime(self.saved_at):%Y%m%d}-{self.pk:06d}"
