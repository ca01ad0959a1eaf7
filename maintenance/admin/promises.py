"""What is promised and whom to call, at the desk: service levels, calendars, single days, the contact matrix."""

from django import forms
from django.contrib import admin
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from clinic import audit
from clinic.admin.base import DeskAdmin, DeskForm
from clinic.admin.filters import InstitutionFilter
from clinic.codes import Act
from clinic.models import Institution
from maintenance import jobs
from maintenance.models import Contact, Promise, ServiceLevel, WorkCalendar, WorkDay, WorkSpan


class MovesTimes(DeskAdmin):
    """Whose change moves the times of open tickets: a job computes them anew once it is committed."""

    actions = None

    def save_model(self, request, obj, form, change):
        super().save_model(request, obj, form, change)
        audit.record(Act.CHANGE if change else Act.CREATE, request=request, obj=obj)

    def save_related(self, request, form, formsets, change):
        super().save_related(request, form, formsets, change)
        transaction.on_commit(jobs.recompute_tickets.enqueue)


class PromiseInline(admin.TabularInline):
    model = Promise
    extra = 0
    max_num = 4
    can_delete = False

    def has_view_permission(self, request, obj=None):
        return request.user.has_perm("maintenance.view_servicelevel")

    def has_change_permission(self, request, obj=None):
        return request.user.has_perm("maintenance.change_servicelevel")

    has_add_permission = has_change_permission


@admin.register(ServiceLevel)
class ServiceLevelAdmin(MovesTimes):
    list_display = ["name", "usual", "active"]
    fields = ["name", "usual", "active"]
    inlines = [PromiseInline]
    sortable_by = ()


class ClockField(forms.TimeField):
    """Minutes of the day, as a clock; 24:00 is written as midnight."""

    widget = forms.TimeInput(attrs={"type": "time"})

    def __init__(self, *, midnight, **options):
        self.midnight = midnight
        super().__init__(**options)

    def clean(self, value):
        read = super().clean(value)
        minutes = read.hour * 60 + read.minute
        return minutes or self.midnight

    def prepare_value(self, value):
        return f"{value // 60 % 24:02}:{value % 60:02}" if isinstance(value, int) else value


class SpanForm(forms.ModelForm):
    begins = ClockField(label=_("from"), midnight=0)
    ends = ClockField(label=_("until"), midnight=24 * 60)

    class Meta:
        model = WorkSpan
        fields = ["weekday", "begins", "ends"]

    def clean(self):
        data = super().clean()
        begins, ends = data.get("begins"), data.get("ends")
        if begins is not None and ends is not None and ends <= begins:
            raise forms.ValidationError(_("The end lies before the beginning."))
        return data


class SpanInline(admin.TabularInline):
    model = WorkSpan
    form = SpanForm
    extra = 0

    def has_view_permission(self, request, obj=None):
        return request.user.has_perm("maintenance.view_workcalendar")

    def has_change_permission(self, request, obj=None):
        return request.user.has_perm("maintenance.change_workcalendar")

    has_add_permission = has_delete_permission = has_change_permission


@admin.register(WorkCalendar)
class WorkCalendarAdmin(MovesTimes):
    list_display = ["name", "holidays"]
    fields = ["name", "holidays"]
    inlines = [SpanInline]
    sortable_by = ()


@admin.register(WorkDay)
class WorkDayAdmin(MovesTimes):
    list_display = ["day", "works", "calendar", "note"]
    list_filter = ["works"]
    list_select_related = ["calendar"]
    fields = ["day", "works", "calendar", "note"]
    sortable_by = ()


class ContactForm(DeskForm):
    class Meta:
        model = Contact
        fields = ["institution", "side", "person", "name", "phone", "deputy", "deputy_phone", "active"]
        help_texts = {"phone": _("Empty: the account's."), "name": _("For somebody without an account.")}


@admin.register(Contact)
class ContactAdmin(DeskAdmin):
    form = ContactForm
    list_display = ["institution", "side", "__str__", "phone", "deputy", "deputy_phone", "active"]
    list_filter = ["active", "side", InstitutionFilter]
    list_select_related = ["institution", "person"]
    ordering = ["institution__path", "side"]
    sortable_by = ()
    actions = None

    def formfield_for_foreignkey(self, db_field, request, **kwargs):
        if db_field.name == "institution":
            kwargs["queryset"] = Institution.objects.under(request.user.institution).active()
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def save_model(self, request, obj, form, change):
        super().save_model(request, obj, form, change)
        audit.record(Act.CHANGE if change else Act.CREATE, request=request, obj=obj)
