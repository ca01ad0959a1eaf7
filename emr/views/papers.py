"""A resident's papers: what was copied and sealed, and until when the file is kept."""

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET

from clinic import audit
from clinic.codes import Act
from clinic.models import Resident
from clinic.permissions import needs
from emr.models import CopyIssue, SealedCopy
from emr.papers import retention

PAGE = 20


@needs("emr.view_copyissue")
@require_GET
def papers(request, resident):
    row = person(request, resident)
    if row.merged_into_id:
        return redirect("papers", row.merged_into.uuid)
    audit.record(Act.VIEW, request=request, resident=row, obj=row, detail={"page": "papers"})
    ids = row.record_ids()
    last = retention.last_visit(ids)
    copies = CopyIssue.objects.visible_to(request.user).filter(resident__in=ids)
    sealed = SealedCopy.objects.visible_to(request.user).filter(resident__in=ids)
    context = {
        "resident": row,
        "last_visit": last,
        "kept_until": last and retention.retain_until(last),
        "copies": leaf(copies.select_related("issued_by").defer("content"), request.GET.get("copies")),
        "sealed": leaf(sealed.select_related("sealed_by").defer("content"), request.GET.get("sealed")),
    }
    return render(request, "emr/papers/papers.html", context)


def person(request, uuid):
    """The resident whose papers are asked for."""
    rows = Resident.objects.visible_to(request.user).select_related("home", "merged_into")
    return get_object_or_404(rows, uuid=uuid)


def page_number(text):
    """What an address says; the first page for anything else."""
    return min(max(int(text), 1), 10_000) if (text or "").isdecimal() and len(text) < 6 else 1


def leaf(rows, text):
    """One page of a list, without counting the rest."""
    number = page_number(text)
    begin = (number - 1) * PAGE
    found = list(rows[begin : begin + PAGE + 1])
    return {
        "rows": found[:PAGE],
        "newer": number - 1 or None,
        "older": number + 1 if len(found) > PAGE else None,
    }


def attachment(name, text):
    """A file to save: the very bytes that were hashed."""
    response = HttpResponse(text.encode(), content_type="application/json; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}.json"'
    response["Cache-Control"] = "no-store"
    return response
