"""What is promised: for each severity a time to respond and a time to resolve."""

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from clinic.models.base import Row
from maintenance.codes import Severity
from maintenance.models.calendar import DistrictRowQuerySet, WorkCalendar


class ServiceLevel(Row):
    """A set of promises. Exactly one in use is the one that new tickets get."""

    PRIVATE_FIELDS = frozenset()

    name = models.CharField(_("name"), max_length=60, unique=True)
    usual = models.BooleanField(_("of new tickets"), default=False)
    active = models.BooleanField(_("in use"), default=True)
    history = HistoricalRecords()

    objects = DistrictRowQuerySet.as_manager()

    class Meta:
        verbose_name = _("service level")
        verbose_name_plural = _("service levels")
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["usual"],
                condition=Q(usual=True),
                name="service_level_one_usual",
                violation_error_message=_("Another service level is the one of new tickets."),
            ),
            models.CheckConstraint(
                condition=Q(usual=False) | Q(active=True),
                name="service_level_usual_in_use",
                violation_error_message=_("The service level of new tickets is in use."),
            ),
        ]

    def __str__(self):
        return self.name


class Promise(models.Model):
    """Working minutes for one severity; without a calendar the clock runs round the clock."""

    PRIVATE_FIELDS: frozenset[str] = frozenset()

    level = models.ForeignKey(
        ServiceLevel, models.PROTECT, related_name="promises", verbose_name=_("service level")
    )
    severity = models.CharField(_("severity"), max_length=10, choices=Severity.choices)
    response = models.PositiveIntegerField(_("response, minutes"), validators=[MinValueValidator(1)])
    resolve = models.PositiveIntegerField(_("resolution, minutes"), validators=[MinValueValidator(1)])
    calendar = models.ForeignKey(
        WorkCalendar,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="promises",
        verbose_name=_("work calendar"),
        help_text=_("Empty: round the clock."),
    )
    history = HistoricalRecords()

    objects = DistrictRowQuerySet.as_manager()

    class Meta:
        verbose_name = _("promise")
        verbose_name_plural = _("promises")
        ordering = ["level", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["level", "severity"],
                name="promise_once",
                violation_error_message=_("This severity has its times already."),
            ),
        ]

    def __str__(self):
        return self.get_severity_display()
