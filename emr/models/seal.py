"""Seals of what was signed, the chain over an institution's seals, and its anchors (docs/seal.md)."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from clinic.models import Institution
from clinic.models.base import AppendOnlyRow
from emr.models.correction import Correction
from emr.models.note import Note


class SealQuerySet(models.QuerySet):
    def visible_to(self, user):
        return self.filter(note__in=Note.objects.visible_to(user))


class Seal(AppendOnlyRow):
    """The signature's proof: SHA-256 over the canonical text of a signed note or correction, signed with the
    house's Ed25519 key, made in the transaction of the signature (emr.sealing.seal)."""

    PRIVATE_FIELDS = frozenset({"note"})

    note = models.ForeignKey(Note, models.PROTECT, related_name="seals", verbose_name=_("note"))
    correction = models.OneToOneField(
        Correction, models.PROTECT, null=True, related_name="seal", verbose_name=_("correction")
    )
    institution = models.ForeignKey(
        Institution, models.PROTECT, related_name="+", verbose_name=_("institution")
    )
    # As it was at sealing: the hash covers it, and an institution's own row may change.
    institution_code = models.CharField(_("code of the institution"), max_length=22)
    format = models.PositiveSmallIntegerField(_("format"), default=1)
    sha256 = models.CharField(_("hash"), max_length=64)
    key_id = models.CharField(_("key"), max_length=16)
    signature = models.CharField(_("signature"), max_length=88)  # 64 bytes in base64
    sealed_at = models.DateTimeField(_("sealed at"), default=timezone.now)
    # A note signed before there were seals, sealed when the release came.
    adopted = models.BooleanField(_("sealed afterwards"), default=False)

    objects = SealQuerySet.as_manager()

    class Meta(AppendOnlyRow.Meta):
        verbose_name = _("seal")
        verbose_name_plural = _("seals")
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(fields=["note"], condition=models.Q(correction=None), name="seal_once"),
        ]


class SealLink(AppendOnlyRow):
    """One link of an institution's chain: position → seal, and the hash over both and the link before."""

    institution = models.ForeignKey(Institution, models.PROTECT, related_name="+")
    position = models.BigIntegerField()
    seal = models.OneToOneField(Seal, models.PROTECT, related_name="link")
    hash = models.CharField(max_length=64)

    class Meta(AppendOnlyRow.Meta):
        verbose_name = _("seal chain link")
        verbose_name_plural = _("seal chain")
        constraints = [
            models.UniqueConstraint(fields=["institution", "position"], name="seal_link_position"),
        ]


class SealAnchor(AppendOnlyRow):
    """The end of an institution's chain on a day, as it was written to the file outside the database."""

    institution = models.ForeignKey(Institution, models.PROTECT, related_name="+")
    day = models.DateField()
    position = models.BigIntegerField()
    hash = models.CharField(max_length=64)
    written_at = models.DateTimeField(default=timezone.now)

    class Meta(AppendOnlyRow.Meta):
        verbose_name = _("seal anchor")
        verbose_name_plural = _("seal anchors")
        constraints = [
            models.UniqueConstraint(fields=["institution", "day"], name="seal_anchor_day"),
        ]
