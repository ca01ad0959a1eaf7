"""What city insurance is told of a referral of the insured old or young 一老一小, and the number it gave."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from clinic.models import Institution
from clinic.models.base import Row
from emr.codes import FilingFault, FilingFinding, FilingState, InsuranceWay
from emr.models.referral import Referral, of

CLOSED = (FilingState.CONFIRMED, FilingState.CANCELLED)
# What a job does; the others wait for a person or for nobody.
UNDER_WAY = (FilingState.SENDING, FilingState.CANCELLING)
# After these nobody knows whether the interface has booked it.
UNCERTAIN = (FilingFault.UNREACHABLE, FilingFault.TOO_SLOW, FilingFault.GARBLED, FilingFault.LATE)


class InsuranceFilingQuerySet(models.QuerySet):
    def visible_to(self, user):
        """Of referrals that one's own institutions sent: theirs to file."""
        if not (user.is_authenticated and user.is_clinical and user.has_perm("emr.file_insurance")):
            return self.none()
        return self.filter(of(user, "institution"))

    def still_open(self):
        """Neither filed nor cancelled."""
        return self.exclude(state__in=CLOSED)

    def for_people(self):
        """What waits for somebody at a keyboard."""
        return self.filter(state__in=[FilingState.TO_DO, FilingState.TO_CANCEL])

    def left_behind(self, before):
        """On their way since before that time, and no job came back: its process died, or none runs."""
        return self.filter(state__in=UNDER_WAY).filter(
            Q(tried_at__lt=before) | Q(tried_at=None, made_at__lt=before)
        )

    def uncertain(self):
        """Fallen back to by hand, and the interface may have booked them all the same."""
        return self.filter(state=FilingState.TO_DO, fault__in=UNCERTAIN, settled=False).exclude(interface="")


class InsuranceFiling(Row):
    """One filing of one referral: by which way, how far, and which number came back (emr.insurance).

    ``way`` is how it is filed now; ``interface`` the interface that was ever asked and so may know of it;
    ``external_number`` the number in force; ``interface_number`` the one that the interface itself says.
    """

    PRIVATE_FIELDS = frozenset({"referral", "external_number", "interface_number", "answer"})

    referral = models.OneToOneField(
        Referral, models.PROTECT, related_name="filing", verbose_name=_("referral")
    )
    # The sender's, repeated here so that worklists need not read referrals. The trigger holds them equal.
    institution = models.ForeignKey(
        Institution, models.PROTECT, related_name="filings", verbose_name=_("institution")
    )
    way = models.CharField(_("way"), max_length=10, choices=InsuranceWay.choices)
    state = models.CharField(
        _("state"), max_length=10, choices=FilingState.choices, default=FilingState.TO_DO
    )
    interface = models.CharField(
        _("interface asked"), max_length=10, choices=InsuranceWay.choices, blank=True
    )
    external_number = models.CharField(_("number of the insurance"), max_length=40, blank=True)
    interface_number = models.CharField(_("number at the interface"), max_length=40, blank=True)
    fault = models.CharField(_("fault"), max_length=30, choices=FilingFault.choices, blank=True)
    answer = models.CharField(_("answer of the insurance"), max_length=200, blank=True)
    settled = models.BooleanField(_("known not to be at the interface"), default=False)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    tried_at = models.DateTimeField(_("tried at"), null=True)
    finding = models.CharField(_("finding"), max_length=10, choices=FilingFinding.choices, blank=True)
    checked_at = models.DateTimeField(_("compared at"), null=True)
    filed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("filed by")
    )
    filed_at = models.DateTimeField(_("filed at"), null=True)
    made_at = models.DateTimeField(_("made at"), default=timezone.now)
    history = HistoricalRecords()

    objects = InsuranceFilingQuerySet.as_manager()

    class Meta:
        verbose_name = _("filing with the insurance")
        verbose_name_plural = _("filings with the insurance")
        ordering = ["made_at"]
        permissions = [("file_insurance", "Can file a referral with the insurance")]
        indexes = [
            models.Index(
                fields=["institution", "made_at"],
                name="filing_open",
                condition=~Q(state__in=["confirmed", "cancelled"]),
            ),
            models.Index(fields=["external_number"], name="filing_number", condition=~Q(external_number="")),
            models.Index(fields=["made_at"], name="filing_compared", condition=~Q(interface="")),
        ]
        constraints = [
            models.CheckConstraint(
                condition=~Q(state=FilingState.CONFIRMED) | ~Q(external_number=""),
                name="filing_confirmed_number",
                violation_error_message=_("A filed referral has the number that the insurance gave."),
            ),
        ]

    def __str__(self):
        return str(self.referral)

    @property
    def is_open(self):
        return self.state not in CLOSED

    @property
    def is_under_way(self):
        return self.state in UNDER_WAY

    @property
    def fell_back(self):
        """An interface was meant to do it, and it is by hand now."""
        return self.way == InsuranceWay.BY_HAND and self.interface != ""

    @property
    def is_uncertain(self):
        return (
            self.state == FilingState.TO_DO
            and self.interface != ""
            and self.fault in UNCERTAIN
            and not self.settled
        )
