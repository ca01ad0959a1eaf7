"""The people a district looks after. One row per person, over all institutions."""

from datetime import date

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from clinic import identifiers, pinyin
from clinic.codes import (
    BloodType,
    Ethnicity,
    HouseholdRelation,
    IdType,
    Insurance,
    KeyPopulation,
    LifeState,
    Marital,
    Occupation,
    RhType,
    Sex,
    TagSource,
)
from clinic.models.access import AccessGrant
from clinic.models.base import Row
from clinic.models.institution import Community, Institution


class ResidentQuerySet(models.QuerySet):
    def in_scope(self, user):
        """Residents whose home institution is the user's or below it."""
        if not user.has_perm("clinic.view_resident"):
            return self.none()
        if user.institution.is_leaf:
            return self.filter(home=user.institution_id)
        return self.filter(home__in=Institution.objects.under(user.institution).values("pk"))

    def visible_to(self, user, at=None):
        """In scope, or opened with a reason in the last hours (AccessGrant)."""
        if not user.has_perm("clinic.view_resident"):
            return self.none()
        grants = AccessGrant.objects.in_force(user, at).filter(resident=OuterRef("pk"))
        at_home = Q(home=user.institution_id)
        if not user.institution.is_leaf:
            at_home = Q(home__in=Institution.objects.under(user.institution).values("pk"))
        return self.filter(at_home | Exists(grants))

    def current(self):
        """Without those absorbed into another row by a merge."""
        return self.filter(merged_into=None)


