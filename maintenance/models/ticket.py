"""Tickets 工单: what somebody reported, who has to act, and everything that happened to it."""

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from clinic.codes import Role
from clinic.models import Institution
from clinic.models.base import AppendOnlyRow, Row
from maintenance.codes import (
    OPEN,
    Channel,
    Closing,
    EventKind,
    Module,
    Severity,
    Side,
    Target,
    TicketKind,
    TicketState,
    WaitingFor,
)
from maintenance.models.calendar import DistrictRowQuerySet
from maintenance.models.level import ServiceLevel


class TicketQuerySet(models.QuerySet):
    def visible_to(self, user):
        """Who reported one sees it. With the right to tickets: those of one's institution and below it; the vendor's
        engineers, who serve everybody, those that are or were the vendor's."""
        if not user.is_authenticated:
            return self.none()
        own = Q(reporter=user)
        if not user.has_perm("maintenance.view_ticket"):
            return self.filter(own)
        if user.role == Role.VENDOR:
            return self.filter(own | Q(vendor_since__isnull=False))
        return self.filter(own | Q(institution__path__startswith=user.institution.path))

    def open(self):
        return self.filter(state__in=OPEN)

    def overdue(self, now):
        """Open, the clock runs, and a promise is broken."""
        late = Q(responded_at=None, response_due_at__lt=now) | Q(resolve_due_at__lt=now)
        return self.open().filter(late, paused_at=None)


class Ticket(Row):
    """``reported_at`` is when it was said, by whatever way, and where the clock begins; ``typed_at`` when it was written
    down. State, side and times move by actions (maintenance.actions.tickets), each with its event: these are the
    history."""

    PRIVATE_FIELDS = frozenset(
        {"title", "description", "reporter_name", "reporter_phone", "page", "failures"}
    )

    number = models.CharField(_("number"), max_length=20, unique=True)
    kind = models.CharField(_("kind"), max_length=10, choices=TicketKind.choices)
    channel = models.CharField(_("channel"), max_length=10, choices=Channel.choices)
    module = models.CharField(_("module"), max_length=10, choices=Module.choices)
    severity = models.CharField(
        _("severity"), max_length=10, choices=Severity.choices, default=Severity.ORDINARY
    )
    institution = models.ForeignKey(
        Institution, models.PROTECT, related_name="tickets", verbose_name=_("institution")
    )
    # An account, or for a call by somebody without one the name.
    reporter = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("reported by")
    )
    reporter_name = models.CharField(_("reporter's name"), max_length=60, blank=True)
    reporter_phone = models.CharField(_("reporter's phone"), max_length=30, blank=True)
    equipment = models.ForeignKey(
        "maintenance.Equipment",
        models.PROTECT,
        null=True,
        related_name="tickets",
        verbose_name=_("equipment"),
    )
    title = models.CharField(pgettext_lazy("ticket", "title"), max_length=100)
    description = models.TextField(_("description"), max_length=4000, blank=True)
    reported_at = models.DateTimeField(_("reported at"))
    typed_at = models.DateTimeField(_("typed at"), default=timezone.now)
    typed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("typed by")
    )
    # What the button "report a problem" brings along.
    page = models.CharField(_("page"), max_length=200, blank=True)
    request_id = models.CharField(_("request"), max_length=40, blank=True)
    failures = models.JSONField(_("failed saves"), default=list)
    state = models.CharField(_("state"), max_length=10, choices=TicketState.choices, default=TicketState.NEW)
    state_at = models.DateTimeField(_("since"), default=timezone.now)
    waiting_for = models.CharField(_("waiting for"), max_length=10, choices=WaitingFor.choices, blank=True)
    side = models.CharField(pgettext_lazy("ticket", "side"), max_length=20, choices=Side.choices)
    assignee = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("assigned to")
    )
    # Since then the vendor's engineers see it.
    vendor_since = models.DateTimeField(_("with the vendor since"), null=True)
    merged_into = models.ForeignKey(
        "self", models.PROTECT, null=True, related_name="merged", verbose_name=_("merged into")
    )
    level = models.ForeignKey(
        ServiceLevel, models.PROTECT, null=True, related_name="+", verbose_name=_("service level")
    )
    response_due_at = models.DateTimeField(_("response due"), null=True)
    responded_at = models.DateTimeField(_("responded at"), null=True)
    resolve_due_at = models.DateTimeField(_("resolution due"), null=True)
    fixed_at = models.DateTimeField(_("fixed at"), null=True)
    paused_at = models.DateTimeField(_("clock stands since"), null=True)
    reopened = models.PositiveSmallIntegerField(_("times reopened"), default=0)
    closed_at = models.DateTimeField(_("closed at"), null=True)
    closing = models.CharField(_("closed because"), max_length=10, choices=Closing.choices, blank=True)
    # Pairs of characters, words and initials (maintenance.search): found by a part of a Chinese sentence without an extension.
    words = SearchVectorField(null=True, editable=False)

    objects = TicketQuerySet.as_manager()

    class Meta:
        verbose_name = _("ticket")
        verbose_name_plural = _("tickets")
        ordering = ["-pk"]
        permissions = [
            ("work_ticket", "Can accept, assign and resolve tickets"),
            ("merge_ticket", "Can merge tickets"),
            ("see_board", "Can see the board of tickets"),
        ]
        indexes = [
            models.Index(fields=["institution", "-id"], name="ticket_of_institution"),
            models.Index(fields=["reporter", "-id"], name="ticket_of_reporter"),
            models.Index(
                fields=["assignee", "state"], name="ticket_of_assignee", condition=Q(state__in=OPEN)
            ),
            models.Index(fields=["side", "resolve_due_at"], name="ticket_open", condition=Q(state__in=OPEN)),
            models.Index(fields=["state_at"], name="ticket_fixed", condition=Q(state="fixed")),
            models.Index(fields=["reported_at"], name="ticket_reported"),
            models.Index(fields=["closed_at"], name="ticket_closed", condition=Q(closed_at__isnull=False)),
            GinIndex(fields=["words"], name="ticket_words"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(reporter__isnull=False) | ~Q(reporter_name="") | Q(channel="probe"),
                name="ticket_has_reporter",
                violation_error_message=_("Who reported it?"),
            ),
            models.CheckConstraint(
                condition=Q(reported_at__lte=F("typed_at")),
                name="ticket_reported_before_typed",
                violation_error_message=_("It cannot have been reported later than it was typed."),
            ),
            models.CheckConstraint(
                condition=Q(state="merged", merged_into__isnull=False) | (~Q(state="merged") & Q(merged_into=None)),
                name="ticket_merged_into_one",
            ),
            models.CheckConstraint(
                condition=~Q(merged_into=F("id")), name="ticket_not_into_itself",
                violation_error_message=_("A ticket is not merged into itself."),
            ),
            models.CheckConstraint(
                condition=Q(state="waiting") ^ Q(waiting_for=""), name="ticket_waits_for_somebody"
            ),
            models.CheckConstraint(
                condition=Q(kind="suggestion", level=None) | ~Q(kind="suggestion"), name="ticket_suggestion_unclocked"
            ),
        ]  # fmt: skip

    def __str__(self):
        return self.number


