"""Texts with variables, written once."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from clinic.models import Institution
from clinic.models.base import Row
from clinic.models.scope import SharedRowQuerySet
from messaging.codes import Purpose


class SmsTemplateQuerySet(SharedRowQuerySet):
    def active(self):
        return self.filter(active=True)


class SmsTemplate(Row):
    """``body`` without signature; variables as ``{name}`` (messaging.texts). At most 500 characters (rules B6.4)."""

    PRIVATE_FIELDS = frozenset()

    institution = models.ForeignKey(
        Institution, models.PROTECT, related_name="sms_templates", verbose_name=_("institution")
    )
    name = models.CharField(_("name"), max_length=60)
    purpose = models.CharField(_("purpose"), max_length=10, choices=Purpose.choices)
    body = models.TextField(_("text"), max_length=500)
    active = models.BooleanField(_("in use"), default=True)
    made_by = models.ForeignKey(
        "clinic.User", models.PROTECT, null=True, related_name="+", editable=False, verbose_name=_("made by")
    )
    made_at = models.DateTimeField(_("made at"), default=timezone.now, editable=False)
    history = HistoricalRecords()

    objects = SmsTemplateQuerySet.as_manager()

    class Meta:
        verbose_name = _("message template")
        verbose_name_plural = _("message templates")
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["institution", "name"],
                name="sms_template_name_once",
                violation_error_message=_("This institution has a template of this name."),
            ),
        ]

    def __str__(self):
        return self.name
