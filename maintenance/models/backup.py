"""Backups: each run a row, and each check of one."""

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from clinic.models.base import Row
from maintenance.codes import BackupState
from maintenance.models.calendar import DistrictRowQuerySet


class Backup(Row):
    """``manifest``: counts and checksums of every table, taken in the dump's own snapshot. ``file`` is a name, not a path."""

    PRIVATE_FIELDS = frozenset()

    began_at = models.DateTimeField(_("begun at"), default=timezone.now)
    ended_at = models.DateTimeField(_("ended at"), null=True)
    state = models.CharField(
        _("state"), max_length=10, choices=BackupState.choices, default=BackupState.RUNNING
    )
    file = models.CharField(_("file"), max_length=200, blank=True)
    size = models.PositiveBigIntegerField(_("bytes"), default=0)
    sha256 = models.CharField(_("hash"), max_length=64, blank=True)
    encrypted = models.BooleanField(_("encrypted"), default=False)
    manifest = models.JSONField(_("manifest"), default=dict)
    fault = models.CharField(_("what failed"), max_length=300, blank=True)
    checked_at = models.DateTimeField(_("checked at"), null=True)

    objects = DistrictRowQuerySet.as_manager()

    class Meta:
        verbose_name = _("backup")
        verbose_name_plural = _("backups")
        ordering = ["-began_at"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(state__in=["done", "checked"]) | (Q(ended_at__isnull=False) & ~Q(sha256="")),
                name="backup_done_whole",
            )
        ]

    def __str__(self):
        return self.file or f"{self.began_at}"
