"""Who to turn to: for each institution and side a person, a telephone, a deputy."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from simple_history.models import HistoricalRecords

from clinic.models import Institution
from clinic.models.base import Row
from clinic.models.scope import SharedRowQuerySet
from maintenance.codes import Side


class Contact(Row):
    """A place in the contact matrix. Escalations go to the person and, where there is one, the deputy."""

    PRIVATE_FIELDS = frozenset({"name", "phone", "deputy", "deputy_phone"})

    institution = models.ForeignKey(
        Institution, models.PROTECT, related_name="contacts", verbose_name=_("institution")
    )
    side = models.CharField(pgettext_lazy("ticket", "side"), max_length=20, choices=Side.choices)
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("staff member"),
    )
    name = models.CharField(_("name"), max_length=60, blank=True)
    phone = models.CharField(_("phone"), max_length=30, blank=True)
    deputy = models.CharField(_("deputy"), max_length=60, blank=True)
    deputy_phone = models.CharField(_("deputy's phone"), max_length=30, blank=True)
    active = models.BooleanField(_("in use"), default=True)
    history = HistoricalRecords()

    objects = SharedRowQuerySet.as_manager()

    class Meta:
        verbose_name = _("contact")
        verbose_name_plural = _("contacts")
        ordering = ["institution__path", "side"]
        constraints = [
            models.UniqueConstraint(
                fields=["institution", "side"],
                condition=Q(active=True),
                name="contact_of_side_once",
                violation_error_message=_("This side has its contact already."),
            ),
            models.CheckConstraint(
                condition=Q(person__isnull=False) | ~Q(name=""),
                name="contact_is_somebody",
                violation_error_message=_("Choose a staff member, or write a name."),
            ),
        ]

    def __str__(self):
        return str(self.person) if self.person_id else self.name
