"""Backups at the desk: which were taken, which were proved; nothing is done here."""

from django.contrib import admin, messages
from django.template.defaultfilters import filesizeformat
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic.admin.base import DeskAdmin
from maintenance.backups import watching
from maintenance.models import Backup


@admin.register(Backup)
class BackupAdmin(DeskAdmin):
    list_display = ["began_at", "state", "file", "bytes", "rows", "encrypted", "checked_at", "fault"]
    list_filter = ["state"]
    sortable_by = ()
    actions = None
    # Each line says all there is.
    addressed = False

    def has_add_permission(self, request):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    @admin.display(description=gettext_lazy("size"))
    def bytes(self, row):
        return filesizeformat(row.size) if row.size else "—"

    @admin.display(description=gettext_lazy("rows"))
    def rows(self, row):
        return sum(count for count, _sum in row.manifest.get("tables", {}).values()) or "—"

    def changelist_view(self, request, extra_context=None):
        if request.user.has_perm("maintenance.view_backup") and watching.is_overdue(timezone.now()):
            messages.error(
                request,
                _("There is no good backup of the last hours: see “Backups” in the deployment guide."),
            )
        return super().changelist_view(request, extra_context)
