"""The note of a visit."""

from django.apps import apps
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from clinic.models.base import Row
from emr.codes import EncounterStatus, ReviewDecision
from emr.models.encounter import Encounter, reach
from emr.models.note_text import PRIVATE_TEXT, NoteText, signature_is_whole


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
        """Whose last signed version an assistant wrote and no doctor has approved yet. A void one is settled:
        the medical administration decided on it."""
        waiting = self.filter(needs_review=True, signed_at__isnull=False)
        approved = _reviews_of_last_version().filter(decision=ReviewDecision.APPROVED)
        settled = _signed_corrections().filter(models.Q(void=True) | models.Q(needs_review=False))
        # A correction that needs no review settles the note unless an assistant wrote a later one.
        settled = settled.filter(~models.Exists(_later_than(models.OuterRef("number"))))
        return waiting.filter(~models.Exists(approved), ~models.Exists(settled))

    def returned(self):
        """Sent back by the last review of the last signed version, so that its writer has to correct it."""
        last = _reviews_of_last_version().order_by("-at", "-pk").values("decision")[:1]
        return self.annotate(last_word=models.Subquery(last)).filter(last_word=ReviewDecision.RETURNED)


def _signed_corrections():
    corrections = apps.get_model("emr", "Correction").objects
    return corrections.filter(note=models.OuterRef("pk"), signed_at__isnull=False)


def _later_than(number):
    """Signed corrections of the same note with a higher number, seen from a row that has a note."""
    corrections = apps.get_model("emr", "Correction").objects
    return corrections.filter(note=models.OuterRef("note"), signed_at__isnull=False, number__gt=number)


def _reviews_of_last_version():
    reviews = apps.get_model("emr", "NoteReview").objects.filter(note=models.OuterRef("pk"))
    return reviews.of_last_version()


class Note(Row, NoteText):
    """The note of one visit: a draft that autosave writes field by field, then signed and frozen by a
    plain SQL trigger (migration freeze_signed). What becomes of a signed note (review, archive,
    correction) is told by rows of their own; this one never changes again.
    """

    PRIVATE_FIELDS = PRIVATE_TEXT | {"imported_doctor", "encounter"}

    encounter = models.OneToOneField(Encounter, models.PROTECT, related_name="note", verbose_name=_("visit"))
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
            models.Index(fields=["signed_at"], name="note_signed", condition=Q(signed_at__isnull=False)),
        ]
        constraints = [
            signature_is_whole("note_signature_whole"),
            models.CheckConstraint(
                condition=Q(imported=False) | Q(signed_at=None), name="note_imported_unsigned"
            ),
        ]

    @property
    def is_readonly(self):
        return self.is_signed or self.imported or self.encounter.status == EncounterStatus.CANCELLED

    @property
    def save_place(self):
        """What its saves hang on (emr.models.Save)."""
        return {"note": self}
