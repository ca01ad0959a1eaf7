from apscheduler.triggers.interval import IntervalTrigger
from django.apps import AppConfig
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from clinic import registry
from clinic.permissions import PAGE_ROLES


class MessagingConfig(AppConfig):
    name = "messaging"
    verbose_name = _("Messages")

    def ready(self):
        self._desk()
        self._building()
        self._hook()
        self._allowances()
        self._counts()
        registry.demo_rooms.append("messaging.seeding.demo.make")
        registry.checks.append(
            registry.Check("messages", "messaging.verification.messages", by_institution=True)
        )

    def _hook(self):
        """Also: the demo's gateways follow the simulated carriers to their ports."""
        registry.preparations.append("messaging.seeding.gateways.point")
        hourly = IntervalTrigger(hours=1, timezone=settings.TIME_ZONE)
        registry.timetable.append(
            registry.TimetableLine("forget_hook_calls", "messaging.jobs.forget_hook_calls", hourly)
        )

    def _counts(self):
        hourly = IntervalTrigger(hours=1, timezone=settings.TIME_ZONE)
        registry.timetable.append(
            registry.TimetableLine("add_up_tallies", "messaging.jobs.add_up_tallies", hourly)
        )

    def _allowances(self):
        ten_minutes = IntervalTrigger(minutes=10, timezone=settings.TIME_ZONE)
        registry.timetable.append(
            registry.TimetableLine("tend_allowances", "messaging.jobs.tend_allowances", ten_minutes)
        )
        registry.checks.append(
            registry.Check("allowances", "messaging.quota.verification.allowances", by_institution=True)
        )

    def _building(self):
        minute = IntervalTrigger(minutes=1, timezone=settings.TIME_ZONE)
        registry.timetable.append(
            registry.TimetableLine("build_left_behind", "messaging.jobs.build_left_behind", minute)
        )
        registry.timetable.append(
            registry.TimetableLine("clear_cancelled", "messaging.jobs.clear_cancelled", minute)
        )

    def _desk(self):
        """Call tasks for those who call, and how well messages reach a resident; campaigns bring their own tiles
        (messaging.admin)."""
        from messaging import reach  # noqa: PLC0415 - models are not loaded before

        registry.resident_panels.append(
            registry.ResidentPanel(
                "messaging/_reach_panel.html", "messaging.view_consent", reach.panel, order=30
            )
        )
        registry.navigation.append(
            registry.NavigationItem("calls", _("Call tasks"), ("messaging.view_calltask",), PAGE_ROLES)
        )
        registry.desk_tiles.append(
            registry.DeskTile(
                "calls",
                _("Call tasks"),
                _("People whom a message did not reach"),
                ("messaging.view_calltask",),
                order=24,
            )
        )