class OfTicketQuerySet(models.QuerySet):
    """Rows that hang on a ticket are seen by whom may see it."""

    def visible_to(self, user):
        return self.filter(ticket__in=Ticket.objects.visible_to(user))


class EventQuerySet(OfTicketQuerySet):
    def visible_to(self, user):
        """Internal notes are for those who work on tickets."""
        rows = super().visible_to(user)
        if user.is_authenticated and user.has_perm("maintenance.work_ticket"):
            return rows
        return rows.exclude(kind=EventKind.INTERNAL)


class TicketEvent(AppendOnlyRow):
    """One thing that happened to a ticket: what, by whom, in which words. ``facts``: {"from", "to", …} as codes."""

    PRIVATE_FIELDS = frozenset({"words"})

    ticket = models.ForeignKey(
        Ticket, models.PROTECT, related_name="events", db_index=False, verbose_name=_("ticket")
    )
    at = models.DateTimeField(_("at"), default=timezone.now)
    kind = models.CharField(_("kind"), max_length=10, choices=EventKind.choices)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        related_name="+",
        db_index=False,
        verbose_name=_("by"),
    )
    words = models.TextField(_("text"), max_length=4000, blank=True)
    facts = models.JSONField(_("facts"), default=dict)
    # A client's key: the same comment sent twice stands there once.
    key = models.UUIDField(null=True, unique=True, editable=False)

    objects = EventQuerySet.as_manager()

    class Meta(AppendOnlyRow.Meta):
        verbose_name = _("event of a ticket")
        verbose_name_plural = _("events of tickets")
        ordering = ["pk"]
        indexes = [models.Index(fields=["ticket", "id"], name="ticket_event")]

    def __str__(self):
        return self.get_kind_display()


class Pause(models.Model):
    """A stretch in which the clock stands: what for, and why."""

    PRIVATE_FIELDS: frozenset[str] = frozenset({"reason"})

    ticket = models.ForeignKey(Ticket, models.PROTECT, related_name="pauses", verbose_name=_("ticket"))
    since = models.DateTimeField(_("from"))
    until = models.DateTimeField(_("until"), null=True)
    # Empty: it was fixed, and came back.
    waiting_for = models.CharField(_("waiting for"), max_length=10, choices=WaitingFor.choices, blank=True)
    reason = models.CharField(_("reason"), max_length=200)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("by")
    )

    objects = OfTicketQuerySet.as_manager()

    class Meta:
        verbose_name = _("pause of the clock")
        verbose_name_plural = _("pauses of the clock")
        ordering = ["since"]
        constraints = [
            models.CheckConstraint(
                condition=Q(until=None) | Q(until__gte=F("since")),
                name="pause_in_order",
                violation_error_message=_("The pause ends before it begins."),
            ),
            models.UniqueConstraint(fields=["ticket"], condition=Q(until=None), name="pause_one_open"),
            models.CheckConstraint(
                condition=~Q(reason=""), name="pause_has_reason",
                violation_error_message=_("A pause of the clock needs a reason."),
            ),
        ]  # fmt: skip

    def __str__(self):
        return self.reason


