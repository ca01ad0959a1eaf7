"""Reviewing what assistants signed."""

from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from clinic import audit
from clinic.banner import facts
from clinic.codes import Act
from clinic.errors import Refused
from clinic.permissions import needs
from emr import prescribing
from emr.actions import reviews as actions
from emr.drafting import fields
from emr.forms import ReviewForm
from emr.models import Note
from emr.signed import reading, versions

SHOWN = 100


@needs("emr.review_note")
@require_GET
def reviews(request):
    waiting = (
        Note.objects.visible_to(request.user)
        .awaiting_review()
        .exclude(author=request.user)
        .select_related("encounter__resident", "encounter__institution")
        .prefetch_related("reviews")
        .order_by("signed_at")
    )
    return render(request, "emr/reviews.html", {"notes": versions.overlay(waiting[:SHOWN])})


@needs("emr.review_note")
@require_http_methods(["GET", "POST"])
def review(request, note):
    note = get_object_or_404(
        Note.objects.visible_to(request.user)
        .filter(needs_review=True)
        .select_related(
            "encounter__resident__home", "encounter__resident__merged_into__home", "encounter__institution"
        ),
        uuid=note,
    )
    form = ReviewForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid() and _decide(request, note, form):
        messages.success(request, _("The review is recorded."))
        return redirect("reviews")
    person = note.encounter.resident.survivor
    audit.record(Act.VIEW, request=request, resident=person, obj=note)
    after = reading.of(note, request.user)
    context = {
        **after,
        "seen": after["last_version"].number,
        "form": form,
        "note": note,
        "encounter": note.encounter,
        "resident": person,
        **facts(person, request.user).as_context(),
        "vitals": fields.readable_vitals(note.vitals),
        "medications": prescribing.readable(note.medications),
        "past_reviews": after["reviews"],
    }
    return render(request, "emr/review.html", context, status=400 if form.errors else 200)


def _decide(request, note, form):
    try:
        return actions.review(note=note, by=request.user, request=request, **form.cleaned_data)
    except Refused as refusal:
        form.add_error(None, refusal.message)
        return None
