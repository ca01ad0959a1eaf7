from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger
from django.apps import AppConfig
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from clinic import registry
from clinic.permissions import PAGE_ROLES


class EmrConfig(AppConfig):
    name = "emr"
    verbose_name = _("Clinical records")

    def ready(self):
        from emr import panels  # noqa: PLC0415 - models are not loaded before
        from emr.papers import retention  # noqa: PLC0415 - the same

        registry.navigation += [
            registry.NavigationItem("home", _("My day"), ("emr.view_encounter",), PAGE_ROLES),
            registry.NavigationItem("reviews", _("Notes to review"), ("emr.review_note",), PAGE_ROLES),
            registry.NavigationItem("templates", _("Templates"), ("emr.view_notetemplate",), PAGE_ROLES),
            registry.NavigationItem("referrals", _("Referrals"), ("emr.view_referral",), PAGE_ROLES),
            registry.NavigationItem("filings", _("Insurance filings"), ("emr.file_insurance",), PAGE_ROLES),
            registry.NavigationItem("saves", _("My saves"), ("emr.view_save", "emr.write_note"), PAGE_ROLES),
        ]
        registry.page_buttons += [
            registry.ResidentButton("start-for", _("Start"), "emr.start_encounter"),
            registry.ResidentButton("check-in", _("To the waiting list"), "emr.check_in"),
        ]
        registry.resident_panels.append(
            registry.ResidentPanel("emr/_resident_visits.html", "emr.view_note", panels.visits, order=20)
        )
        registry.resident_panels.append(
            registry.ResidentPanel(
                "emr/referrals/_panel.html", "emr.view_referral", panels.referrals, order=25
            )
        )
        registry.resident_panels.append(
            registry.ResidentPanel("emr/papers/_panel.html", "emr.view_copyissue", retention.panel, order=60)
        )
        registry.resident_buttons.append(
            registry.ResidentButton(
                "papers", _("Copies and sealing"), "emr.view_copyissue", choose=True, own=True
            )
        )
        first_of_month = CronTrigger(day=1, hour=2, minute=40, timezone=settings.TIME_ZONE)
        registry.timetable.append(
            registry.TimetableLine("list_retention", "emr.jobs.list_retention", first_of_month)
        )
        registry.merge_checks.append(panels.merge_obstacle)
        registry.visit_filters.append(panels.visited_between)
        registry.timetable.append(
            registry.TimetableLine(
                "expire_referrals",
                "emr.jobs.expire_referrals",
                IntervalTrigger(hours=1, timezone=settings.TIME_ZONE),
            )
        )
        registry.timetable += [
            registry.TimetableLine(
                "tend_filings",
                "emr.jobs.tend_filings",
                IntervalTrigger(minutes=1, timezone=settings.TIME_ZONE),
            ),
            registry.TimetableLine(
                "compare_filings",
                "emr.jobs.compare_filings",
                CronTrigger(hour=2, minute=10, timezone=settings.TIME_ZONE),
            ),
        ]
        self._keep_seals()
        self._keep_drafts()
        self._quiet_visits(panels)

    def _quiet_visits(self, panels):
        registry.navigation.append(
            registry.NavigationItem(
                "after-visit", _("After-visit list"), ("emr.view_aftervisititem",), PAGE_ROLES
            )
        )
        registry.resident_panels.append(
            registry.ResidentPanel("emr/_standing_panel.html", "emr.view_note", panels.standing, order=15)
        )
        registry.desk_tiles.append(
            registry.DeskTile(
                "writing-cost",
                _("Cost of writing"),
                _("What charting costs, field by field"),
                ("emr.view_writingmeasure",),
                order=70,
            )
        )
        registry.timetable.append(
            registry.TimetableLine(
                "measure_writing",
                "emr.jobs.measure_writing",
                IntervalTrigger(minutes=10, timezone=settings.TIME_ZONE),
            )
        )

    def _keep_drafts(self):
        nightly = CronTrigger(hour=3, minute=20, timezone=settings.TIME_ZONE)
        registry.timetable.append(registry.TimetableLine("thin_drafts", "emr.jobs.thin_drafts", nightly))
        registry.desk_tiles.append(
            registry.DeskTile(
                "inquiry-search",
                _("Lost-record inquiry"),
                _("One visit's saves, faults and versions on a time line"),
                ("emr.inquire_record",),
                order=22,
            )
        )
        registry.inquiry_links.append("emr.saved.inquiry.link")
        registry.failed_saves.append("emr.saved.lists.failed_of")
        registry.counted_in.append("emr.saved.counting.of_time")
        registry.kit_lists.append("emr.kit.rows")
        registry.waiting_lists.append("emr.panels.waiting_rows")
        registry.visit_traffic.append("emr.saved.counting.visits_by_hour")

    def _keep_seals(self):
        def every(**interval):
            return IntervalTrigger(**interval, timezone=settings.TIME_ZONE)

        registry.timetable += [
            registry.TimetableLine("chain_seals", "emr.jobs.chain_seals", every(seconds=20)),
            registry.TimetableLine("adopt_seals", "emr.jobs.adopt_seals", every(minutes=10)),
            # Once a day in effect: asked hourly, so that a server that sleeps at night has its anchors too.
            registry.TimetableLine("anchor_seals", "emr.jobs.anchor_seals", every(hours=1)),
        ]
        registry.checks.append(registry.Check("seals", "emr.sealing.verification.seals", by_institution=True))
        registry.checks.append(
            registry.Check("papers", "emr.papers.verification.all_papers", by_institution=True)
        )
        registry.readiness.append(registry.ReadinessCheck("seal chain", "emr.sealing.chain.follows"))
        registry.preparations.append("emr.sealing.adoption.prepare")
