from apscheduler.triggers.interval import IntervalTrigger
from django.apps import AppConfig
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from clinic import registry
from clinic.codes import Role


class MaintenanceConfig(AppConfig):
    name = "maintenance"
    verbose_name = _("Maintenance")

    def ready(self):
        self._pages()
        self._desk()
        self._jobs()
        self._demo()

    def _pages(self):
        """What people find in the page header, and where the vendor's engineers begin."""
        registry.navigation.append(
            registry.NavigationItem(
                "tickets", _("Maintenance"), ("maintenance.add_ticket",), pages="/tickets/"
            )
        )
        registry.first_pages[Role.VENDOR] = "tickets"

    def _desk(self):
        """What the desk does first."""
        registry.desk_tiles += [
            registry.DeskTile("tickets", _("Tickets"), _("Report, follow, confirm"), ("maintenance.add_ticket",), order=60),
            registry.DeskTile("board", _("Board"), _("What is overdue, for a screen on the wall"), ("maintenance.see_board",), order=61),
            registry.DeskTile("admin:maintenance_contact_changelist", _("Whom to call"), _("The contacts of each side, with deputies"), ("maintenance.view_contact",), order=62),
            registry.DeskTile("admin:maintenance_servicelevel_changelist", _("Service levels"), _("Times to respond and to resolve"), ("maintenance.change_servicelevel",), order=63),
            registry.DeskTile("admin:maintenance_workcalendar_changelist", _("Work calendars"), _("Working hours and lunch breaks"), ("maintenance.change_workcalendar",), order=64),
            registry.DeskTile("admin:maintenance_workday_changelist", _("Special days"), _("Holidays and moved working days"), ("maintenance.change_workday",), order=65),
        ]  # fmt: skip

    def _jobs(self):
        """What recurs."""
        minute = IntervalTrigger(minutes=1, timezone=settings.TIME_ZONE)
        ten_minutes = IntervalTrigger(minutes=10, timezone=settings.TIME_ZONE)
        hour = IntervalTrigger(hours=1, timezone=settings.TIME_ZONE)
        registry.timetable += [
            registry.TimetableLine("escalate_tickets", "maintenance.jobs.escalate", minute),
            registry.TimetableLine("find_breaches", "maintenance.jobs.find_breaches", ten_minutes),
            registry.TimetableLine("recompute_tickets", "maintenance.jobs.recompute_tickets", hour),
            registry.TimetableLine("close_silent_tickets", "maintenance.jobs.close_silent", hour),
        ]

    def _demo(self):
        """Maintenance's room of the demo district."""
        registry.demo_rooms.append("maintenance.seeding.demo.make")
