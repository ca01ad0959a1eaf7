"""The vendor's contract: its term, its clauses 违约条款, its payments, and what was broken."""

from decimal import Decimal

from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Func, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from clinic.models.base import AppendOnlyRow, Row
from maintenance.codes import BreachState, Formula, Measure, Severity
from maintenance.models.calendar import DistrictRowQuerySet
from maintenance.models.level import ServiceLevel
from maintenance.models.ticket import Ticket


class Days(Func):
    """``daterange(first, last, '[]')``: both days count."""

    function = "daterange"
    template = "%(function)s(%(expressions)s, '[]')"


class VendorContract(Row):
    """What the vendor has promised for which time. Contracts do not overlap: of each day there is one or none."""

    PRIVATE_FIELDS = frozenset()

    number = models.CharField(_("number"), max_length=40, unique=True)
    vendor = models.CharField(_("vendor"), max_length=100)
    starts = models.DateField(_("first day"))
    ends = models.DateField(_("last day"))
    amount = models.DecimalField(
        _("amount, CNY"), max_digits=12, decimal_places=2, validators=[MinValueValidator(Decimal(0))]
    )
    level = models.ForeignKey(
        ServiceLevel, models.PROTECT, related_name="contracts", verbose_name=_("service level")
    )
    history = HistoricalRecords()

    objects = DistrictRowQuerySet.as_manager()

    class Meta:
        verbose_name = _("vendor's contract")
        verbose_name_plural = _("vendor's contracts")
        ordering = ["-starts"]
        constraints = [
            models.CheckConstraint(
                condition=Q(ends__gte=F("starts")),
                name="vendor_contract_in_order",
                violation_error_message=_("The end lies before the beginning."),
            ),
            ExclusionConstraint(
                name="vendor_contract_one_at_a_time",
                expressions=[(Days("starts", "ends"), RangeOperators.OVERLAPS)],
                violation_error_message=_("Another contract holds in this time."),
            ),
        ]

    def __str__(self):
        return self.number


class Clause(Row):
    """One way to break the contract: what is measured, how the penalty is reckoned, and up to what. ``amount`` in CNY,
    ``percent`` of the contract's amount; ``cap`` is the most for one breach."""

    PRIVATE_FIELDS = frozenset()

    contract = models.ForeignKey(
        VendorContract, models.PROTECT, related_name="clauses", verbose_name=_("vendor's contract")
    )
    number = models.CharField(_("clause"), max_length=20)
    words = models.TextField(_("wording"), max_length=1000)
    measure = models.CharField(_("what is measured"), max_length=20, choices=Measure.choices)
    # Empty: of every severity.
    severity = models.CharField(_("of the severity"), max_length=10, choices=Severity.choices, blank=True)
    formula = models.CharField(_("penalty"), max_length=10, choices=Formula.choices)
    amount = models.DecimalField(_("amount, CNY"), max_digits=10, decimal_places=2, null=True, blank=True)
    percent = models.DecimalField(
        _("percent"), max_digits=5, decimal_places=2, null=True, blank=True,
        validators=[MinValueValidator(Decimal("0.01")), MaxValueValidator(Decimal(100))],
    )  # fmt: skip
    cap = models.DecimalField(_("at most, CNY"), max_digits=10, decimal_places=2, null=True, blank=True)
    history = HistoricalRecords()

    objects = DistrictRowQuerySet.as_manager()

    class Meta:
        verbose_name = _("clause")
        verbose_name_plural = _("clauses")
        ordering = ["contract", "number"]
        constraints = [
            models.UniqueConstraint(
                fields=["contract", "number"],
                name="clause_once",
                violation_error_message=_("The contract has this clause already."),
            ),
            models.CheckConstraint(
                condition=~Q(measure=""),
                name="clause_measures",
                violation_error_message=_("A clause says what is measured."),
            ),
            models.CheckConstraint(
                condition=Q(formula="percent", percent__isnull=False, amount=None)
                | (~Q(formula="percent") & Q(amount__isnull=False, percent=None)),
                name="clause_amount_or_percent",
                violation_error_message=_("The penalty is an amount or a percentage, as its formula says."),
            ),
            models.CheckConstraint(
                condition=(Q(amount=None) | Q(amount__gt=0)) & (Q(cap=None) | Q(cap__gt=0)),
                name="clause_amounts_positive",
                violation_error_message=_("Amounts are more than nothing."),
            ),
        ]

    def __str__(self):
        return self.number


