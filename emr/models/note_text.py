"""The clinical text that a doctor writes and signs: the columns a note and its corrections share."""

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from emr.codes import VisitKind

TEXT_FIELDS = (
    "chief_complaint", "present_illness", "past_history", "signs", "examinations", "treatment",
)  # fmt: skip
LINE_FIELDS = ("diagnoses", "medications")
CONTENT_FIELDS = (*TEXT_FIELDS, *LINE_FIELDS, "vitals", "visit_kind")
DRAFT_FIELDS = (*CONTENT_FIELDS, "marks")
MARKED_FIELDS = (*TEXT_FIELDS, *LINE_FIELDS)  # vital signs are of their day and never taken over
PRIVATE_TEXT = frozenset({*TEXT_FIELDS, *LINE_FIELDS, "vitals", "marks"})


class NoteText(models.Model):
    """A draft that autosave writes field by field, then signed and frozen by a plain SQL trigger.

    ``diagnoses`` and ``medications`` hold the lines as the doctor left them, half-filled ones too;
    signing checks them and writes Diagnosis and Medication rows. ``marks`` tells of each field that was taken
    over and not touched since: {field: {"how": "carried"|"copied"|"template", "from": visit's uuid or ""}}.
    """

    TEXT_FIELDS, LINE_FIELDS, DRAFT_FIELDS = TEXT_FIELDS, LINE_FIELDS, DRAFT_FIELDS
    CONTENT_FIELDS, MARKED_FIELDS = CONTENT_FIELDS, MARKED_FIELDS

    author = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        related_name="%(class)ss",
        verbose_name=_("author"),
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
    marks = models.JSONField(
        _("taken over"), default=dict, db_default=models.Value({}, models.JSONField()), blank=True
    )
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

    class Meta:
        abstract = True

    @property
    def is_signed(self):
        return self.signed_at is not None

    @property
    def primary_diagnosis(self):
        """The line marked primary, else the first, else None."""
        return next(
            (line for line in self.diagnoses if line.get("primary")), next(iter(self.diagnoses), None)
        )


def signature_is_whole(name):
    """The constraint that a signature has its time and its person, or neither."""
    return models.CheckConstraint(
        condition=Q(signed_at=None, signed_by=None) | Q(signed_at__isnull=False, signed_by__isnull=False),
        name=name,
    )
