"""Equipment and lines: what stands where, how old it is, and whether the lines answer."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from simple_history.models import HistoricalRecords

from clinic.models import Institution
from clinic.models.base import Row
from clinic.models.scope import InstitutionRowQuerySet
from maintenance.codes import EquipmentKind


class Equipment(Row):
    """``bandwidth`` in Mbit/s, of lines (core 10 000, centre 1 000, station 100). A line with host and port is probed every
    minute by a TCP connection; after ``failures`` in a row a ticket is opened."""

    PRIVATE_FIELDS = frozenset({"host"})

    institution = models.ForeignKey(
        Institution, models.PROTECT, related_name="equipment", verbose_name=_("institution")
    )
    kind = models.CharField(_("kind"), max_length=10, choices=EquipmentKind.choices)
    name = models.CharField(_("name"), max_length=100)
    serial = models.CharField(_("serial number"), max_length=60, blank=True)
    model = models.CharField(_("make and model"), max_length=100, blank=True)
    bandwidth = models.PositiveIntegerField(_("bandwidth, Mbit/s"), null=True, blank=True)
    bought_on = models.DateField(_("bought on"), null=True, blank=True)
    warranty_until = models.DateField(_("warranty until"), null=True, blank=True)
    replace_on = models.DateField(_("to be replaced on"), null=True, blank=True)
    replacement = models.CharField(_("replacement plan"), max_length=200, blank=True)
    host = models.CharField(_("address to probe"), max_length=100, blank=True)
    port = models.PositiveIntegerField(
        _("port"), null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(65535)]
    )
    failures = models.PositiveSmallIntegerField(
        _("ticket after so many failures"), default=3, validators=[MinValueValidator(1)]
    )
    active = models.BooleanField(_("in use"), default=True)
    history = HistoricalRecords()

    objects = InstitutionRowQuerySet.as_manager()

    class Meta:
        verbose_name = _("equipment")
        verbose_name_plural = _("equipment")
        ordering = ["institution__path", "kind", "name"]
        constraints = [
            models.CheckConstraint(
                condition=Q(host="", port=None) | (~Q(host="") & Q(port__isnull=False)),
                name="equipment_probed_whole",
                violation_error_message=_("To be probed it needs an address and a port."),
            )
        ]
        indexes = [
            models.Index(
                fields=["institution"], name="equipment_probed", condition=~Q(host="") & Q(active=True)
            )
        ]

    def __str__(self):
        return self.name


class LinkState(models.Model):
    """How a probed line stands now: one row a line, overwritten."""

    PRIVATE_FIELDS: frozenset[str] = frozenset()

    equipment = models.OneToOneField(
        Equipment, models.CASCADE, related_name="link", primary_key=True, verbose_name=_("equipment")
    )
    probed_at = models.DateTimeField(_("probed at"))
    ok = models.BooleanField(pgettext_lazy("line", "answers"))
    # Microseconds of the connection.
    round_trip = models.PositiveIntegerField(_("round trip, µs"), null=True)
    failed = models.PositiveSmallIntegerField(_("failures in a row"), default=0)
    down_since = models.DateTimeField(_("down since"), null=True)
    ticket = models.ForeignKey(
        "maintenance.Ticket", models.PROTECT, null=True, related_name="+", verbose_name=_("ticket")
    )

    objects = models.Manager()

    class Meta:
        verbose_name = _("state of a line")
        verbose_name_plural = _("states of lines")

    def __str__(self):
        return f"{self.equipment}"


class LinkHour(models.Model):
    """What the probes of an hour showed."""

    PRIVATE_FIELDS: frozenset[str] = frozenset()

    equipment = models.ForeignKey(
        Equipment, models.CASCADE, related_name="hours", db_index=False, verbose_name=_("equipment")
    )
    hour = models.DateTimeField(_("hour"), default=timezone.now)
    probes = models.PositiveSmallIntegerField(_("probes"), default=0)
    failed = models.PositiveSmallIntegerField(_("failed"), default=0)
    # Sum and highest, µs.
    total = models.PositiveBigIntegerField(_("sum of round trips, µs"), default=0)
    worst = models.PositiveIntegerField(_("longest round trip, µs"), default=0)

    objects = models.Manager()

    class Meta:
        verbose_name = _("hour of a line")
        verbose_name_plural = _("hours of lines")
        ordering = ["-hour"]
        constraints = [models.UniqueConstraint(fields=["equipment", "hour"], name="link_hour_once")]

    def __str__(self):
        return f"{self.equipment} {self.hour}"