class Payment(Row):
    """What is paid when; penalties of a statement are taken off the next one."""

    PRIVATE_FIELDS = frozenset()

    contract = models.ForeignKey(
        VendorContract, models.PROTECT, related_name="payments", verbose_name=_("vendor's contract")
    )
    due_on = models.DateField(_("due on"))
    amount = models.DecimalField(_("amount, CNY"), max_digits=12, decimal_places=2)
    paid_on = models.DateField(_("paid on"), null=True, blank=True)
    note = models.CharField(_("remark"), max_length=200, blank=True)
    history = HistoricalRecords()

    objects = DistrictRowQuerySet.as_manager()

    class Meta:
        verbose_name = _("payment")
        verbose_name_plural = _("payments")
        ordering = ["contract", "due_on"]

    def __str__(self):
        return f"{self.due_on} {self.amount}"


class Breach(Row):
    """A clause was broken. ``facts`` hold everything that the amount is reckoned from, as it was found: due, actual, working
    minutes over, the segments of the clock, the clause's numbers. A job opens it; the vendor objects; the centre confirms
    or waives."""

    PRIVATE_FIELDS = frozenset({"objection", "decision"})

    contract = models.ForeignKey(
        VendorContract, models.PROTECT, related_name="breaches", verbose_name=_("vendor's contract")
    )
    clause = models.ForeignKey(Clause, models.PROTECT, related_name="breaches", verbose_name=_("clause"))
    ticket = models.ForeignKey(
        Ticket, models.PROTECT, null=True, related_name="breaches", verbose_name=_("ticket")
    )
    # Which of its kind: a ticket is reopened more than once.
    part = models.CharField(max_length=40, blank=True, editable=False)
    on = models.DateField(_("day"))
    facts = models.JSONField(_("facts"), default=dict)
    amount = models.DecimalField(_("penalty, CNY"), max_digits=12, decimal_places=2)
    state = models.CharField(_("state"), max_length=10, choices=BreachState.choices, default=BreachState.OPEN)
    opened_at = models.DateTimeField(_("found at"), default=timezone.now)
    objection = models.CharField(_("objection"), max_length=500, blank=True)
    objected_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("objected by")
    )
    objected_at = models.DateTimeField(_("objected at"), null=True)
    decision = models.CharField(_("reason of the decision"), max_length=500, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("decided by")
    )
    decided_at = models.DateTimeField(_("decided at"), null=True)
    history = HistoricalRecords()

    objects = DistrictRowQuerySet.as_manager()

    class Meta:
        verbose_name = _("breach of contract")
        verbose_name_plural = _("breaches of contract")
        ordering = ["-on", "-pk"]
        permissions = [
            ("object_breach", "Can object to a breach for the vendor"),
            ("decide_breach", "Can confirm or waive a breach"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["clause", "ticket", "part"], name="breach_once", nulls_distinct=False
            ),
            models.CheckConstraint(
                condition=~Q(state="waived") | ~Q(decision=""),
                name="breach_waived_with_reason",
                violation_error_message=_("Why is it waived?"),
            ),
        ]
        indexes = [models.Index(fields=["contract", "-on"], name="breach_of_contract")]

    def __str__(self):
        return f"{self.clause} {self.on}"


class Statement(AppendOnlyRow):
    """A month's penalties, frozen: ``lines`` as they stood, their sum, and a hash over both."""

    PRIVATE_FIELDS = frozenset()

    contract = models.ForeignKey(
        VendorContract, models.PROTECT, related_name="statements", verbose_name=_("vendor's contract")
    )
    month = models.DateField(_("month"))
    lines = models.JSONField(_("lines"))
    total = models.DecimalField(_("sum, CNY"), max_digits=12, decimal_places=2)
    sha256 = models.CharField(_("hash"), max_length=64)
    made_at = models.DateTimeField(_("made at"), default=timezone.now)
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("made by")
    )

    objects = DistrictRowQuerySet.as_manager()

    class Meta(AppendOnlyRow.Meta):
        verbose_name = _("monthly statement")
        verbose_name_plural = _("monthly statements")
        ordering = ["-month"]
        constraints = [
            models.UniqueConstraint(
                fields=["contract", "month"],
                name="statement_once",
                violation_error_message=_("This month's statement is frozen already."),
            )
        ]

    def __str__(self):
        return f"{self.contract} {self.month:%Y-%m}"
