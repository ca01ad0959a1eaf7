"""How the pages answered."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _


class RequestMinute(models.Model):
    """Requests of one process in one minute; ``buckets`` by clinic.metering.EDGES."""

    PRIVATE_FIELDS: frozenset[str] = frozenset()
    deletable = True  # after a fortnight

    minute = models.DateTimeField(_("minute"))
    process = models.CharField(_("process"), max_length=60)
    requests = models.PositiveIntegerField(_("requests"))
    errors = models.PositiveIntegerField(_("errors"))
    buckets = ArrayField(models.PositiveIntegerField(), verbose_name=_("by time taken"))

    class Meta:
        verbose_name = _("minute of requests")
        verbose_name_plural = _("minutes of requests")
        indexes = [models.Index(fields=["minute"], name="request_minute")]

    def __str__(self):
        return f"{self.minute}"
