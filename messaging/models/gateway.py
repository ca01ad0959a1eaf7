"""Carrier accounts: where they are, how they do, and which addresses may be spoken to at all."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from clinic.models.base import Row
from messaging.codes import Carrier, GatewayState, OverrideSource, Protocol


class OperatedQuerySet(models.QuerySet):
    """Rows of the district's operation: seen by whom may see the kind, wherever they sit."""

    def visible_to(self, user):
        if not (user.is_authenticated and user.has_perm(f"messaging.view_{self.model._meta.model_name}")):
            return self.none()
        return self


class GatewayQuerySet(OperatedQuerySet):
    def active(self):
        return self.filter(active=True)


class Gateway(Row):
    """One login at one carrier. ``secret`` is written and never shown: encrypted, or ``env:NAME`` (messaging.secrets).

    ``options`` are the protocol's own settings, with defaults in its file under messaging/gateways/.
    """

    PRIVATE_FIELDS = frozenset({"secret"})

    name = models.CharField(_("name"), max_length=40, unique=True)
    protocol = models.CharField(_("protocol"), max_length=6, choices=Protocol.choices)
    carrier = models.CharField(_("carrier"), max_length=10, choices=Carrier.choices)
    host = models.CharField(_("host"), max_length=100)
    port = models.PositiveIntegerField(_("port"), validators=[MinValueValidator(1), MaxValueValidator(65535)])
    login = models.CharField(_("account"), max_length=30)
    secret = models.CharField(_("secret"), max_length=300, blank=True)
    access_number = models.CharField(_("access number"), max_length=21, blank=True)
    connections = models.PositiveSmallIntegerField(
        _("connections"), default=1, validators=[MinValueValidator(1), MaxValueValidator(16)]
    )
    window = models.PositiveSmallIntegerField(
        _("window"), default=16, validators=[MinValueValidator(1), MaxValueValidator(256)]
    )
    rate = models.PositiveIntegerField(_("messages a second"), default=0, help_text=_("0: no limit"))
    connect_seconds = models.PositiveSmallIntegerField(_("time to connect, s"), default=10)
    answer_seconds = models.PositiveSmallIntegerField(_("time to answer, s"), default=60)
    idle_seconds = models.PositiveSmallIntegerField(_("active test after, s"), default=60)
    report_hours = models.PositiveSmallIntegerField(_("time to wait for a receipt, h"), default=48)
    options = models.JSONField(_("options of the protocol"), default=dict, blank=True)
    active = models.BooleanField(_("in use"), default=True)
    history = HistoricalRecords(excluded_fields=["secret"])

    objects = GatewayQuerySet.as_manager()

    class Meta:
        verbose_name = _("gateway")
        verbose_name_plural = _("gateways")
        ordering = ["name"]
        permissions = [("test_gateway", "Can test a gateway's connection")]
        constraints = [
            models.UniqueConstraint(
                fields=["host", "port", "login"],
                name="gateway_one_row_per_login",
                violation_error_message=_("This account at this address is there already."),
            ),
        ]

    def __str__(self):
        return self.name


class GatewayHealth(models.Model):
    """How a gateway does, as the dispatcher that owns the account last wrote it. Written every second or so while
    there is something to say; no history."""

    PRIVATE_FIELDS: frozenset[str] = frozenset()

    gateway = models.OneToOneField(
        Gateway, models.PROTECT, primary_key=True, related_name="health", verbose_name=_("gateway")
    )
    state = models.CharField(
        _("state"), max_length=10, choices=GatewayState.choices, default=GatewayState.OFF
    )
    since = models.DateTimeField(_("since"), default=timezone.now)
    seen_at = models.DateTimeField(_("last heard of"), null=True)
    holder = models.CharField(_("dispatcher"), max_length=100, blank=True)
    up = models.PositiveSmallIntegerField(_("connections up"), default=0)
    # Closed by the carrier (daily volume, forbidden hours, account expired) or throttled until then.
    held_until = models.DateTimeField(_("held until"), null=True)
    last_error = models.CharField(_("last error"), max_length=200, blank=True)
    last_error_at = models.DateTimeField(_("at"), null=True)
    per_second = models.FloatField(_("messages a second"), default=0)
    round_trip = models.FloatField(_("time to answer, ms"), default=0)

    class Meta:
        verbose_name = _("state of a gateway")
        verbose_name_plural = _("states of gateways")


