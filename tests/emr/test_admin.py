"""Reception at the station desk: check-in, the waiting list, cancelling; and the terms."""

import uuid
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from clinic.admin import foreign
from clinic.codes import Act, LifeState, Role
from clinic.models import AuditEntry
from emr.codes import EncounterStatus, System
from emr.models import Encounter, Term, TermRelease
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(client, clerk):
    client.force_login(clerk)
    return client


def check_in(desk, resident, **data):
    data.setdefault("key", str(uuid.uuid4()))
    return desk.post(reverse("admin:emr_encounter_check_in", args=[resident.uuid]), data, follow=True)


def test_one_click_puts_the_resident_on_the_station_s_list(desk, resident, station):
    answer = check_in(desk, resident)
    visit = Encounter.objects.get()
    assert (visit.resident, visit.institution, visit.doctor) == (resident, station, None)
    assert "张秀英" in answer.content.decode()


def test_two_clicks_make_one_visit(desk, resident):
    key = str(uuid.uuid4())
    for _click in range(2):
        check_in(desk, resident, key=key)
    assert Encounter.objects.count() == 1


def test_a_second_check_in_is_told_and_makes_no_second_visit(desk, resident):
    check_in(desk, resident)
    answer = check_in(desk, resident)
    assert "候诊" in answer.content.decode()
    assert Encounter.objects.count() == 1


def test_to_a_chosen_doctor(desk, resident, doctor):
    page = desk.get(reverse("admin:emr_encounter_choose", args=[resident.uuid])).content.decode()
    assert doctor.name in page
    check_in(desk, resident, doctor=str(doctor.uuid))
    assert Encounter.objects.get().doctor == doctor


def test_a_doctor_of_another_station_cannot_be_chosen(desk, resident, stranger):
    check_in(desk, resident, doctor=str(stranger.uuid))
    assert not Encounter.objects.exists()


@pytest.mark.parametrize("key", ["", "x", "0"])
def test_without_a_good_key_nothing_happens(desk, resident, key):
    assert check_in(desk, resident, key=key).status_code == 200
    assert not Encounter.objects.exists()


def test_check_in_wants_a_click(desk, resident):
    assert desk.get(reverse("admin:emr_encounter_check_in", args=[resident.uuid])).status_code == 403


def test_a_resident_of_another_station_is_not_there(desk, other_station):
    assert check_in(desk, factories.resident(other_station)).status_code == 404
    assert not Encounter.objects.exists()


def test_a_resident_of_another_station_found_by_number_can_be_checked_in(desk, clerk, other_station):
    person = factories.resident(other_station)
    check_in(desk, person, token=foreign.token(clerk, person))
    assert Encounter.objects.get().resident == person


def test_the_proof_is_one_clerk_s_and_one_resident_s(desk, manager, clerk, other_station):
    person, other = factories.resident(other_station), factories.resident(other_station)
    for token in (foreign.token(manager, person), foreign.token(clerk, other), "x"):
        assert check_in(desk, person, token=token).status_code == 404


def test_the_dead_are_not_checked_in(desk, station):
    check_in(desk, factories.resident(station, life_state=LifeState.DECEASED))
    assert not Encounter.objects.exists()


@pytest.mark.parametrize("role", [Role.MANAGER, Role.SYSADMIN, Role.CENTRE_IT, Role.AUDITOR])
def test_who_may_not_check_in(client, role, station, resident):
    client.force_login(factories.user(role, station))
    answer = check_in(client, resident)
    assert answer.status_code in (403, 404)
    assert not Encounter.objects.exists()


def test_the_list_shows_today_and_no_other_station(desk, resident, doctor, stranger, other_station):
    factories.encounter(resident, doctor)
    factories.encounter(factories.resident(other_station, name="别站居民"), stranger)
    html = desk.get(reverse("admin:emr_encounter_changelist")).content.decode()
    assert "张秀英" in html
    assert "别站居民" not in html


