"""Leases elect one of many processes. A row, since advisory locks break behind PgBouncer."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Lease(models.Model):
    """Who may do the named thing until when; whoever finds it expired takes it."""

    PRIVATE_FIELDS: frozenset[str] = frozenset()

    name = models.CharField(_("name"), max_length=60, primary_key=True)
    holder = models.CharField(_("holder"), max_length=100, blank=True)
    until = models.DateTimeField(_("until"), null=True)
    last_run = models.JSONField(_("last runs"), default=dict)

    class Meta:
        verbose_name = _("lease")
        verbose_name_plural = _("leases")
