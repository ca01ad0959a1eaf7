"""What comes after a signature: corrections, and the requests without which some may not be made."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from clinic.models.base import Row
from emr.codes import ChangeKind, RequestState
from emr.models.note import Note
from emr.models.note_text import PRIVATE_TEXT, NoteText, signature_is_whole


class OfNoteQuerySet(models.QuerySet):
    def visible_to(self, user):
        return self.filter(note__in=Note.objects.visible_to(user))


class ChangeRequest(Row):
    """Leave to change a note that is archived, or to undo a signature (电子病历应用管理规范 art. 17, rules
    B2.3). Asked by who wants to write, decided by the centre's medical administration, never by the same
    person. Frozen by the database once decided."""

    PRIVATE_FIELDS = frozenset({"note", "reason", "answer"})

    note = models.ForeignKey(Note, models.PROTECT, related_name="change_requests", verbose_name=_("note"))
    kind = models.CharField(_("kind"), max_length=10, choices=ChangeKind.choices)
    reason = models.TextField(_("reason"))
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("requested by")
    )
    requested_at = models.DateTimeField(_("requested at"), default=timezone.now)
    key = models.UUIDField(_("client's key"), unique=True, editable=False)
    state = models.CharField(
        _("state"), max_length=10, choices=RequestState.choices, default=RequestState.WAITING
    )
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("decided by")
    )
    decided_at = models.DateTimeField(_("decided at"), null=True)
    answer = models.TextField(_("answer"), blank=True)
    history = HistoricalRecords()

    objects = OfNoteQuerySet.as_manager()

    class Meta:
        verbose_name = _("request for a change")
        verbose_name_plural = _("requests for a change")
        ordering = ["-requested_at"]
        indexes = [
            models.Index(
                fields=["requested_at"],
                name="change_request_waiting",
                condition=Q(state=RequestState.WAITING),
            )
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["note", "requested_by"],
                condition=Q(state=RequestState.WAITING),
                name="change_request_once",
                violation_error_message=_("You have asked for this already."),
            ),
            models.CheckConstraint(
                condition=Q(decided_by=None) | ~Q(decided_by=F("requested_by")),
                name="change_request_by_another",
                violation_error_message=_("Nobody decides on their own request."),
            ),
            models.CheckConstraint(
                condition=Q(state=RequestState.WAITING, decided_at=None, decided_by=None)
                | Q(~Q(state=RequestState.WAITING), decided_at__isnull=False, decided_by__isnull=False)
                | Q(state=RequestState.WITHDRAWN),
                name="change_request_decided_whole",
            ),
        ]


class CorrectionQuerySet(OfNoteQuerySet):
    def signed(self):
        return self.filter(signed_at__isnull=False)

    def open(self):
        return self.filter(signed_at=None, withdrawn_at=None)

    def open_of(self, user):
        """One's own that wait for a signature, with what a list shows of them."""
        named = self.open().filter(author=user).select_related("note__encounter__resident")
        return named.only("uuid", "opened_at", "note__encounter__resident__name").order_by("opened_at")


class Correction(Row, NoteText):
    """A further version of a signed note: written like a draft, signed on its own, frozen then (病历书写基本规范
    art. 7, rules B1.7). The note and the versions before it stay as they are and legible.

    Its saves go on counting where the last version stopped. ``void`` says that the note was signed in error
    and none of its text holds; like every undone signature that needs an approved request.
    """

    PRIVATE_FIELDS = PRIVATE_TEXT | {"note", "reason"}

    note = models.ForeignKey(Note, models.PROTECT, related_name="corrections", verbose_name=_("note"))
    number = models.PositiveSmallIntegerField(_("number"))
    kind = models.CharField(_("kind"), max_length=10, choices=ChangeKind.choices, default=ChangeKind.CORRECT)
    void = models.BooleanField(_("signed in error, void"), default=False)
    reason = models.TextField(_("reason"))
    request = models.OneToOneField(
        ChangeRequest, models.PROTECT, null=True, related_name="correction", verbose_name=_("request")
    )
    key = models.UUIDField(_("client's key"), unique=True, editable=False)
    opened_at = models.DateTimeField(_("opened at"), default=timezone.now)
    withdrawn_at = models.DateTimeField(_("withdrawn at"), null=True)
    history = HistoricalRecords()

    objects = CorrectionQuerySet.as_manager()

    class Meta:
        verbose_name = _("correction")
        verbose_name_plural = _("corrections")
        ordering = ["note", "number"]
        permissions = [("correct_note", "Can correct a signed note")]
        indexes = [
            models.Index(
                fields=["author"],
                name="correction_unsigned",
                condition=Q(signed_at=None, withdrawn_at=None),
            )
        ]
        constraints = [
            models.UniqueConstraint(fields=["note", "number"], name="correction_number"),
            models.UniqueConstraint(
                fields=["note"],
                condition=Q(signed_at=None, withdrawn_at=None),
                name="correction_one_open",
                violation_error_message=_("Another correction of this note is being written."),
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="correction_reason"),
            models.CheckConstraint(
                condition=Q(signed_at=None) | Q(withdrawn_at=None), name="correction_one_end"
            ),
            signature_is_whole("correction_signature_whole"),
        ]

    @property
    def encounter(self):
        return self.note.encounter

    @property
    def is_readonly(self):
        return self.is_signed or self.withdrawn_at is not None

    @property
    def save_place(self):
        """What its saves hang on (emr.models.Save)."""
        return {"note": self.note, "correction": self}
