"""The clinical text of a visit, its lines, and the reviews of assistants' notes."""

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from clinic.models import Resident
from clinic.models.base import AppendOnlyRow, Row
from emr.codes import Certainty, EncounterStatus, ReviewDecision, System, VisitKind
from emr.models.encounter import Encounter, reach


class NoteQuerySet(models.QuerySet):
    def visible_to(self, user):
        """Clinical roles, for visits in reach. Everybody else sees no note at all."""
        if not (user.is_authenticated and user.is_clinical and user.has_perm("emr.view_note")):
            return self.none()
        return self.filter(reach(user, "encounter__"))

    def unsigned_by(self, user):
        return self.filter(author=user, signed_at=None, imported=False).exclude(
            encounter__status=EncounterStatus.CANCELLED
        )

    def awaiting_review(self):
        """Signed by an assistant and not yet approved by a doctor."""
        approved = NoteReview.objects.filter(note=models.OuterRef("pk"), decision=ReviewDecision.APPROVED)
        return self.filter(needs_review=True, signed_at__isnull=False).exclude(models.Exists(approved))

    def returned(self):
        """Sent back by the last review."""
        last = (
            NoteReview.objects.filter(note=models.OuterRef("pk"))
            .order_by("-at", "-pk")
            .values("decision")[:1]
        )
        return self.annotate(last_word=models.Subquery(last)).filter(last_word=ReviewDecision.RETURNED)


class Note(Row):
    """The note of one visit: a draft that autosave writes field by field, then signed and frozen by a
    plain SQL trigger (migration freeze_signed). What becomes of a signed note (review, archive,
    correction) is told by rows of their own; this one never changes again.

    ``diagnoses`` and ``medications`` hold the lines as the doctor left them, half-filled ones too;
    signing checks them and writes Diagnosis and Medication rows.
    """

    TEXT_FIELDS = (
        "chief_complaint", "present_illness", "past_history", "signs", "examinations", "treatment",
    )  # fmt: skip
    LINE_FIELDS = ("diagnoses", "medications")
    DRAFT_FIELDS = (*TEXT_FIELDS, *LINE_FIELDS, "vitals", "visit_kind")
    PRIVATE_FIELDS = frozenset({*TEXT_FIELDS, *LINE_FIELDS, "vitals", "imported_doctor", "encounter"})

    encounter = models.OneToOneField(Encounter, models.PROTECT, related_name="note", verbose_name=_("visit"))
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="notes", verbose_name=_("author")
    )
    visit_kind = models.CharField(
        _("kind of visit"), max_length=10, choices=VisitKind.choices, default=VisitKind.FIRST
    )
    chief_complaint = models.TextField(_("chief complaint"), blank=True)
    present_illness = models.TextField(_("present illness"), blank=True)
    past_history = models.TextField(_("past history"), blank=True)
    signs = models.TextField(_("signs"), blank=True)
    examinations = models.TextField(_("auxiliary examinations"), blank=True)
    treatment = models.TextField(_("treatment"), blank=True)
    vitals = models.JSONField(_("vital signs"), default=dict, blank=True, encoder=DjangoJSONEncoder)
    diagnoses = models.JSONField(_("diagnoses"), default=list, blank=True)
    medications = models.JSONField(_("medications"), default=list, blank=True)
    version = models.PositiveIntegerField(_("version"), default=0)
    saved_at = models.DateTimeField(_("saved at"), null=True)
    signed_at = models.DateTimeField(_("signed at"), null=True)
    signed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("signed by")
    )
    signer = models.CharField(_("signer"), max_length=60, blank=True)
    signer_title = models.CharField(_("signer's title"), max_length=30, blank=True)
    signer_licence = models.CharField(_("signer's licence"), max_length=30, blank=True)
    needs_review = models.BooleanField(_("needs a doctor's review"), default=False)
    imported = models.BooleanField(_("from the old system"), default=False)
    imported_doctor = models.CharField(_("doctor in the old system"), max_length=60, blank=True)
    # Drafts write no history row (rule 5): actions set skip_history_when_saving; signing writes the first.
    history = HistoricalRecords()

    objects = NoteQuerySet.as_manager()

    class Meta:
        verbose_name = _("note")
        verbose_name_plural = _("notes")
        permissions = [
            ("write_note", "Can write notes"),
            ("sign_note", "Can sign notes"),
            ("review_note", "Can review an assistant's note"),
            ("print_note", "Can print notes"),
            ("approve_archive_change", "Can approve a change to an archived note"),
        ]
        indexes = [
            models.Index(
                fields=["author"], name="note_unsigned", condition=Q(signed_at=None, imported=False)
            ),
            models.Index(fields=["signed_at"], name="note_review", condition=Q(needs_review=True)),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(signed_at=None, signed_by=None)
                | Q(signed_at__isnull=False, signed_by__isnull=False),
                name="note_signature_whole",
            ),
            models.CheckConstraint(
                condition=Q(imported=False) | Q(signed_at=None), name="note_imported_unsigned"
            ),
        ]

    @property
    def is_signed(self):
        return self.signed_at is not None

    @property
    def is_readonly(self):
        return self.is_signed or self.imported or self.encounter.status == EncounterStatus.CANCELLED

    @property
    def primary_diagnosis(self):
        """The line marked primary, else the first, else None."""
        return next(
            (line for line in self.diagnoses if line.get("primary")), next(iter(self.diagnoses), None)
        )


class SignedLineQuerySet(models.QuerySet):
    def visible_to(self, user):
        return self.filter(note__in=Note.objects.visible_to(user))


class Diagnosis(AppendOnlyRow):
    """One diagnosis of a signed note, for statistics and other systems. Keeps code and name as signed."""

    PRIVATE_FIELDS = frozenset({"note", "resident", "code", "name"})

    note = models.ForeignKey(Note, models.PROTECT, related_name="diagnosis_rows", verbose_name=_("note"))
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
            models.UniqueConstraint(fields=["note", "position"], name="diagnosis_position"),
            models.UniqueConstraint(fields=["note"], condition=Q(primary=True), name="diagnosis_one_primary"),
        ]
        indexes = [models.Index(fields=["resident", "code"], name="diagnosis_resident")]


class Medication(AppendOnlyRow):
    """One medication line of a signed note."""

    PRIVATE_FIELDS = frozenset({"note", "resident", "drug", "dose", "reason"})

    note = models.ForeignKey(Note, models.PROTECT, related_name="medication_rows", verbose_name=_("note"))
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
            models.UniqueConstraint(fields=["note", "position"], name="medication_position"),
            models.CheckConstraint(condition=Q(days__gte=1, days__lte=84), name="medication_days"),
        ]
        indexes = [models.Index(fields=["resident"], name="medication_resident")]


class NoteReview(AppendOnlyRow):
    """A doctor's word on an assistant's signed note (病历书写基本规范 art. 8)."""

    PRIVATE_FIELDS = frozenset({"note", "comment"})

    note = models.ForeignKey(Note, models.PROTECT, related_name="reviews", verbose_name=_("note"))
    reviewer = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("reviewer")
    )
    reviewer_name = models.CharField(_("reviewer's name"), max_length=60)
    decision = models.CharField(_("decision"), max_length=10, choices=ReviewDecision.choices)
    comment = models.TextField(_("comment"), blank=True)
    at = models.DateTimeField(_("at"), default=timezone.now)

    objects = SignedLineQuerySet.as_manager()

    class Meta(AppendOnlyRow.Meta):
        verbose_name = _("review")
        verbose_name_plural = _("reviews")
        ordering = ["-at"]
