"""Copies for the patient 复制: choose, hand out; the copy handed out printed and saved."""

import uuid

from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from clinic import audit
from clinic.codes import Act
from clinic.errors import Refused
from clinic.permissions import needs
from emr import papers, printing
from emr.actions import papers as actions
from emr.models import CopyIssue
from emr.papers import sheets
from emr.papers.forms import CopyForm, visits_page
from emr.views.papers import attachment, page_number, person


@needs("emr.add_copyissue")
@require_http_methods(["GET", "POST"])
def issue(request, resident):
    row = person(request, resident)
    visits = papers.kept_here(request.user, row)
    form = CopyForm(request.POST or None, visits=visits, initial=_initial(row))
    status = 200
    if form.is_valid():
        try:
            made = actions.issue_copy(resident=row, by=request.user, request=request, **form.given())
            messages.success(request, _("The copy is recorded: %(number)s.") % {"number": made.number})
            return redirect("copy-issue", made.uuid)
        except Refused as refusal:
            form.refuse(refusal)
            status = refusal.status
    if request.method == "GET":
        audit.record(Act.VIEW, request=request, resident=row, obj=row, detail={"page": "copies"})
    page = page_number(request.GET.get("page"))
    shown, more = visits_page(visits, page)
    context = {
        "resident": row, "form": form, "visits": shown, "sealing": False,
        "newer": page - 1 or None, "older": page + 1 if more else None,
    }  # fmt: skip
    return render(
        request, "emr/papers/copy_form.html", context, status=400 if form.errors and status == 200 else status
    )


@needs("emr.view_copyissue")
@require_GET
def copy(request, copy):
    row = _copy(request, copy)
    audit.record(Act.VIEW, request=request, resident=row.resident, obj=row)
    context = {"copy": row, "gone_on": papers.has_gone_on(row, _visits(request, row))}
    return render(request, "emr/papers/copy.html", context)


@needs("emr.add_copyissue")
@require_GET
def print_copy(request, copy):
    """The sheets as they were counted. A record that went on since is copied anew, not under the old number."""
    row = _copy(request, copy)
    visits = _visits(request, row)
    if papers.has_gone_on(row, visits):
        refusal = _("The record has gone on since this copy was made. Please hand out a new one.")
        return render(request, "clinic/refused.html", {"message": refusal, "status": 409}, status=409)
    audit.record(
        Act.COPY, request=request, resident=row.resident, obj=row,
        detail={"number": row.number, "way": "print", "pages": row.pages},
    )  # fmt: skip
    context = {
        "sheets": sheets.of_copy(row, visits), "paper": printing.PAPERS[row.paper],
        "title": _("Copy of a medical record"), "back": row.uuid, "back_to": "copy-issue",
    }  # fmt: skip
    return render(request, "print/copy.html", context)


@needs("emr.add_copyissue")
@require_GET
def file(request, copy):
    """The copy as it was handed out, byte for byte (docs/copies.md)."""
    row = _copy(request, copy)
    audit.record(
        Act.COPY,
        request=request,
        resident=row.resident,
        obj=row,
        detail={"number": row.number, "way": "file"},
    )
    return attachment(row.number, row.content)


def _initial(resident):
    """Most copies are asked for by the patient. The number is typed from the papers, or nobody looked at them."""
    return {"key": uuid.uuid4(), "applicant": resident.name, "id_type": resident.id_type}


def _copy(request, key):
    rows = CopyIssue.objects.visible_to(request.user)
    return get_object_or_404(rows.select_related("resident__home", "institution", "issued_by"), uuid=key)


def _visits(request, copy):
    """Its visits as they are today. They were chosen within the same reach, and nobody moves a visit."""
    rows = papers.kept_here(request.user, copy.resident.survivor)
    return list(rows.filter(uuid__in=[item["visit"] for item in copy.items]))