class Resident(Row):
    """One person. The identity number is the person's key, the record number the file's."""

    PRIVATE_FIELDS = frozenset(
        {
            "record_number", "record_reversed", "id_number", "id_reversed", "name", "pinyin", "initials", "birth_date",
            "ethnicity", "nationality", "marital", "occupation", "employer", "phone", "phone_reversed", "contact_name",
            "contact_relation", "contact_phone", "address", "blood_type", "rh_type", "insurance", "insurance_number",
            "life_state", "life_state_on", "household", "household_relation", "note", "sex",
        }
    )  # fmt: skip

    record_number = models.CharField(
        _("health-record number"), max_length=17, unique=True, null=True, blank=True,
        validators=[identifiers.validate_record_number],
    )  # fmt: skip
    record_reversed = models.GeneratedField(
        expression=Reverse("record_number"),
        output_field=models.CharField(max_length=17, null=True),
        db_persist=True,
    )
    id_type = models.CharField(_("ID type"), max_length=2, choices=IdType.choices, default=IdType.RESIDENT)
    id_number = models.CharField(_("ID number"), max_length=30, blank=True)
    id_reversed = models.CharField(max_length=30, editable=False, blank=True)
    name = models.CharField(_("full name"), max_length=60)
    pinyin = models.CharField(_("pinyin"), max_length=200, editable=False, blank=True)
    initials = models.CharField(_("initials"), max_length=60, editable=False, blank=True)
    sex = models.CharField(_("sex"), max_length=1, choices=Sex.choices)
    birth_date = models.DateField(_("birth date"))
    ethnicity = models.PositiveSmallIntegerField(
        _("ethnicity"), choices=Ethnicity.choices, default=Ethnicity.HAN
    )
    nationality = models.CharField(_("nationality"), max_length=30, blank=True, default="中国")
    marital = models.CharField(_("marital status"), max_length=2, choices=Marital.choices, blank=True)
    occupation = models.CharField(_("occupation"), max_length=1, choices=Occupation.choices, blank=True)
    employer = models.CharField(_("employer"), max_length=100, blank=True)
    phone = models.CharField(_("phone"), max_length=20, blank=True)
    phone_reversed = models.CharField(max_length=20, editable=False, blank=True)
    contact_name = models.CharField(_("contact person"), max_length=60, blank=True)
    contact_relation = models.CharField(_("contact's relation"), max_length=20, blank=True)
    contact_phone = models.CharField(_("contact's phone"), max_length=20, blank=True)
    community = models.ForeignKey(
        Community,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="residents",
        verbose_name=_("neighbourhood"),
    )
    address = models.CharField(_("address"), max_length=200, blank=True)
    home = models.ForeignKey(
        Institution, models.PROTECT, related_name="residents", verbose_name=_("home institution")
    )
    insurance = models.CharField(_("insurance"), max_length=20, choices=Insurance.choices, blank=True)
    insurance_number = models.CharField(_("insurance number"), max_length=30, blank=True)
    blood_type = models.CharField(_("blood type"), max_length=2, choices=BloodType.choices, blank=True)
    rh_type = models.CharField(_("Rh type"), max_length=1, choices=RhType.choices, blank=True)
    household = models.ForeignKey(
        "clinic.Household",
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="members",
        verbose_name=_("household"),
    )
    household_relation = models.CharField(
        _("relation to head"), max_length=1, choices=HouseholdRelation.choices, blank=True
    )
    life_state = models.CharField(
        _("living state"), max_length=10, choices=LifeState.choices, default=LifeState.LIVING
    )
    life_state_on = models.DateField(_("since"), null=True, blank=True)
    no_known_allergies_on = models.DateField(_("no known allergies, asked on"), null=True, blank=True)
    note = models.CharField(_("remark"), max_length=200, blank=True)
    merged_into = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, editable=False, related_name="absorbed",
        verbose_name=_("merged into"),
    )  # fmt: skip
    source_id = models.CharField(_("number in the old system"), max_length=60, blank=True, editable=False)
    created_at = models.DateTimeField(_("registered at"), default=timezone.now, editable=False)
    history = HistoricalRecords(
        excluded_fields=["pinyin", "initials", "id_reversed", "phone_reversed", "record_reversed"]
    )

    objects = ResidentQuerySet.as_manager()

    class Meta:
        verbose_name = _("resident")
        verbose_name_plural = _("residents")
        ordering = ["-pk"]
        permissions = [
            ("merge_resident", "Can merge two rows of one person"),
            ("reveal_resident", "Can reveal a masked number"),
            ("import_resident", "Can import residents"),
            ("export_resident", "Can export residents"),
            ("open_foreign_resident", "Can open a resident of another institution with a reason"),
        ]
        # The search box: one indexed look-up per kind of key (clinic.search), prefix or reversed tail.
        indexes = [
            models.Index(
                fields=["home", "name"],
                name="resident_home_name",
                opclasses=["int8_ops", "varchar_pattern_ops"],
            ),
            models.Index(
                fields=["home", "initials"],
                name="resident_home_initials",
                opclasses=["int8_ops", "varchar_pattern_ops"],
            ),
            models.Index(
                fields=["home", "pinyin"],
                name="resident_home_pinyin",
                opclasses=["int8_ops", "varchar_pattern_ops"],
            ),
            models.Index(fields=["id_number"], name="resident_id", opclasses=["varchar_pattern_ops"]),
            models.Index(fields=["id_reversed"], name="resident_id_tail", opclasses=["varchar_pattern_ops"]),
            models.Index(fields=["phone"], name="resident_phone", opclasses=["varchar_pattern_ops"]),
            models.Index(
                fields=["phone_reversed"], name="resident_phone_tail", opclasses=["varchar_pattern_ops"]
            ),
            models.Index(fields=["record_number"], name="resident_record", opclasses=["varchar_pattern_ops"]),
            models.Index(
                fields=["record_reversed"], name="resident_record_tail", opclasses=["varchar_pattern_ops"]
            ),
            models.Index(fields=["birth_date", "name"], name="resident_birth_name"),
            models.Index(fields=["source_id"], name="resident_source", condition=~Q(source_id="")),
            # Who died or moved away: what they are party to ends (contracts.jobs).
            models.Index(fields=["life_state_on"], name="resident_gone", condition=~Q(life_state="living")),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["id_type", "id_number"],
                condition=~Q(id_number="") & Q(merged_into=None),
                name="resident_one_row_per_id",
                violation_error_message=_("A resident with this ID number is registered already."),
            ),
            models.UniqueConstraint(
                fields=["household"],
                condition=Q(household_relation=HouseholdRelation.HEAD),
                name="household_one_head",
                violation_error_message=_("This household has a head already."),
            ),
            models.UniqueConstraint(
                fields=["home", "source_id"], condition=~Q(source_id=""), name="resident_one_row_per_source"
            ),
        ]

    def __str__(self):
        return self.name

    def derive(self):
        """Fill the columns that the search reads; for rows that do not pass through ``save``."""
        self.id_reversed = self.id_number[::-1]
        self.phone_reversed = self.phone[::-1]
        self.pinyin, self.initials = pinyin.spell(self.name)

    def save(self, *args, update_fields=None, **kwargs):
        self.derive()
        if update_fields is not None:
            update_fields = {*update_fields, "id_reversed", "phone_reversed", "pinyin", "initials"}
        super().save(*args, update_fields=update_fields, **kwargs)

    def age_on(self, day: date) -> int:
        """Completed years."""
        return (
            day.year
            - self.birth_date.year
            - ((day.month, day.day) < (self.birth_date.month, self.birth_date.day))
        )

    @property
    def age(self):
        return self.age_on(timezone.localdate())

    @property
    def age_text(self):
        """Years; below three years months, below one month days, as paediatrics writes it."""
        return identifiers.age_text(self.birth_date, timezone.localdate())

    def age_groups_on(self, day):
        """Computed key populations: children up to six, seniors (settings)."""
        age = self.age_on(day)
        return [
            label
            for label, applies in (
                (_("child 0–6"), age <= settings.CHILD_AGE),
                (_("senior"), age >= settings.SENIOR_AGE),
            )
            if applies
        ]

    @property
    def masked_id(self):
        return identifiers.mask_id(self.id_number)

    @property
    def masked_phone(self):
        return identifiers.mask_phone(self.phone)

    @property
    def masked_contact_phone(self):
        return identifiers.mask_phone(self.contact_phone)

    @property
    def survivor(self):
        return self.merged_into or self

    def record_ids(self):
        """Row numbers whose records make up this person's file: own and absorbed ones."""
        return [self.pk, *self.absorbed.values_list("pk", flat=True)]

    @cached_property
    def file_ids(self):
        """The same, asked for once: for pages, which merge nothing."""
        return self.record_ids()


