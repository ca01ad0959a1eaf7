"""A month of messages at a glance: its campaigns, and how well they arrive by gateway and centre."""

from datetime import date, datetime, time

from django.core.exceptions import PermissionDenied
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic import registry
from clinic.codes import InstitutionKind
from clinic.registry import DeskTile
from messaging import charts, progress
from messaging.codes import CampaignKind
from messaging.models import Campaign

SHOWN = 50
# More campaigns than a district makes in a month; the figures are of the last so many.
COUNTED = 2000


class Overview:
    """Mixed into CampaignAdmin."""

    def overview_urls(self):
        return [self.own_page("overview/", self.overview, "overview")]

    def overview(self, request):
        """``?month=2026-11``; this month unless asked otherwise."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        month = month_of(request.GET.get("month", ""))
        begin, end = _moment(month), _moment(_next(month))
        mine = Campaign.objects.visible_to(request.user)
        bulk = mine.bulk().filter(made_at__gte=begin, made_at__lt=end).select_related("institution")
        rows = list(bulk.order_by("-pk")[:COUNTED])
        singles = list(mine.filter(kind=CampaignKind.SINGLES)[:COUNTED])
        sums = progress.of_all(rows[:SHOWN])
        for row in rows[:SHOWN]:
            row.sums = sums[row.pk]
        found = progress.breakdown([*rows, *singles], _centre, begin, end)
        context = {
            **self.admin_site.each_context(request), "opts": self.opts, "title": _("Messages this month"),
            "month": month, "before": _before(month), "after": _next(month) if end <= timezone.now() else None,
            "rows": rows[:SHOWN], "count": len(rows),
            "delivered": sum(rate.delivered for rate in found.carriers),
            "decided": sum(rate.decided for rate in found.carriers),
            "rates": [
                (_("By gateway"), charts.lines(found.gateways)), (_("By centre"), charts.lines(found.places)),
                (_("By carrier"), charts.lines(found.carriers)),
            ],
            "chart": charts.columns(found.hours),
        }  # fmt: skip
        context["rate"] = progress.percent(context["delivered"], context["decided"])
        return TemplateResponse(request, "admin/messaging/overview.html", context)


def month_of(text) -> date:
    """The first day of the month; what is no month, or not yet, is this one."""
    this = timezone.localdate().replace(day=1)
    try:
        asked = parse_date(f"{text}-01") or this
    except ValueError:
        return this
    return asked if date(2000, 1, 1) <= asked <= this else this


def _next(month):
    return month.replace(year=month.year + month.month // 12, month=month.month % 12 + 1)


def _before(month):
    return month.replace(year=month.year - (month.month == 1), month=(month.month - 2) % 12 + 1)


def _moment(day):
    return timezone.make_aware(datetime.combine(day, time.min))


def _centre(institution):
    """Whose figures these are: a station's are its centre's."""
    return (
        institution.parent
        if institution.kind == InstitutionKind.STATION and institution.parent
        else institution
    )


registry.desk_tiles.append(
    DeskTile("admin:messaging_campaign_overview", gettext_lazy("Messages this month"), gettext_lazy("Campaigns, delivery by gateway and centre"), ("messaging.view_campaign", "messaging.approve_campaign"), order=25)
)  # fmt: skip