def test_yesterday_s_visits_are_a_click_away(desk, resident, doctor, station):
    then = timezone.now() - timedelta(days=1)
    Encounter.objects.create(resident=resident, institution=station, doctor=doctor, arrived_at=then)
    page = reverse("admin:emr_encounter_changelist")
    assert "张秀英" not in desk.get(page).content.decode()
    assert "张秀英" in desk.get(page, {"day": "yesterday"}).content.decode()


def test_the_visit_s_page_has_no_clinical_text_and_is_audited(desk, resident, doctor):
    visit = factories.encounter(resident, doctor, chief_complaint="咳嗽三天")
    html = desk.get(reverse("admin:emr_encounter_change", args=[visit.uuid])).content.decode()
    assert "咳嗽" not in html
    assert AuditEntry.objects.get(act=Act.VIEW).resident == str(resident.uuid)


def test_cancelling_wants_a_reason(desk, resident):
    check_in(desk, resident)
    visit = Encounter.objects.get()
    page = reverse("admin:emr_encounter_cancel", args=[visit.uuid])
    desk.post(page, {"reason": "  "})
    visit.refresh_from_db()
    assert visit.status == EncounterStatus.WAITING


def test_cancelling_keeps_the_visit_with_its_reason(desk, resident):
    check_in(desk, resident)
    visit = Encounter.objects.get()
    desk.post(reverse("admin:emr_encounter_cancel", args=[visit.uuid]), {"reason": "居民离开"})
    visit.refresh_from_db()
    assert (visit.status, visit.cancel_reason) == (EncounterStatus.CANCELLED, "居民离开")


def test_a_begun_visit_is_not_the_clerk_s_to_cancel(desk, resident, doctor):
    visit = factories.encounter(resident, doctor)
    page = reverse("admin:emr_encounter_cancel", args=[visit.uuid])
    answer = desk.post(page, {"reason": "误点"})
    assert "误点" in answer.content.decode()
    visit.refresh_from_db()
    assert visit.status == EncounterStatus.IN_PROGRESS


def test_another_station_s_visit_is_404(desk, stranger, other_station):
    visit = factories.encounter(factories.resident(other_station), stranger)
    for page in ("change", "history", "cancel"):
        assert desk.get(reverse(f"admin:emr_encounter_{page}", args=[visit.uuid])).status_code == 404


@pytest.fixture
def release(db):
    made = TermRelease.objects.create(system=System.ICD10, name="2026", valid_from=timezone.localdate())
    Term.objects.create(release=made, code="J06.900", name="急性上呼吸道感染", initials="jxshxdgr")
    return made


@pytest.mark.parametrize("query", ["J06", "上呼吸道", "jxsh"])
def test_the_district_looks_up_terms(client, district, release, query):
    client.force_login(factories.user(Role.DISTRICT, district))
    html = client.get(reverse("admin:emr_term_changelist"), {"q": query}).content.decode()
    assert "急性上呼吸道感染" in html


def test_terms_are_not_changed_by_hand(client, district, release):
    client.force_login(factories.user(Role.DISTRICT, district))
    assert client.get("/admin/emr/term/add/").status_code == 403
    assert client.get(f"/admin/emr/term/{release.terms.get().pk}/change/").status_code == 404
    page = reverse("admin:emr_termrelease_change", args=[release.uuid])
    assert client.post(page, {"name": "x"}).status_code == 403


@pytest.mark.django_db
@pytest.mark.parametrize(("who", "reads"), [("manager", True), ("clerk", False)])
def test_medical_administration_goes_from_the_desk_to_the_note(client, request, encounter, who, reads):
    client.force_login(request.getfixturevalue(who))
    shown = client.get(f"/admin/emr/encounter/{encounter.uuid}/change/")
    assert (f'href="/visits/{encounter.uuid}/"' in shown.content.decode()) == reads
    assert client.get(f"/visits/{encounter.uuid}/").status_code == (200 if reads else 403)
