"""Training on pages: what I need, a course with its test, certificates; sessions; who lacks what; and the help of every page."""

import uuid

from django.contrib import messages
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from clinic import audit, refusals, spreadsheets
from clinic.codes import Act
from clinic.errors import Refused
from clinic.permissions import needs
from maintenance.actions import training as actions
from maintenance.models import Certificate, Course, Session
from maintenance.training import lacking, pages

SHOWN = 40


@needs("maintenance.view_course")
@require_GET
def training(request):
    today = timezone.localdate()
    context = {
        "mine": lacking.of_person(request.user, today), "today": today,
        "sessions": Session.objects.visible_to(request.user).select_related("course", "institution")[:SHOWN],
        "certificates": Certificate.objects.visible_to(request.user).filter(person=request.user).select_related("course")[:SHOWN],
    }  # fmt: skip
    return render(request, "maintenance/training/mine.html", context)


@needs("maintenance.view_course")
@require_http_methods(["GET", "POST"])
def course(request, code):
    """Its material, its test; handed in, what it was worth."""
    row = get_object_or_404(Course.objects.visible_to(request.user).filter(active=True), code=code)
    questions = list(row.questions.all()) if row.pass_at is not None else []
    attempt = None
    if request.method == "POST":
        attempt = _handed_in(request, row, questions)
        if attempt is not None and attempt.passed:
            messages.success(request, _("Passed.") if questions else _("Noted: you have read it."))
            return redirect("training")
    context = {
        "course": row,
        "questions": questions,
        "attempt": attempt,
        "key": uuid.uuid4(),
        "parts": pages.parts(row.material),
    }
    return render(request, "maintenance/training/course.html", context)


@needs("maintenance.view_course")
@require_GET
def certificate(request, number):
    rows = Certificate.objects.visible_to(request.user).select_related("course", "person__institution")
    return render(
        request,
        "maintenance/training/certificate.html",
        {"certificate": get_object_or_404(rows, number=number)},
    )


@needs("maintenance.view_certificate")
@require_GET
def matrix(request):
    found = lacking.matrix(request.user, timezone.localdate())
    rows = [
        (place, [(need, have, found["people"].get((place.pk, course.pk), [])) for course, (need, have) in zip(found["courses"], cells, strict=True)])
        for place, cells in found["rows"]
    ]  # fmt: skip
    return render(request, "maintenance/training/matrix.html", {"courses": found["courses"], "rows": rows})


@needs("maintenance.view_certificate")
@require_GET
def matrix_sheet(request):
    audit.record(Act.EXPORT, request=request, detail={"what": "training"})
    found = lacking.matrix(request.user, timezone.localdate())
    lines = (
        [str(place), course.name, need, have, "、".join(found["people"].get((place.pk, course.pk), []))]
        for place, cells in found["rows"] for course, (need, have) in zip(found["courses"], cells, strict=True) if need
    )  # fmt: skip
    return spreadsheets.answer(
        _("training"),
        "xlsx",
        [_("Institution"), _("Course"), _("Needed"), _("Learnt"), _("Who lacks it")],
        lines,
    )


@needs("maintenance.view_session")
@require_http_methods(["GET", "POST"])
def session(request, session):
    row = get_object_or_404(
        Session.objects.visible_to(request.user).select_related("course", "institution"), uuid=session
    )
    trainees = list(
        row.trainees.select_related("person__institution").order_by(
            "person__institution__path", "person__name"
        )
    )
    if request.method == "POST":
        came = set(request.POST.getlist("came"))
        try:
            actions.attend(
                session=row,
                by=request.user,
                came={one.person: str(one.person.uuid) in came for one in trainees},
                request=request,
            )
            return redirect("training-session", session=row.uuid)
        except Refused as refusal:
            refusals.tell(request, refusal)
    return render(request, "maintenance/training/session.html", {"session": row, "trainees": trainees})


@needs("maintenance.view_course")
@require_GET
def page_help(request, page):
    """The lessons of a page by the name of its address."""
    rows = pages.lessons_of(Course.objects.visible_to(request.user).filter(active=True), page)
    if not rows:
        raise Http404
    context = {"lessons": [(row, pages.parts(row.material)) for row in rows]}
    return render(request, "maintenance/training/help.html", context)


def _handed_in(request, row, questions):
    """The attempt; None where it was refused and the person was told."""
    try:
        key = uuid.UUID(request.POST.get("key", ""))
        given = {
            str(one.uuid): [
                int(text) for text in request.POST.getlist(str(one.uuid)) if text in pages.POSITIONS
            ]
            for one in questions
        }
        return actions.take(course=row, by=request.user, key=key, given=given, request=request)
    except ValueError as error:
        raise Http404 from error
    except Refused as refusal:
        refusals.tell(request, refusal)
        return None
