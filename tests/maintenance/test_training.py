"""Who has learnt what: lessons, tests, certificates, sessions; and help for every page."""

import uuid
from datetime import timedelta

import pytest
from django.urls import get_resolver
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from clinic.codes import Role
from clinic.errors import Conflict, Forbidden, Refused
from maintenance.actions import training as actions
from maintenance.models import Attempt, Certificate, Course, Question, Session, Trainee
from maintenance.training import grading, lacking, lessons, pages
from tests import factories

NOW = timezone.now()
TODAY = timezone.localdate()


@pytest.fixture
def course(db):
    made = Course.objects.create(
        code="chart",
        name="写病历",
        way="lesson",
        roles=["doctor"],
        material="先看。\n1. 甲\n2. 乙",
        pass_at=60,
        valid_months=12,
    )
    Question.objects.create(course=made, words="一", answers=["对", "错"], right=[0])
    Question.objects.create(course=made, words="多", answers=["甲", "乙", "丙"], right=[0, 2], order=1)
    return made


def answers(course, good=True):
    return {str(one.uuid): (one.right if good else [1]) for one in course.questions.all()}


# Lessons and help ------------------------------------------------------------------------------------


def test_every_lesson_reads_whole():
    for lesson in lessons.all_lessons():
        assert lesson.name
        assert set(lesson.roles) <= set(Role.values)
        assert len(lesson.material) > 50
        assert all(len(given) >= 2 and right for _words, given, right in lesson.questions)


def test_prepared_twice_is_once_and_what_a_district_wrote_stays(db):
    assert lessons.prepare() == len(lessons.all_lessons())
    Course.objects.filter(code="charting").update(material="本区写法")
    assert lessons.prepare() == 0
    assert Course.objects.get(code="charting").material == "本区写法"


@pytest.mark.parametrize("role", lessons.PEOPLE)
def test_every_role_has_something_to_learn(role):
    assert any(role in lesson.roles for lesson in lessons.all_lessons())


def test_every_page_has_help(client, doctor):
    lessons.prepare()
    client.force_login(doctor)
    names = {name for name in get_resolver().reverse_dict if isinstance(name, str) and "_" not in name}
    assert {"chart", "tickets", "my-team"} <= names
    for name in sorted(names):
        assert client.get(f"/help/{name}").status_code == 200, name


def test_a_page_leads_to_its_own_lesson(client, doctor):
    lessons.prepare()
    client.force_login(doctor)
    assert "/help/home" in client.get("/").content.decode()
    page = client.get("/help/chart").content.decode()
    assert "写一份病历" in page
    assert "社医入门" not in page
    assert "社医入门" in client.get("/help/nobody-knows").content.decode()


def test_paragraphs_and_steps():
    assert pages.parts("先看。\n1. 甲\n2、乙\n完") == [("p", ["先看。"]), ("ol", ["甲", "乙"]), ("p", ["完"])]


# Tests and certificates ------------------------------------------------------------------------------


