"""The audit trail's tables. Written by clinic.audit alone."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from clinic.codes import Act
from clinic.models.base import AppendOnlyRow


class AuditQuerySet(models.QuerySet):
    def visible_to(self, user):
        """Acts done in one's own institutions, and acts of others on one's own residents."""
        if not user.has_perm("clinic.view_auditentry"):
            return self.none()
        path = user.institution.path
        return self.filter(
            models.Q(institution_path__startswith=path) | models.Q(resident_home_path__startswith=path)
        )


class AuditEntry(AppendOnlyRow):
    """Who did what to whose data, from where, when and why. Text, not keys: the row survives
    what it tells of (rules B2.2, B7.3)."""

    PRIVATE_FIELDS = frozenset({"resident", "resident_name", "reason", "detail"})

    at = models.DateTimeField(_("time"), default=timezone.now)
    act = models.CharField(_("act"), max_length=20, choices=Act.choices)
    username = models.CharField(_("account"), max_length=150, blank=True)
    person = models.CharField(_("person"), max_length=60, blank=True)
    role = models.CharField(_("role"), max_length=12, blank=True)
    institution = models.CharField(_("institution"), max_length=100, blank=True)
    institution_path = models.CharField(max_length=100, blank=True)
    resident = models.CharField(_("resident's id"), max_length=36, blank=True)
    resident_name = models.CharField(_("resident"), max_length=60, blank=True)
    resident_home_path = models.CharField(max_length=100, blank=True)
    object_type = models.CharField(_("kind of object"), max_length=60, blank=True)
    object_id = models.CharField(_("object"), max_length=60, blank=True)
    reason = models.CharField(_("reason"), max_length=200, blank=True)
    detail = models.JSONField(_("detail"), default=dict, blank=True)
    address = models.CharField(_("address"), max_length=45, blank=True)
    request_id = models.CharField(_("request"), max_length=36, blank=True)

    objects = AuditQuerySet.as_manager()

    class Meta(AppendOnlyRow.Meta):
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit trail")
        ordering = ["-pk"]
        permissions = [("export_auditentry", "Can export the audit trail")]
        indexes = [
            models.Index(fields=["-at"], name="audit_at"),
            models.Index(fields=["resident", "-at"], name="audit_resident"),
            models.Index(fields=["username", "-at"], name="audit_username"),
            models.Index(
                fields=["institution_path"], name="audit_institution", opclasses=["varchar_pattern_ops"]
            ),
            models.Index(fields=["resident_home_path"], name="audit_home", opclasses=["varchar_pattern_ops"]),
        ]

    def __str__(self):
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.username} {self.act}"


class AuditLink(AppendOnlyRow):
    """One link of the hash chain: position → entry, and the hash over both and the link before.

    A table of its own, so that entries are inserted without a lock and never changed; the job chains
    them within a minute.
    """

    position = models.BigIntegerField(primary_key=True)
    entry = models.OneToOneField(AuditEntry, models.PROTECT, related_name="link")
    hash = models.CharField(max_length=64)

    class Meta(AppendOnlyRow.Meta):
        verbose_name = _("audit chain link")
        verbose_name_plural = _("audit chain")


class AuditAnchor(AppendOnlyRow):
    """What was written to the file outside the database, and when."""

    day = models.DateField(unique=True)
    position = models.BigIntegerField()
    hash = models.CharField(max_length=64)
    written_at = models.DateTimeField(default=timezone.now)

    class Meta(AppendOnlyRow.Meta):
        verbose_name = _("audit anchor")
        verbose_name_plural = _("audit anchors")
