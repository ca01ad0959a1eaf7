"""The agreement of one resident with one team 签约协议, its packages and its signatures."""

from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from clinic.models import AccessGrant, Institution, Resident
from clinic.models.base import AppendOnlyRow, Row
from contracts.codes import (
    ALIVE,
    BORN,
    IN_FORCE,
    ONCE_IN_FORCE,
    AgreementState,
    EndReason,
    Party,
    Relation,
    SignatureKind,
    Source,
    Way,
)
from contracts.models.base import Days, SameRow
from contracts.models.package import AgreementText, PackageVersion
from contracts.models.team import Team

# What lists show of a resident; the rest of the file stays in the database.
LISTED_OF_RESIDENT = ("uuid", "name", "sex", "birth_date", "phone", "home_id")


class AgreementQuerySet(models.QuerySet):
    def in_scope(self, user):
        """Agreements of the user's institution and below it: lists."""
        if not (user.is_authenticated and user.has_perm("contracts.view_agreement")):
            return self.none()
        if user.institution.is_leaf:
            return self.filter(institution=user.institution_id)
        return self.filter(institution__in=Institution.objects.under(user.institution).values("pk"))

    def visible_to(self, user):
        """In scope, or of a resident whom the user may see: who receives a resident must know the team."""
        if not (user.is_authenticated and user.has_perm("contracts.view_agreement")):
            return self.none()
        where = Institution.objects.under(user.institution).values("pk")
        if user.institution.is_leaf:
            here = Q(institution=user.institution_id) | Q(resident__home=user.institution_id)
        else:
            here = Q(institution__in=where) | Q(resident__home__in=where)
        grants = AccessGrant.objects.in_force(user).filter(resident=OuterRef("resident"))
        return self.filter(here | Exists(grants))

    def listed(self):
        """With what a list shows of each, its resident, doctor and team, and nothing else."""
        return self.select_related("resident", "doctor", "team").only(
            "uuid", "number", "state", "start", "end", "last_served_on", "doctor__name", "team__name",
            *(f"resident__{name}" for name in LISTED_OF_RESIDENT),
        )  # fmt: skip

    def following(self):
        """Those that take an earlier one's place: no drafts, nothing refused, taken back or ended before it began."""
        return self.exclude(state__in=["draft", "refused", "revoked"]).exclude(ended_on__lt=F("start"))

    def alive(self):
        """Waiting for signature, signed or deemed signed, whatever the day."""
        return self.filter(state__in=ALIVE)

    def in_force(self, day=None):
        """Signed or deemed signed, and the day lies in the term."""
        day = day or timezone.localdate()
        return self.filter(state__in=IN_FORCE, start__lte=day, end__gte=day)

    def signed_on(self, day):
        """Whoever was signed on that day, whatever became of it since: what coverage counts."""
        return self.filter(state__in=ONCE_IN_FORCE, start__lte=day).filter(
            Q(ended_on=None, end__gte=day) | Q(ended_on__gte=day)
        )

    def expiring(self, first, last):
        """In force, and the last day lies between these, both included; none follows yet."""
        later = Agreement.objects.filter(follows=OuterRef("pk"), state__in=ALIVE)
        return self.filter(state__in=IN_FORCE, end__gte=first, end__lte=last).filter(~Exists(later))

    def of_resident(self, resident):
        """All of one person, absorbed rows included, the newest first."""
        return self.filter(resident__in=resident.record_ids()).order_by("-start", "-pk")


