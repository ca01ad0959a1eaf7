"""How an institution signs: caps, lights, reminders; and the people who live in its area."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from clinic.models import Institution
from clinic.models.base import Row
from clinic.models.scope import InstitutionRowQuerySet
from contracts.codes import Group, RemindBy
from messaging.models import SmsTemplate


class SigningPractice(Row):
    """Choices of one institution; what is left open comes from the institution above (contracts.practice)."""

    PRIVATE_FIELDS = frozenset()

    institution = models.OneToOneField(
        Institution, models.PROTECT, related_name="signing", verbose_name=_("institution")
    )
    # Rules B4.3: about 2000 residents a family doctor.
    cap_doctor = models.PositiveIntegerField(_("cap of residents per family doctor"), null=True, blank=True)
    cap_team = models.PositiveIntegerField(_("cap of residents per team"), null=True, blank=True)
    # Percent of a cap.
    warn_at = models.PositiveSmallIntegerField(
        _("warn at percent of the cap"), null=True, blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(100)],
    )  # fmt: skip
    hard_stop = models.BooleanField(_("no agreement beyond the cap"), null=True)
    remind_by = models.CharField(_("remind by"), max_length=10, choices=RemindBy.choices, blank=True)
    remind_with = models.ForeignKey(
        SmsTemplate,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("with the template"),
    )
    # A signature that nobody gave in so many days is taken back, since it keeps the resident from other teams.
    pending_days = models.PositiveSmallIntegerField(_("days to wait for a signature"), null=True, blank=True)
    history = HistoricalRecords()

    objects = InstitutionRowQuerySet.as_manager()

    class Meta:
        verbose_name = _("signing practice")
        verbose_name_plural = _("signing practice")
        ordering = ["institution"]

    def __str__(self):
        return str(self.institution)


class Population(Row):
    """How many people of a group live in the area of an institution in a year: the lower half of coverage."""

    PRIVATE_FIELDS = frozenset()

    institution = models.ForeignKey(
        Institution, models.PROTECT, related_name="populations", verbose_name=_("institution")
    )
    year = models.PositiveSmallIntegerField(_("year"))
    group = models.CharField(_("group"), max_length=20, choices=Group.choices, default=Group.ALL)
    people = models.PositiveIntegerField(_("people"))
    document = models.CharField(_("document"), max_length=100, blank=True)
    history = HistoricalRecords()

    objects = InstitutionRowQuerySet.as_manager()

    class Meta:
        verbose_name = _("population of an area")
        verbose_name_plural = _("populations of areas")
        ordering = ["-year", "institution", "group"]
        constraints = [
            models.UniqueConstraint(
                fields=["institution", "year", "group"],
                name="population_once",
                violation_error_message=_("This number is entered already."),
            ),
        ]

    def __str__(self):
        return f"{self.institution} {self.year} {self.get_group_display()}"
