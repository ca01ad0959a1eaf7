"""Saves that did not come through: refused by the server, failed in it, or never answered."""

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from clinic.models.base import AppendOnlyRow
from emr.codes import FaultSource
from emr.models.note import Note


class SaveFaultQuerySet(models.QuerySet):
    def visible_to(self, user):
        return self.filter(note__in=Note.objects.visible_to(user))


class SaveFault(AppendOnlyRow):
    """One save that failed: as the server refused it, or as the page tells once it can. No text of a patient:
    names of fields, a count of characters and a hash, so that it can be matched with the receipt that came in
    the end (same ``save_key``) or never came."""

    PRIVATE_FIELDS = frozenset({"note"})

    key = models.UUIDField(_("reporter's key"), unique=True)
    note = models.ForeignKey(Note, models.PROTECT, related_name="faults", verbose_name=_("note"))
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("by")
    )
    source = models.CharField(_("told by"), max_length=10, choices=FaultSource.choices)
    at = models.DateTimeField(_("time"), default=timezone.now)
    received_at = models.DateTimeField(_("received at"), default=timezone.now)
    status = models.PositiveSmallIntegerField(_("status"))  # HTTP's; 0: nobody answered
    code = models.CharField(_("code"), max_length=30, blank=True)
    request_id = models.CharField(_("request"), max_length=36, blank=True)
    save_key = models.UUIDField(_("key of the save"), null=True)
    version = models.PositiveIntegerField(_("version"), null=True)
    fields = models.JSONField(_("fields"), default=list)
    characters = models.PositiveIntegerField(_("characters"), default=0)
    sha256 = models.CharField(_("hash"), max_length=64, blank=True)
    attempts = models.PositiveIntegerField(_("attempts"), default=1)

    objects = SaveFaultQuerySet.as_manager()

    class Meta(AppendOnlyRow.Meta):
        verbose_name = _("failed save")
        verbose_name_plural = _("failed saves")
        ordering = ["-at"]
        permissions = [("inquire_record", "Can inquire after a lost record")]
        indexes = [models.Index(fields=["note", "at"], name="save_fault_note")]
