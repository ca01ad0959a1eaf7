"""One message to one handset, its attempts, their results, the receipts: every one accounted for."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from clinic.models import Institution, Resident
from clinic.models.base import AppendOnlyRow
from messaging.codes import AttemptKind, Carrier, MessageState, Reason, ReceiptOutcome
from messaging.models.campaign import Campaign
from messaging.models.gateway import Gateway

# Lawful moves; messaging/migrations holds the same table as a trigger. Back to the queue: a claim that reached nobody
# (lease ended, throttled, another gateway's turn); a temporary failure or a number that is another carrier's by now, once; a doubt, where the campaign says
# rather twice than not at all, or where a late answer has said of every part that it was not taken.
MOVES = {
    "queued": {"claimed", "cancelled", "failed", "delivered"},
    "claimed": {"queued", "submitted", "delivered", "failed", "expired", "unknown", "cancelled"},
    "submitted": {"delivered", "failed", "expired", "unknown", "queued"},
    "unknown": {"delivered", "failed", "expired", "queued"},
    "expired": {"delivered", "failed"},
    "delivered": set(),
    "failed": set(),
    "cancelled": set(),
}  # fmt: skip
# What a receipt may still change.
AWAITING = (MessageState.CLAIMED, MessageState.SUBMITTED, MessageState.UNKNOWN, MessageState.EXPIRED)


class MessageQuerySet(models.QuerySet):
    def visible_to(self, user):
        """Messages to one's own residents, and those of one's own institution's campaigns."""
        if not (user.is_authenticated and user.has_perm("messaging.view_message")):
            return self.none()
        path = user.institution.path
        return self.filter(
            Q(institution__path__startswith=path) | Q(campaign__institution__path__startswith=path)
        )


class Message(models.Model):
    """``uuid`` is the key: of a campaign's message it is made of campaign and phone, so that building twice makes one;
    of a single message it is the caller's. ``text`` is what the handset shows, signature included."""

    PRIVATE_FIELDS = frozenset({"resident", "phone", "text"})

    uuid = models.UUIDField(_("public id"), unique=True, editable=False)
    campaign = models.ForeignKey(
        Campaign, models.PROTECT, related_name="messages", verbose_name=_("campaign")
    )
    # Every index costs each of a message's moves: the foreign keys have only those that are asked for.
    resident = models.ForeignKey(
        Resident,
        models.PROTECT,
        null=True,
        related_name="messages",
        db_index=False,
        verbose_name=_("resident"),
    )
    # The resident's home when the message was made: whose delivery rate, whose call task.
    institution = models.ForeignKey(
        Institution, models.PROTECT, related_name="+", db_index=False, verbose_name=_("institution")
    )
    phone = models.CharField(_("phone"), max_length=20)
    carrier = models.CharField(_("carrier"), max_length=10, choices=Carrier.choices)
    text = models.TextField(_("text"))
    segments = models.PositiveSmallIntegerField(_("segments"))
    state = models.CharField(
        _("state"), max_length=10, choices=MessageState.choices, default=MessageState.QUEUED
    )
    reason = models.CharField(_("reason"), max_length=12, choices=Reason.choices, blank=True)
    state_at = models.DateTimeField(_("since"), default=timezone.now)
    made_at = models.DateTimeField(_("made at"), default=timezone.now)
    due_at = models.DateTimeField(_("not before"), default=timezone.now)
    # The lease of the dispatcher that has it (clinic.Lease); empty unless CLAIMED.
    claimed_by = models.CharField(_("dispatcher"), max_length=100, blank=True)
    # An attempt is committed and has no answer yet: nobody may cancel it now.
    on_wire = models.BooleanField(default=False)
    tries = models.PositiveSmallIntegerField(_("tries"), default=0)
    # Gateways that said the number is not theirs.
    refused_by = ArrayField(models.BigIntegerField(), default=list)
    gateway = models.ForeignKey(
        Gateway, models.PROTECT, null=True, related_name="+", db_index=False, verbose_name=_("gateway")
    )
    submitted_at = models.DateTimeField(_("taken by the carrier at"), null=True)
    # Until then a receipt is waited for; then it expires, or is decided by the campaign's policy.
    decide_at = models.DateTimeField(_("decided at"), null=True)
    # Tried once more after a temporary failure.
    retried = models.BooleanField(_("tried again the next day"), default=False)

    objects = MessageQuerySet.as_manager()

    class Meta:
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        ordering = ["-pk"]
        permissions = [("queue_message", "Can send a single message")]
        indexes = [
            models.Index(
                fields=["campaign", "carrier", "due_at", "id"],
                name="message_queue",
                condition=Q(state="queued"),
            ),
            models.Index(
                fields=["carrier", "due_at", "id"],
                name="message_turned_away",
                condition=Q(state="queued") & ~Q(refused_by=[]),
            ),
            models.Index(fields=["claimed_by"], name="message_claimed", condition=Q(state="claimed")),
            models.Index(
                fields=["decide_at"],
                name="message_undecided",
                condition=Q(state__in=["submitted", "unknown"]),
            ),
            models.Index(
                fields=["campaign", "state"],
                name="message_not_reached",
                condition=Q(state__in=["failed", "expired", "unknown", "cancelled"]),
            ),
            # The desk's list, newest first: they are few among a million.
            models.Index(
                fields=["state", "-id"],
                name="message_not_reached_newest",
                condition=Q(state__in=["failed", "expired", "unknown", "cancelled"]),
            ),
            models.Index(fields=["resident", "-made_at"], name="message_of_resident"),
            models.Index(fields=["phone", "-made_at"], name="message_of_phone"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(state="claimed") | Q(on_wire=False, claimed_by=""), name="message_claim_whole"
            ),
        ]

    def __str__(self):
        return str(self.uuid)


