"""Residents from Excel and to Excel, at the desk."""

from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.template.response import TemplateResponse
from django.urls import path
from django.utils.translation import gettext as _

from clinic import audit, resident_columns, resident_sheet, spreadsheets
from clinic.codes import Act
from clinic.errors import Refused
from clinic.resident_sheet import Report


class ResidentSheets:
    """Mixed into ResidentAdmin."""

    def sheet_urls(self):
        def page(address, view, name):
            return path(address, self.admin_site.admin_view(view), name=f"clinic_resident_{name}")

        return [
            page("import/", self.import_sheet, "import"),
            page("import/try/", self.try_sheet, "import_try"),
            page("import/template/", self.sheet_template, "import_template"),
            page("export/<str:form>/", self.export_sheet, "export"),
        ]

    def _may_import(self, request):
        if not request.user.has_perms(["clinic.import_resident", "clinic.add_resident"]):
            raise PermissionDenied

    def import_sheet(self, request):
        """All rows or none."""
        self._may_import(request)
        if request.method != "POST":
            return self._import_page(request, None)
        return self._import_page(request, self._run(request, dry_run=False))

    def try_sheet(self, request):
        self._may_import(request)
        if request.method != "POST":
            raise PermissionDenied
        return self._import_page(request, self._run(request, dry_run=True))

    def _run(self, request, dry_run):
        upload = request.FILES.get("file")
        if upload is None:
            return Report(sentence=_("Please choose a file."))
        try:
            return resident_sheet.bring_in(
                spreadsheets.read(upload), by=request.user, request=request, dry_run=dry_run,
                confirmed="confirmed" in request.POST,
            )  # fmt: skip
        except Refused as refusal:
            return Report(sentence=refusal.message)

    def _import_page(self, request, report):
        context = {
            **self.admin_site.each_context(request), "title": _("Import from Excel"), "opts": self.opts, "report": report,
        }  # fmt: skip
        bad = report is not None and not report.rows
        return TemplateResponse(
            request, "admin/clinic/resident/import.html", context, status=400 if bad else 200
        )

    def sheet_template(self, request):
        self._may_import(request)
        response = HttpResponse(resident_columns.template(), content_type=spreadsheets.XLSX_TYPE)
        response["Content-Disposition"] = 'attachment; filename="residents.xlsx"'
        return response

    def export_sheet(self, request, form):
        """The list as filtered, in clear: own residents only, and the trail tells how many rows went out."""
        if not request.user.has_perm("clinic.export_resident"):
            raise PermissionDenied
        rows = self.get_changelist_instance(request).get_queryset(request)
        own = self.model.objects.in_scope(request.user).values("pk")
        rows = (
            rows.filter(pk__in=own)
            .select_related("home", "community")
            .prefetch_related("key_tags")
            .order_by("pk")
        )
        audit.record(Act.EXPORT, request=request, detail={"what": "residents", "rows": rows.count()})
        lines = (resident_columns.line(resident) for resident in rows.iterator(chunk_size=1000))
        return spreadsheets.answer("residents", form, resident_columns.headings(), lines)
