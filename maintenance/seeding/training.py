"""The demo's training: the lessons, who has learnt them, one session held and one to come."""

import uuid
from datetime import timedelta

from django.contrib.auth import get_user_model
from django.utils import timezone

from maintenance.actions import training
from maintenance.codes import CourseWay
from maintenance.models import Course, Session, Trainee
from maintenance.training import lessons

SPACE = uuid.UUID("33a1b2c4-7d3f-4c0e-8a0f-5a4d1f6a9e21")
# Those who have not begun yet.
NEW = ("assistant", "clerk_b", "secadmin")


def make(staff, residents):
    lessons.prepare()
    now = timezone.now()
    for place, (account, person) in enumerate(sorted(staff.items())):
        if account in NEW:
            continue
        for number, course in enumerate(
            Course.objects.filter(roles__contains=[person.role]).order_by("code")
        ):
            if (place + number) % 4 == 3:
                continue
            given = {str(one.uuid): one.right for one in course.questions.all()}
            key = uuid.uuid5(SPACE, f"{account} {course.code}")
            training.take(
                course=course, by=person, key=key, given=given, now=now - timedelta(days=20 + place)
            )
    _sessions(staff, now)


def _sessions(staff, now):
    course = Course.objects.create(
        code="workshop", name="电子病历规范书写（现场）", way=CourseWay.ON_SITE, roles=["doctor", "assistant"], minutes=120, valid_months=24,
        material="由医务科讲解病历书写规范与常见缺陷。",
    )  # fmt: skip
    place = staff["manager"].institution
    people = get_user_model().objects.filter(institution__path__startswith=place.path, role__in=course.roles)
    for days in (-10, 12):
        begin = timezone.localtime(now).replace(hour=14, minute=0, second=0, microsecond=0) + timedelta(
            days=days
        )
        made = Session.objects.create(
            course=course,
            institution=place,
            starts_at=begin,
            ends_at=begin + timedelta(hours=2),
            place="中心二楼会议室",
            trainer="吴卫东",
        )
        for person in people:
            Trainee.objects.create(session=made, person=person)
        if days < 0:
            came = {person: person.username != "assistant" for person in people}
            training.attend(session=made, by=staff["manager"], came=came, now=now)
