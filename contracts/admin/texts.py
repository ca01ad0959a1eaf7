"""The wording that residents read and sign: written, looked at as it will be read, published."""

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpResponseRedirect
from django.urls import path
from django.utils.translation import gettext as _

from clinic import refusals
from clinic.admin.base import DeskAdmin, DeskForm
from clinic.errors import Refused
from clinic.models import Institution
from contracts.actions import packages as actions
from contracts.models import AgreementText


class TextForm(DeskForm):
    class Meta:
        model = AgreementText
        fields = ["institution", "version", "title", "valid_from", "body"]
        widgets = {
            "body": forms.Textarea({"rows": 22, "cols": 80}),
            "valid_from": forms.DateInput({"type": "date"}, format="%Y-%m-%d"),
        }


@admin.register(AgreementText)
class AgreementTextAdmin(DeskAdmin):
    form = TextForm
    list_display = ["title", "version", "institution", "valid_from", "published_at"]
    list_select_related = ["institution"]
    sortable_by = ()
    actions = None
    fields = ["institution", "version", "title", "valid_from", "body"]
    change_form_template = "admin/contracts/text.html"

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("institution", "published_by")

    def get_readonly_fields(self, request, obj=None):
        return ["institution"] if obj else []

    def has_change_permission(self, request, obj=None):
        """What is published is read only; those of institutions above are written there."""
        if not request.user.has_perm("contracts.change_agreementtext"):
            return False
        return obj is None or (
            obj.published_at is None and obj.institution.path.startswith(request.user.institution.path)
        )

    def formfield_for_foreignkey(self, db_field, request, **kwargs):
        kwargs["queryset"] = Institution.objects.under(request.user.institution).active()
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def formfield_for_dbfield(self, db_field, request, **kwargs):
        if db_field.name in TextForm._meta.widgets:
            return db_field.formfield(widget=TextForm._meta.widgets[db_field.name])
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def get_changeform_initial_data(self, request):
        """The next wording begins with the last one."""
        last = self.get_queryset(request).order_by("-valid_from", "-pk").first()
        begun = {"title": last.title, "body": last.body} if last else {}
        return {"institution": request.user.institution.uuid, **begun}

    def save_model(self, request, obj, form, change):
        data = form.cleaned_data
        kept = actions.keep_text(
            institution=obj.institution, by=request.user, text=obj if change else None, request=request,
            **{name: data[name] for name in ("version", "title", "body", "valid_from")},
        )  # fmt: skip
        obj.pk, obj.uuid = kept.pk, kept.uuid

    def render_change_form(self, request, context, add=False, change=False, form_url="", obj=None):
        if obj is not None:
            context["may_publish"] = self.has_change_permission(request, obj) and request.user.has_perm(
                "contracts.publish_agreementtext"
            )
        return super().render_change_form(request, context, add, change, form_url, obj)

    def get_urls(self):
        publish = path(
            "<public_id:object_id>/publish/",
            self.admin_site.admin_view(self.publish),
            name="contracts_agreementtext_publish",
        )
        return [publish, *super().get_urls()]

    def publish(self, request, object_id):
        row = self.fetch(request, object_id)
        if request.method != "POST" or not request.user.has_perm("contracts.publish_agreementtext"):
            raise PermissionDenied
        try:
            actions.publish_text(text=row, by=request.user, request=request)
            self.message_user(
                request, _("Published. Residents sign it from its first day on."), level="success"
            )
        except Refused as refusal:
            refusals.tell(request, refusal)
        return HttpResponseRedirect(self.address_of(row))