class Tally(models.Model):
    """What changed in the counts, one row per statement and kind: the sum is the truth for pages and quota, exact in
    the same transaction. Written by triggers on ``Message`` (messaging/migrations); a job adds old rows up."""

    PRIVATE_FIELDS: frozenset[str] = frozenset()
    deletable = True  # when added up

    campaign = models.ForeignKey(
        Campaign, models.PROTECT, related_name="tallies", db_constraint=False, db_index=False
    )
    institution = models.ForeignKey(
        Institution, models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    gateway = models.ForeignKey(
        Gateway, models.PROTECT, null=True, related_name="+", db_constraint=False, db_index=False
    )
    carrier = models.CharField(max_length=10)
    state = models.CharField(max_length=10)
    reason = models.CharField(max_length=12, blank=True)
    hour = models.DateTimeField()  # of the change of state, whole
    messages = models.IntegerField()
    segments = models.IntegerField()

    class Meta:
        verbose_name = _("tally")
        verbose_name_plural = _("tallies")
        indexes = [models.Index(fields=["campaign"], name="tally_campaign")]


class Attempt(AppendOnlyRow):
    """One segment about to be written to one gateway; committed before it is written."""

    PRIVATE_FIELDS: frozenset[str] = frozenset()

    message = models.ForeignKey(Message, models.PROTECT, related_name="attempts", verbose_name=_("message"))
    gateway = models.ForeignKey(
        Gateway, models.PROTECT, related_name="+", db_index=False, verbose_name=_("gateway")
    )
    number = models.PositiveSmallIntegerField(_("try"))
    part = models.PositiveSmallIntegerField(_("part"), default=1)
    parts = models.PositiveSmallIntegerField(_("parts"), default=1)
    sequence = models.CharField(_("sequence"), max_length=24)
    connection = models.PositiveSmallIntegerField(_("connection"))
    worker = models.CharField(_("dispatcher"), max_length=100)
    at = models.DateTimeField(_("time"), default=timezone.now)

    class Meta(AppendOnlyRow.Meta):
        verbose_name = _("attempt")
        verbose_name_plural = _("sending attempts")
        ordering = ["pk"]


class AttemptResult(AppendOnlyRow):
    """What came of an attempt. A late answer after "no answer" is a second row."""

    PRIVATE_FIELDS: frozenset[str] = frozenset()

    attempt = models.ForeignKey(Attempt, models.PROTECT, related_name="results", verbose_name=_("attempt"))
    gateway = models.ForeignKey(
        Gateway, models.PROTECT, related_name="+", db_index=False, verbose_name=_("gateway")
    )
    kind = models.CharField(_("result"), max_length=10, choices=AttemptKind.choices)
    remote_id = models.CharField(_("carrier's number"), max_length=65, blank=True)
    code = models.CharField(_("carrier's code"), max_length=40, blank=True)
    at = models.DateTimeField(_("time"), default=timezone.now)

    class Meta(AppendOnlyRow.Meta):
        verbose_name = _("result of an attempt")
        verbose_name_plural = _("results of attempts")
        ordering = ["pk"]
        indexes = [
            models.Index(fields=["gateway", "remote_id"], name="result_remote", condition=~Q(remote_id="")),
        ]


class Receipt(AppendOnlyRow):
    """A delivery report as it came in, committed before it was acknowledged. Unknown ones are kept and matched later;
    the same one again changes nothing. Only its match is written afterwards, once."""

    append_only_except = ("attempt_id", "matched_at")
    PRIVATE_FIELDS = frozenset({"phone", "raw"})

    gateway = models.ForeignKey(
        Gateway, models.PROTECT, related_name="+", db_index=False, verbose_name=_("gateway")
    )
    remote_id = models.CharField(_("carrier's number"), max_length=65)
    phone = models.CharField(_("phone"), max_length=20)
    outcome = models.CharField(_("outcome"), max_length=10, choices=ReceiptOutcome.choices)
    stat = models.CharField(_("carrier's word"), max_length=40)
    error = models.CharField(_("carrier's code"), max_length=40, blank=True)
    temporary = models.BooleanField(_("temporary"), default=False)
    # What the protocol's file takes these words for (messaging.gateways.base.Report.cause).
    cause = models.CharField(_("why it failed"), max_length=12, blank=True)
    done_at = models.DateTimeField(_("at the handset"), null=True)
    received_at = models.DateTimeField(_("received at"), default=timezone.now)
    # A carrier's numbers come again after a year (CMPP: Msg_Id has no year).
    year = models.PositiveSmallIntegerField()
    raw = models.BinaryField(default=b"")
    attempt = models.ForeignKey(
        Attempt, models.PROTECT, null=True, related_name="receipts", verbose_name=_("attempt")
    )
    matched_at = models.DateTimeField(_("matched at"), null=True)

    class Meta:
        verbose_name = _("receipt")
        verbose_name_plural = _("receipts")
        ordering = ["-pk"]
        indexes = [
            models.Index(
                fields=["gateway", "remote_id"], name="receipt_unmatched", condition=Q(attempt=None)
            ),
            models.Index(fields=["received_at"], name="receipt_unmatched_since", condition=Q(attempt=None)),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["gateway", "remote_id", "phone", "stat", "year"], name="receipt_once"
            ),
        ]