class AllowedAddress(Row):
    """A network that gateways may be in. An address outside all of them is refused and recorded."""

    PRIVATE_FIELDS = frozenset()

    network = models.CharField(_("network"), max_length=43, unique=True, help_text="10.20.0.0/16")
    note = models.CharField(_("remark"), max_length=100, blank=True)
    active = models.BooleanField(_("in use"), default=True)
    history = HistoricalRecords()

    objects = OperatedQuerySet.as_manager()

    class Meta:
        verbose_name = _("allowed address")
        verbose_name_plural = _("allowed addresses")
        ordering = ["network"]

    def __str__(self):
        return self.network


class Route(Row):
    """Which gateways a carrier's numbers go through, the first first."""

    PRIVATE_FIELDS = frozenset()

    carrier = models.CharField(_("carrier of the number"), max_length=10, choices=Carrier.choices)
    position = models.PositiveSmallIntegerField(_("order"))
    gateway = models.ForeignKey(Gateway, models.PROTECT, related_name="routes", verbose_name=_("gateway"))
    active = models.BooleanField(_("in use"), default=True)
    history = HistoricalRecords()

    objects = OperatedQuerySet.as_manager()

    class Meta:
        verbose_name = _("route of numbers")
        verbose_name_plural = _("routes")
        ordering = ["carrier", "position"]
        constraints = [
            models.UniqueConstraint(
                fields=["carrier", "gateway"],
                name="route_gateway_once",
                violation_error_message=_("This carrier's route has this gateway already."),
            ),
        ]

    def __str__(self):
        return f"{self.get_carrier_display()} {self.position}"


class NumberOverrideQuerySet(OperatedQuerySet):
    def in_force(self, now):
        return self.filter(Q(until=None) | Q(until__gt=now))


class NumberOverride(Row):
    """A number that is not on the network its prefix says 携号转网; learnt, with an end, or told by a person."""

    PRIVATE_FIELDS = frozenset({"phone"})

    phone = models.CharField(_("phone"), max_length=20, unique=True)
    carrier = models.CharField(_("carrier"), max_length=10, choices=Carrier.choices)
    source = models.CharField(_("learnt from"), max_length=10, choices=OverrideSource.choices)
    learnt_at = models.DateTimeField(_("learnt at"), default=timezone.now)
    until = models.DateTimeField(_("valid until"), null=True, blank=True)
    history = HistoricalRecords()

    objects = NumberOverrideQuerySet.as_manager()

    class Meta:
        verbose_name = _("ported number")
        verbose_name_plural = _("ported numbers")
        ordering = ["-learnt_at"]
        indexes = [models.Index(fields=["until"], name="override_until", condition=Q(until__isnull=False))]

    def __str__(self):
        return self.phone[-4:]


class HookCall(models.Model):
    """A call of the HTTP platform's receipt hook that was let in: its nonce is not let in again."""

    PRIVATE_FIELDS: frozenset[str] = frozenset()
    deletable = True  # once its time stamp alone would be refused

    gateway = models.ForeignKey(Gateway, models.PROTECT, related_name="+", verbose_name=_("gateway"))
    nonce = models.CharField(_("nonce"), max_length=64)
    at = models.DateTimeField(_("time"), default=timezone.now)

    class Meta:
        verbose_name = _("hook call")
        verbose_name_plural = _("hook calls")
        constraints = [models.UniqueConstraint(fields=["gateway", "nonce"], name="hook_nonce_once")]
        indexes = [models.Index(fields=["at"], name="hook_at")]
