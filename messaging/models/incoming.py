"""What handsets write back, who wants no messages, who agreed to which."""

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from clinic.models import Resident
from clinic.models.base import AppendOnlyRow, Row
from messaging.codes import ConsentSource, Meaning, Purpose
from messaging.models.gateway import Gateway, OperatedQuerySet
from messaging.models.message import Message


class OfPhoneQuerySet(OperatedQuerySet):
    """Rows of a phone number, seen from where its owner lives: a resident in reach has this number, or a message went
    to it from there. One look-up in an index for each row."""

    def visible_to(self, user):
        path = user.institution.path if user.is_authenticated else ""
        owners = Resident.objects.filter(phone=OuterRef("phone"), home__path__startswith=path)
        sent = Message.objects.filter(phone=OuterRef("phone"), institution__path__startswith=path)
        return super().visible_to(user).filter(Exists(owners) | Exists(sent) | self.own(path))

    def own(self, path):
        return Q()


class OptOutQuerySet(OfPhoneQuerySet):
    def own(self, path):
        """Also those that one's own people wrote."""
        return Q(by__institution__path__startswith=path)


class IncomingMessage(AppendOnlyRow):
    """A message from a handset (MO) as it came in: the proof of an opt-out. Committed before it is acknowledged; the
    same one again changes nothing."""

    PRIVATE_FIELDS = frozenset({"phone", "text", "raw"})

    uuid = models.UUIDField(_("public id"), unique=True, editable=False)
    gateway = models.ForeignKey(Gateway, models.PROTECT, related_name="+", verbose_name=_("gateway"))
    remote_id = models.CharField(_("carrier's number"), max_length=65)
    phone = models.CharField(_("phone"), max_length=20)
    to = models.CharField(_("sent to"), max_length=30)
    text = models.TextField(_("text"))
    part = models.PositiveSmallIntegerField(_("part"), default=1)
    parts = models.PositiveSmallIntegerField(_("parts"), default=1)
    reference = models.PositiveSmallIntegerField(default=0)
    meaning = models.CharField(_("meaning"), max_length=10, choices=Meaning.choices)
    received_at = models.DateTimeField(_("received at"), default=timezone.now)
    year = models.PositiveSmallIntegerField()
    raw = models.BinaryField(default=b"")

    objects = OfPhoneQuerySet.as_manager()

    class Meta(AppendOnlyRow.Meta):
        verbose_name = _("incoming message")
        verbose_name_plural = _("incoming messages")
        ordering = ["-pk"]
        indexes = [models.Index(fields=["phone", "-received_at"], name="incoming_phone")]
        constraints = [
            models.UniqueConstraint(fields=["gateway", "remote_id", "year"], name="incoming_once"),
        ]

    def __str__(self):
        """No word of it: it stands in titles and histories."""
        return f"{timezone.localtime(self.received_at):%Y-%m-%d %H:%M}"


class OptOut(Row):
    """A number that wants no messages, of no campaign. Ended only by the person's own word, with its proof."""

    PRIVATE_FIELDS = frozenset({"phone", "document", "ended_document"})

    phone = models.CharField(_("phone"), max_length=20)
    since = models.DateTimeField(_("since"), default=timezone.now)
    source = models.CharField(_("how"), max_length=10, choices=ConsentSource.choices)
    incoming = models.ForeignKey(
        IncomingMessage, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("proof")
    )
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("written by")
    )
    document = models.CharField(_("what was said"), max_length=200, blank=True)
    ended_at = models.DateTimeField(_("ended at"), null=True, blank=True)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("ended by")
    )
    ended_document = models.CharField(_("proof of the end"), max_length=200, blank=True)
    history = HistoricalRecords()

    objects = OptOutQuerySet.as_manager()

    class Meta:
        verbose_name = _("opt-out")
        verbose_name_plural = _("opt-outs")
        ordering = ["-since"]
        constraints = [
            models.UniqueConstraint(
                fields=["phone"],
                condition=Q(ended_at=None),
                name="opt_out_once",
                violation_error_message=_("This number is on the list already."),
            ),
        ]

    def __str__(self):
        return self.phone[-4:]


class ConsentQuerySet(models.QuerySet):
    def visible_to(self, user):
        if not (user.is_authenticated and user.has_perm("messaging.view_consent")):
            return self.none()
        return self.filter(resident__in=Resident.objects.visible_to(user))


class Consent(AppendOnlyRow):
    """A resident's word on one purpose; the last one counts (个人信息保护法 art. 14, 15)."""

    PRIVATE_FIELDS = frozenset({"resident", "given", "document"})

    resident = models.ForeignKey(
        Resident, models.PROTECT, related_name="consents", verbose_name=_("resident")
    )
    purpose = models.CharField(_("purpose"), max_length=10, choices=Purpose.choices)
    given = models.BooleanField(_("agrees"))
    source = models.CharField(_("how"), max_length=10, choices=ConsentSource.choices)
    document = models.CharField(_("what was said or signed"), max_length=200, blank=True)
    at = models.DateTimeField(_("time"), default=timezone.now)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("written by")
    )

    objects = ConsentQuerySet.as_manager()

    class Meta(AppendOnlyRow.Meta):
        verbose_name = _("consent")
        verbose_name_plural = _("consents")
        ordering = ["-pk"]
        indexes = [models.Index(fields=["resident", "purpose", "-id"], name="consent_last")]