class Agreement(Row):
    """Its ``uuid`` is the key that the client made: a repeated save makes nothing new. What was put before the
    resident (state pending and later) never changes (trigger contracts_agreement_hold); the state goes its lawful
    moves (contracts.codes.MOVES)."""

    PRIVATE_FIELDS = frozenset(
        {
            "resident", "groups", "phone", "address", "representative", "representative_relation",
            "representative_phone", "end_note", "refusal_note", "note", "last_served_on",
        }
    )  # fmt: skip

    number = models.CharField(_("number"), max_length=40, unique=True, editable=False)
    state = models.CharField(
        _("state"), max_length=10, choices=AgreementState.choices, default=AgreementState.DRAFT
    )
    # Both parties.
    institution = models.ForeignKey(
        Institution, models.PROTECT, related_name="agreements", verbose_name=_("institution")
    )
    team = models.ForeignKey(Team, models.PROTECT, related_name="agreements", verbose_name=_("team"))
    doctor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="agreements", verbose_name=_("family doctor")
    )
    resident = models.ForeignKey(
        Resident, models.PROTECT, related_name="agreements", verbose_name=_("resident")
    )
    phone = models.CharField(_("phone"), max_length=20, blank=True)
    address = models.CharField(_("address"), max_length=200, blank=True)
    representative = models.CharField(_("representative"), max_length=60, blank=True)
    representative_relation = models.CharField(
        _("relation to the resident"), max_length=12, choices=Relation.choices, blank=True
    )
    representative_phone = models.CharField(_("representative's phone"), max_length=20, blank=True)
    # Codes of ``Group`` on the first day, as printed.
    groups = models.JSONField(_("key populations"), default=list, blank=True)
    # Term.
    start = models.DateField(_("first day"))
    end = models.DateField(_("last day"))
    years = models.PositiveSmallIntegerField(_("years"), default=1)
    # CNY for the whole term, added up from its packages when it was made.
    fee = models.DecimalField(_("fee, CNY"), max_digits=10, decimal_places=2, default=0)
    waived = models.DecimalField(_("waived, CNY"), max_digits=10, decimal_places=2, default=0)
    text = models.ForeignKey(
        AgreementText, models.PROTECT, null=True, blank=True, related_name="agreements",
        verbose_name=_("agreement text"),
    )  # fmt: skip
    read_at = models.DateTimeField(_("read and understood at"), null=True, blank=True)
    way = models.CharField(_("way of signing"), max_length=10, choices=Way.choices, default=Way.IN_PERSON)
    source = models.CharField(_("source"), max_length=10, choices=Source.choices, default=Source.PAGE)
    # The one that this renews or replaces.
    follows = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="followed_by", verbose_name=_("follows")
    )
    # Those signed in one go, as a household.
    sitting = models.UUIDField(_("signed together"), null=True, editable=False)
    # Of an import: the number in the old system.
    foreign_number = models.CharField(_("number elsewhere"), max_length=60, blank=True)
    note = models.CharField(_("remark"), max_length=200, blank=True)
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("made by")
    )
    made_at = models.DateTimeField(_("made at"), default=timezone.now)
    signed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("signed before")
    )
    signed_at = models.DateTimeField(_("signed at"), null=True)
    # The day of the last confirmed service: "signed but not served" is asked of this column.
    last_served_on = models.DateField(_("last served on"), null=True, editable=False)
    # How it ended. ``ended_on`` is the last day in force; the day before the first where it never was.
    ended_on = models.DateField(_("ended on"), null=True, blank=True)
    ended_at = models.DateTimeField(_("ending written at"), null=True)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("ended by")
    )
    end_reason = models.CharField(_("reason"), max_length=10, choices=EndReason.choices, blank=True)
    end_note = models.CharField(_("reason in words"), max_length=200, blank=True)
    refusal_note = models.CharField(_("why not signed, in words"), max_length=200, blank=True)
    history = HistoricalRecords(excluded_fields=["last_served_on"])

    objects = AgreementQuerySet.as_manager()

    class Meta:
        verbose_name = _("agreement")
        verbose_name_plural = _("agreements")
        ordering = ["-pk"]
        permissions = [
            ("sign_agreement", "Can make and sign agreements"),
            ("end_agreement", "Can end an agreement early"),
            ("batch_agreement", "Can renew and end many agreements at once"),
            ("import_agreement", "Can import agreements"),
            ("export_agreement", "Can export agreements"),
        ]
        indexes = [
            models.Index(fields=["team", "doctor"], name="agreement_load", condition=Q(state__in=ALIVE)),
            models.Index(
                fields=["team", "end", "id"], name="agreement_team_end", condition=Q(state__in=ALIVE)
            ),
            models.Index(fields=["institution", "-id"], name="agreement_newest"),
            models.Index(fields=["institution", "state", "end"], name="agreement_state_end"),
            models.Index(fields=["end"], name="agreement_end", condition=Q(state__in=IN_FORCE)),
            models.Index(
                fields=["team", "last_served_on"], name="agreement_served", condition=Q(state__in=IN_FORCE)
            ),
            models.Index(fields=["made_at"], name="agreement_waiting", condition=Q(state="pending")),
            models.Index(fields=["sitting"], name="agreement_sitting", condition=Q(sitting__isnull=False)),
        ]
        constraints = [
            ExclusionConstraint(
                name="agreement_one_alive",
                expressions=[
                    (SameRow("resident"), RangeOperators.OVERLAPS),
                    (Days("start", "end"), RangeOperators.OVERLAPS),
                ],
                condition=Q(state__in=ALIVE),
                violation_error_message=_("This resident has an agreement at that time already."),
            ),
            models.UniqueConstraint(
                fields=["follows"],
                # One that ended before it began followed nothing.
                condition=Q(follows__isnull=False)
                & ~Q(state__in=["draft", "refused", "revoked"])
                & (Q(ended_on=None) | Q(ended_on__gte=F("start"))),
                name="agreement_followed_once",
                violation_error_message=_("This agreement has been renewed or replaced already."),
            ),
            models.UniqueConstraint(
                fields=["institution", "foreign_number"],
                condition=~Q(foreign_number=""),
                name="agreement_foreign_once",
                violation_error_message=_("An agreement with this number has been imported already."),
            ),
            models.CheckConstraint(
                condition=Q(end__gte=F("start")),
                name="agreement_end_after_start",
                violation_error_message=_("The end lies before the beginning."),
            ),
            models.CheckConstraint(
                condition=Q(years__gte=1, years__lte=3),
                name="agreement_one_to_three_years",
                violation_error_message=_("An agreement is for one to three years."),
            ),
            models.CheckConstraint(
                condition=Q(waived__gte=0, waived__lte=F("fee")),
                name="agreement_waived_within_fee",
                violation_error_message=_("No more can be waived than the fee."),
            ),
            models.CheckConstraint(
                condition=~Q(way=Way.FAMILY) | (~Q(representative="") & ~Q(representative_relation="")),
                name="agreement_family_named",
                violation_error_message=_("Who signs for the resident, and how are they related?"),
            ),
            models.CheckConstraint(
                condition=Q(state__in=["draft", "pending", "refused", "revoked", "deemed"])
                | Q(signed_at__isnull=False, text__isnull=False)
                | Q(source__in=[Source.IMPORT])
                | Q(way=Way.HANDBOOK),
                name="agreement_signed_with_text",
                violation_error_message=_("Nothing is signed without a text."),
            ),
            models.CheckConstraint(
                condition=Q(state__in=[*BORN, "refused", "revoked"], ended_on=None)
                | (
                    Q(state__in=["expired", "terminated", "switched", "renewed"], ended_on__isnull=False)
                    & Q(ended_on__lte=F("end"))
                ),
                name="agreement_end_has_day",
                violation_error_message=_("An ended agreement has its last day within its term."),
            ),
        ]

    def __str__(self):
        return self.number

    @property
    def is_alive(self):
        return self.state in ALIVE

    @property
    def last_day(self):
        """The last day in force, planned or real."""
        return self.ended_on or self.end

    def in_force_on(self, day):
        return self.state in ONCE_IN_FORCE and self.start <= day <= self.last_day

    def days_left(self, day):
        """Days until the last one; negative when it has passed."""
        return (self.end - day).days

    @staticmethod
    def real_end():
        """The last day in force as an expression."""
        return Coalesce("ended_on", "end")