class Alarm(models.Model):
    """When somebody is warned or told over a ticket's promise, and whether that has happened: once for each. ``at`` is
    empty while the clock stands."""

    PRIVATE_FIELDS: frozenset[str] = frozenset()
    deletable = True  # what is no longer to be watched

    ticket = models.ForeignKey(Ticket, models.CASCADE, related_name="alarms", verbose_name=_("ticket"))
    target = models.CharField(_("promise"), max_length=10, choices=Target.choices)
    # 75: a warning; 100: the time is over.
    percent = models.PositiveSmallIntegerField(_("percent of the time"))
    at = models.DateTimeField(_("at"), null=True)
    fired_at = models.DateTimeField(_("told at"), null=True)

    objects = OfTicketQuerySet.as_manager()

    class Meta:
        verbose_name = _("alarm")
        verbose_name_plural = _("alarms")
        constraints = [models.UniqueConstraint(fields=["ticket", "target", "percent"], name="alarm_once")]
        indexes = [
            models.Index(fields=["at"], name="alarm_due", condition=Q(fired_at=None, at__isnull=False))
        ]

    def __str__(self):
        return f"{self.target} {self.percent}"


class Attachment(Row, AppendOnlyRow):
    """A picture of the screen, decoded and written anew. Whether a patient can be recognised nobody can know: the
    vendor's engineers open it with a grant alone (``PictureGrant``)."""

    PRIVATE_FIELDS = frozenset({"name", "data"})

    ticket = models.ForeignKey(Ticket, models.PROTECT, related_name="attachments", verbose_name=_("ticket"))
    name = models.CharField(_("file name"), max_length=100)
    mime = models.CharField(_("kind of file"), max_length=20)
    size = models.PositiveIntegerField(_("bytes"))
    sha256 = models.CharField(_("hash"), max_length=64)
    data = models.BinaryField()
    made_at = models.DateTimeField(_("made at"), default=timezone.now)
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("made by")
    )

    objects = OfTicketQuerySet.as_manager()

    class Meta(AppendOnlyRow.Meta):
        verbose_name = _("picture of a ticket")
        verbose_name_plural = _("pictures of tickets")
        ordering = ["pk"]

    def __str__(self):
        return self.name


class PictureGrant(AppendOnlyRow):
    """Leave for the vendor's engineers to see the pictures of a ticket, with reason, for a time."""

    PRIVATE_FIELDS = frozenset({"reason"})

    ticket = models.ForeignKey(Ticket, models.PROTECT, related_name="grants", verbose_name=_("ticket"))
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("allowed by")
    )
    reason = models.CharField(_("reason"), max_length=200)
    at = models.DateTimeField(_("at"), default=timezone.now)
    until = models.DateTimeField(_("until"))

    objects = OfTicketQuerySet.as_manager()

    class Meta(AppendOnlyRow.Meta):
        verbose_name = _("leave to see pictures")
        verbose_name_plural = _("leaves to see pictures")

    def __str__(self):
        return f"{self.ticket}"


class TicketFilter(Row):
    """What somebody looks for again and again in the queue: ``choices`` are the form's plain values, without typed text."""

    PRIVATE_FIELDS = frozenset()
    deletable = True  # nobody's record: a habit

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", verbose_name=_("owner")
    )
    name = models.CharField(_("name"), max_length=30)
    choices = models.JSONField(_("filter"), default=dict)

    class OwnQuerySet(models.QuerySet):
        def visible_to(self, user):
            return self.filter(owner=user) if user.is_authenticated else self.none()

    objects = OwnQuerySet.as_manager()

    class Meta:
        verbose_name = _("saved filter of tickets")
        verbose_name_plural = _("saved filters of tickets")
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["owner", "name"], name="ticket_filter_once",
                violation_error_message=_("There is a filter of this name."),
            )
        ]  # fmt: skip

    def __str__(self):
        return self.name


class TicketCounter(models.Model):
    """The last number of a year; locked while one is taken."""

    PRIVATE_FIELDS: frozenset[str] = frozenset()

    year = models.PositiveSmallIntegerField(primary_key=True)
    last = models.PositiveIntegerField(default=0)

    objects = DistrictRowQuerySet.as_manager()

    class Meta:
        verbose_name = _("counter of tickets")
        verbose_name_plural = _("counters of tickets")

    def __str__(self):
        return f"{self.year}"
