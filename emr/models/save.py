"""One save of a draft: idempotency key, receipt and draft version in a single row."""

import json

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import BrinIndex
from django.db import connection, models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from clinic.models.base import AppendOnlyRow
from emr.models.correction import Correction
from emr.models.note import Note


class FieldNames(models.Func):
    template = "ARRAY(SELECT jsonb_object_keys(%(expressions)s))"
    output_field = ArrayField(models.TextField())


class SaveQuerySet(models.QuerySet):
    def visible_to(self, user):
        """One's own and those of one's own notes; the medical administration's inquiry sees all in reach."""
        rows = self.filter(note__in=Note.objects.visible_to(user))
        if user.has_perm("emr.inquire_record"):
            return rows
        return rows.filter(Q(by=user.pk) | Q(note__author=user.pk))

    def with_names(self):
        """``names``: which fields it holds, without reading their text."""
        return self.annotate(names=FieldNames("changes")).defer("changes")

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

    ``changes`` holds the changed fields alone; all versions of a draft are the sum of its saves. Of its text a
    plain SQL trigger lets go what a later save of the same minute overwrote, long after the signature
    (emr.saved.thinning); ``thinned_at`` says so. The receipt stays: number, time, characters, hash.
    """

    PRIVATE_FIELDS = frozenset({"note", "changes"})
    # The app's role may update these columns and no other (clinic.database.grant_app_role).
    append_only_except = ("changes", "thinned_at")

    key = models.UUIDField(_("client's key"), unique=True)
    # No index of their own: the busiest insert of the house keeps four, and these find all by those.
    note = models.ForeignKey(
        Note, models.PROTECT, related_name="saves", db_index=False, verbose_name=_("note")
    )
    correction = models.ForeignKey(
        Correction,
        models.PROTECT,
        null=True,
        related_name="saves",
        db_index=False,
        verbose_name=_("correction"),
    )
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", db_index=False, verbose_name=_("by")
    )
    version = models.PositiveIntegerField(_("version"))
    changes = models.JSONField(_("changes"))
    characters = models.PositiveIntegerField(_("characters"))
    sha256 = models.CharField(_("hash"), max_length=64)
    saved_at = models.DateTimeField(_("saved at"), default=timezone.now)
    thinned_at = models.DateTimeField(_("thinned at"), null=True)

    objects = SaveQuerySet.as_manager()

    class Meta(AppendOnlyRow.Meta):
        verbose_name = _("save")
        verbose_name_plural = _("saves")
        ordering = ["-pk"]
        triggers = []  # emr_save_thin is a plain SQL trigger without an escape (migration saves_and_faults)
        constraints = [models.UniqueConstraint(fields=["note", "version"], name="save_version")]
        indexes = [
            models.Index(fields=["by", "-id"], name="save_own"),
            # Rows come in the order of time: a few blocks tell of a week (emr.saved.counting).
            BrinIndex(fields=["saved_at"], name="save_time"),
            # One entry for each draft that was not thinned yet, by its first save (emr.saved.thinning).
            models.Index(
                fields=["saved_at"],
                name="save_to_thin",
                condition=Q(thinned_at=None) & (Q(version=1) | Q(correction__isnull=False)),
            ),
        ]

    @property
    def receipt(self):
        """The number shown to the doctor: date of the save and row number, "20261122-000123"."""
        return f"{timezone.localtime(self.saved_at):%Y%m%d}-{self.pk:06d}"
