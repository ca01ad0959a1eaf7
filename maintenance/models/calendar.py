"""When the clock of a service level runs: weeks, lunch breaks, and the days that are otherwise.

National holidays and moved working days come from the package holidays; a closed network cannot wait for its next release, so
rows of ``WorkDay`` count before it.
"""

from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from clinic.models.base import Row
from maintenance.clock import MINUTES

WEEKDAYS = (
    (0, _("Monday")), (1, _("Tuesday")), (2, _("Wednesday")), (3, _("Thursday")), (4, _("Friday")),
    (5, _("Saturday")), (6, _("Sunday")),
)  # fmt: skip


class DistrictRowQuerySet(models.QuerySet):
    """Rows that the district keeps for all: seen with the right to the kind of row."""

    def visible_to(self, user):
        meta = self.model._meta
        may = user.is_authenticated and user.has_perm(f"{meta.app_label}.view_{meta.model_name}")
        return self if may else self.none()


class WorkCalendar(Row):
    """Working hours of somebody, for instance the vendor's office."""

    PRIVATE_FIELDS = frozenset()

    name = models.CharField(_("name"), max_length=60, unique=True)
    # National holidays stand still and moved working days run.
    holidays = models.BooleanField(_("keeps national holidays"), default=True)
    history = HistoricalRecords()

    objects = DistrictRowQuerySet.as_manager()

    class Meta:
        verbose_name = _("work calendar")
        verbose_name_plural = _("work calendars")
        ordering = ["name"]

    def __str__(self):
        return self.name


class WorkSpan(models.Model):
    """A stretch of a weekday; a lunch break lies between two. Minutes of the day, the end exclusive."""

    PRIVATE_FIELDS: frozenset[str] = frozenset()
    deletable = True  # hours that are no longer worked

    calendar = models.ForeignKey(
        WorkCalendar, models.CASCADE, related_name="spans", verbose_name=_("work calendar")
    )
    weekday = models.PositiveSmallIntegerField(_("weekday"), choices=WEEKDAYS)
    begins = models.PositiveSmallIntegerField(_("from"), validators=[MaxValueValidator(MINUTES - 1)])
    ends = models.PositiveSmallIntegerField(_("until"), validators=[MaxValueValidator(MINUTES)])
    history = HistoricalRecords()

    objects = DistrictRowQuerySet.as_manager()

    class Meta:
        verbose_name = _("working hours")
        verbose_name_plural = _("working hours")
        ordering = ["calendar", "weekday", "begins"]
        constraints = [
            models.CheckConstraint(
                condition=Q(begins__lt=F("ends"), ends__lte=MINUTES),
                name="work_span_in_order",
                violation_error_message=_("The end lies before the beginning."),
            ),
        ]

    def __str__(self):
        return f"{self.get_weekday_display()} {self.begins // 60:02}:{self.begins % 60:02}–{self.ends // 60:02}:{self.ends % 60:02}"


class WorkDay(Row):
    """A day that is otherwise than the calendar or the national list has it. Of one calendar, or of all."""

    PRIVATE_FIELDS = frozenset()

    calendar = models.ForeignKey(
        WorkCalendar,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="days",
        verbose_name=_("work calendar"),
    )
    day = models.DateField(_("day"))
    works = models.BooleanField(_("is a working day"), default=False)
    note = models.CharField(_("remark"), max_length=100, blank=True)
    history = HistoricalRecords()

    objects = DistrictRowQuerySet.as_manager()

    class Meta:
        verbose_name = _("special day")
        verbose_name_plural = _("special days")
        ordering = ["-day"]
        constraints = [
            models.UniqueConstraint(
                fields=["calendar", "day"],
                name="work_day_once",
                nulls_distinct=False,
                violation_error_message=_("This day is entered already."),
            ),
        ]

    def __str__(self):
        return f"{self.day}"