@given(st.lists(st.tuples(st.sets(st.integers(0, 4), min_size=1), st.sets(st.integers(0, 4))), max_size=8))
def test_a_question_counts_when_all_right_ones_and_no_others_are_chosen(pairs):
    rows = [Question(uuid=uuid.uuid4(), right=sorted(right)) for right, _chosen in pairs]
    given_ = {str(row.uuid): chosen for row, (_right, chosen) in zip(rows, pairs, strict=True)}
    good = sum(right == chosen for right, chosen in pairs)
    assert grading.score(rows, given_) == (good * 100 // len(pairs) if pairs else 100)


def test_passed_gives_a_certificate_once(course, doctor):
    key = uuid.uuid4()
    for _n in range(2):
        made = actions.take(course=course, by=doctor, key=key, given=answers(course), now=NOW)
    assert (made.score, made.passed, Attempt.objects.count(), Certificate.objects.count()) == (
        100,
        True,
        1,
        1,
    )
    actions.take(course=course, by=doctor, key=uuid.uuid4(), given=answers(course), now=NOW)
    assert Certificate.objects.count() == 1


def test_failed_gives_none_and_a_strange_key_is_refused(course, doctor, colleague):
    key = uuid.uuid4()
    assert not actions.take(course=course, by=doctor, key=key, given=answers(course, good=False)).passed
    assert not Certificate.objects.exists()
    with pytest.raises(Conflict):
        actions.take(course=course, by=colleague, key=key, given={})


def test_by_the_page(client, course, doctor):
    client.force_login(doctor)
    page = client.get("/training/chart/").content.decode()
    assert "<ol><li>甲</li>" in page
    wrong = client.post("/training/chart/", {"key": uuid.uuid4()})
    assert "60" in wrong.content.decode()
    data = {"key": uuid.uuid4()} | {key: [str(n) for n in given_] for key, given_ in answers(course).items()}
    assert client.post("/training/chart/", data).url == "/training/"
    assert "state-good" in client.get("/training/").content.decode()
    number = Certificate.objects.get().number
    assert client.get(f"/training/certificates/{number}/").status_code == 200


@pytest.mark.parametrize("data", [{"key": "x"}, {}, {"key": "00000000-0000-4000-8000-000000000000\x00"}])
def test_odd_papers_never_break_it(client, course, doctor, data):
    client.force_login(doctor)
    assert client.post("/training/chart/", data).status_code in (400, 404)


@pytest.mark.parametrize("chosen", ["99", "-1", "１", "a", "0.5"])
def test_odd_answers_are_wrong_answers(client, course, doctor, chosen):
    client.force_login(doctor)
    data = {"key": uuid.uuid4()} | dict.fromkeys(answers(course), chosen)
    assert client.post("/training/chart/", data).status_code == 200
    assert Attempt.objects.get().score == 0


def test_certificates_are_ones_own_and_of_who_keeps_the_training(
    client, course, doctor, colleague, manager, stranger
):
    actions.take(course=course, by=doctor, key=uuid.uuid4(), given=answers(course))
    number = Certificate.objects.get().number
    for who, status in ((doctor, 200), (manager, 200), (colleague, 404), (stranger, 404)):
        client.force_login(who)
        assert client.get(f"/training/certificates/{number}/").status_code == status


def test_an_old_certificate_is_to_be_renewed(course, doctor):
    actions.take(
        course=course, by=doctor, key=uuid.uuid4(), given=answers(course), now=NOW - timedelta(days=500)
    )
    assert lacking.lessons_left(doctor, TODAY) == 1
    actions.take(course=course, by=doctor, key=uuid.uuid4(), given=answers(course), now=NOW)
    assert lacking.lessons_left(doctor, TODAY) == 0


def signed_in(client, user):
    return client.post(
        "/sign-in", {"username": user.username, "password": factories.PASSWORD}, follow=True
    ).content.decode()


def test_a_new_doctor_is_told_of_the_lessons_until_they_are_read(client, course, doctor):
    assert "还有 1 节" in signed_in(client, doctor)
    assert "还有 1 节" not in client.get("/").content.decode()
    client.post("/sign-out")
    actions.take(course=course, by=doctor, key=uuid.uuid4(), given=answers(course))
    assert "节短课" not in signed_in(client, doctor)


# Sessions and who lacks what -------------------------------------------------------------------------


@pytest.fixture
def workshop(centre, doctor, colleague):
    held = Course.objects.create(code="workshop", name="讲座", way="on_site", roles=["doctor"])
    made = Session.objects.create(
        course=held, institution=centre, starts_at=NOW - timedelta(hours=3), ends_at=NOW, trainer="吴"
    )
    for person in (doctor, colleague):
        Trainee.objects.create(session=made, person=person)
    return made


def test_who_came_has_learnt_it(client, workshop, manager, doctor, colleague):
    client.force_login(manager)
    client.post(f"/training/sessions/{workshop.uuid}/", {"came": [doctor.uuid]})
    assert {one.person.pk: one.came for one in workshop.trainees.all()} == {
        doctor.pk: True,
        colleague.pk: False,
    }
    assert [one.person for one in Certificate.objects.all()] == [doctor]


def test_nobody_came_before_it_began_nor_is_ticked_by_a_stranger(workshop, manager, other_centre):
    with pytest.raises(Forbidden):
        actions.attend(session=workshop, by=factories.user(Role.MANAGER, other_centre), came={})
    with pytest.raises(Refused):
        actions.attend(session=workshop, by=manager, came={}, now=NOW - timedelta(days=1))


def test_the_matrix_is_what_counting_gives(client, course, doctor, colleague, nurse, manager, stranger):
    actions.take(course=course, by=doctor, key=uuid.uuid4(), given=answers(course))
    found = lacking.matrix(manager, TODAY)
    cells = {place.code: cells for place, cells in found["rows"]}
    assert cells["S0101"] == [[2, 1]]
    assert "S0201" not in cells
    assert found["people"] == {(doctor.institution_id, course.pk): [colleague.name]}
    client.force_login(manager)
    assert colleague.name in client.get("/training/lacking").content.decode()
    assert client.get("/training/lacking/sheet")["Content-Type"].startswith("application/vnd")


def test_what_the_matrix_costs(client, course, manager, station, django_assert_max_num_queries):
    for n in range(20):
        factories.user(Role.DOCTOR, station, name=f"医生{n}")
    client.force_login(manager)
    with django_assert_max_num_queries(9):
        client.get("/training/lacking")


@pytest.mark.parametrize(("role", "address", "status"), [(Role.DOCTOR, "/training/lacking", 403), (Role.INTEGRATOR, "/training/", 403), (Role.VENDOR, "/training/", 200), (Role.DOCTOR, "/training/none/", 404)])  # fmt: skip
def test_who_sees_what(client, district, course, role, address, status):
    client.force_login(factories.user(role, district))
    assert client.get(address).status_code == status
