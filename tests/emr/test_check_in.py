"""Reception: one open visit a person and place, the same click twice is one visit."""

import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from clinic.codes import Act, LifeState
from clinic.errors import Conflict, Forbidden, Refused
from clinic.models import AuditEntry
from emr.actions.visits import cancel, check_in
from emr.codes import EncounterStatus
from emr.models import Encounter, Note
from tests import factories

pytestmark = pytest.mark.django_db


def test_a_checked_in_resident_waits_with_an_empty_note_of_nobody(resident, station, clerk):
    visit = check_in(resident=resident, institution=station, by=clerk)
    assert (visit.status, visit.doctor, visit.checked_in_by) == (EncounterStatus.WAITING, None, clerk)
    assert (visit.note.author, visit.note.version) == (None, 0)
    assert not Note.history.exists()


def test_the_same_key_gives_the_same_visit(resident, station, clerk):
    key = uuid.uuid4()
    visits = [check_in(resident=resident, institution=station, by=clerk, key=key) for _click in range(2)]
    assert visits[0] == visits[1]
    assert AuditEntry.objects.filter(act=Act.CHECK_IN).count() == 1


def test_the_same_key_after_the_visit_ended_brings_no_new_one(resident, station, clerk):
    key = uuid.uuid4()
    first = check_in(resident=resident, institution=station, by=clerk, key=key)
    cancel(encounter=first, by=clerk, reason="走了")
    assert check_in(resident=resident, institution=station, by=clerk, key=key) == first


def test_a_key_of_somebody_else_is_refused(resident, station, clerk, nurse):
    key = uuid.uuid4()
    check_in(resident=resident, institution=station, by=clerk, key=key)
    with pytest.raises(Refused) as refusal:
        check_in(resident=resident, institution=station, by=nurse, key=key)
    assert refusal.value.code == "key"


def test_a_key_of_another_resident_is_refused(resident, station, clerk):
    key = uuid.uuid4()
    check_in(resident=resident, institution=station, by=clerk, key=key)
    with pytest.raises(Refused):
        check_in(resident=factories.resident(station, "刘建国"), institution=station, by=clerk, key=key)
    assert Encounter.objects.count() == 1


def test_a_second_open_visit_is_refused_with_a_sentence(resident, station, clerk):
    check_in(resident=resident, institution=station, by=clerk)
    with pytest.raises(Conflict, match="已在候诊"):
        check_in(resident=resident, institution=station, by=clerk)


def test_who_is_being_seen_is_refused_with_the_doctors_name(encounter, station, clerk):
    with pytest.raises(Conflict, match="王淑珍"):
        check_in(resident=encounter.resident, institution=station, by=clerk)


def test_another_station_may_check_in_at_the_same_time(resident, station, other_station, clerk, stranger):
    check_in(resident=resident, institution=station, by=clerk)
    assert check_in(resident=resident, institution=other_station, by=stranger)


def test_after_a_finished_visit_a_new_one_opens(resident, station, clerk):
    cancel(encounter=check_in(resident=resident, institution=station, by=clerk), by=clerk, reason="走了")
    assert check_in(resident=resident, institution=station, by=clerk)


def test_the_deceased_are_not_checked_in(station, clerk):
    person = factories.resident(station, life_state=LifeState.DECEASED)
    with pytest.raises(Refused) as refusal:
        check_in(resident=person, institution=station, by=clerk)
    assert refusal.value.code == "deceased"


def test_an_absorbed_row_leads_to_the_survivor(resident, station, clerk):
    absorbed = factories.resident(station, merged_into=resident)
    visit = check_in(resident=absorbed, institution=station, by=clerk)
    assert visit.resident == resident


def test_an_open_visit_of_the_absorbed_row_counts(resident, station, clerk):
    absorbed = factories.resident(station)
    check_in(resident=absorbed, institution=station, by=clerk)
    type(absorbed).objects.filter(pk=absorbed.pk).update(merged_into=resident)
    with pytest.raises(Conflict):
        check_in(resident=resident, institution=station, by=clerk)


def test_a_clerk_checks_in_at_ones_own_place_only(resident, other_station, clerk):
    with pytest.raises(Forbidden):
        check_in(resident=resident, institution=other_station, by=clerk)


def test_a_closed_station_receives_nobody(resident, station, clerk):
    station.active = False
    with pytest.raises(Refused) as refusal:
        check_in(resident=resident, institution=station, by=clerk)
    assert refusal.value.code == "closed"


def test_a_doctors_own_list(resident, station, clerk, colleague):
    assert check_in(resident=resident, institution=station, by=clerk, doctor=colleague).doctor == colleague


@pytest.mark.parametrize("who", ["stranger", "nurse", "clerk"])
def test_only_a_doctor_of_the_place_has_a_list(resident, station, clerk, who, request):
    with pytest.raises(Refused) as refusal:
        check_in(resident=resident, institution=station, by=clerk, doctor=request.getfixturevalue(who))
    assert refusal.value.code == "doctor"


def test_waiting_time_runs_from_arrival_to_start(encounter):
    now = timezone.now()
    encounter.arrived_at, encounter.started_at = now - timedelta(minutes=31, seconds=50), None
    assert encounter.waiting_minutes(now) == 31
    encounter.started_at = now - timedelta(minutes=20)
    assert encounter.waiting_minutes(now) == 11


def test_one_click_checks_in_at_ones_own_station(client, nurse, resident):
    client.force_login(nurse)
    answer = client.post(f"/residents/{resident.uuid}/check-in", {"key": str(uuid.uuid4())})
    assert answer.status_code == 302
    assert Encounter.objects.get().institution == nurse.institution


def test_a_key_that_is_none_is_a_sentence(client, nurse, resident):
    client.force_login(nurse)
    client.post(f"/residents/{resident.uuid}/check-in", {"key": "1' OR '1'='1"})
    assert not Encounter.objects.exists()
