"""Beginning, setting aside, taking up and cancelling a visit."""

import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from clinic.codes import Act
from clinic.errors import Conflict, Forbidden, Refused
from clinic.models import AccessGrant, Allergy, AuditEntry, Problem
from emr.actions.visits import cancel, check_in, hold, resume, start, start_for
from emr.codes import EncounterStatus, VisitKind
from emr.models import Encounter, Note, Save
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def waiting(resident, station, clerk):
    return check_in(resident=resident, institution=station, by=clerk)


def signed_visit(resident, doctor, days_ago=10, **note):
    visit = factories.encounter(resident, doctor, **note)
    arrived = timezone.now() - timedelta(days=days_ago)
    Note.objects.filter(encounter=visit).update(
        signed_at=timezone.now(), signed_by=doctor, signer=doctor.name
    )
    Encounter.objects.filter(pk=visit.pk).update(status=EncounterStatus.FINISHED, arrived_at=arrived)
    return visit


def test_starting_makes_the_visit_and_the_note_the_doctors(waiting, doctor):
    visit = start(encounter=waiting, by=doctor)
    assert (visit.status, visit.doctor) == (EncounterStatus.IN_PROGRESS, doctor)
    assert Note.objects.get(encounter=visit).author == doctor
    assert visit.started_at is not None


def test_starting_twice_is_starting_once(waiting, doctor):
    first = start(encounter=waiting, by=doctor)
    assert start(encounter=waiting, by=doctor).started_at == first.started_at


def test_who_comes_second_is_told_who_has_it(waiting, doctor, colleague):
    start(encounter=waiting, by=doctor)
    with pytest.raises(Conflict, match=doctor.name):
        start(encounter=waiting, by=colleague)


def test_a_colleague_may_take_who_waits_for_another(resident, station, clerk, doctor, colleague):
    visit = check_in(resident=resident, institution=station, by=clerk, doctor=doctor)
    assert start(encounter=visit, by=colleague).doctor == colleague


def test_an_ended_visit_is_not_started(waiting, doctor, clerk):
    cancel(encounter=waiting, by=clerk, reason="走了")
    with pytest.raises(Conflict):
        start(encounter=waiting, by=doctor)


def test_a_doctor_elsewhere_does_not_start_it(waiting, stranger):
    with pytest.raises(Forbidden):
        start(encounter=waiting, by=stranger)


def test_a_resident_of_elsewhere_wants_a_reason_first(resident, other_station, stranger):
    visit = check_in(resident=resident, institution=other_station, by=stranger)
    with pytest.raises(Forbidden) as refusal:
        start(encounter=visit, by=stranger)
    assert refusal.value.code == "grant"


def test_with_a_grant_the_visit_starts(resident, other_station, stranger):
    AccessGrant.objects.create(user=stranger, resident=resident, reason="急诊")
    assert start_for(resident=resident, by=stranger).doctor == stranger


def test_a_grant_of_yesterday_is_over(resident, other_station, stranger):
    at = timezone.now() - timedelta(hours=25)
    AccessGrant.objects.create(user=stranger, resident=resident, reason="急诊", granted_at=at)
    with pytest.raises(Forbidden):
        start_for(resident=resident, by=stranger)
    assert not Encounter.objects.exists()


def test_from_the_search_one_step_begins(resident, doctor):
    key = uuid.uuid4()
    visits = {start_for(resident=resident, by=doctor, key=key).pk for _click in range(2)}
    assert len(visits) == 1
    assert AuditEntry.objects.filter(act=Act.CHECK_IN).count() == 1


def test_from_the_search_a_waiting_visit_is_taken_up(waiting, doctor):
    assert start_for(resident=waiting.resident, by=doctor, key=uuid.uuid4()) == waiting


def test_hold_and_resume(encounter, doctor):
    assert hold(encounter=encounter, by=doctor, reason="等化验").status == EncounterStatus.ON_HOLD
    again = resume(encounter=encounter, by=doctor)
    assert (again.status, again.hold_reason) == (EncounterStatus.IN_PROGRESS, "")


