"""Service packages 服务包 and their versions: what was promised stays as it was signed."""

from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from simple_history.models import HistoricalRecords

from clinic.codes import Sex
from clinic.models import Institution
from clinic.models.base import Row
from clinic.models.scope import SharedRowQuerySet
from contracts.codes import PackageKind, Period, ServiceKind
from contracts.models.base import Days, SameRow


class Eligible(models.Model):
    """Whom it is for. ``groups``: codes of ``Group``, any of them; none given means everybody. Ages in completed
    years on the first day of the agreement, both ends included."""

    age_from = models.PositiveSmallIntegerField(_("age from"), null=True, blank=True)
    age_to = models.PositiveSmallIntegerField(_("age to"), null=True, blank=True)
    sex = models.CharField(
        _("sex"), max_length=1, blank=True, choices=[(Sex.MALE.value, Sex.MALE.label), (Sex.FEMALE.value, Sex.FEMALE.label)]
    )  # fmt: skip
    groups = models.JSONField(_("key populations"), default=list, blank=True)

    class Meta:
        abstract = True


class Package(Row):
    """Used by its institution and all below it."""

    PRIVATE_FIELDS = frozenset()

    institution = models.ForeignKey(
        Institution, models.PROTECT, related_name="packages", verbose_name=_("institution")
    )
    code = models.CharField(_("code"), max_length=20)
    name = models.CharField(_("name"), max_length=60)
    kind = models.CharField(_("kind"), max_length=10, choices=PackageKind.choices)
    active = models.BooleanField(_("in use"), default=True)
    history = HistoricalRecords()

    objects = SharedRowQuerySet.as_manager()

    class Meta:
        verbose_name = _("service package")
        verbose_name_plural = _("service packages")
        ordering = ["kind", "code"]
        permissions = [("publish_package", "Can publish a version of a package")]
        constraints = [
            models.UniqueConstraint(
                fields=["institution", "code"],
                name="package_code_once",
                violation_error_message=_("This institution has a package of this code."),
            ),
        ]

    def __str__(self):
        return self.name


class PackageVersionQuerySet(models.QuerySet):
    def visible_to(self, user):
        return self.filter(package__in=Package.objects.visible_to(user))

    def offered(self, institution, day):
        """Published versions that may be signed there on that day, of packages in use."""
        return self.filter(
            Q(valid_to=None) | Q(valid_to__gte=day),
            package__in=Package.objects.used_at(institution).filter(active=True),
            published_at__isnull=False,
            valid_from__lte=day,
        )


class PackageVersion(Row, Eligible):
    """What a package holds from a day on. Published, it never changes (trigger contracts_version_hold), save its
    last day."""

    PRIVATE_FIELDS = frozenset()

    package = models.ForeignKey(
        Package, models.PROTECT, related_name="versions", verbose_name=_("service package")
    )
    number = models.PositiveSmallIntegerField(_("version"))
    valid_from = models.DateField(_("valid from"))
    valid_to = models.DateField(_("valid until"), null=True, blank=True)
    # CNY a year.
    price = models.DecimalField(_("price, CNY a year"), max_digits=9, decimal_places=2, default=0)
    waiver = models.DecimalField(_("waived, CNY a year"), max_digits=9, decimal_places=2, default=0)
    waiver_note = models.CharField(_("who pays what is waived"), max_length=100, blank=True)
    description = models.TextField(_("description"), blank=True)
    published_at = models.DateTimeField(_("published at"), null=True, editable=False)
    published_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", editable=False,
        verbose_name=_("published by"),
    )  # fmt: skip
    history = HistoricalRecords()

    objects = PackageVersionQuerySet.as_manager()

    class Meta:
        verbose_name = _("package version")
        verbose_name_plural = _("package versions")
        ordering = ["package", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["package", "number"], name="package_version_once"),
            models.CheckConstraint(
                condition=Q(valid_to=None) | Q(valid_to__gte=F("valid_from")),
                name="package_valid_to_after_from",
                violation_error_message=_("The end lies before the beginning."),
            ),
            models.CheckConstraint(
                condition=Q(price__gte=0, waiver__gte=0) & Q(waiver__lte=F("price")),
                name="package_waiver_within_price",
                violation_error_message=_("No more can be waived than the price."),
            ),
            models.CheckConstraint(
                condition=Q(age_from=None) | Q(age_to=None) | Q(age_to__gte=F("age_from")),
                name="package_ages_in_order",
                violation_error_message=_("The ages are in the wrong order."),
            ),
            ExclusionConstraint(
                name="package_one_version_a_day",
                expressions=[
                    (SameRow("package"), RangeOperators.OVERLAPS),
                    (Days("valid_from", "valid_to"), RangeOperators.OVERLAPS),
                ],
                condition=Q(published_at__isnull=False),
                violation_error_message=_("Another published version of this package is valid at that time."),
            ),
        ]

    def __str__(self):
        return f"{self.package} v{self.number}"

    @property
    def is_published(self):
        return self.published_at is not None


