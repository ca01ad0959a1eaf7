"""Institutions and neighbourhoods, kept by the district's business and the system administrator."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from clinic.actions import institutions as actions
from clinic.admin.base import DeskAdmin, DeskForm
from clinic.codes import InstitutionKind
from clinic.models import Community, Institution


class InstitutionForm(DeskForm):
    class Meta:
        model = Institution
        fields = ["kind", "parent", "code", "name", "short_name", "phone", "address", "active"]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if kind := self.fields.get("kind"):
            kind.choices = [
                choice for choice in InstitutionKind.choices if choice[0] != InstitutionKind.DISTRICT
            ]
        if parent := self.fields.get("parent"):
            parent.required = True


@admin.register(Institution)
class InstitutionAdmin(DeskAdmin):
    form = InstitutionForm
    list_display = ["name", "short_name", "kind", "parent", "code", "phone", "active"]
    list_filter = ["kind", "active"]
    list_select_related = ["parent"]
    search_fields = ["name", "short_name", "=code"]
    search_help_text = _("Name or code")

    def has_change_permission(self, request, obj=None):
        """Names are no secret; changing stays within one's own reach."""
        allowed = super().has_change_permission(request, obj)
        return allowed and (obj is None or obj.path.startswith(request.user.institution.path))

    def get_readonly_fields(self, request, obj=None):
        """Code and place make up the path that old audit rows know."""
        return ["kind", "parent", "code"] if obj else []

    def formfield_for_foreignkey(self, db_field, request, **kwargs):
        if db_field.name == "parent":
            reach = Institution.objects.under(request.user.institution).active()
            kwargs["queryset"] = reach.exclude(kind=InstitutionKind.STATION)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def save_model(self, request, obj, form, change):
        actions.keep_institution(institution=obj, by=request.user, request=request, changed=form.changed_data)


@admin.register(Community)
class CommunityAdmin(DeskAdmin):
    list_display = ["code", "street", "name", "institution"]
    list_select_related = ["institution"]
    search_fields = ["^code", "name", "street"]
    search_help_text = _("Name, street or code")
    fields = ["code", "street", "name", "institution"]

    def get_readonly_fields(self, request, obj=None):
        """Health-record numbers begin with the code."""
        return ["code"] if obj else []

    def save_model(self, request, obj, form, change):
        actions.keep_community(community=obj, by=request.user, request=request, changed=form.changed_data)
