"""The vendor's contract at the desk: its term, its clauses, its payments. Breaches have pages of their own."""

from django.contrib import admin

from clinic import audit
from clinic.admin.base import DeskAdmin
from clinic.codes import Act
from maintenance.models import Clause, Payment, VendorContract


class OfContract(admin.StackedInline):
    extra = 0
    can_delete = False

    def has_view_permission(self, request, obj=None):
        return request.user.has_perm(f"maintenance.view_{self.model._meta.model_name}")

    def has_change_permission(self, request, obj=None):
        return request.user.has_perm(f"maintenance.change_{self.model._meta.model_name}")

    def has_add_permission(self, request, obj=None):
        return request.user.has_perm(f"maintenance.add_{self.model._meta.model_name}")


class ClauseInline(OfContract):
    model = Clause
    fields = [("number", "measure", "severity"), "words", ("formula", "amount", "percent", "cap")]


class PaymentInline(OfContract, admin.TabularInline):
    model = Payment
    fields = ["due_on", "amount", "paid_on", "note"]


@admin.register(VendorContract)
class VendorContractAdmin(DeskAdmin):
    list_display = ["number", "vendor", "starts", "ends", "amount", "level"]
    list_select_related = ["level"]
    fields = ["number", "vendor", ("starts", "ends"), "amount", "level"]
    inlines = [ClauseInline, PaymentInline]
    sortable_by = ()
    actions = None

    def save_model(self, request, obj, form, change):
        super().save_model(request, obj, form, change)
        audit.record(Act.CHANGE if change else Act.CREATE, request=request, obj=obj)
