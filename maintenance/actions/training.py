"""Taking a test, attending a session, and the certificate that follows. Locks: session."""

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clinic import audit
from clinic.codes import Act
from clinic.errors import Conflict, Forbidden, Refused
from maintenance.actions.emergencies import months_later
from maintenance.models import Attempt, Certificate, Question, Session, Trainee
from maintenance.training import grading


def take(*, course, by, key, given: dict, now=None, request=None) -> Attempt:
    """A test that somebody handed in; the same ``key`` is one attempt. Passed, it gives a certificate. A course without a test
    is read. Conflict code: key."""
    if not by.has_perm("maintenance.view_course") or not course.active:
        raise Forbidden(_("Your role does not allow this."))
    now = now or timezone.now()
    with transaction.atomic():
        if known := Attempt.objects.filter(key=key).first():
            if (known.person_id, known.course_id) != (by.pk, course.pk):
                raise Conflict(_("This key belongs to something else."), code="key")
            return known
        questions = list(Question.objects.filter(course=course)) if course.pass_at is not None else []
        score = grading.score(questions, given)
        passed = course.pass_at is None or score >= course.pass_at
        told = [[str(row.uuid), sorted(set(given.get(str(row.uuid), ())))] for row in questions]
        made = Attempt.objects.create(
            course=course, person=by, key=key, at=now, given=told, score=score, passed=passed
        )
        if passed:
            certify(course, by, now)
        return made


def certify(course, person, now) -> Certificate:
    """Once a day at most."""
    today = timezone.localdate(now)
    until = months_later(today, course.valid_months) if course.valid_months else None
    return Certificate.objects.get_or_create(
        number=f"{course.code}-{person.username}-{today:%Y%m%d}"[:40],
        defaults={"course": course, "person": person, "given_on": today, "until": until},
    )[0]


def attend(*, session, by, came: dict, now=None, request=None) -> Session:
    """``came``: {person: whether}. Who came to a course without a test has learnt it. Refused code: early."""
    if not by.has_perm("maintenance.change_session"):
        raise Forbidden(_("Your role does not allow this."))
    now = now or timezone.now()
    with transaction.atomic():
        row = Session.objects.select_for_update().select_related("course", "institution").get(pk=session.pk)
        if not row.institution.path.startswith(by.institution.path):
            raise Forbidden(_("This institution is not yours."), code="elsewhere")
        if row.starts_at > now:
            raise Refused(_("The session has not begun yet."), code="early")
        rows = {
            one.person_id: one
            for one in Trainee.objects.select_for_update().filter(session=row).select_related("person")
        }
        for person, whether in came.items():
            one = rows.get(person.pk)
            if one is None or one.came == whether:
                continue
            one.came = whether
            one.save()
            if whether and row.course.pass_at is None:
                certify(row.course, person, now)
        audit.record(Act.CHANGE, by=by, request=request, obj=row, detail={"came": sum(came.values())})
        return row
