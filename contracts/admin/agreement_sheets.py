"""Agreements from Excel and to Excel, at the desk."""

import uuid

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from clinic import audit, spreadsheets
from clinic.codes import Act
from clinic.errors import Refused
from contracts import sheet
from contracts.actions import batches
from contracts.codes import BatchKind, LineState
from contracts.importing import checking, columns
from contracts.jobs import run_batch

IMPORT, EXPORT = "contracts.import_agreement", "contracts.export_agreement"
MOST = 100_000


class AgreementSheets:
    """Mixed into AgreementAdmin."""

    def sheet_urls(self):
        return [
            self.own_page("import/", self.import_sheet, "import"),
            self.own_page("import/template/", self.sheet_template, "import_template"),
            self.own_page("export/<str:form>/", self.export_sheet, "export"),
        ]

    def import_sheet(self, request):
        """A trial run says what is wrong with which row; then all rows are imported or none (``all``), or the good ones
        (``good``)."""
        if not request.user.has_perm(IMPORT):
            raise PermissionDenied
        report = refusal = None
        if request.method == "POST":
            try:
                report = self._examined(request)
                if batch := self._imported(request, report):
                    return _to(request, reverse("admin:contracts_batch_change", args=[batch.uuid]))
            except Refused as error:
                refusal = error.message
        context = {
            **self.admin_site.each_context(request), "opts": self.opts, "title": _("Import agreements from Excel"),
            "report": report, "refusal": refusal, "key": uuid.uuid4(), "rows": f"{checking.ROWS:,}",
            "what": request.POST.get("what"),
        }  # fmt: skip
        return TemplateResponse(
            request, "admin/contracts/agreement_import.html", context, status=400 if refusal else 200
        )

    def _examined(self, request):
        upload = request.FILES.get("file")
        if upload is None:
            raise Refused(_("Please choose a file."), code="file")
        return checking.examine(upload, request.user)

    def _imported(self, request, report):
        """The batch, where the rows may be imported and somebody asked for it."""
        what = request.POST.get("what")
        if what not in {"all", "good"} or not report.good:
            return None
        if what == "all" and report.bad:
            return None
        try:
            key = forms.UUIDField().clean(request.POST.get("key"))
        except forms.ValidationError as error:
            raise Http404 from error
        batch = batches.start(
            key=key, kind=BatchKind.IMPORT, institution=request.user.institution, rows=report.lines, orders={},
            by=request.user, request=request,
        )  # fmt: skip
        if batch.lines.filter(state=LineState.WAITING).exists():
            run_batch.enqueue(batch.pk)
        return batch

    def sheet_template(self, request):
        if not request.user.has_perm(IMPORT):
            raise PermissionDenied
        response = HttpResponse(columns.template(), content_type=spreadsheets.XLSX_TYPE)
        response["Content-Disposition"] = 'attachment; filename="agreements.xlsx"'
        return response

    def export_sheet(self, request, form):
        """The list as filtered, the institution's own; the trail tells how many rows went out."""
        if not request.user.has_perm(EXPORT):
            raise PermissionDenied
        if form not in spreadsheets.FORMS:  # before the trail says that it went out
            raise Http404
        own = self.model.objects.in_scope(request.user).values("pk")
        rows = self.get_changelist_instance(request).get_queryset(request).filter(pk__in=own)
        count = rows.order_by()[: MOST + 1].count()
        if count > MOST:
            return self._too_many(request)
        audit.record(Act.EXPORT, request=request, detail={"what": "agreements", "form": form, "rows": count})
        return spreadsheets.answer("agreements", form, sheet.HEADINGS, sheet.lines(rows))

    def _too_many(self, request):
        self.message_user(
            request,
            _("These are more than %(n)s agreements. Please narrow the list by its filters.")
            % {"n": f"{MOST:,}"},
            "error",
        )
        return HttpResponseRedirect(self.list_address())


def _to(request, address):
    """The next page; htmx is told, since a redirect would only fill the page's part."""
    if request.htmx:
        return HttpResponse(status=204, headers={"HX-Redirect": address})
    return HttpResponseRedirect(address)
