"""My saves 我的保存记录: what the server had stored, with its receipt; and bringing a version back."""

import uuid

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from clinic import audit
from clinic.codes import Act
from clinic.errors import Refused
from clinic.permissions import needs
from emr.actions import restoring
from emr.models import Correction, Encounter
from emr.saved import inquiry, lists, page
from emr.saved.forms import RestoreForm, VisitForm
from emr.views.refusing import trail


@needs("emr.view_save")
@require_http_methods(["GET", "POST"])
def saves(request):
    """The person's own, newest first. Looking for one is a POST: its number, or the visit's day and name."""
    if request.method == "POST" and "receipt" in request.POST:
        return _by_receipt(request)
    form = VisitForm(request.POST if request.method == "POST" else None)
    visits = None
    if form.is_bound and form.is_valid():
        visits = lists.visits(request.user, form.cleaned_data["day"], form.cleaned_data["name"])
    return _list(request, form, visits, status=400 if form.errors else 200)


def _by_receipt(request):
    found = lists.find(lists.own(request.user), request.POST["receipt"])
    if found is not None:
        return redirect("save", found.key)
    messages.warning(request, _("There is no save of yours with this number."))
    return _list(request, VisitForm(), None, status=404)


def _list(request, form, visits, status=200):
    own = lists.own(request.user)
    visit, before = request.GET.get("visit"), request.GET.get("before")
    if visit is not None:
        visit = get_object_or_404(
            Encounter.objects.visible_to(request.user).select_related("resident"),
            uuid=inquiry.to_uuid(visit),
        )
    if before is not None:
        before = get_object_or_404(own.only("pk"), key=inquiry.to_uuid(before))
    rows, more = lists.page(request.user, visit, before) if visits is None else ([], False)
    context = {
        "rows": rows, "more": more, "visit": visit, "visits": visits, "form": form,
        "receipt": request.POST.get("receipt", "")[:40],
    }  # fmt: skip
    return render(request, "emr/saves/saves.html", context, status=status)


@needs("emr.view_save")
@require_GET
def save(request, save):
    """One save: the whole note as it was then, what this save changed, and whether the hash holds."""
    row = get_object_or_404(page.fetch(request.user), key=save)
    return _show(request, row)


def _show(request, row, form=None, refusal=None):
    context = page.of(row)
    audit.record(
        Act.VIEW, request=request, resident=context["resident"], obj=context["draft"],
        detail={"page": "save", "receipt": row.receipt},
    )  # fmt: skip
    context |= {
        "form": form or RestoreForm(initial={"key": uuid.uuid4()}),
        "mine": context["draft"].author_id == request.user.pk and request.user.has_perm("emr.write_note"),
        "may_inquire": may_inquire(request.user, row.note),
        "refusal": refusal and refusal.message,
    }
    return render(request, "emr/saves/save.html", context, status=refusal.status if refusal else 200)


def may_inquire(user, note):
    return note.author_id == user.pk or user.has_perm("emr.inquire_record")


@needs("emr.view_save")
@require_GET
def proof(request, save):
    """A4 on paper: what was stored at that second, with its number and hash."""
    row = get_object_or_404(page.fetch(request.user), key=save)
    context = page.of(row)
    audit.record(
        Act.PRINT, request=request, resident=context["resident"], obj=context["draft"],
        detail={"page": "save", "receipt": row.receipt},
    )  # fmt: skip
    return render(request, "print/save.html", {**context, "now": timezone.now()})


@needs("emr.view_save", "emr.write_note")
@require_http_methods(["POST"])
def restore(request, save):
    """The version's text into a new draft, and on to that draft."""
    row = get_object_or_404(page.fetch(request.user), key=save)
    if (row.correction or row.note).author_id != request.user.pk:
        raise PermissionDenied
    form = RestoreForm(request.POST)
    if not form.is_valid():
        return _show(request, row, form, Refused(_("The page is out of date. Please load it again.")))
    try:
        made = restoring.restore(save=row, by=request.user, request=request, **form.cleaned_data)
    except Refused as refusal:
        trail(request, row.note, refusal)
        return _show(request, row, form, refusal)
    messages.success(
        request, _("The text of that version is back; the text of before is kept as a version of its own.")
    )
    if isinstance(made, Correction):
        return redirect("correction", made.uuid)
    return redirect("chart", made.encounter.uuid)
