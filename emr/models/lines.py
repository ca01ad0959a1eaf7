"""Lines of what was signed, for statistics and other systems."""

from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from clinic.models import Resident
from clinic.models.base import AppendOnlyRow
from emr.codes import Certainty, System
from emr.models.correction import Correction
from emr.models.note import Note


class SignedLineQuerySet(models.QuerySet):
    def visible_to(self, user):
        return self.filter(note__in=Note.objects.visible_to(user))

    def in_force(self):
        """Those of the last signed version: a correction's lines stand in the place of those before it."""
        later = Correction.objects.signed().filter(note=OuterRef("note"))
        of_note = Q(correction=None) & ~Exists(later)
        return self.filter(
            of_note
            | (Q(correction__isnull=False) & ~Exists(later.filter(number__gt=OuterRef("correction__number"))))
        )


class Diagnosis(AppendOnlyRow):
    """One diagnosis of a signed note, for statistics and other systems. Keeps code and name as signed."""

    PRIVATE_FIELDS = frozenset({"note", "resident", "code", "name"})

    note = models.ForeignKey(Note, models.PROTECT, related_name="diagnosis_rows", verbose_name=_("note"))
    correction = models.ForeignKey(
        Correction, models.PROTECT, null=True, related_name="diagnosis_rows", verbose_name=_("correction")
    )
    resident = models.ForeignKey(
        Resident, models.PROTECT, related_name="diagnoses", verbose_name=_("resident")
    )
    position = models.PositiveSmallIntegerField(_("position"))
    system = models.CharField(_("code system"), max_length=20, choices=System.choices, blank=True)
    release = models.CharField(_("release"), max_length=40, blank=True)
    code = models.CharField(_("code"), max_length=30, blank=True)
    name = models.CharField(_("name"), max_length=200)
    certainty = models.CharField(_("certainty"), max_length=10, choices=Certainty.choices)
    primary = models.BooleanField(_("primary"), default=False)

    objects = SignedLineQuerySet.as_manager()

    class Meta(AppendOnlyRow.Meta):
        verbose_name = _("diagnosis")
        verbose_name_plural = _("diagnoses")
        ordering = ["note", "position"]
        constraints = [
            models.UniqueConstraint(
                fields=["note", "position"], condition=Q(correction=None), name="diagnosis_position"
            ),
            models.UniqueConstraint(fields=["correction", "position"], name="diagnosis_correction_position"),
            models.UniqueConstraint(
                fields=["note"], condition=Q(primary=True, correction=None), name="diagnosis_one_primary"
            ),
            models.UniqueConstraint(
                fields=["correction"], condition=Q(primary=True), name="diagnosis_correction_primary"
            ),
        ]
        indexes = [models.Index(fields=["resident", "code"], name="diagnosis_resident")]


class Medication(AppendOnlyRow):
    """One medication line of a signed note."""

    PRIVATE_FIELDS = frozenset({"note", "resident", "drug", "dose", "reason"})

    note = models.ForeignKey(Note, models.PROTECT, related_name="medication_rows", verbose_name=_("note"))
    correction = models.ForeignKey(
        Correction, models.PROTECT, null=True, related_name="medication_rows", verbose_name=_("correction")
    )
    resident = models.ForeignKey(
        Resident, models.PROTECT, related_name="medications", verbose_name=_("resident")
    )
    position = models.PositiveSmallIntegerField(_("position"))
    drug = models.CharField(_("drug"), max_length=100)
    dose = models.CharField(_("dose"), max_length=40)
    route = models.CharField(_("route"), max_length=10)
    frequency = models.CharField(_("frequency"), max_length=10)
    days = models.PositiveSmallIntegerField(_("days"))
    reason = models.CharField(_("reason for a long prescription"), max_length=100, blank=True)

    objects = SignedLineQuerySet.as_manager()

    class Meta(AppendOnlyRow.Meta):
        verbose_name = _("medication")
        verbose_name_plural = _("medications")
        ordering = ["note", "position"]
        constraints = [
            models.UniqueConstraint(
                fields=["note", "position"], condition=Q(correction=None), name="medication_position"
            ),
            models.UniqueConstraint(fields=["correction", "position"], name="medication_correction_position"),
            models.CheckConstraint(condition=Q(days__gte=1, days__lte=84), name="medication_days"),
        ]
        indexes = [models.Index(fields=["resident"], name="medication_resident")]