class PackageItemQuerySet(models.QuerySet):
    def visible_to(self, user):
        return self.filter(version__in=PackageVersion.objects.visible_to(user))


class PackageItem(Row, Eligible):
    """One service of a version: ``times`` in each ``period``. ``evidence``: codes of EvidenceKind that propose
    themselves for it; by hand is always possible."""

    PRIVATE_FIELDS = frozenset()

    version = models.ForeignKey(
        PackageVersion, models.PROTECT, related_name="items", verbose_name=_("package version")
    )
    order = models.PositiveSmallIntegerField(_("order"), default=0)
    name = models.CharField(_("name"), max_length=60)
    service = models.CharField(_("kind of service"), max_length=20, choices=ServiceKind.choices)
    times = models.PositiveSmallIntegerField(_("times"), default=1)
    period = models.CharField(_("in"), max_length=10, choices=Period.choices, default=Period.YEAR)
    evidence = models.JSONField(_("evidence that proposes itself"), default=list, blank=True)
    deletable = True  # from a version that is not published yet
    history = HistoricalRecords()

    objects = PackageItemQuerySet.as_manager()

    class Meta:
        verbose_name = _("service of a package")
        verbose_name_plural = _("services of a package")
        ordering = ["version", "order", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(times__gte=1, times__lte=366),
                name="package_item_times",
                violation_error_message=_("At least once, at most every day."),
            ),
        ]

    def __str__(self):
        return self.name


class AgreementText(Row):
    """The wording that a resident reads and signs 协议文本. Published, it never changes."""

    PRIVATE_FIELDS = frozenset()

    institution = models.ForeignKey(
        Institution, models.PROTECT, related_name="agreement_texts", verbose_name=_("institution")
    )
    version = models.CharField(_("version"), max_length=20)
    title = models.CharField(pgettext_lazy("of a text", "title"), max_length=60)
    body = models.TextField(_("text"), max_length=20_000)
    valid_from = models.DateField(_("valid from"), default=timezone.localdate)
    published_at = models.DateTimeField(_("published at"), null=True, editable=False)
    published_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", editable=False,
        verbose_name=_("published by"),
    )  # fmt: skip
    history = HistoricalRecords()

    objects = SharedRowQuerySet.as_manager()

    class Meta:
        verbose_name = _("agreement text")
        verbose_name_plural = _("agreement texts")
        ordering = ["institution", "-valid_from", "-pk"]
        permissions = [("publish_agreementtext", "Can publish an agreement text")]
        constraints = [
            models.UniqueConstraint(
                fields=["institution", "version"],
                name="agreement_text_version_once",
                violation_error_message=_("This institution has a text of this version."),
            ),
        ]

    def __str__(self):
        return f"{self.title} {self.version}"
