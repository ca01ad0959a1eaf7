"""The registers of the medical administration: copies handed out, sealed copies, files whose time ends."""

from datetime import date

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponseRedirect
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic import audit, registry, spreadsheets
from clinic.admin.base import CappedPaginator, DeskList, ReadOnlyAdmin
from clinic.admin.filters import FromDay, InstitutionFilter, ToDay
from clinic.codes import Act
from clinic.registry import DeskTile
from emr.models import CopyIssue, RetentionLine, SealedCopy
from emr.papers import retention

EXPORTED = spreadsheets.ROWS


class PaperList(DeskList):
    """Rows lead to the paper's own page, where it is read, printed and saved."""

    def url_for_result(self, result):
        return reverse(self.model_admin.page, args=[result.uuid])


class RegisterAdmin(ReadOnlyAdmin):
    """A register by institution, newest first; its rows are read on their own pages."""

    addressed = True
    paginator = CappedPaginator
    sortable_by = ()
    actions = None
    page = ""

    def get_changelist(self, request, **kwargs):
        return PaperList

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("resident", "institution").defer("content")

    def change_view(self, request, object_id, form_url="", extra_context=None):
        return HttpResponseRedirect(reverse(self.page, args=[self.fetch(request, object_id).uuid]))

    @admin.display(description=gettext_lazy("resident"))
    def resident_name(self, row):
        return row.resident.name

    @admin.display(description=gettext_lazy("relation to the patient"))
    def relation_label(self, row):
        return row.get_relation_display()


class IssuedFrom(FromDay):
    field = "issued_at"


class IssuedTo(ToDay):
    field = "issued_at"


@admin.register(CopyIssue)
class CopyIssueAdmin(RegisterAdmin):
    page = "copy-issue"
    list_display = [
        "number", "issued_at", "resident_name", "applicant", "relation_label", "purpose", "scope", "pages", "issued_by",
        "stamped_by", "institution",
    ]  # fmt: skip
    list_filter = [IssuedFrom, IssuedTo, InstitutionFilter]
    list_select_related = ["resident", "institution", "issued_by"]
    search_fields = ["=number"]
    search_help_text = gettext_lazy("The whole number")


class SealedFrom(FromDay):
    field = "sealed_at"


class SealedTo(ToDay):
    field = "sealed_at"


@admin.register(SealedCopy)
class SealedCopyAdmin(RegisterAdmin):
    page = "sealed-copy"
    list_display = [
        "number", "sealed_at", "resident_name", "patient_party", "relation_label", "medium", "location", "sealed_by",
        "unsealed_at", "institution",
    ]  # fmt: skip
    list_filter = [SealedFrom, SealedTo, InstitutionFilter]
    list_select_related = ["resident", "institution", "sealed_by"]
    search_fields = ["=number"]
    search_help_text = gettext_lazy("The whole number")


class MonthFilter(admin.SimpleListFilter):
    """The present month unless another of the year before is chosen."""

    title = gettext_lazy("month")
    parameter_name = "month"
    BACK = 12

    def lookups(self, request, model_admin):
        month, found = retention.month_of(timezone.localdate()), []
        for _n in range(self.BACK):
            month = retention.month_of(date.fromordinal(month.toordinal() - 1))
            found.append((f"{month:%Y-%m}", f"{month:%Y-%m}"))
        return found

    def choices(self, changelist):
        every, *others = super().choices(changelist)
        yield {**every, "display": _("this month")}
        yield from others

    def queryset(self, request, queryset):
        chosen = self.value() or f"{timezone.localdate():%Y-%m}"
        try:
            return queryset.filter(month=date.fromisoformat(f"{chosen}-01"))
        except ValueError:
            return queryset.none()


@admin.register(RetentionLine)
class RetentionLineAdmin(ReadOnlyAdmin):
    """What falls due. A list to look at: nothing is deleted by it, nor after it."""

    addressed = False
    paginator = CappedPaginator
    list_display = [
        "resident_link",
        "record_number",
        "last_visit",
        "retain_until",
        "came_since",
        "institution",
    ]
    list_filter = [MonthFilter, InstitutionFilter]
    list_select_related = ["resident", "institution"]
    ordering = ["retain_until", "pk"]
    sortable_by = ()
    actions = None
    change_list_template = "admin/emr/retention_list.html"

    def get_queryset(self, request):
        return super().get_queryset(request).annotate(since=retention.visited_since())

    @admin.display(description=gettext_lazy("resident"))
    def resident_link(self, line):
        return format_html(
            '<a href="{}">{}</a>', reverse("papers", args=[line.resident.uuid]), line.resident.name
        )

    @admin.display(description=gettext_lazy("health-record number"))
    def record_number(self, line):
        return line.resident.record_number or "—"

    @admin.display(description=gettext_lazy("has come since"))
    def came_since(self, line):
        return _("yes, kept on") if line.since else _("no")

    def get_urls(self):
        page = self.admin_site.admin_view(self.export)
        return [path("export/<str:form>/", page, name="emr_retentionline_export"), *super().get_urls()]

    def export(self, request, form):
        """The list as filtered."""
        if not request.user.has_perms(["emr.view_retentionline", "clinic.export_resident"]):
            raise PermissionDenied
        try:
            rows = list(self.get_changelist_instance(request).get_queryset(request)[:EXPORTED])
        except IncorrectLookupParameters as error:
            raise Http404 from error
        audit.record(Act.EXPORT, request=request, detail={"what": "retention", "rows": len(rows)})
        headings = [
            _("resident"), _("health-record number"), _("last visit"), _("kept until"), _("has come since"),
            _("institution"),
        ]  # fmt: skip
        return spreadsheets.answer("retention", form, headings, map(self._line, rows))

    def _line(self, row):
        return [
            row.resident.name, row.resident.record_number or "", row.last_visit, row.retain_until,
            self.came_since(row), row.institution.short_name,
        ]  # fmt: skip


registry.desk_tiles += [
    DeskTile("admin:emr_copyissue_changelist", gettext_lazy("Copies handed out"), gettext_lazy("Who was given which records"), ("emr.view_copyissue",), order=55),
    DeskTile("admin:emr_sealedcopy_changelist", gettext_lazy("Sealed copies"), gettext_lazy("Sealed with both parties present"), ("emr.view_sealedcopy",), order=56),
    DeskTile("admin:emr_retentionline_changelist", gettext_lazy("Time of keeping ends"), gettext_lazy("Files whose fifteen years end this month"), ("emr.view_retentionline",), order=57),
]  # fmt: skip
