"""Leases elect one of many processes. A row, since advisory locks break behind PgBouncer."""

from datetime import timedelta

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class LeaseQuerySet(models.QuerySet):
    def take(self, name, holder, seconds, now):
        """Take or keep the lease for so many seconds; False while somebody else holds it. One statement,
        so of two at the same moment one gets it."""
        self.get_or_create(name=name)
        free = Q(holder=holder) | Q(until=None) | Q(until__lte=now)
        until = now + timedelta(seconds=seconds)
        return self.filter(free, name=name).update(holder=holder, until=until) == 1

    def release(self, name, holder):
        """Give it back early, so that the next need not wait for its end."""
        self.filter(name=name, holder=holder).update(holder="", until=None)


class Lease(models.Model):
    """Who may do the named thing until when; whoever finds it expired takes it."""

    PRIVATE_FIELDS: frozenset[str] = frozenset()
    deletable = True  # of workers that are gone

    name = models.CharField(_("name"), max_length=60, primary_key=True)
    holder = models.CharField(_("holder"), max_length=100, blank=True)
    until = models.DateTimeField(_("until"), null=True)
    last_run = models.JSONField(_("last runs"), default=dict)

    objects = LeaseQuerySet.as_manager()

    class Meta:
        verbose_name = _("lease")
        verbose_name_plural = _("leases")
