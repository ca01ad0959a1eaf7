from apscheduler.triggers.interval import IntervalTrigger
from django.apps import AppConfig
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from clinic import registry


class MaintenanceConfig(AppConfig):
    name = "maintenance"
    verbose_name = _("Maintenance")

    def ready(self):
        self._jobs()
        self._demo()

    def _jobs(self):
        """What recurs."""
        minute = IntervalTrigger(minutes=1, timezone=settings.TIME_ZONE)
        ten_minutes = IntervalTrigger(minutes=10, timezone=settings.TIME_ZONE)
        hour = IntervalTrigger(hours=1, timezone=settings.TIME_ZONE)
        registry.timetable += [
            registry.TimetableLine("escalate_tickets", "maintenance.jobs.escalate", minute),
            registry.TimetableLine("find_breaches", "maintenance.jobs.find_breaches", ten_minutes),
            registry.TimetableLine("close_silent_tickets", "maintenance.jobs.close_silent", hour),
        ]

    def _demo(self):
        """Maintenance's room of the demo district."""
        registry.demo_rooms.append("maintenance.seeding.demo.make")
