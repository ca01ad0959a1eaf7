"""Lost-record inquiry 丢失病历取证: one visit's time line, for its writer and for the medical administration."""

from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from clinic import audit
from clinic import search as resident_search
from clinic.codes import Act
from clinic.permissions import needs
from emr.models import Encounter, Note, Save
from emr.saved import inquiry as lines
from emr.saved import lists
from emr.saved.forms import InquiryForm
from emr.saved.words import KIND_LABELS
from emr.views.saves import may_inquire

PLACES = (
    "author", "encounter__resident__home", "encounter__resident__merged_into__home", "encounter__institution",
    "encounter__doctor", "encounter__checked_in_by", "encounter__cancelled_by",
)  # fmt: skip
VISITS = 50


@needs("emr.view_note")
@require_GET
def inquiry(request, encounter):
    """``kind`` (several), ``order`` (oldest), ``after``: nothing of the patient stands in the address."""
    note = _note(request, encounter)
    kinds = [kind for kind in request.GET.getlist("kind") if kind in lines.KINDS] or list(lines.KINDS)
    oldest, after = request.GET.get("order") == "oldest", lines.from_word(request.GET.get("after"))
    events, more = lines.TimeLine(note, kinds, oldest, after).page()
    person = note.encounter.resident.survivor
    audit.record(Act.INQUIRE, request=request, resident=person, obj=note, detail={"kinds": kinds})
    context = {
        "note": note, "encounter": note.encounter, "resident": person, "events": events, "kinds": kinds,
        "all_kinds": len(kinds) == len(lines.KINDS), "oldest": oldest,
        "next": events[-1].word if more else "", "labels": KIND_LABELS.items(),
    }  # fmt: skip
    return render(request, "emr/saves/inquiry.html", context)


@needs("emr.view_note")
@require_GET
def minute(request, encounter):
    """The single saves of one minute, with the way to each version."""
    note = _note(request, encounter)
    place = lines.from_word(request.GET.get("at"))
    rows = lines.minute(note, place[0]) if place else []
    person = note.encounter.resident.survivor
    audit.record(Act.INQUIRE, request=request, resident=person, obj=note, detail={"page": "minute"})
    context = {"rows": rows, "encounter": note.encounter, "note": note, "at": place and place[0]}
    part = "emr/saves/_minute.html" if request.htmx else "emr/saves/minute.html"
    return render(request, part, context)


def _note(request, encounter):
    note = get_object_or_404(
        Note.objects.visible_to(request.user).select_related(*PLACES).defer(*Note.TEXT_FIELDS),
        encounter__uuid=encounter,
    )
    if not may_inquire(request.user, note):
        raise PermissionDenied
    return note


@needs("emr.inquire_record")
@require_http_methods(["GET", "POST"])
def search(request):
    """Which visit: a receipt's number, or a resident and a day. Never in the address."""
    form = InquiryForm(request.POST if request.method == "POST" else None)
    visits, status = None, 200
    if form.is_bound:
        status = 200 if form.is_valid() else 400
    if form.is_bound and form.is_valid():
        asked = form.cleaned_data
        save = lists.find(
            Save.objects.visible_to(request.user).select_related("note__encounter"), asked["who"]
        )
        if save is not None and len(asked["who"].strip()) > 8:
            return redirect("inquiry", save.note.encounter.uuid)
        visits = _visits(request.user, asked["who"], asked["day"])
    context = {"form": form, "visits": visits, "today": timezone.localdate()}
    return render(request, "emr/saves/inquiry_search.html", context, status=status)


def _visits(user, who, day):
    """Visits in reach of the residents whom the search finds, newest first, at most 50."""
    people = [hit.resident.pk for hit in resident_search.find(who, user) if not hit.foreign]
    if not people:
        return []
    theirs = Q(resident__in=people) | Q(resident__merged_into__in=people)
    rows = Encounter.objects.visible_to(user).filter(theirs, note__isnull=False)
    if day:
        rows = rows.on_day(day)
    return list(
        rows.select_related("resident", "institution", "doctor").order_by("-arrived_at", "-pk")[:VISITS]
    )
