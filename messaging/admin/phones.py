"""What lists of phone numbers share at the desk: masked, shown by a click that the trail knows, found by POST."""

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic import audit, identifiers
from clinic.admin.base import CappedPaginator
from clinic.codes import Act
from messaging import routing

FOUND = 50


class PhoneDesk:
    """Mixed into the desk of a model with ``phone`` and ``uuid``."""

    paginator = CappedPaginator
    history_masks = {"phone": identifiers.mask_phone}
    change_list_template = "admin/messaging/gateway_phones.html"
    find_order = "-pk"

    def phone_urls(self):
        name = f"{self.opts.app_label}_{self.opts.model_name}"
        return [
            path("find/", self.admin_site.admin_view(self.find), name=f"{name}_find"),
            path("<uuid:row>/reveal/", self.admin_site.admin_view(self.reveal), name=f"{name}_reveal"),
        ]

    def get_urls(self):
        return [*self.phone_urls(), *super().get_urls()]

    def changelist_view(self, request, extra_context=None):
        return super().changelist_view(request, {**self.phone_context(), **(extra_context or {})})

    def phone_context(self):
        return {"find_url": reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_find")}

    def find(self, request):
        """Rows of one whole number; it never stands in the address."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        typed = request.POST.get("q", "")[:40]
        phone = routing.normalise(typed)
        rows = self.get_queryset(request).filter(phone=phone).order_by(self.find_order) if phone else []
        lines = [
            (self.address_of(row), self.masked(request, row), [self.cell(row, name) for name in self.find_columns])
            for row in rows[:FOUND]
        ]  # fmt: skip
        context = {
            **self.admin_site.each_context(request), **self.phone_context(), "opts": self.opts,
            "title": self.opts.verbose_name_plural, "q": typed, "lines": lines, "readable": phone is not None,
            "headings": [self.heading(name) for name in self.find_columns],
        }  # fmt: skip
        return TemplateResponse(request, "admin/messaging/gateway_phone_found.html", context)

    def heading(self, name):
        shown = getattr(self, name, None)
        return shown.short_description if shown else self.opts.get_field(name).verbose_name

    def cell(self, row, name):
        if shown := getattr(self, name, None):
            return shown(row)
        display = getattr(row, f"get_{name}_display", None)
        return display() if display else getattr(row, name)

    def reveal(self, request, row):
        """The number in clear; who looked stands in the trail."""
        found = self.fetch(request, str(row))
        if request.method != "POST" or not request.user.has_perm("clinic.reveal_resident"):
            raise PermissionDenied
        audit.record(Act.REVEAL, request=request, obj=found, detail={"field": "phone"})
        return HttpResponse(
            found.phone, content_type="text/plain; charset=utf-8", headers={"Cache-Control": "no-store"}
        )

    def masked(self, request, row):
        """The masked number, and for whom may see it the click that shows it."""
        plain = identifiers.mask_phone(row.phone)
        if not request.user.has_perm("clinic.reveal_resident"):
            return plain
        address = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_reveal", args=[row.uuid])
        return format_html(
            '<span class="desk-masked">{} <button type="button" hx-post="{}" hx-include="#desk-act"'
            ' hx-params="csrfmiddlewaretoken" hx-target="closest .desk-masked">{}</button></span>',
            plain, address, _("show"),
        )  # fmt: skip

    @admin.display(description=gettext_lazy("phone"))
    def shown_phone(self, row):
        return identifiers.mask_phone(row.phone)
