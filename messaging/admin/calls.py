"""Call tasks at the desk: a list to oversee. Calls are made from the page that nurses have too (messaging.views.calls)."""

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.utils import timezone
from django.utils.translation import gettext_lazy

from clinic.admin.base import CappedPaginator, ReadOnlyAdmin
from clinic.admin.filters import FromDay, InstitutionFilter, ToDay
from messaging.admin.messages import CampaignFilter
from messaging.models import CallTask


class MadeFrom(FromDay):
    field = "made_at"


class MadeTo(ToDay):
    field = "made_at"


@admin.register(CallTask)
class CallTaskAdmin(ReadOnlyAdmin):
    paginator = CappedPaginator
    list_display = ["made", "resident", "campaign", "state", "note", "done_by", "done", "institution"]
    list_filter = ["state", CampaignFilter, MadeFrom, MadeTo, InstitutionFilter]
    list_select_related = ["resident", "campaign", "done_by", "institution"]
    ordering = ["-made_at", "-pk"]
    sortable_by = ()
    actions = None
    fields = ["resident", "campaign", "institution", "state", "note", "made_at", "done_by", "done_at"]
    change_list_template = "admin/messaging/call_list.html"

    def resident_of(self, obj):
        return obj.resident

    def change_view(self, request, object_id, form_url="", extra_context=None):
        if request.method != "GET":
            raise PermissionDenied
        return super().change_view(request, object_id, form_url, extra_context)

    @admin.display(description=gettext_lazy("made at"))
    def made(self, task):
        return f"{timezone.localtime(task.made_at):%m-%d %H:%M}"

    @admin.display(description=gettext_lazy("done at"))
    def done(self, task):
        return f"{timezone.localtime(task.done_at):%m-%d %H:%M}" if task.done_at else "—"
