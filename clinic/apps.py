from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger
from django.apps import AppConfig
from django.conf import settings
from django.contrib.admin.apps import AdminConfig
from django.utils.translation import gettext_lazy as _

from clinic import registry


class ClinicConfig(AppConfig):
    name = "clinic"
    verbose_name = _("Clinics, staff and residents")

    def ready(self):
        night = CronTrigger(hour=3, minute=20, timezone=settings.TIME_ZONE)
        half_minute = IntervalTrigger(seconds=30, timezone=settings.TIME_ZONE)
        hour = IntervalTrigger(hours=1, timezone=settings.TIME_ZONE)
        registry.timetable += [
            registry.TimetableLine("chain_audit", "clinic.jobs.chain_audit", half_minute),
            # Once a day in effect: asked hourly, so that a server that sleeps at night has its anchor too.
            registry.TimetableLine("anchor_audit", "clinic.jobs.anchor_audit", hour),
            registry.TimetableLine("clear_sessions", "clinic.jobs.clear_sessions", night),
            registry.TimetableLine("prune_jobs", "clinic.jobs.prune_jobs", night),
        ]
        registry.checks.append(registry.Check("audit", "clinic.verification.audit_trail"))
        registry.readiness += [
            registry.ReadinessCheck("timetable", "clinic.readiness.timetable_seen"),
            registry.ReadinessCheck("jobs", "clinic.readiness.jobs_flow"),
            registry.ReadinessCheck("audit chain", "clinic.readiness.chain_follows"),
        ]


class StationDeskConfig(AdminConfig):
    """Django admin with the house's own site."""

    default_site = "clinic.site.SheyiAdminSite"
