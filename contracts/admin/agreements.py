"""Agreements at the station desk: the list with its filters, finding by name or number, one agreement with everything."""

from django.conf import settings
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import path
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from clinic import audit, identifiers, search
from clinic.admin.base import CappedPaginator, DeskAdmin
from clinic.codes import Act
from clinic.models import Resident
from contracts.admin.agreement_acts import AgreementActs
from contracts.admin.agreement_filters import (
    DoctorFilter,
    LightFilter,
    PackageFilter,
    PlaceFilter,
    ServedFilter,
    TeamFilter,
)
from contracts.admin.agreement_orders import AgreementOrders
from contracts.admin.agreement_sheets import AgreementSheets
from contracts.admin.agreement_signing import AgreementSigning
from contracts.codes import IN_FORCE, AgreementState
from contracts.models import Agreement, PlanItem, SwitchRequest

FOUND = 50
# Of so many people of a name the agreements are looked at: most of a station's 王芳 have none.
PEOPLE = 400


class NarrowPaginator(CappedPaginator):
    """First the row numbers of the page, then its rows: sorting and leafing through joined rows takes PostgreSQL a
    third of a second among half a million."""

    def page(self, number):
        page = super().page(number)
        keys = list(page.object_list.values_list("pk", flat=True))
        page.object_list = self.object_list.filter(pk__in=keys)
        return page


