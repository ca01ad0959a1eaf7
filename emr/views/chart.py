"""The chart of one visit: written by its doctor, read by others."""

import uuid

from django.http import Http404
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from clinic import audit, banner
from clinic.codes import Act
from clinic.permissions import needs
from emr import chart_data, practice, prescribing, previous_visits, standing_history
from emr.drafting import fields
from emr.models import Encounter, Note
from emr.signed import reading


@needs("emr.view_note")
@require_GET
def chart(request, encounter):
    note = get_object_or_404(
        Note.objects.visible_to(request.user)
        .select_related("encounter__resident__home", "encounter__institution")
        .annotate(unfolded=practice.unfolded_there("encounter__institution__path")),
        encounter__uuid=encounter,
    )
    recognise(note, request.user)
    visit, person = note.encounter, note.encounter.resident.survivor
    ids = person.file_ids
    head = banner.facts(person, request.user, ids)
    previous, more = previous_visits.page(request.user, ids, than=visit)
    writable = may_write(note, request.user)
    substances = [allergy.substance for allergy in head.allergies]
    audit.record(Act.VIEW, request=request, resident=person, obj=note)
    after = reading.of(note, request.user) if note.is_signed else {}
    context = {
        "encounter": visit,
        "note": note,
        "resident": person,
        "banner": head,
        **head.as_context(),
        "previous": previous,
        "previous_more": more,
        "vitals": fields.readable_vitals(note.vitals),
        "medications": prescribing.readable(note.medications),
        **after,
        "standing": standing_history.block(
            person, request.user, head.allergies, previous=previous, may_write=writable
        ),
        "writable": writable,
        "chart": chart_data.of(note, substances, request.user) if writable else None,
        "kept": None
        if writable or not (note.author_id == request.user.pk or after.get("may_correct"))
        else chart_data.kept(note, request.user, after.get("versions", ())),
    }
    return render(request, "emr/chart.html" if writable else "emr/chart_readonly.html", context)


@needs("emr.view_note")
@require_GET
def previous(request, encounter):
    """Ten more of the visits before; ``before`` is the last one already shown."""
    note = get_object_or_404(
        Note.objects.visible_to(request.user).select_related(
            "encounter__resident__home", "encounter__resident__merged_into__home"
        ),
        encounter__uuid=encounter,
    )
    person = note.encounter.resident.survivor
    ids = person.file_ids
    shown = request.GET.get("before")
    before = get_object_or_404(_file(request.user, ids), uuid=_uuid_or_404(shown)) if shown else None
    rows, more = previous_visits.page(request.user, ids, than=note.encounter, before=before)
    audit.record(Act.VIEW, request=request, resident=person, obj=note, detail={"page": "previous"})
    context = {
        "encounter": note.encounter,
        "previous": rows,
        "previous_more": more,
        "writable": may_write(note, request.user) or _corrects(note, request.user),
    }
    return render(request, "emr/_previous.html", context)


def recognise(note, user):
    """Put in the people of the visit without joining for them: nine tables in one SELECT take PostgreSQL 5 ms
    to plan. It is mostly the reader's own note; a colleague is fetched once for both places."""
    visit = note.encounter
    for row, name in ((visit, "doctor"), (note, "author")):
        if getattr(row, f"{name}_id") == user.pk:
            setattr(row, name, user)
    if note.author_id is not None and note.author_id == visit.doctor_id:
        note.author = visit.doctor


def may_write(note, user):
    return note.author_id == user.pk and not note.is_readonly and user.has_perm("emr.write_note")


def _corrects(note, user):
    return note.is_signed and note.corrections.open().filter(author=user).exists()


def _file(user, ids):
    return Encounter.objects.visible_to(user).filter(resident__in=ids)


def _uuid_or_404(text):
    try:
        return uuid.UUID(text)
    except ValueError as error:
        raise Http404 from error
