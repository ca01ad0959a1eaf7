"""Diagnosis and medicine terms, by code system and release."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from clinic.models.base import Row
from emr.codes import System


class TermReleaseQuerySet(models.QuerySet):
    def visible_to(self, user):
        return self if user.has_perm("emr.view_term") else self.none()

    def in_force(self, day):
        """The release of each system that is valid on the day: the youngest that has begun."""
        return self.filter(valid_from__lte=day).order_by("system", "-valid_from", "-pk").distinct("system")


class TermRelease(Row):
    """One import of one code system. Old notes keep their code and name whatever comes later."""

    system = models.CharField(_("code system"), max_length=20, choices=System.choices)
    name = models.CharField(_("release"), max_length=40)
    valid_from = models.DateField(_("valid from"))
    imported_at = models.DateTimeField(_("imported at"), default=timezone.now)
    terms_count = models.PositiveIntegerField(_("terms"), default=0)

    objects = TermReleaseQuerySet.as_manager()

    class Meta:
        verbose_name = _("release of terms")
        verbose_name_plural = _("releases of terms")
        ordering = ["system", "-valid_from"]
        constraints = [models.UniqueConstraint(fields=["system", "name"], name="termrelease_once")]

    def __str__(self):
        return f"{self.get_system_display()} {self.name}"


class TermQuerySet(models.QuerySet):
    def visible_to(self, user):
        return self if user.has_perm("emr.view_term") else self.none()


class Term(models.Model):
    """One code with one name. ``grams`` are what emr.terminology searches by (a GIN index over an array
    needs no extension)."""

    PRIVATE_FIELDS: frozenset[str] = frozenset()

    release = models.ForeignKey(TermRelease, models.CASCADE, related_name="terms", verbose_name=_("release"))
    code = models.CharField(_("code"), max_length=30)
    name = models.CharField(_("name"), max_length=200)
    pinyin = models.CharField(_("pinyin"), max_length=200, blank=True)
    initials = models.CharField(_("initials"), max_length=60, blank=True)
    rank = models.PositiveSmallIntegerField(_("rank"), default=0)
    grams = ArrayField(models.CharField(max_length=4), default=list)

    objects = TermQuerySet.as_manager()

    class Meta:
        verbose_name = _("term")
        verbose_name_plural = _("terms")
        ordering = ["code"]
        constraints = [models.UniqueConstraint(fields=["release", "code", "name"], name="term_once")]
        indexes = [
            models.Index(
                fields=["release", "code"], name="term_code", opclasses=["int8_ops", "varchar_pattern_ops"]
            ),
            models.Index(
                fields=["release", "initials"],
                name="term_initials",
                opclasses=["int8_ops", "varchar_pattern_ops"],
            ),
            GinIndex(fields=["grams"], name="term_grams"),
        ]

    def __str__(self):
        return f"{self.code} {self.name}"


class DiagnosisUse(models.Model):
    """How often a doctor signed a term: the picker shows one's own most used first."""

    PRIVATE_FIELDS: frozenset[str] = frozenset()

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="diagnosis_uses", verbose_name=_("doctor")
    )
    system = models.CharField(_("code system"), max_length=20, choices=System.choices)
    code = models.CharField(_("code"), max_length=30)
    name = models.CharField(_("name"), max_length=200)
    count = models.PositiveIntegerField(_("times"), default=0)
    last_used = models.DateTimeField(_("last used"), default=timezone.now)

    class Meta:
        verbose_name = _("used term")
        verbose_name_plural = _("used terms")
        constraints = [
            models.UniqueConstraint(fields=["user", "system", "code", "name"], name="diagnosisuse_once")
        ]
        indexes = [models.Index(fields=["user", "-count"], name="diagnosisuse_user")]
