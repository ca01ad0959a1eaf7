"""Emergency plans at the desk: the case, the steps, who is called."""

from django.contrib import admin

from clinic import audit
from clinic.admin.base import DeskAdmin
from clinic.admin.filters import InstitutionFilter
from clinic.codes import Act
from clinic.models import Institution
from maintenance.models import EmergencyPlan, PlanStep


class StepInline(admin.TabularInline):
    model = PlanStep
    extra = 0
    fields = ["number", "what", "who", "phone", "within"]

    def has_view_permission(self, request, obj=None):
        return request.user.has_perm("maintenance.view_emergencyplan")

    def has_change_permission(self, request, obj=None):
        return request.user.has_perm("maintenance.change_emergencyplan")

    has_add_permission = has_delete_permission = has_change_permission


@admin.register(EmergencyPlan)
class EmergencyPlanAdmin(DeskAdmin):
    list_display = ["name", "institution", "when", "every", "active"]
    list_filter = ["active", InstitutionFilter]
    list_select_related = ["institution"]
    fields = ["institution", "name", "when", "every", "active"]
    inlines = [StepInline]
    sortable_by = ()
    actions = None

    def formfield_for_foreignkey(self, db_field, request, **kwargs):
        if db_field.name == "institution":
            kwargs["queryset"] = Institution.objects.under(request.user.institution).active()
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def save_model(self, request, obj, form, change):
        super().save_model(request, obj, form, change)
        audit.record(Act.CHANGE if change else Act.CREATE, request=request, obj=obj)
