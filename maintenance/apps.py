from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger
from django.apps import AppConfig
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from clinic import registry
from clinic.codes import Role
from maintenance import desk

# How the addresses of all its pages begin.
PAGES = (
    "/tickets/",
    "/contract/",
    "/weekly/",
    "/meetings/",
    "/upgrades/",
    "/equipment/",
    "/emergency/",
    "/training/",
    "/help/",
)


class MaintenanceConfig(AppConfig):
    name = "maintenance"
    verbose_name = _("Maintenance")

    def ready(self):
        self._pages()
        self._desk()
        self._jobs()
        self._checks()
        self._demo()

    def _pages(self):
        """What people find in the page header, and where the vendor's engineers begin."""
        registry.navigation.append(
            registry.NavigationItem("tickets", _("Maintenance"), ("maintenance.add_ticket",), pages=PAGES)
        )
        registry.first_pages[Role.VENDOR] = "tickets"
        registry.preparations.append("maintenance.training.lessons.prepare")
        registry.welcomes.append("maintenance.training.lacking.welcome")
        registry.page_notices.append("maintenance.upgrading.notices.shown")

    def _desk(self):
        """What the desk does first."""
        registry.desk_tiles += desk.TILES

    def _jobs(self):
        """What recurs."""
        minute = IntervalTrigger(minutes=1, timezone=settings.TIME_ZONE)
        ten_minutes = IntervalTrigger(minutes=10, timezone=settings.TIME_ZONE)
        hour = IntervalTrigger(hours=1, timezone=settings.TIME_ZONE)
        registry.timetable += [
            registry.TimetableLine("escalate_tickets", "maintenance.jobs.escalate", minute),
            registry.TimetableLine("find_breaches", "maintenance.jobs.find_breaches", ten_minutes),
            registry.TimetableLine("recompute_tickets", "maintenance.jobs.recompute_tickets", hour),
            registry.TimetableLine(
                "make_weekly_reports",
                "maintenance.jobs.make_weekly_reports",
                CronTrigger(day_of_week="mon,tue", hour=7, minute=30, timezone=settings.TIME_ZONE),
            ),
            registry.TimetableLine(
                "make_kits",
                "maintenance.jobs.make_kits",
                CronTrigger(hour="6-9", minute=10, timezone=settings.TIME_ZONE),
            ),
            registry.TimetableLine("probe_lines", "maintenance.jobs.probe_lines", minute),
            registry.TimetableLine("remind_of_upgrades", "maintenance.jobs.remind_of_upgrades", hour),
            registry.TimetableLine("watch_upgrades", "maintenance.jobs.watch_upgrades", ten_minutes),
            registry.TimetableLine("forget_request_minutes", "maintenance.jobs.forget_request_minutes", hour),
            registry.TimetableLine("watch_backups", "maintenance.jobs.watch_backups", hour),
            registry.TimetableLine("close_silent_tickets", "maintenance.jobs.close_silent", hour),
        ]

    def _checks(self):
        """What ``manage.py verify`` adds up."""
        registry.checks += [
            registry.Check("vendor's contract", "maintenance.verification.contract"),
            registry.Check("weekly reports", "maintenance.verification.weekly_reports"),
        ]

    def _demo(self):
        """Maintenance's room of the demo district."""
        registry.demo_rooms.append("maintenance.seeding.demo.make")