class OfAgreementQuerySet(models.QuerySet):
    """Rows that hang on an agreement are seen by whom may see it and the kind of row."""

    def visible_to(self, user):
        if not (user.is_authenticated and user.has_perm("contracts.view_agreement")):
            return self.none()
        return self.filter(agreement__in=Agreement.objects.visible_to(user))


class AgreementPackage(Row):
    """A package in the version that was signed, and what it cost then."""

    PRIVATE_FIELDS = frozenset()
    deletable = True  # from a draft

    agreement = models.ForeignKey(
        Agreement, models.PROTECT, related_name="packages", verbose_name=_("agreement")
    )
    version = models.ForeignKey(
        PackageVersion, models.PROTECT, related_name="agreements", verbose_name=_("package version")
    )
    # CNY a year.
    price = models.DecimalField(_("price, CNY a year"), max_digits=9, decimal_places=2)
    waiver = models.DecimalField(_("waived, CNY a year"), max_digits=9, decimal_places=2)

    objects = OfAgreementQuerySet.as_manager()

    class Meta:
        verbose_name = _("package of an agreement")
        verbose_name_plural = _("packages of an agreement")
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["agreement", "version"],
                name="agreement_package_once",
                violation_error_message=_("This package is chosen twice."),
            ),
        ]

    def __str__(self):
        return str(self.version)


class Signature(AppendOnlyRow):
    """What was drawn on the screen, or the scan of the paper. The picture has been decoded and written anew, so that
    nothing but a picture is kept (contracts.pictures)."""

    PRIVATE_FIELDS = frozenset({"picture", "signer"})

    uuid = models.UUIDField(_("public id"), unique=True, editable=False)
    agreement = models.ForeignKey(
        Agreement, models.PROTECT, related_name="signatures", verbose_name=_("agreement")
    )
    party = models.CharField(_("party"), max_length=10, choices=Party.choices)
    kind = models.CharField(_("kind"), max_length=10, choices=SignatureKind.choices)
    signer = models.CharField(_("who signed"), max_length=60)
    picture = models.BinaryField(_("picture"))
    mime = models.CharField(_("type"), max_length=20)
    # Pixels.
    width = models.PositiveIntegerField(_("width"))
    height = models.PositiveIntegerField(_("height"))
    sha256 = models.CharField(_("SHA-256"), max_length=64)
    made_at = models.DateTimeField(_("signed at"), default=timezone.now)
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("signed before")
    )

    objects = OfAgreementQuerySet.as_manager()

    class Meta(AppendOnlyRow.Meta):
        verbose_name = _("signature")
        verbose_name_plural = _("signatures")
        ordering = ["pk"]


class AgreementCounter(models.Model):
    """The last number given by one institution in one year. Locked while the next are taken."""

    PRIVATE_FIELDS: frozenset[str] = frozenset()

    institution = models.ForeignKey(
        Institution, models.PROTECT, related_name="+", verbose_name=_("institution")
    )
    year = models.PositiveSmallIntegerField(_("year"))
    last = models.PositiveIntegerField(_("last number"), default=0)

    class Meta:
        verbose_name = _("agreement counter")
        verbose_name_plural = _("agreement counters")
        constraints = [models.UniqueConstraint(fields=["institution", "year"], name="agreement_counter_once")]
