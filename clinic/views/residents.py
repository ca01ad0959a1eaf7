"""Finding, opening and registering residents."""

import uuid

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from clinic import audit, duplicates, foreign, search
from clinic.actions import residents as actions
from clinic.codes import Act
from clinic.errors import Refused
from clinic.forms.resident_facts import ReasonForm
from clinic.forms.residents import ResidentForm
from clinic.models import Resident
from clinic.permissions import needs
from clinic.resident_page import buttons_of, show


@needs("clinic.view_resident")
@require_http_methods(["GET", "POST"])
def resident_search(request):
    """As you type (a part of the page), or without script as a page of its own. Never in the address."""
    text = request.POST.get("q", "")
    hits = [(hit, uuid.uuid4()) for hit in search.find(text, request.user)]
    context = {
        "q": text,
        "asked": bool(text.strip()),
        "short": not search.is_long_enough(text),
        "hits": hits,
        "full": len(hits) == search.LIMIT,
        "buttons": buttons_of(request.user),
    }
    part = "clinic/_resident_hits.html" if request.htmx else "clinic/resident_search.html"
    return render(request, part, context)


@needs("clinic.view_resident")
@require_GET
def resident(request, resident):
    row = get_object_or_404(
        Resident.objects.visible_to(request.user).select_related(
            "home", "community", "household", "merged_into"
        ),
        uuid=resident,
    )
    if row.merged_into_id:
        return redirect("resident", row.merged_into.uuid)
    found = request.GET.get("from") == "search"
    audit.record(Act.SEARCH_OPEN if found else Act.VIEW, request=request, resident=row, obj=row)
    return show(request, row)


@needs("clinic.add_resident")
@require_http_methods(["GET", "POST"])
def resident_register(request):
    form = ResidentForm(request.POST or None, by=request.user)
    matches, status = [], 200
    if request.method == "POST":
        status = 400
        if form.is_valid():
            try:
                row = actions.register(
                    resident=form.instance,
                    confirmed=form.cleaned_data["confirmed"],
                    by=request.user,
                    request=request,
                )
                return redirect("resident", row.uuid)
            except Refused as refusal:
                if refusal.code != "duplicates":  # the list of likenesses says it
                    form.refuse(refusal)
                matches, status = duplicates.candidates(form.instance, request.user), refusal.status
    context = {"form": form, "matches": matches, "certain": any(match.certain for match in matches)}
    return render(request, "clinic/resident_register.html", context, status=status)


@needs("clinic.change_resident")
@require_http_methods(["GET", "POST"])
def resident_change(request, resident):
    row = get_object_or_404(Resident.objects.visible_to(request.user).select_related("home"), uuid=resident)
    if not Resident.objects.in_scope(request.user).filter(pk=row.pk).exists():
        raise PermissionDenied
    form = ResidentForm(request.POST or None, instance=row, by=request.user)
    status = 200
    if request.method == "POST":
        status = 400
        if form.is_valid():
            try:
                actions.change(resident=row, changed=form.changed_facts, by=request.user, request=request)
                return redirect("resident", row.uuid)
            except Refused as refusal:
                form.refuse(refusal)
                status = refusal.status
    else:
        audit.record(Act.VIEW, request=request, resident=row, obj=row, detail={"page": "change"})
    return render(request, "clinic/resident_change.html", {"form": form, "resident": row}, status=status)


@needs("clinic.open_foreign_resident")
@require_http_methods(["GET", "POST"])
def resident_open(request, resident):
    """A resident of another institution: the reason first, then the page for a day."""
    face = foreign.face(resident)
    if Resident.objects.in_scope(request.user).filter(uuid=face.uuid).exists():
        return redirect("resident", face.uuid)
    form = ReasonForm(request.POST or None)
    if form.is_valid():
        try:
            actions.open_with_reason(
                resident=face, reason=form.cleaned_data["reason"], by=request.user, request=request
            )
            audit.record(Act.SEARCH_OPEN, request=request, resident=face, obj=face)
            return redirect("resident", face.uuid)
        except Refused as refusal:
            form.refuse(refusal)
    context = {"form": form, "face": face, "hours": settings.ACCESS_GRANT_HOURS}
    return render(request, "clinic/resident_open.html", context, status=400 if form.errors else 200)


@needs("clinic.reveal_resident")
@require_POST
def reveal(request, resident):
    """The number as plain text, for the place where its mask stood."""
    row = get_object_or_404(Resident.objects.visible_to(request.user).select_related("home"), uuid=resident)
    try:
        number = actions.reveal(
            resident=row, field=request.POST.get("field", ""), by=request.user, request=request
        )
    except Refused as refusal:
        return HttpResponse(refusal.message, status=refusal.status, content_type="text/plain; charset=utf-8")
    return HttpResponse(number, content_type="text/plain; charset=utf-8")
