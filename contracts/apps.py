from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger
from django.apps import AppConfig
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from clinic import registry
from clinic.permissions import PAGE_ROLES


class ContractsConfig(AppConfig):
    name = "contracts"
    verbose_name = _("Family-doctor agreements")

    def ready(self):
        self._pages()
        self._desk()
        self._panels()
        self._jobs()
        self._audiences()
        self._demo()

    def _pages(self):
        """What doctors and nurses find in the page header."""
        registry.navigation.append(
            registry.NavigationItem(
                "my-team", _("My team"), ("contracts.view_agreement",), PAGE_ROLES, pages="/signing/"
            )
        )

    def _desk(self):
        """What the desk does first."""
        registry.desk_tiles.append(
            registry.DeskTile(
                "admin:contracts_agreement_changelist",
                _("Agreements"),
                _("Sign, renew, end; many at once; Excel in and out"),
                ("contracts.view_agreement",),
                order=30,
            )
        )
        registry.desk_tiles.append(
            registry.DeskTile(
                "admin:contracts_switchrequest_changelist",
                _("Changes of team"),
                _("Who wants to change, and what was decided"),
                ("contracts.decide_switchrequest",),
                order=35,
            )
        )
        registry.desk_tiles.append(
            registry.DeskTile(
                "signing-figures",
                _("Figures of signing"),
                _("Coverage, renewal and fulfilment by team and month"),
                ("contracts.view_figure",),
                order=34,
            )
        )
        registry.desk_tiles.append(
            registry.DeskTile(
                "signing-reminders",
                _("Agreements about to end"),
                _("Whom to call, and why somebody does not renew"),
                ("contracts.change_reminder",),
                order=33,
            )
        )

    def _panels(self):
        """The team on the resident's page and in the banner."""
        from contracts import panels  # noqa: PLC0415 - models are not loaded before

        registry.banner_badges.append(panels.badges)
        registry.resident_panels.append(
            registry.ResidentPanel(
                "contracts/_resident_panel.html", "contracts.view_agreement", panels.panel, order=12
            )
        )

    def _jobs(self):
        """What recurs, and what ``manage.py verify`` adds up."""
        from contracts import lifecycle  # noqa: PLC0415 - models are not loaded before

        registry.merge_checks.append(lifecycle.merge_obstacle)
        registry.checks.append(
            registry.Check("agreements", "contracts.verification.agreements", by_institution=True)
        )
        minute = IntervalTrigger(minutes=1, timezone=settings.TIME_ZONE)
        ten_minutes = IntervalTrigger(minutes=10, timezone=settings.TIME_ZONE)
        nightly = CronTrigger(hour=2, minute=25, timezone=settings.TIME_ZONE)
        registry.timetable += [
            registry.TimetableLine("add_up_figures", "contracts.jobs.add_up_figures", ten_minutes),
            registry.TimetableLine("add_up_all_figures", "contracts.jobs.add_up_all_figures", nightly),
            registry.TimetableLine("run_batches", "contracts.jobs.run_batches", minute),
            registry.TimetableLine("tend_agreements", "contracts.jobs.tend_agreements", minute),
            registry.TimetableLine("propose_evidence", "contracts.jobs.propose_evidence", minute),
            registry.TimetableLine(
                "propose_all_evidence",
                "contracts.jobs.propose_all_evidence",
                CronTrigger(hour=3, minute=25, timezone=settings.TIME_ZONE),
            ),
            registry.TimetableLine("remind_of_agreements", "contracts.jobs.remind", ten_minutes),
        ]

    def _audiences(self):
        """Whom messages about agreements go to."""
        from contracts import audiences  # noqa: PLC0415 - models are not loaded before

        audiences.register()

    def _demo(self):
        """The demo district's teams and agreements, and agreements by the hundred thousand."""
        registry.demo_rooms.append("contracts.seeding.demo.make")
        registry.volumes.append(
            registry.Volume(
                "agreements",
                "family-doctor agreements of residents who have none, with plans and proofs",
                "contracts.seeding.bulk.make",
                (
                    "contracts_agreement",
                    "contracts_agreementpackage",
                    "contracts_planitem",
                    "contracts_evidence",
                ),
            )
        )
