"""Equipment and lines at the desk."""

from django.contrib import admin
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from clinic import audit
from clinic.admin.base import DeskAdmin
from clinic.admin.filters import InstitutionFilter
from clinic.codes import Act
from clinic.models import Institution
from maintenance.models import Equipment


@admin.register(Equipment)
class EquipmentAdmin(DeskAdmin):
    list_display = ["name", "kind", "institution", "model", "warranty_until", "replace_on", "active", "page"]
    list_filter = ["active", "kind", InstitutionFilter]
    list_select_related = ["institution"]
    search_fields = ["name", "serial", "model"]
    fieldsets = [
        (None, {"fields": [("institution", "kind"), ("name", "active"), ("model", "serial")]}),
        (
            _("Age and replacement"),
            {"fields": [("bought_on", "warranty_until"), ("replace_on", "replacement")]},
        ),
        (_("Line"), {"fields": ["bandwidth", ("host", "port"), "failures"]}),
    ]
    sortable_by = ()
    actions = None

    def formfield_for_foreignkey(self, db_field, request, **kwargs):
        kwargs["queryset"] = Institution.objects.under(request.user.institution).active()
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    @admin.display(description=_("faults"))
    def page(self, row):
        return format_html('<a href="/equipment/{}/">{}</a>', row.uuid, _("Faults and line"))

    def save_model(self, request, obj, form, change):
        super().save_model(request, obj, form, change)
        audit.record(Act.CHANGE if change else Act.CREATE, request=request, obj=obj)
