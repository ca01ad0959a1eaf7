"""Looking at a resident of another institution: with a reason, for a day."""

from datetime import timedelta

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from clinic.models.base import AppendOnlyRow, Row


class AccessGrantQuerySet(models.QuerySet):
    def in_force(self, user, at=None):
        at = at or timezone.now()
        return self.filter(user=user, granted_at__gt=at - timedelta(hours=settings.ACCESS_GRANT_HOURS))

    def visible_to(self, user):
        return self.filter(user=user)


class AccessGrant(Row, AppendOnlyRow):
    PRIVATE_FIELDS = frozenset({"resident", "reason"})

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="access_grants", verbose_name=_("staff member")
    )
    resident = models.ForeignKey(
        "clinic.Resident", models.PROTECT, related_name="access_grants", verbose_name=_("resident")
    )
    reason = models.CharField(_("reason"), max_length=200)
    granted_at = models.DateTimeField(_("granted at"), default=timezone.now)

    objects = AccessGrantQuerySet.as_manager()

    class Meta(AppendOnlyRow.Meta):
        verbose_name = _("access with reason")
        verbose_name_plural = _("access with reason")
        indexes = [models.Index(fields=["user", "resident", "granted_at"], name="access_grant_lookup")]