@pytest.mark.parametrize("act", [hold, resume])
def test_nobody_holds_or_resumes_anothers_visit(encounter, doctor, colleague, act):
    if act is resume:
        hold(encounter=encounter, by=doctor)
    with pytest.raises(Forbidden):
        act(encounter=encounter, by=colleague)


def test_cancelling_wants_a_reason(waiting, clerk):
    for reason in ("", "  ", "长" * 201):
        with pytest.raises(Refused):
            cancel(encounter=waiting, by=clerk, reason=reason)


def test_cancelling_keeps_the_visit_with_its_reason(waiting, clerk):
    cancel(encounter=waiting, by=clerk, reason="走了")
    kept = Encounter.objects.get(pk=waiting.pk)
    assert (kept.status, kept.cancel_reason, kept.cancelled_by) == (EncounterStatus.CANCELLED, "走了", clerk)


def test_a_clerk_does_not_cancel_a_begun_visit(encounter, clerk):
    with pytest.raises(Forbidden):
        cancel(encounter=encounter, by=clerk, reason="走了")


def test_the_first_visit_takes_over_known_problems_and_allergies(resident, doctor):
    Problem.objects.create(resident=resident, name="高血压")
    Allergy.objects.create(resident=resident, substance="青霉素")
    note = start_for(resident=resident, by=doctor).note
    note.refresh_from_db()
    assert "高血压" in note.past_history
    assert "青霉素" in note.past_history


def test_where_nothing_is_known_nothing_is_written(resident, doctor):
    note = start_for(resident=resident, by=doctor).note
    note.refresh_from_db()
    assert (note.past_history, note.version) == ("", 0)


def test_a_return_visit_carries_past_history_and_no_finding(resident, doctor):
    signed_visit(resident, doctor, past_history="高血压10年", signs="双肺湿啰音", examinations="血常规正常")
    note = start_for(resident=resident, by=doctor).note
    note.refresh_from_db()
    assert (note.visit_kind, note.past_history) == (VisitKind.RETURN, "高血压10年")
    assert (note.signs, note.examinations) == ("", "")


def test_what_was_carried_over_is_a_save_too(resident, doctor):
    signed_visit(resident, doctor, past_history="高血压10年")
    visit = start_for(resident=resident, by=doctor)
    save = Save.objects.get(note=visit.note)
    assert (save.version, save.changes["past_history"]) == (1, "高血压10年")


def test_a_visit_long_ago_makes_no_return_visit(resident, doctor, settings):
    signed_visit(resident, doctor, days_ago=settings.RETURN_VISIT_DAYS + 1, past_history="高血压10年")
    note = start_for(resident=resident, by=doctor).note
    note.refresh_from_db()
    assert (note.visit_kind, note.past_history) == (VisitKind.FIRST, "高血压10年")


def test_the_button_leads_to_the_chart(client, waiting, doctor):
    client.force_login(doctor)
    answer = client.post(f"/visits/{waiting.uuid}/start")
    assert answer.headers["Location"] == f"/visits/{waiting.uuid}/"


def test_the_button_asks_for_the_reason_where_the_resident_is_of_elsewhere(
    client, resident, other_station, stranger
):
    visit = check_in(resident=resident, institution=other_station, by=stranger)
    client.force_login(stranger)
    door = client.post(f"/visits/{visit.uuid}/start").headers["Location"]
    assert door == f"/residents/{resident.uuid}/open"
    client.post(door, {"reason": "来本站就诊"})
    assert client.post(f"/visits/{visit.uuid}/start").headers["Location"] == f"/visits/{visit.uuid}/"


def test_the_page_to_cancel_keeps_what_was_typed(client, waiting, doctor):
    client.force_login(doctor)
    answer = client.post(f"/visits/{waiting.uuid}/cancel", {"reason": "长" * 201})
    assert answer.status_code == 400
    assert "长" * 201 in answer.content.decode()
