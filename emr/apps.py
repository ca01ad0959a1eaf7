from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

from clinic import registry
from clinic.permissions import PAGE_ROLES


class EmrConfig(AppConfig):
    name = "emr"
    verbose_name = _("Clinical records")

    def ready(self):
        from emr import panels  # noqa: PLC0415 - models are not loaded before

        registry.navigation += [
            registry.NavigationItem("home", _("My day"), ("emr.view_encounter",), PAGE_ROLES),
            registry.NavigationItem("reviews", _("Notes to review"), ("emr.review_note",), PAGE_ROLES),
        ]
        registry.page_buttons += [
            registry.ResidentButton("start-for", _("Start"), "emr.start_encounter"),
            registry.ResidentButton("check-in", _("To the waiting list"), "emr.check_in"),
        ]
        registry.resident_panels.append(
            registry.ResidentPanel("emr/_resident_visits.html", "emr.view_note", panels.visits, order=20)
        )
        registry.merge_checks.append(panels.merge_obstacle)
