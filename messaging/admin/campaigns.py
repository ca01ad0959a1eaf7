"""Campaigns at the desk: the list, and one campaign's page while it is made, sent and over."""

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.shortcuts import render
from django.template.response import TemplateResponse
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic import registry
from clinic.admin.base import CappedPaginator, DeskAdmin
from clinic.admin.filters import FromDay, InstitutionFilter, ToDay
from clinic.registry import DeskTile
from messaging import charts, looking, practice, progress, unreached
from messaging.admin.campaign_acts import CampaignActs, lawful
from messaging.admin.campaign_lists import CampaignLists
from messaging.admin.composing import Composing
from messaging.admin.overview import Overview
from messaging.codes import CampaignKind, CampaignState
from messaging.models import Campaign

# While these last, the page looks again every two seconds; else something may happen, but not by itself.
MOVING = (CampaignState.BUILDING, CampaignState.RUNNING)


class MadeFrom(FromDay):
    field = "made_at"


class MadeTo(ToDay):
    field = "made_at"


class KindFilter(admin.SimpleListFilter):
    """Campaigns, unless the standing ones of single messages or test sends are asked for."""

    title = gettext_lazy("kind")
    parameter_name = "kind"

    def lookups(self, request, model_admin):
        return [(kind.value, kind.label) for kind in CampaignKind if kind != CampaignKind.BULK]

    def choices(self, changelist):
        every, *others = super().choices(changelist)
        yield {**every, "display": CampaignKind.BULK.label}
        yield from others

    def queryset(self, request, queryset):
        return queryset.filter(kind=self.value() or CampaignKind.BULK)


@admin.register(Campaign)
class CampaignAdmin(CampaignActs, CampaignLists, Composing, Overview, DeskAdmin):
    paginator = CappedPaginator
    list_display = [
        "name", "state_label", "purpose", "recipients_made", "arrived", "rate", "made", "made_by", "institution",
    ]  # fmt: skip
    list_filter = [KindFilter, "state", "purpose", MadeFrom, MadeTo, InstitutionFilter]
    list_select_related = ["made_by", "institution"]
    sortable_by = ()
    actions = None
    change_list_template = "admin/messaging/campaign_list.html"
    # A text may name what a person has; who writes it reads it on the page, not among the versions.
    history_hidden = frozenset({"audience", "fingerprint"})

    def get_queryset(self, request):
        return super().get_queryset(request).select_related(
            "institution", "made_by", "released_by", "approved_by", "template"
        )  # fmt: skip

    def changelist_view(self, request, extra_context=None):
        """The sums of all rows of the page in one query."""
        response = super().changelist_view(request, extra_context)
        if hasattr(response, "context_data") and (shown := response.context_data.get("cl")):
            rows = list(shown.result_list)
            sums = progress.of_all(rows)
            for row in rows:
                row.sums = sums[row.pk]
            shown.result_list = rows
        return response

    @admin.display(description=gettext_lazy("state"))
    def state_label(self, campaign):
        return campaign.get_state_display()

    @admin.display(description=gettext_lazy("messages"))
    def recipients_made(self, campaign):
        return campaign.sums.created or "—"

    @admin.display(description=gettext_lazy("arrived"))
    def arrived(self, campaign):
        return campaign.sums.delivered if campaign.sums.created else "—"

    @admin.display(description=gettext_lazy("delivery rate"))
    def rate(self, campaign):
        return "—" if campaign.sums.rate is None else f"{campaign.sums.rate} %"

    @admin.display(description=gettext_lazy("made at"))
    def made(self, campaign):
        return f"{timezone.localtime(campaign.made_at):%Y-%m-%d %H:%M}"

    # Pages ----------------------------------------------------------------------------------------

    def own_page(self, address, view, name):
        return path(address, self.admin_site.admin_view(view), name=f"messaging_campaign_{name}")

    def get_urls(self):
        return [
            self.own_page("<uuid:campaign>/live/", self.live, "live"),
            *self.act_urls(), *self.list_urls(), *self.compose_urls(), *self.overview_urls(), *super().get_urls(),
        ]  # fmt: skip

    def change_view(self, request, object_id, form_url="", extra_context=None):
        """The campaign's page."""
        row = self.fetch(request, object_id)
        if request.method != "GET":
            raise PermissionDenied
        context = {
            **self.admin_site.each_context(request), "opts": self.opts, "title": row.name,
            "left_out": unreached.left_out_by_reason(row), "own": row.kind == CampaignKind.BULK,
            **self.facts(request, row, rates=True),
        }  # fmt: skip
        if row.state in (CampaignState.READY, CampaignState.WAITING):
            context.update(looking.before_release(row, request.user))
        return TemplateResponse(request, "admin/messaging/campaign.html", context)

    def live(self, request, campaign):
        """The moving parts alone; ``?rates=1``: with the figures by carrier and station."""
        row = self.fetch(request, str(campaign))
        return render(
            request, "admin/messaging/_campaign_live.html", self.facts(request, row, rates="rates" in request.GET)
        )  # fmt: skip

    def facts(self, request, row, *, rates):
        sums = progress.of(row)
        choices = practice.of(row.institution)
        now = timezone.now()
        context = {
            "campaign": row,
            "sums": sums,
            "parts": charts.states(sums),
            "word": _word(row, sums, choices, now),
            "acts": lawful(row, request.user, choices),
            "pace": _pace(row, sums),
            "people": request.user.has_perm("messaging.view_message"),
            "rates": [] if rates else None,
        }
        if rates and (sums.delivered or sums.lost or sums.under_way):
            found = progress.breakdown([row])
            context["rates"] = [
                (_("By carrier"), charts.lines(found.carriers)), (_("By gateway"), charts.lines(found.gateways)),
                (_("By institution"), charts.lines(found.places)),
            ]  # fmt: skip
            context["chart"] = charts.columns(found.hours)
        return context

    def save_model(self, request, obj, form, change):
        raise PermissionDenied  # written through actions alone


def _pace(row, sums):
    if row.state in MOVING:
        return "quick"
    if row.is_over and not (sums.waiting or sums.under_way):
        return "over"
    return "slow"


def _word(row, sums, choices, now):
    """What the campaign waits for, in a sentence."""
    local = timezone.localtime
    if row.fault:
        return row.fault
    if row.state == CampaignState.BUILDING:
        return _("The audience is being counted; the messages are made ready.")
    if row.state == CampaignState.WAITING:
        return _("A second person has to approve it. It is not sent before.")
    if row.state == CampaignState.READY:
        return _("Nothing is sent yet. Please look at the figures, then release it.")
    if row.state == CampaignState.RUNNING and row.send_at and row.send_at > now:
        return _("It begins at %(time)s.") % {"time": f"{local(row.send_at):%m-%d %H:%M}"}
    if (
        row.state == CampaignState.RUNNING
        and sums.waiting
        and not row.quiet_override
        and practice.is_quiet(choices, now)
    ):
        begins = local(practice.next_allowed(choices, now))
        return _("Quiet hours: it goes on at %(time)s.") % {"time": f"{begins:%m-%d %H:%M}"}
    if row.state == CampaignState.PAUSED:
        return _("Nothing new is sent. What is with the carriers already arrives all the same.")
    if row.is_over and sums.under_way:
        return _("All is sent; receipts of %(n)d messages are still to come.") % {"n": sums.under_way}
    return ""


registry.desk_tiles.append(
    DeskTile("admin:messaging_campaign_changelist", gettext_lazy("Campaigns"), gettext_lazy("Messages to many residents: make, approve, watch"), ("messaging.view_campaign",), order=23)
)  # fmt: skip
