"""Who sees a resident: the owner, a colleague, a stranger with and without a reason, and those who never do."""

import re
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from clinic.actions import residents as actions
from clinic.codes import Act, Role
from clinic.errors import Forbidden, Refused
from clinic.models import Allergy, AuditEntry, Resident
from tests import factories

pytestmark = pytest.mark.django_db
BLIND = [
    Role.VENDOR,
    Role.SYSADMIN,
    Role.SECADMIN,
    Role.CENTRE_IT,
    Role.DISTRICT_IT,
    Role.DISTRICT,
    Role.AUDITOR,
]


def page(client, user, resident, name="resident", method="get", **data):
    client.force_login(user)
    return getattr(client, method)(reverse(name, args=[resident.uuid]), data)


def last(act):
    return AuditEntry.objects.filter(act=act).latest("pk")


def test_owner_colleague_and_centre_see_the_resident(client, resident, doctor, colleague, nurse, manager):
    for user in (doctor, colleague, nurse, manager):
        assert page(client, user, resident).status_code == 200


def test_for_a_stranger_there_is_nothing(client, resident, stranger):
    assert page(client, stranger, resident).status_code == 404
    assert page(client, stranger, resident, "resident-change").status_code == 404
    assert page(client, stranger, resident, "reveal", "post", field="phone").status_code == 404
    assert page(client, stranger, resident, "allergy-add", "post", substance="x").status_code == 404


@pytest.mark.parametrize("role", BLIND)
def test_roles_without_patients_are_refused(role, client, resident, station):
    user = factories.user(role, station)
    for name in ("resident", "resident-change", "resident-open", "merge-choose"):
        assert page(client, user, resident, name).status_code == 403
    assert not Resident.objects.visible_to(user).exists()
    assert not Allergy.objects.visible_to(user).exists()


def test_a_nurse_sees_allergies_and_records_them(client, resident, nurse, doctor):
    actions.add_problem(resident=resident, name="高血压3级", by=doctor)
    page(client, nurse, resident, "allergy-add", "post", substance="青霉素")
    text = page(client, nurse, resident).content.decode()
    assert "青霉素" in text
    assert "高血压3级" in text


def test_a_clerk_sees_neither_allergies_nor_problems(client, resident, clerk, doctor):
    actions.record_allergy(resident=resident, substance="青霉素", by=doctor)
    actions.add_problem(resident=resident, name="高血压3级", by=doctor)
    text = page(client, clerk, resident).content.decode()
    assert resident.name in text
    assert "青霉素" not in text
    assert "高血压3级" not in text
    assert page(client, clerk, resident, "allergy-add", "post", substance="x").status_code == 403


def test_a_nurse_and_a_manager_do_not_change_the_sheet(client, resident, nurse, manager):
    for user in (nurse, manager):
        assert page(client, user, resident, "resident-change").status_code == 403
        assert page(client, user, resident, "life-state", "post", state="moved").status_code == 403


def test_opening_is_told_apart_from_opening_out_of_the_search(client, resident, doctor):
    page(client, doctor, resident)
    assert last(Act.VIEW).resident == str(resident.uuid)
    page(client, doctor, resident, **{"from": "search"})
    assert last(Act.SEARCH_OPEN).resident == str(resident.uuid)


def test_a_stranger_opens_with_a_reason_and_the_home_sees_it(client, resident, stranger, auditor):
    assert page(client, stranger, resident, "resident-open").status_code == 200
    answer = page(client, stranger, resident, "resident-open", "post", reason="今日来本站就诊")
    assert answer["Location"] == reverse("resident", args=[resident.uuid])
    assert client.get(answer["Location"]).status_code == 200
    grant = last(Act.GRANT)
    assert (grant.reason, grant.username, grant.resident_home_path) == (
        "今日来本站就诊", stranger.username, resident.home.path,
    )  # fmt: skip
    home_auditor = factories.user(Role.AUDITOR, resident.home)
    acts = set(AuditEntry.objects.visible_to(home_auditor).values_list("act", flat=True))
    assert {Act.GRANT, Act.SEARCH_OPEN, Act.VIEW} <= acts


def test_before_the_reason_only_name_and_masked_number_are_told(client, resident, stranger):
    text = page(client, stranger, resident, "resident-open").content.decode()
    assert resident.name in text
    assert resident.masked_id in text
    assert resident.id_number not in text
    assert "1958" not in text


@pytest.mark.parametrize("reason", ["", " ", "a", "长" * 201])
def test_without_a_proper_reason_the_door_stays_shut(reason, client, resident, stranger):
    assert page(client, stranger, resident, "resident-open", "post", reason=reason).status_code == 400
    assert page(client, stranger, resident).status_code == 404


