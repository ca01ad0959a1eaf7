"""Reviews of what assistants signed."""

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from clinic.models.base import AppendOnlyRow
from emr.codes import ReviewDecision
from emr.models.correction import Correction
from emr.models.lines import SignedLineQuerySet
from emr.models.note import Note


class ReviewQuerySet(SignedLineQuerySet):
    def of_last_version(self):
        """Words on what is in force, not on what was corrected since."""
        seen = Coalesce(OuterRef("correction__number"), 0)
        return self.filter(
            ~Exists(Correction.objects.signed().filter(note=OuterRef("note"), number__gt=seen))
        )


class NoteReview(AppendOnlyRow):
    """A doctor's word on an assistant's signed note (病历书写基本规范 art. 8)."""

    PRIVATE_FIELDS = frozenset({"note", "comment"})

    note = models.ForeignKey(Note, models.PROTECT, related_name="reviews", verbose_name=_("note"))
    correction = models.ForeignKey(
        Correction, models.PROTECT, null=True, related_name="reviews", verbose_name=_("correction")
    )  # the version reviewed; empty for the first
    reviewer = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("reviewer")
    )
    reviewer_name = models.CharField(_("reviewer's name"), max_length=60)
    decision = models.CharField(_("decision"), max_length=10, choices=ReviewDecision.choices)
    comment = models.TextField(_("comment"), blank=True)
    at = models.DateTimeField(_("at"), default=timezone.now)

    objects = ReviewQuerySet.as_manager()

    class Meta(AppendOnlyRow.Meta):
        verbose_name = _("review")
        verbose_name_plural = _("reviews")
        ordering = ["-at"]
