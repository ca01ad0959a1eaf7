"""Who still lacks what: people, the courses that their role needs, the certificates that hold."""

from django.contrib.auth import get_user_model
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from maintenance.models import Certificate, Course


def in_force(rows, today):
    return rows.filter(until=None) | rows.filter(until__gte=today)


def of_person(user, today) -> list[tuple]:
    """[(course, the certificate that holds or None)] of what the person's role needs, what is lacking first. Two queries."""
    courses = Course.objects.filter(active=True, roles__contains=[user.role]).order_by("code")
    held = {
        one.course_id: one
        for one in in_force(Certificate.objects.filter(person=user), today).order_by("given_on")
    }
    return sorted(((course, held.get(course.pk)) for course in courses), key=lambda pair: pair[1] is not None)


def lessons_left(user, today) -> int:
    return sum(certificate is None for _course, certificate in of_person(user, today))


def welcome(user) -> tuple[str, str] | None:
    """What somebody with lessons to learn is told at signing in (clinic.registry.welcomes)."""
    left = lessons_left(user, timezone.localdate()) if user.has_perm("maintenance.view_course") else 0
    if not left:
        return None
    return _("Short lessons of your role that you have not read yet: %(n)d.") % {"n": left}, reverse(
        "training"
    )


def matrix(user, today) -> dict:
    """{"courses", "rows": [(institution, [(need, have)] by course)], "people": {(institution pk, course pk): names that lack it}} of
    the user's reach. Three queries, whatever the number of people."""
    courses = list(Course.objects.filter(active=True).exclude(roles=[]).order_by("code"))
    people = get_user_model().objects.visible_to(user).filter(is_active=True).select_related("institution")
    held = set(in_force(Certificate.objects.visible_to(user), today).values_list("person_id", "course_id"))
    places, names = {}, {}
    for person in people.order_by("institution__path", "name"):
        cells = places.setdefault(person.institution, [[0, 0] for _course in courses])
        for place, course in enumerate(courses):
            if person.role not in course.roles:
                continue
            cells[place][0] += 1
            if (person.pk, course.pk) in held:
                cells[place][1] += 1
            else:
                names.setdefault((person.institution_id, course.pk), []).append(person.name)
    return {"courses": courses, "rows": list(places.items()), "people": names}
