"""Which gateways a carrier's numbers go through, and numbers that are on another network than their prefix says."""

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic import refusals, registry, spreadsheets
from clinic.admin.base import DeskAdmin, DeskForm
from clinic.errors import Refused
from clinic.registry import DeskTile
from messaging import health, routing
from messaging.actions import routes as actions
from messaging.admin.phones import PhoneDesk
from messaging.codes import Carrier
from messaging.models import Gateway, NumberOverride, Route

ROWS = 100_000
PHONE_WORDS = ("手机", "电话", "号码", "phone", "mobile", "number")
CARRIER_WORDS = ("运营商", "网络", "carrier", "network")


@admin.register(Route)
class RouteAdmin(DeskAdmin):
    """All routes on one page: carrier by carrier, the first gateway first."""

    addressed = False
    actions = None

    def has_add_permission(self, request):
        """On the page itself, not on a form of its own."""
        return False

    def get_urls(self):
        def page(address, view, name):
            return path(address, self.admin_site.admin_view(view), name=f"messaging_route_{name}")

        return [
            page("put/", self.put, "put"),
            page("<uuid:route>/<str:what>/", self.act, "act"),
            page("", self.changelist_view, "changelist"),
        ]

    def changelist_view(self, request, extra_context=None):
        if not self.has_view_or_change_permission(request):
            raise PermissionDenied
        now = timezone.now()
        rows = self.get_queryset(request).select_related("gateway__health").order_by("position", "pk")
        gateways = list(Gateway.objects.order_by("name").select_related("health"))
        table = routing.table()
        lists = [
            _card(carrier, [row for row in rows if row.carrier == carrier], gateways, table, now)
            for carrier in Carrier
        ]
        context = {
            **self.admin_site.each_context(request), "opts": self.opts, "title": self.opts.verbose_name_plural,
            "lists": lists, "bare": [card["carrier"].label for card in lists if not card["leads"]],
            "may": self.has_change_permission(request),
        }  # fmt: skip
        return TemplateResponse(request, "admin/messaging/route_list.html", context)

    def put(self, request):
        """Another gateway at the end of a carrier's route."""
        gateway = Gateway.objects.filter(uuid=_uuid(request.POST.get("gateway"))).first()
        if request.method != "POST" or not request.user.has_perm("messaging.add_route"):
            raise PermissionDenied
        if gateway is None:
            raise Http404
        carrier = request.POST.get("carrier", "")
        return self._done(
            request, lambda: actions.add(carrier=carrier, gateway=gateway, by=request.user, request=request)
        )

    def act(self, request, route, what):
        """One place up or down, in or out of use."""
        row = self.get_queryset(request).filter(uuid=route).select_related("gateway").first()
        if request.method != "POST" or not request.user.has_perm("messaging.change_route"):
            raise PermissionDenied
        if row is None or what not in {"up", "down", "on", "off"}:
            raise Http404
        shared = {"route": row, "by": request.user, "request": request}
        if what in {"on", "off"}:
            return self._done(request, lambda: actions.switch(active=what == "on", **shared))
        seen = request.POST.get("seen", "").split()
        return self._done(request, lambda: actions.move(up=what == "up", seen=seen, **shared))

    def _done(self, request, act):
        try:
            act()
        except Refused as refusal:
            refusals.tell(request, refusal)
        return HttpResponseRedirect(self.list_address())


def _card(carrier, rows, gateways, table, now):
    """One carrier's part of the page. ``leads``: whether its numbers get anywhere; ``instead``: by another's route."""
    there = {row.gateway_id for row in rows}
    for row in rows:
        row.health = health.of(row.gateway, now)
    own = [row for row in rows if row.active and row.gateway.active]
    return {
        "carrier": carrier, "rows": rows, "seen": " ".join(str(row.uuid) for row in rows),
        "others": [gateway for gateway in gateways if gateway.pk not in there],
        "leads": bool(table[carrier]), "instead": bool(table[carrier]) and not own,
    }  # fmt: skip


