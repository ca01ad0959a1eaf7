"""Sealed copies 封存 and copies for the patient 复制 (电子病历应用管理规范 art. 21, 23-25, rules B2.5, B2.6)."""

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from clinic import identifiers
from clinic.codes import IdType
from clinic.models import Institution, Resident
from clinic.models.base import AppendOnlyRow, Row
from emr.codes import Relation


class OfReachQuerySet(models.QuerySet):
    """Papers made in one's own institution or below it."""

    def visible_to(self, user):
        if not user.has_perm(f"emr.view_{self.model._meta.model_name}"):
            return self.none()
        return self.filter(institution__path__startswith=user.institution.path)


class SealedCopy(Row):
    """A copy of notes sealed with both parties present. Never changes, save that it is unsealed once (plain
    SQL trigger); the originals go on. ``content`` is the canonical JSON of every version of its items."""

    PRIVATE_FIELDS = frozenset(
        {
            "resident",
            "patient_party",
            "id_number",
            "items",
            "content",
            "reason",
            "unseal_patient_party",
            "unseal_reason",
        }
    )

    number = models.CharField(_("number"), max_length=20, unique=True)
    key = models.UUIDField(_("client's key"), unique=True, editable=False)
    resident = models.ForeignKey(
        Resident, models.PROTECT, related_name="sealed_copies", verbose_name=_("resident")
    )
    institution = models.ForeignKey(
        Institution, models.PROTECT, related_name="+", verbose_name=_("institution")
    )
    sealed_at = models.DateTimeField(pgettext_lazy("copy", "sealed at"), default=timezone.now)
    sealed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("sealed by")
    )
    hospital_party = models.CharField(_("present for the institution"), max_length=60)
    patient_party = models.CharField(_("present for the patient"), max_length=60)
    relation = models.CharField(_("relation to the patient"), max_length=10, choices=Relation.choices)
    id_type = models.CharField(_("ID type"), max_length=2, choices=IdType.choices, default=IdType.RESIDENT)
    id_number = models.CharField(_("ID number"), max_length=30)
    reason = models.CharField(_("reason"), max_length=200)
    items = models.JSONField(_("items"), default=list)
    content = models.TextField(_("content"))
    sha256 = models.CharField(_("hash"), max_length=64)
    key_id = models.CharField(_("key"), max_length=16)
    signature = models.CharField(_("signature"), max_length=88)
    medium = models.CharField(_("medium"), max_length=60)
    location = models.CharField(_("kept at"), max_length=100)
    unsealed_at = models.DateTimeField(_("unsealed at"), null=True)
    unsealed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("unsealed by")
    )
    unseal_hospital_party = models.CharField(_("present for the institution"), max_length=60, blank=True)
    unseal_patient_party = models.CharField(_("present for the patient"), max_length=60, blank=True)
    unseal_reason = models.CharField(_("reason for unsealing"), max_length=200, blank=True)

    objects = OfReachQuerySet.as_manager()

    class Meta:
        verbose_name = _("sealed copy")
        verbose_name_plural = _("sealed copies")
        ordering = ["-sealed_at", "-pk"]
        indexes = [models.Index(fields=["institution", "-sealed_at"], name="sealed_copy_institution")]

    def __str__(self):
        return self.number

    @property
    def is_sealed(self):
        return self.unsealed_at is None

    @property
    def masked_id(self):
        return identifiers.mask_id(self.id_number)


class CopyIssue(Row, AppendOnlyRow):
    """A copy handed out: who asked, by what right, for what, how much, and what it was. ``content`` is the
    canonical JSON as it was handed out (docs/copies.md); ``pages`` counts sheets of ``paper``, the cover too."""

    PRIVATE_FIELDS = frozenset({"resident", "applicant", "id_number", "purpose", "items", "content"})

    number = models.CharField(_("number"), max_length=20, unique=True)
    key = models.UUIDField(_("client's key"), unique=True, editable=False)
    resident = models.ForeignKey(Resident, models.PROTECT, related_name="copies", verbose_name=_("resident"))
    institution = models.ForeignKey(
        Institution, models.PROTECT, related_name="+", verbose_name=_("institution")
    )
    applicant = models.CharField(_("applicant"), max_length=60)
    relation = models.CharField(_("relation to the patient"), max_length=10, choices=Relation.choices)
    id_type = models.CharField(_("ID type"), max_length=2, choices=IdType.choices, default=IdType.RESIDENT)
    id_number = models.CharField(_("ID number"), max_length=30)
    purpose = models.CharField(_("purpose"), max_length=100)
    scope = models.CharField(_("scope"), max_length=200)
    items = models.JSONField(_("items"), default=list)
    content = models.TextField(_("content"))
    paper = models.CharField(_("paper size"), max_length=2)
    pages = models.PositiveIntegerField(_("pages"))
    sha256 = models.CharField(_("hash"), max_length=64)
    issued_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("issued by")
    )
    issued_at = models.DateTimeField(_("issued at"), default=timezone.now)
    stamped_by = models.CharField(_("stamped by"), max_length=60, blank=True)

    objects = OfReachQuerySet.as_manager()

    class Meta(AppendOnlyRow.Meta):
        verbose_name = _("copy for the patient")
        verbose_name_plural = _("copies for patients")
        ordering = ["-issued_at", "-pk"]
        indexes = [models.Index(fields=["institution", "-issued_at"], name="copy_issue_institution")]

    def __str__(self):
        return self.number

    @property
    def masked_id(self):
        return identifiers.mask_id(self.id_number)


class RetentionLine(AppendOnlyRow):
    """A file whose keeping time ends in a month, as the month's list named it. Nothing is deleted by it."""

    PRIVATE_FIELDS = frozenset({"resident"})

    month = models.DateField(_("month"))
    resident = models.ForeignKey(Resident, models.PROTECT, related_name="+", verbose_name=_("resident"))
    institution = models.ForeignKey(
        Institution, models.PROTECT, related_name="+", verbose_name=_("institution")
    )
    last_visit = models.DateField(_("last visit"))
    retain_until = models.DateField(_("kept until"))

    objects = OfReachQuerySet.as_manager()

    class Meta(AppendOnlyRow.Meta):
        verbose_name = _("file whose keeping time ends")
        verbose_name_plural = _("files whose keeping time ends")
        ordering = ["-month", "retain_until"]
        constraints = [models.UniqueConstraint(fields=["month", "resident"], name="retention_once")]
