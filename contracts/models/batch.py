"""Acts on many agreements at once: one line each, done by a job, resumable, with a result a line."""

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from clinic.models import Institution, Resident
from clinic.models.base import Row
from clinic.models.scope import InstitutionRowQuerySet
from contracts.codes import BatchKind, BatchState, LineState
from contracts.models.agreement import Agreement


class BatchQuerySet(InstitutionRowQuerySet):
    def left(self):
        """Not at its end yet."""
        return self.filter(state__in=[BatchState.WAITING, BatchState.RUNNING])


class Batch(Row):
    """Its ``uuid`` is the key that the client made. ``orders``: what is to be done to each line, as the action takes
    it. Counts are kept with its lines, in their transaction."""

    PRIVATE_FIELDS = frozenset()

    kind = models.CharField(_("kind"), max_length=10, choices=BatchKind.choices)
    institution = models.ForeignKey(
        Institution, models.PROTECT, related_name="batches", verbose_name=_("institution")
    )
    state = models.CharField(
        _("state"), max_length=10, choices=BatchState.choices, default=BatchState.WAITING
    )
    orders = models.JSONField(_("orders"), default=dict)
    lines_total = models.PositiveIntegerField(_("lines"), default=0)
    lines_done = models.PositiveIntegerField(_("done"), default=0)
    lines_refused = models.PositiveIntegerField(_("refused"), default=0)
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("made by")
    )
    made_at = models.DateTimeField(_("made at"), default=timezone.now)
    ended_at = models.DateTimeField(_("ended at"), null=True)

    objects = BatchQuerySet.as_manager()

    class Meta:
        verbose_name = _("batch")
        verbose_name_plural = _("batches")
        ordering = ["-made_at"]

    def __str__(self):
        return self.get_kind_display()


class BatchLine(models.Model):
    """One agreement to act on, or one row of a sheet (``data``). ``result``: the sentence why it was refused."""

    PRIVATE_FIELDS: frozenset[str] = frozenset({"agreement", "resident", "data", "made", "result"})

    batch = models.ForeignKey(Batch, models.PROTECT, related_name="lines", verbose_name=_("batch"))
    # From one; of an import the row of the sheet.
    row = models.PositiveIntegerField(_("row"))
    agreement = models.ForeignKey(
        Agreement, models.PROTECT, null=True, related_name="+", verbose_name=_("agreement")
    )
    resident = models.ForeignKey(
        Resident, models.PROTECT, null=True, related_name="+", verbose_name=_("resident")
    )
    data = models.JSONField(_("row of the sheet"), default=dict)
    state = models.CharField(_("state"), max_length=10, choices=LineState.choices, default=LineState.WAITING)
    made = models.ForeignKey(
        Agreement, models.PROTECT, null=True, related_name="+", verbose_name=_("new agreement")
    )
    result = models.CharField(_("result"), max_length=300, blank=True)

    class BatchLineQuerySet(models.QuerySet):
        def visible_to(self, user):
            return self.filter(batch__in=Batch.objects.visible_to(user))

    objects = BatchLineQuerySet.as_manager()

    class Meta:
        verbose_name = _("line of a batch")
        verbose_name_plural = _("lines of a batch")
        ordering = ["row"]
        indexes = [
            models.Index(fields=["batch", "row"], name="batch_waiting", condition=models.Q(state="waiting"))
        ]
        constraints = [models.UniqueConstraint(fields=["batch", "row"], name="batch_row_once")]
