"""Sealed copies: choose, look once more together, seal; the sealed one read, certified, saved, unsealed."""

import uuid

from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from clinic import audit
from clinic.codes import Act
from clinic.errors import Refused
from clinic.permissions import needs
from emr import papers, printing
from emr.actions import papers as actions
from emr.models import SealedCopy
from emr.papers import sheets
from emr.papers.forms import ConfirmForm, SealForm, UnsealForm, visits_page
from emr.views.papers import attachment, page_number, person


@needs("emr.add_sealedcopy")
@require_http_methods(["GET", "POST"])
def choose(request, resident):
    """Which visits and who is there; filled in well, it leads to the page for the second look."""
    row = person(request, resident)
    visits = papers.kept_here(request.user, row)
    form = SealForm(request.POST or None, visits=visits, initial=_initial(request))
    if form.is_valid():
        record = papers.record(list(form.cleaned_data["visits"]), unfinished=True)
        seen = papers.digest(papers.canonical(record))
        return _confirm(request, row, _second_look(form, visits), record, seen)
    if request.method == "GET":
        audit.record(Act.VIEW, request=request, resident=row, obj=row, detail={"page": "sealing"})
    return _choose(request, row, visits, form)


@needs("emr.add_sealedcopy")
@require_POST
def seal(request, resident):
    """Both parties have looked and said yes."""
    row = person(request, resident)
    visits = papers.kept_here(request.user, row)
    form = ConfirmForm(request.POST, visits=visits)
    if form.is_valid():
        try:
            given = {**form.given(), "seen": form.cleaned_data["seen"]}
            made = actions.seal_copy(resident=row, by=request.user, request=request, **given)
            messages.success(request, _("The copy is sealed: %(number)s.") % {"number": made.number})
            return redirect("sealed-copy", made.uuid)
        except Refused as refusal:
            form.refuse(refusal)
    if set(form.errors) == {"both"}:
        record = papers.record(list(form.cleaned_data["visits"]), unfinished=True)
        return _confirm(request, row, form, record, form.cleaned_data["seen"], status=400)
    return _choose(request, row, visits, form)


@needs("emr.view_sealedcopy")
@require_GET
def sealed_copy(request, sealed):
    row = _sealed(request, sealed)
    audit.record(Act.VIEW, request=request, resident=row.resident, obj=row)
    items = [{**item, "label": sheets.state_label(item["state"])} for item in row.items]
    context = {"sealed": row, "items": items, "unchanged": papers.is_unchanged(row)}
    return render(request, "emr/papers/sealed.html", context)


@needs("emr.view_sealedcopy")
@require_GET
def certificate(request, sealed):
    """封存单 on paper."""
    row = _sealed(request, sealed)
    audit.record(Act.PRINT, request=request, resident=row.resident, obj=row, detail={"format": "a4"})
    context = {
        "sheets": sheets.of_certificate(row), "paper": printing.PAPERS["a4"],
        "title": _("Certificate of sealing"), "back": row.uuid, "back_to": "sealed-copy",
    }  # fmt: skip
    return render(request, "print/copy.html", context)


@needs("emr.view_sealedcopy")
@require_GET
def file(request, sealed):
    """What was sealed, byte for byte: its SHA-256 is the one on the certificate."""
    row = _sealed(request, sealed)
    audit.record(Act.EXPORT, request=request, resident=row.resident, obj=row, detail={"number": row.number})
    return attachment(row.number, row.content)


@needs("emr.change_sealedcopy")
@require_http_methods(["GET", "POST"])
def unseal(request, sealed):
    row = _sealed(request, sealed)
    form = UnsealForm(request.POST or None)
    status = 200
    if form.is_valid():
        try:
            actions.unseal(sealed=row, by=request.user, request=request, **form.given())
            messages.success(request, _("The copy %(number)s is unsealed.") % {"number": row.number})
            return redirect("sealed-copy", row.uuid)
        except Refused as refusal:
            form.refuse(refusal)
            status = refusal.status
    status = 400 if form.errors and status == 200 else status
    return render(request, "emr/papers/unseal.html", {"sealed": row, "form": form}, status=status)


def _sealed(request, key):
    rows = SealedCopy.objects.visible_to(request.user)
    return get_object_or_404(
        rows.select_related("resident__home", "institution", "sealed_by", "unsealed_by"), uuid=key
    )


def _initial(request):
    return {"key": uuid.uuid4(), "hospital_party": request.user.name}


def _second_look(form, visits):
    """The same, not asked about yet: an unbound form complains of nothing."""
    return ConfirmForm(visits=visits, initial={name: form[name].value() for name in form.fields})


def _choose(request, row, visits, form):
    page = page_number(request.GET.get("page"))
    shown, more = visits_page(visits, page)
    context = {
        "resident": row, "form": form, "visits": shown, "sealing": True,
        "newer": page - 1 or None, "older": page + 1 if more else None,
    }  # fmt: skip
    return render(request, "emr/papers/seal.html", context, status=400 if form.errors else 200)


def _confirm(request, row, form, record, seen, status=200):
    items = [
        {**item, "label": sheets.state_label(item["state"]), **_told(visit)}
        for item, visit in zip(papers.items(record), record, strict=True)
    ]
    context = {
        "resident": row, "form": form, "items": items, "seen": seen, "asked": status != 200,
        "unfinished": any(item["state"] in (papers.DRAFT, "open") for item in items),
    }  # fmt: skip
    return render(request, "emr/papers/seal_confirm.html", context, status=status)


def _told(visit):
    """By what the parties know a visit again."""
    text = visit["versions"][-1]["text"]
    return {
        "place": visit["institution"]["name"],
        "doctor": visit["doctor"],
        "what": "、".join(line.get("name", "") for line in text["diagnoses"]) or text["chief_complaint"][:30],
    }
