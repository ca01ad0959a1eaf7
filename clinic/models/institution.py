"""District office → health centre → station, and the neighbourhoods they serve."""

from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from clinic.codes import InstitutionKind
from clinic.models.base import Row


class InstitutionQuerySet(models.QuerySet):
    def under(self, institution):
        """The institution itself and everything below it."""
        return self.filter(path__startswith=institution.path)

    def visible_to(self, user):
        """Everybody signed in may know who is who in the district; names of clinics are no secret."""
        return self if user.is_authenticated and user.institution_id else self.none()

    def active(self):
        return self.filter(active=True)


class Institution(Row):
    """One office, centre or station. ``path`` is the codes from the root, "/SG/C01/S0101/":
    a scope is one prefix, and an index range."""

    kind = models.CharField(_("kind"), max_length=10, choices=InstitutionKind.choices)
    parent = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="children", verbose_name=_("belongs to")
    )
    code = models.CharField(
        _("code"),
        max_length=22,
        unique=True,
        validators=[RegexValidator(r"^[0-9A-Za-z-]+\Z", _("Letters, digits and hyphens only."))],
    )
    name = models.CharField(_("name"), max_length=100)
    short_name = models.CharField(_("short name"), max_length=30)
    phone = models.CharField(_("phone"), max_length=30, blank=True)
    address = models.CharField(_("address"), max_length=200, blank=True)
    active = models.BooleanField(_("active"), default=True)
    path = models.CharField(_("path"), max_length=100, editable=False, unique=True)
    history = HistoricalRecords()

    objects = InstitutionQuerySet.as_manager()

    class Meta:
        verbose_name = _("institution")
        verbose_name_plural = _("institutions")
        ordering = ["path"]
        indexes = [models.Index(fields=["path"], name="institution_path", opclasses=["varchar_pattern_ops"])]
        constraints = [
            models.CheckConstraint(
                condition=Q(kind=InstitutionKind.DISTRICT, parent=None)
                | (~Q(kind=InstitutionKind.DISTRICT) & Q(parent__isnull=False)),
                name="institution_parent_fits_kind",
                violation_error_message=_("Only the district office stands without a parent."),
            ),
        ]

    def __str__(self):
        return self.short_name

    def save(self, *args, **kwargs):
        self.path = f"{self.parent.path if self.parent_id else '/'}{self.code}/"
        super().save(*args, **kwargs)

    @property
    def paths_up(self) -> list[str]:
        """The paths from the root down to this one."""
        parts = self.path.strip("/").split("/")
        return ["/" + "/".join(parts[: n + 1]) + "/" for n in range(len(parts))]

    @property
    def is_leaf(self):
        return self.kind == InstitutionKind.STATION


class Community(Row):
    """A neighbourhood or village committee: the first twelve digits of a health-record number
    (GB/T 2260 district, GB/T 10114 street, committee), and who looks after it."""

    code = models.CharField(
        _("code"),
        max_length=12,
        unique=True,
        validators=[RegexValidator(r"^[0-9]{12}\Z", _("Twelve digits."))],
    )
    name = models.CharField(_("name"), max_length=60)
    street = models.CharField(_("street"), max_length=60)
    institution = models.ForeignKey(
        Institution,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="communities",
        verbose_name=_("institution"),
    )

    history = HistoricalRecords()

    objects = InstitutionQuerySet.as_manager()

    class Meta:
        verbose_name = _("neighbourhood")
        verbose_name_plural = _("neighbourhoods")
        ordering = ["code"]

    def __str__(self):
        return f"{self.street}{self.name}"