class OfResidentQuerySet(models.QuerySet):
    """Rows that hang on a resident are seen by whom may see the resident and the kind of row."""

    def visible_to(self, user):
        if not user.has_perm(f"clinic.view_{self.model._meta.model_name}"):
            return self.none()
        return self.filter(resident__in=Resident.objects.visible_to(user))


class KeyTag(Row):
    """A key population 重点人群 that a resident belongs to: who says so, from when, until when."""

    PRIVATE_FIELDS = frozenset({"resident", "tag", "since", "until"})

    resident = models.ForeignKey(
        Resident, models.PROTECT, related_name="key_tags", verbose_name=_("resident")
    )
    tag = models.CharField(_("key population"), max_length=20, choices=KeyPopulation.choices)
    source = models.CharField(_("source"), max_length=10, choices=TagSource.choices, default=TagSource.SURVEY)
    since = models.DateField(_("since"), default=timezone.localdate)
    until = models.DateField(_("until"), null=True, blank=True)
    history = HistoricalRecords()

    objects = OfResidentQuerySet.as_manager()

    class Meta:
        verbose_name = _("key population tag")
        verbose_name_plural = _("key population tags")
        ordering = ["tag"]
        constraints = [
            models.UniqueConstraint(
                fields=["resident", "tag"],
                condition=Q(until=None),
                name="keytag_once",
                violation_error_message=_("The resident carries this tag already."),
            ),
            models.CheckConstraint(
                condition=Q(until=None) | Q(until__gte=models.F("since")),
                name="keytag_until_after_since",
                violation_error_message=_("The end lies before the beginning."),
            ),
        ]

    def __str__(self):
        return self.get_tag_display()


class RecordNumberCounter(models.Model):
    """The last personal number given in one neighbourhood. Locked while the next is taken."""

    area = models.CharField(_("area"), max_length=12, primary_key=True)
    last = models.PositiveIntegerField(_("last number"), default=0)
    PRIVATE_FIELDS: frozenset[str] = frozenset()

    class Meta:
        verbose_name = _("record number counter")
        verbose_name_plural = _("record number counters")


class ResidentMergeQuerySet(models.QuerySet):
    def visible_to(self, user):
        rows = Resident.objects.visible_to(user).values("pk")
        return self.filter(survivor__in=rows, absorbed__in=rows)


class ResidentMerge(Row):
    """Two rows of one person joined: a pointer and who set it. Undoing takes the pointer away."""

    PRIVATE_FIELDS = frozenset({"reason", "undo_reason"})

    survivor = models.ForeignKey(Resident, models.PROTECT, related_name="merges", verbose_name=_("stays"))
    absorbed = models.ForeignKey(
        Resident, models.PROTECT, related_name="merged_away", verbose_name=_("absorbed")
    )
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("by"))
    at = models.DateTimeField(_("at"), default=timezone.now)
    reason = models.CharField(_("reason"), max_length=200)
    undone_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("undone by")
    )
    undone_at = models.DateTimeField(_("undone at"), null=True)
    undo_reason = models.CharField(_("reason for undoing"), max_length=200, blank=True)

    objects = ResidentMergeQuerySet.as_manager()

    class Meta:
        verbose_name = _("merge")
        verbose_name_plural = _("merges")
        ordering = ["-at"]
        constraints = [
            models.UniqueConstraint(fields=["absorbed"], condition=Q(undone_at=None), name="merge_once"),
        ]