def test_access_ends_after_24_hours(resident, stranger):
    now = timezone.now()
    actions.open_with_reason(resident=resident, reason="今日来诊", by=stranger, at=now)
    seen = [
        Resident.objects.visible_to(stranger, at=now + timedelta(hours=hours)).exists()
        for hours in (23.9, 24.1)
    ]
    assert seen == [True, False]


def test_access_is_for_one_person_and_one_resident(resident, station, other_station, stranger):
    other = factories.resident(station)
    actions.open_with_reason(resident=resident, reason="今日来诊", by=stranger)
    neighbour = factories.user(Role.DOCTOR, other_station)
    assert list(Resident.objects.visible_to(stranger)) == [resident]
    assert other not in Resident.objects.visible_to(stranger)
    assert not Resident.objects.visible_to(neighbour).exists()


def test_access_covers_the_rows_absorbed_by_a_merge(resident, station, doctor, stranger):
    twin = factories.resident(station)
    actions.merge(survivor=resident, absorbed=twin, reason="重复建档", by=doctor)
    actions.open_with_reason(resident=resident, reason="今日来诊", by=stranger)
    assert set(Resident.objects.visible_to(stranger)) == {resident, twin}


def test_a_clerk_opens_no_foreign_resident(client, resident, other_station):
    clerk = factories.user(Role.CLERK, other_station)
    assert page(client, clerk, resident, "resident-open").status_code == 403
    with pytest.raises(Forbidden):
        actions.open_with_reason(resident=resident, reason="今日来诊", by=clerk)


def test_numbers_are_masked_until_revealed_and_the_trail_knows(client, resident, doctor):
    text = page(client, doctor, resident).content.decode()
    assert resident.masked_id in text
    assert resident.id_number not in text
    assert resident.phone not in text
    answer = page(client, doctor, resident, "reveal", "post", field="id_number")
    assert answer.content.decode() == resident.id_number
    assert last(Act.REVEAL).detail == {"field": "id_number"}


@pytest.mark.parametrize("field", ["", "name", "password", "home__path"])
def test_nothing_else_is_revealed(field, client, resident, doctor):
    assert page(client, doctor, resident, "reveal", "post", field=field).status_code == 400
    with pytest.raises(Refused):
        actions.reveal(resident=resident, field=field, by=doctor)


def test_reveal_is_no_address_to_visit(client, resident, doctor):
    assert page(client, doctor, resident, "reveal").status_code == 405


def test_a_denied_act_stands_in_the_trail(client, resident, clerk):
    page(client, clerk, resident, "allergy-add", "post", substance="x")
    assert last(Act.DENIED).username == clerk.username


def test_nobody_signed_in_is_sent_to_sign_in(client, resident):
    answer = client.get(reverse("resident", args=[resident.uuid]))
    assert answer.status_code == 302
    assert "next=" in answer["Location"]


def test_patient_pages_are_not_stored(client, resident, doctor):
    answer = page(client, doctor, resident)
    assert "no-store" in answer["Cache-Control"]
    assert answer["Referrer-Policy"] == "same-origin"


def test_the_page_shows_the_visits(client, resident, doctor):
    visit = factories.encounter(resident, doctor)
    assert reverse("chart", args=[visit.uuid]) in page(client, doctor, resident).content.decode()


def test_the_page_asks_the_same_few_statements_whatever_the_history(
    client, resident, doctor, django_assert_max_num_queries
):
    for _number in range(3):
        factories.encounter(resident, doctor, status="finished")
    page(client, doctor, resident)
    with django_assert_max_num_queries(22):
        client.get(reverse("resident", args=[resident.uuid]))


def test_a_visit_begins_from_the_search_and_two_hits_have_two_keys(client, resident, station, doctor):
    other = factories.resident(station, resident.name)
    client.force_login(doctor)
    text = client.post(reverse("resident-search"), {"q": resident.name}).content.decode()
    for row in (resident, other):
        assert f'formaction="{reverse("start-for", args=[row.uuid])}"' in text
    keys = re.findall(r'name="key" value="([0-9a-f-]{36})"', text)
    assert len(set(keys)) == 2
    answer = client.post(reverse("start-for", args=[resident.uuid]), {"key": keys[0]})
    assert answer.status_code == 302
    assert resident.encounters.count() == 1


def test_who_looks_for_a_day_gets_no_form_with_the_numbers(client, resident, stranger):
    actions.open_with_reason(resident=resident, reason="今日来诊", by=stranger)
    assert page(client, stranger, resident).status_code == 200
    assert page(client, stranger, resident, "resident-change").status_code == 403


def test_members_of_the_household_elsewhere_stay_hidden(client, resident, other_station, doctor, clerk):
    roof = actions.set_household(resident=resident, relation="0", by=clerk).household
    factories.resident(other_station, "张远方", household=roof, household_relation="2")
    assert "张远方" not in page(client, doctor, resident).content.decode()
