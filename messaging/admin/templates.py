"""Message templates at the desk, counted while they are written."""

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.shortcuts import render
from django.urls import path, reverse, reverse_lazy
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic.admin.base import CappedPaginator, DeskAdmin, DeskForm
from clinic.admin.filters import InstitutionFilter
from clinic.models import Institution
from messaging import looking, texts
from messaging.actions import templates as actions
from messaging.models import SmsTemplate


class TemplateForm(DeskForm):
    class Meta:
        model = SmsTemplate
        fields = ["institution", "name", "purpose", "body", "active"]
        widgets = {
            "body": forms.Textarea({
                "rows": 4, "cols": 60, "maxlength": 500, "hx-post": reverse_lazy("admin:messaging_smstemplate_count"),
                "hx-trigger": "load, input changed delay:400ms", "hx-target": "#sms-count", "hx-sync": "this:replace",
            }),
        }  # fmt: skip


@admin.register(SmsTemplate)
class SmsTemplateAdmin(DeskAdmin):
    form = TemplateForm
    paginator = CappedPaginator
    list_display = ["name", "purpose", "shown", "institution", "active", "use"]
    list_filter = ["purpose", "active", InstitutionFilter]
    list_select_related = ["institution"]
    search_fields = ["name"]
    sortable_by = ()
    ordering = ["purpose", "name"]
    actions = None
    fields = ["name", "purpose", "institution", "body", "active"]
    change_form_template = "admin/messaging/template_form.html"

    def has_change_permission(self, request, obj=None):
        """Those of institutions above are shared downwards and written there."""
        allowed = super().has_change_permission(request, obj)
        return allowed and (obj is None or obj.institution.path.startswith(request.user.institution.path))

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("institution")

    def formfield_for_foreignkey(self, db_field, request, **kwargs):
        kwargs["queryset"] = Institution.objects.under(request.user.institution).active()
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def formfield_for_dbfield(self, db_field, request, **kwargs):
        if db_field.name == "body":
            return db_field.formfield(widget=TemplateForm._meta.widgets["body"])
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def get_changeform_initial_data(self, request):
        return {"institution": request.user.institution.uuid}

    def save_model(self, request, obj, form, change):
        data = form.cleaned_data
        kept = actions.keep(
            **{name: data[name] for name in ("institution", "name", "purpose", "body", "active")},
            by=request.user, row=obj if change else None, request=request,
        )  # fmt: skip
        obj.pk, obj.uuid = kept.pk, kept.uuid

    def render_change_form(self, request, context, *args, **kwargs):
        context["variables"] = [(f"{{{name}}}", label) for name, label in texts.VARIABLES.items()]
        return super().render_change_form(request, context, *args, **kwargs)

    @admin.display(description=gettext_lazy("text"))
    def shown(self, row):
        return row.body if len(row.body) <= 60 else f"{row.body[:60]}…"

    @admin.display(description="")
    def use(self, row):
        if not row.active:
            return ""
        address = f"{reverse('admin:messaging_campaign_add')}?template={row.uuid}"
        return format_html('<a class="desk-button" href="{}">{}</a>', address, _("New campaign"))

    def get_urls(self):
        count = path("count/", self.admin_site.admin_view(self.count), name="messaging_smstemplate_count")
        return [count, *super().get_urls()]

    def count(self, request):
        """Segments and warnings of the text as it stands."""
        if request.method != "POST" or not self.has_view_permission(request):
            raise PermissionDenied
        made = looking.of_template(
            institution=request.user.institution, body=request.POST.get("body", ""),
            purpose=request.POST.get("purpose", ""),
        )  # fmt: skip
        return render(request, "admin/messaging/_template_count.html", {"look": made})