@admin.register(Agreement)
class AgreementAdmin(AgreementActs, AgreementOrders, AgreementSheets, AgreementSigning, DeskAdmin):
    paginator = NarrowPaginator
    list_display = [
        "number", "resident_name", "state_label", "term", "light", "team", "doctor", "served", "institution",
    ]  # fmt: skip
    list_filter = [
        "state", LightFilter, PlaceFilter, TeamFilter, DoctorFilter, PackageFilter, ServedFilter, "way", "source",
    ]  # fmt: skip
    list_select_related = ["resident", "team", "doctor", "institution"]
    sortable_by = ()
    change_list_template = "admin/contracts/agreement_list.html"
    history_masks = {"phone": identifiers.mask_phone, "representative_phone": identifiers.mask_phone}

    # Rows and rights ------------------------------------------------------------------------------

    def get_queryset(self, request):
        """The list is the institution's own; a page may also be of a resident who is looked after here."""
        match = request.resolver_match
        if match and match.url_name == "contracts_agreement_changelist":
            return Agreement.objects.in_scope(request.user)
        rows = super().get_queryset(request)
        return rows.select_related(
            "resident__home", "team__institution", "doctor", "institution", "text", "made_by", "signed_by"
        )

    def resident_of(self, obj):
        return obj.resident

    def has_add_permission(self, request):
        return request.user.has_perm("contracts.sign_agreement")

    def has_change_permission(self, request, obj=None):
        return False

    def get_list_display(self, request):
        """A station needs no column that says its own name."""
        shown = super().get_list_display(request)
        return [name for name in shown if name != "institution" or not request.user.institution.is_leaf]

    # The list -------------------------------------------------------------------------------------

    @admin.display(description=gettext_lazy("resident"))
    def resident_name(self, agreement):
        return agreement.resident.name

    @admin.display(description=gettext_lazy("state"))
    def state_label(self, agreement):
        return format_html(
            '<span class="state state-{}">{}</span>', agreement.state, agreement.get_state_display()
        )

    @admin.display(description=pgettext_lazy("agreement", "term"))
    def term(self, agreement):
        return format_html('<span class="nowrap">{} – {}</span>', agreement.start, agreement.last_day)

    @admin.display(description=gettext_lazy("left"))
    def light(self, agreement):
        return light_of(agreement, timezone.localdate()) or "—"

    @admin.display(description=gettext_lazy("last served on"))
    def served(self, agreement):
        return agreement.last_served_on.isoformat() if agreement.last_served_on else "—"

    # Pages ----------------------------------------------------------------------------------------

    def own_page(self, address, view, name):
        return path(address, self.admin_site.admin_view(view), name=f"contracts_agreement_{name}")

    def get_urls(self):
        return [
            self.own_page("find/", self.find, "find"),
            self.own_page("<uuid:agreement>/signature/<uuid:signature>/", self.signature, "signature"),
            *self.act_urls(), *self.sheet_urls(), *self.signing_urls(), *super().get_urls(),
        ]  # fmt: skip

    def find(self, request):
        """By a resident's name, pinyin or number, or by the agreement's own; never in the address."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        text = request.POST.get("q", "").strip()[: search.LONGEST]
        rows = list(self._found(request, text)[: FOUND + 1]) if text else []
        today = timezone.localdate()
        for row in rows:
            row.shown_light = light_of(row, today)
        context = {
            **self.admin_site.each_context(request), "opts": self.opts, "title": _("Find agreements"), "q": text,
            "rows": rows[:FOUND], "more": len(rows) > FOUND, "many": not request.user.institution.is_leaf,
        }  # fmt: skip
        return TemplateResponse(request, "admin/contracts/agreement_find.html", context)

    def _found(self, request, text):
        rows = Agreement.objects.visible_to(request.user).select_related(
            "resident", "team", "doctor", "institution"
        )
        number = identifiers.half_width(text).upper()
        if own := list(rows.filter(number=number)):
            return own
        people = [hit.resident.pk for hit in search.find(text, request.user, PEOPLE) if not hit.foreign]
        absorbed = (
            Resident.objects.visible_to(request.user)
            .filter(merged_into__in=people)
            .values_list("pk", flat=True)
        )
        return rows.filter(resident__in=[*people, *absorbed]).order_by("-start", "-pk")

    def change_view(self, request, object_id, form_url="", extra_context=None):
        """One agreement with everything, and what may be done with it now."""
        row = self.fetch(request, object_id)
        if request.method != "GET":
            raise PermissionDenied
        self.seen(request, row)
        today, related = timezone.localdate(), Agreement.objects.visible_to(request.user)
        follower = related.filter(follows=row).exclude(state=AgreementState.DRAFT).order_by("-pk").first()
        switches = (
            SwitchRequest.objects.visible_to(request.user).filter(agreement=row).select_related("to_team")
        )
        plan = PlanItem.objects.filter(agreement=row).select_related("item").order_by("due_from", "pk")
        context = {
            **self.admin_site.each_context(request), "opts": self.opts, "agreement": row, "today": today,
            "title": _("Agreement %(number)s") % {"number": row.number}, "light": light_of(row, today),
            "packages": list(row.packages.select_related("version__package")), "text": row.text,
            "plan": list(plan[:FOUND]), "signatures": list(row.signatures.defer("picture")), "after": follower,
            "before": row.follows_id and related.filter(pk=row.follows_id).first(), "switches": list(switches),
        }  # fmt: skip
        context["acts"] = self.lawful(request, row, today, follower, context["switches"])
        return TemplateResponse(request, "admin/contracts/agreement.html", context)

    def signature(self, request, agreement, signature):
        """The picture, as it was drawn or scanned."""
        row = self.fetch(request, str(agreement))
        one = get_object_or_404(row.signatures.all(), uuid=signature)
        audit.record(Act.VIEW, request=request, resident=row.resident, obj=one)
        headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
        return HttpResponse(bytes(one.picture), content_type=one.mime, headers=headers)


def light_of(agreement, today):
    """The days that are left, where a light is on; nothing else."""
    if agreement.state not in IN_FORCE:
        return ""
    left = agreement.days_left(today)
    if left < 0:
        return format_html('<span class="light light-30">{}</span>', _("over"))
    steps = [days for days in settings.CONTRACTS_LIGHTS if left <= days]
    if not steps or agreement.start > today:
        return ""
    return format_html(
        '<span class="light light-{}">{}</span>', steps[-1], _("%(n)d days left") % {"n": left}
    )
