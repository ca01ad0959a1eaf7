"""Carrier accounts at the desk of district IT: what they are, how they do, whether they work."""

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic import refusals, registry
from clinic.admin.base import DeskAdmin, DeskForm
from clinic.errors import Refused
from clinic.registry import DeskTile
from messaging import health, secrets
from messaging.actions import gateways as actions
from messaging.admin.gateway_form import OptionsForm, form_for, hide_secrets, option_names
from messaging.models import AllowedAddress, Gateway

ADDRESS = [("host", "port"), ("login", "new_secret"), "access_number"]
READ_ONLY_ADDRESS = [("host", "port"), "login", "access_number"]
PACE = [
    ("connections", "window", "rate"),
    ("connect_seconds", "answer_seconds", "idle_seconds", "report_hours"),
]


@admin.register(Gateway)
class GatewayAdmin(DeskAdmin):
    form = OptionsForm
    list_display = [
        "name",
        "shown_state",
        "protocol",
        "carrier",
        "address",
        "owner",
        "speed",
        "fault",
        "active",
    ]
    list_filter = ["protocol", "carrier", "active"]
    list_select_related = ["health"]
    search_fields = ["name", "=login"]
    search_help_text = gettext_lazy("Gateway's name, or account")
    actions = None
    sortable_by = ()
    change_form_template = "admin/messaging/gateway_form.html"
    change_list_template = "admin/messaging/gateway_list.html"
    history_masks = {"options": hide_secrets}

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("health")

    # The form -------------------------------------------------------------------------------------

    def get_form(self, request, obj=None, change=False, **kwargs):
        if self._writes(request, obj):
            kwargs["form"] = form_for(obj)
        return super().get_form(request, obj, change=change, **kwargs)

    def get_fieldsets(self, request, obj=None):
        writes = self._writes(request, obj)
        address = ADDRESS if writes else READ_ONLY_ADDRESS
        groups = [
            (None, {"fields": ["name", ("protocol", "carrier"), "active"]}),
            (_("Account"), {"fields": address}),
            (_("Pace and times"), {"fields": PACE}),
        ]
        if obj is None:
            return groups
        options = option_names(obj.protocol) if writes else ["shown_options"]
        return [*groups, (_("Options of the protocol"), {"fields": options, "classes": ["collapse"]})]

    def get_readonly_fields(self, request, obj=None):
        shown = [] if self._writes(request, obj) else ["shown_options"]
        return ["protocol", *shown] if obj else []

    def get_changeform_initial_data(self, request):
        return {"active": False, **super().get_changeform_initial_data(request)}

    def _writes(self, request, obj):
        return self.has_change_permission(request, obj) if obj else self.has_add_permission(request)

    def save_model(self, request, obj, form, change):
        actions.keep(
            gateway=obj, by=request.user, request=request, secret=form.cleaned_data["new_secret"],
            options=form.options() if change else None,
        )  # fmt: skip

    def changeform_view(self, request, object_id=None, form_url="", extra_context=None):
        response = super().changeform_view(request, object_id, form_url, extra_context)
        refusal = getattr(request, "refusal", None)
        if refusal is not None and refusal.code == "address":
            # What the action recorded went with its transaction.
            row = self.get_object(request, object_id) if object_id else Gateway()
            actions.refused_address(gateway=row, by=request.user, request=request)
        return response

    def render_change_form(self, request, context, add=False, change=False, form_url="", obj=None):
        if obj is not None:
            context.update(health=health.of(obj, timezone.now()), secret_where=secrets.where(obj.secret))
            context["may_test"] = request.user.has_perm("messaging.test_gateway")
        return super().render_change_form(request, context, add, change, form_url, obj)

    # Pages ----------------------------------------------------------------------------------------

    def get_urls(self):
        def page(address, view, name):
            return path(address, self.admin_site.admin_view(view), name=f"messaging_gateway_{name}")

        return [
            page("<uuid:gateway>/test/", self.test, "test"),
            page("<uuid:gateway>/switch/", self.switch, "switch"),
            page("<uuid:gateway>/health/", self.health, "health"),
            *super().get_urls(),
        ]

    def test(self, request, gateway):
        """Log in at the carrier now; what came of it stands above the form."""
        row = self.fetch(request, str(gateway))
        if request.method != "POST" or not request.user.has_perm("messaging.test_gateway"):
            raise PermissionDenied
        tried = actions.try_out(gateway=row, by=request.user, request=request)
        if request.htmx:
            context = {"tried": tried, "at": timezone.now()}
            return TemplateResponse(request, "admin/messaging/_gateway_tried.html", context)
        (messages.success if tried.ok else messages.error)(request, tried.sentence)
        return HttpResponseRedirect(self.address_of(row))

    def switch(self, request, gateway):
        row = self.fetch(request, str(gateway))
        if request.method != "POST" or not self.has_change_permission(request, row):
            raise PermissionDenied
        try:
            active = request.POST.get("active") == "1"
            row = actions.switch(gateway=row, active=active, by=request.user, request=request)
            said = _("%(name)s is in use.") if row.active else _("%(name)s is out of use.")
            messages.success(request, said % {"name": row.name})
        except Refused as refusal:
            refusals.tell(request, refusal)
        return HttpResponseRedirect(self.address_of(row))

    def health(self, request, gateway):
        """The box that looks again every few seconds."""
        row = self.fetch(request, str(gateway))
        context = {"original": row, "health": health.of(row, timezone.now())}
        return TemplateResponse(request, "admin/messaging/_gateway_health.html", context)

    # The list -------------------------------------------------------------------------------------

    @admin.display(description=gettext_lazy("state"))
    def shown_state(self, gateway):
        found = health.of(gateway, timezone.now())
        return format_html('<span class="gateway-state is-{}">{}</span>', found.state, found.label)

    @admin.display(description=gettext_lazy("address"))
    def address(self, gateway):
        return f"{gateway.host}:{gateway.port}"

    @admin.display(description=gettext_lazy("dispatcher"))
    def owner(self, gateway):
        found = health.of(gateway, timezone.now())
        return f"{found.row.holder} · {found.age_text}" if found.row and found.row.holder else "—"

    @admin.display(description=gettext_lazy("messages a second"))
    def speed(self, gateway):
        found = health.of(gateway, timezone.now())
        return f"{found.row.per_second:.0f}" if found.is_good else "—"

    @admin.display(description=gettext_lazy("last error"))
    def fault(self, gateway):
        row = getattr(gateway, "health", None)
        if row is None or not row.last_error:
            return "—"
        return f"{timezone.localtime(row.last_error_at):%m-%d %H:%M} {row.last_error}"

    @admin.display(description=gettext_lazy("options of the protocol"))
    def shown_options(self, gateway):
        return hide_secrets("; ".join(f"{name}: {value}" for name, value in gateway.options.items())) or "—"


class AllowedAddressForm(DeskForm):
    class Meta:
        model = AllowedAddress
        fields = ["network", "note", "active"]
        widgets = {"network": forms.TextInput({"size": 30})}


@admin.register(AllowedAddress)
class AllowedAddressAdmin(DeskAdmin):
    form = AllowedAddressForm
    list_display = ["network", "note", "active"]
    search_fields = ["network", "note"]
    actions = None
    change_list_template = "admin/messaging/gateway_addresses.html"

    def save_model(self, request, obj, form, change):
        actions.allow(address=obj, by=request.user, request=request)


registry.desk_tiles += [
    DeskTile("admin:messaging_gateway_changelist", gettext_lazy("Gateways"), gettext_lazy("Carrier accounts, how they do, test a connection"), ("messaging.view_gateway",), order=60),
    DeskTile("admin:messaging_allowedaddress_changelist", gettext_lazy("Allowed addresses"), gettext_lazy("Networks that gateways may be in"), ("messaging.view_allowedaddress",), order=64),
]  # fmt: skip
