"""At the desk, to oversee: reminders before the end (calls are made from the page that nurses have too), and why
residents do not sign."""

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.utils import timezone
from django.utils.translation import gettext_lazy

from clinic.admin.base import CappedPaginator, ReadOnlyAdmin
from clinic.admin.filters import FromDay, InstitutionFilter, ToDay
from contracts.models import NotSigned, Reminder


class MadeFrom(FromDay):
    field = "made_at"


class MadeTo(ToDay):
    field = "made_at"


class Looked(ReadOnlyAdmin):
    """A list and a page to read."""

    paginator = CappedPaginator
    sortable_by = ()
    actions = None

    def change_view(self, request, object_id, form_url="", extra_context=None):
        if request.method != "GET":
            raise PermissionDenied
        return super().change_view(request, object_id, form_url, extra_context)


@admin.register(Reminder)
class ReminderAdmin(Looked):
    list_display = [
        "made",
        "resident",
        "agreement",
        "ends",
        "light",
        "by",
        "state",
        "note",
        "done_by",
        "institution",
    ]
    list_filter = ["state", "by", "light", MadeFrom, MadeTo, InstitutionFilter]
    list_select_related = ["agreement__resident", "done_by", "institution"]
    ordering = ["-made_at", "-pk"]
    fields = [
        "resident",
        "agreement",
        "light",
        "by",
        "why_call",
        "state",
        "note",
        "made_at",
        "done_by",
        "done_at",
    ]
    change_list_template = "admin/contracts/reminder_list.html"

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("agreement__resident__home", "institution")

    def resident_of(self, obj):
        return obj.agreement.resident

    @admin.display(description=gettext_lazy("resident"))
    def resident(self, reminder):
        return reminder.agreement.resident.name

    @admin.display(description=gettext_lazy("last day"))
    def ends(self, reminder):
        return reminder.agreement.end.isoformat()

    @admin.display(description=gettext_lazy("made at"))
    def made(self, reminder):
        return f"{timezone.localtime(reminder.made_at):%m-%d %H:%M}"


@admin.register(NotSigned)
class NotSignedAdmin(Looked):
    list_display = ["on", "resident", "why", "note", "by", "institution"]
    list_filter = ["why", InstitutionFilter]
    list_select_related = ["resident", "by", "institution"]
    ordering = ["-on", "-pk"]
    fields = ["resident", "why", "note", "on", "by", "institution"]

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("resident__home")

    def resident_of(self, obj):
        return obj.resident