def _uuid(text):
    try:
        return forms.UUIDField().clean(text)
    except forms.ValidationError as error:
        raise Http404 from error


class OverrideForm(DeskForm):
    class Meta:
        model = NumberOverride
        fields = ["phone", "carrier"]
        widgets = {"phone": forms.TextInput({"inputmode": "numeric", "autocomplete": "off"})}

    def clean_phone(self):
        phone = routing.normalise(self.cleaned_data["phone"])
        if phone is None:
            raise forms.ValidationError(_("This is no mobile number."))
        return phone

    def validate_unique(self):
        """A number that is there already is written anew (messaging.actions.routes)."""


@admin.register(NumberOverride)
class NumberOverrideAdmin(PhoneDesk, DeskAdmin):
    form = OverrideForm
    list_display = ["shown_phone", "carrier", "source", "learnt_at", "until"]
    list_filter = ["carrier", "source"]
    find_columns = ["carrier", "source", "learnt_at", "until"]
    actions = None
    sortable_by = ()

    def get_readonly_fields(self, request, obj=None):
        return ["shown_phone", "source", "learnt_at", "until"] if obj else []

    def get_fields(self, request, obj=None):
        return ["shown_phone", "carrier", "source", "learnt_at", "until"] if obj else ["phone", "carrier"]

    def phone_context(self):
        return {**super().phone_context(), "import_url": reverse("admin:messaging_numberoverride_import")}

    def save_model(self, request, obj, form, change):
        kept = actions.set_number(phone=obj.phone, carrier=obj.carrier, by=request.user, request=request)
        obj.pk, obj.uuid = kept.pk, kept.uuid

    def get_urls(self):
        page = self.admin_site.admin_view(self.import_list)
        return [path("import/", page, name="messaging_numberoverride_import"), *super().get_urls()]

    def import_list(self, request):
        """A list of ported numbers: a trial run first, then the same file again."""
        if not request.user.has_perm("messaging.add_numberoverride"):
            raise PermissionDenied
        report, refusal = None, None
        if request.method == "POST":
            try:
                report = self._take_in(request)
            except Refused as error:
                refusal = error.message
        context = {
            **self.admin_site.each_context(request), "opts": self.opts, "title": _("Import ported numbers"),
            "report": report, "refusal": refusal,
        }  # fmt: skip
        status = 400 if refusal else 200
        return TemplateResponse(request, "admin/messaging/route_import.html", context, status=status)

    def _take_in(self, request):
        upload = request.FILES.get("file")
        if upload is None:
            raise Refused(_("Please choose a file."), code="file")
        headings, lines = spreadsheets.table(upload, most=ROWS)
        phone, carrier = _column(headings, PHONE_WORDS), _column(headings, CARRIER_WORDS)
        if phone is None or carrier is None:
            raise Refused(
                _("The first line needs the headings “phone” and “carrier” (手机号码, 运营商)."),
                code="columns",
            )
        report = actions.import_numbers(
            lines=((number, cells[phone], cells[carrier]) for number, cells in lines),
            by=request.user, dry_run="write" not in request.POST, request=request,
        )  # fmt: skip
        if report.done:
            messages.success(
                request, _("%(count)d numbers were written.") % {"count": report.new + report.changed}
            )
        return report


def _column(headings, words):
    """The first column whose heading holds one of the words."""
    return next(
        (at for at, text in enumerate(headings) if any(word in text.casefold() for word in words)), None
    )


registry.desk_tiles += [
    DeskTile("admin:messaging_route_changelist", gettext_lazy("Routes"), gettext_lazy("Which gateways a carrier's numbers go through"), ("messaging.view_route",), order=61),
    DeskTile("admin:messaging_numberoverride_changelist", gettext_lazy("Ported numbers"), gettext_lazy("Numbers on another network than their prefix says"), ("messaging.view_numberoverride",), order=62),
]  # fmt: skip
