"""The allowance of an institution and year: a ledger whose sum is the truth."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from clinic.models import Institution
from clinic.models.base import AppendOnlyRow, Row
from clinic.models.scope import InstitutionRowQuerySet
from messaging.codes import AtLimit, LoanState, QuotaKind, WarningLevel
from messaging.models.campaign import Campaign

GRANTS = [
    QuotaKind.ALLOTMENT, QuotaKind.TOP_UP, QuotaKind.SHARE, QuotaKind.LOAN, QuotaKind.LOAN_RETURN, QuotaKind.CORRECTION,
]  # fmt: skip


class Quota(Row):
    """One institution's allowance of one year, in segments. An institution without one uses the nearest above it.
    Whoever writes an entry locks this row first."""

    PRIVATE_FIELDS = frozenset()

    institution = models.ForeignKey(
        Institution, models.PROTECT, related_name="quotas", verbose_name=_("institution")
    )
    year = models.PositiveSmallIntegerField(_("year"))
    at_limit = models.CharField(
        _("when used up"), max_length=10, choices=AtLimit.choices, default=AtLimit.APPROVE
    )
    history = HistoricalRecords()

    objects = InstitutionRowQuerySet.as_manager()

    class Meta:
        verbose_name = _("message allowance")
        verbose_name_plural = _("message allowances")
        ordering = ["-year", "institution"]
        permissions = [
            ("fill_quota", "Can allot and top up message allowances"),
            ("share_quota", "Can share the allowance with institutions below"),
            ("exceed_quota", "Can approve a campaign beyond the allowance"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["institution", "year"],
                name="quota_one_a_year",
                violation_error_message=_("This institution has its allowance of this year."),
            ),
        ]

    def __str__(self):
        return f"{self.institution} {self.year}"


class OfQuotaQuerySet(models.QuerySet):
    def visible_to(self, user):
        if not (user.is_authenticated and user.has_perm("messaging.view_quota")):
            return self.none()
        return self.filter(quota__institution__path__startswith=user.institution.path)


class QuotaEntry(AppendOnlyRow):
    """One move of segments. ``free``, ``reserved`` and ``used`` are signed; what is granted changes ``free`` alone,
    every other entry moves between pots and adds up to nothing."""

    PRIVATE_FIELDS = frozenset()

    quota = models.ForeignKey(Quota, models.PROTECT, related_name="entries", verbose_name=_("allowance"))
    kind = models.CharField(_("kind"), max_length=12, choices=QuotaKind.choices)
    free = models.IntegerField(_("free"), default=0)
    reserved = models.IntegerField(_("reserved"), default=0)
    used = models.IntegerField(_("used"), default=0)
    campaign = models.ForeignKey(
        Campaign,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="quota_entries",
        verbose_name=_("campaign"),
    )
    # The other side of a share or a loan.
    counterpart = models.ForeignKey(
        Quota, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("other institution")
    )
    document = models.CharField(_("document"), max_length=100, blank=True)
    money = models.DecimalField(_("amount, CNY"), max_digits=12, decimal_places=2, null=True, blank=True)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("written by")
    )
    at = models.DateTimeField(_("time"), default=timezone.now)
    key = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)

    objects = OfQuotaQuerySet.as_manager()

    class Meta(AppendOnlyRow.Meta):
        verbose_name = _("ledger entry")
        verbose_name_plural = _("ledger entries")
        ordering = ["-pk"]
        indexes = [models.Index(fields=["campaign"], name="quota_entry_campaign")]
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=GRANTS, reserved=0, used=0)
                | (~Q(kind__in=GRANTS) & Q(free=0 - F("reserved") - F("used"))),
                name="quota_entry_adds_up",
            ),
        ]


class QuotaLoan(Row):
    """Segments lent by one institution to another, agreed by the district."""

    PRIVATE_FIELDS = frozenset()

    lender = models.ForeignKey(Quota, models.PROTECT, related_name="lent", verbose_name=_("lender"))
    borrower = models.ForeignKey(Quota, models.PROTECT, related_name="borrowed", verbose_name=_("borrower"))
    segments = models.PositiveIntegerField(_("segments"))
    reason = models.CharField(_("reason"), max_length=200)
    state = models.CharField(_("state"), max_length=10, choices=LoanState.choices, default=LoanState.ASKED)
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("asked by")
    )
    asked_at = models.DateTimeField(_("asked at"), default=timezone.now)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("decided by")
    )
    decided_at = models.DateTimeField(_("decided at"), null=True)
    history = HistoricalRecords()

    class LoanQuerySet(models.QuerySet):
        def visible_to(self, user):
            if not (user.is_authenticated and user.has_perm("messaging.view_quotaloan")):
                return self.none()
            path = user.institution.path
            return self.filter(
                Q(lender__institution__path__startswith=path)
                | Q(borrower__institution__path__startswith=path)
            )

    objects = LoanQuerySet.as_manager()

    class Meta:
        verbose_name = _("loan of messages")
        verbose_name_plural = _("loans of messages")
        ordering = ["-asked_at"]
        permissions = [("decide_quotaloan", "Can decide on a loan of messages")]
        constraints = [
            models.CheckConstraint(
                condition=~Q(lender=F("borrower")),
                name="loan_of_two",
                violation_error_message=_("Lender and borrower are two."),
            ),
            models.CheckConstraint(
                condition=Q(decided_by=None) | ~Q(decided_by=F("asked_by")),
                name="loan_second_person",
                violation_error_message=_("A second person decides."),
            ),
        ]

    def __str__(self):
        return f"{self.lender} → {self.borrower}"


class QuotaWarning(AppendOnlyRow):
    """The day an allowance passed 80, 95 or 100 %; written once, shown until somebody has read it at the desk."""

    PRIVATE_FIELDS = frozenset()

    quota = models.ForeignKey(Quota, models.PROTECT, related_name="warnings", verbose_name=_("allowance"))
    level = models.PositiveSmallIntegerField(_("level"), choices=WarningLevel.choices)
    granted = models.IntegerField(_("granted then"))
    spoken_for = models.IntegerField(_("used or reserved then"))
    at = models.DateTimeField(_("time"), default=timezone.now)

    objects = OfQuotaQuerySet.as_manager()

    class Meta(AppendOnlyRow.Meta):
        verbose_name = _("warning of an allowance")
        verbose_name_plural = _("warnings of allowances")
        ordering = ["-at"]
        constraints = [
            models.UniqueConstraint(fields=["quota", "level", "granted"], name="quota_warning_once"),
        ]
