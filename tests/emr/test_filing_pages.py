"""Who sees a filing, and what the pages show of a person."""

import pytest

from clinic.codes import Act
from clinic.models import AuditEntry
from emr.models import InsuranceFiling
from tests.emr.filings import (
    CONFIRMED,
    TO_DO,
    fresh,
    mood,
    opened,
    pensioner,
    run,
)

pytestmark = pytest.mark.django_db


def test_a_pensioner_of_the_station_is_seen_by_those_who_file(
    by_hand, doctor, nurse, manager, stranger, clerk
):
    seen = [
        bool(InsuranceFiling.objects.visible_to(who)) for who in (doctor, nurse, manager, stranger, clerk)
    ]
    assert seen == [True, True, True, False, False]


def test_the_trail_tells_who_saw_the_numbers(client, doctor, by_hand):
    client.force_login(doctor)
    page = client.get(f"/insurance/{by_hand.uuid}").content.decode()
    assert by_hand.referral.resident.id_number in page
    assert AuditEntry.objects.filter(act=Act.REVEAL, object_id=str(by_hand.uuid)).count() == 1


def test_numbers_are_masked_in_the_list_and_after_filing(client, doctor, by_hand):
    person = by_hand.referral.resident
    client.force_login(doctor)
    assert person.name in (page := client.get("/insurance").content.decode())
    assert person.id_number not in page
    client.post(f"/insurance/{by_hand.uuid}", {"number": "YB20260001"})
    after = client.get(f"/insurance/{by_hand.uuid}").content.decode()
    assert "YB20260001" in after
    assert person.id_number not in after
    assert person.insurance_number not in after


def test_pages_of_others_are_not_found(client, stranger, clerk, by_hand):
    pages = [f"/insurance/{by_hand.uuid}{end}" for end in ("", "/ask", "/cancelled", "/retry", "/by-hand")]
    client.force_login(stranger)
    assert {client.post(page).status_code for page in pages} == {404}
    client.force_login(clerk)
    assert {client.post(page).status_code for page in pages} == {403}


def test_a_refused_number_keeps_what_was_typed(client, doctor, by_hand):
    client.force_login(doctor)
    answer = client.post(f"/insurance/{by_hand.uuid}", {"number": "<b>1"})
    assert answer.status_code == 400
    assert 'value="&lt;b&gt;1"' in answer.content.decode()


@pytest.mark.parametrize("address", ["?tab=x", "?after=1", "?after=" + "0" * 32, "?tab=%00"])
def test_an_odd_address_is_not_found(client, doctor, address):
    client.force_login(doctor)
    assert client.get(f"/insurance{address}").status_code in (400, 404)


def test_the_worklist_is_paged_and_costs_few_queries(client, doctor, django_assert_max_num_queries):
    for _n in range(60):
        opened(doctor, resident=pensioner(doctor.institution))
    client.force_login(doctor)
    with django_assert_max_num_queries(12):
        page = client.get("/insurance").content.decode()
    last = list(InsuranceFiling.objects.order_by("made_at", "pk"))[49]
    assert f"after={last.uuid}" in page
    assert client.get(f"/insurance?after={last.uuid}").content.decode().count("/insurance/") >= 10


def test_asking_now_confirms_it_or_says_that_it_cannot(client, doctor, chosen, sandbox):
    mood(sandbox, "lose")
    filing = run(opened(doctor))
    client.force_login(doctor)
    mood(sandbox, "down")
    assert "接口" in client.post(f"/insurance/{filing.uuid}/ask", follow=True).content.decode()
    assert fresh(filing).state == TO_DO
    mood(sandbox, "well")
    client.post(f"/insurance/{filing.uuid}/ask")
    assert fresh(filing).state == CONFIRMED


def test_the_referrals_page_says_that_it_fell_back(client, doctor, chosen, sandbox):
    mood(sandbox, "down")
    filing = run(opened(doctor))
    client.force_login(doctor)
    page = client.get(f"/referrals/{filing.referral.uuid}/filing").content.decode()
    assert "手工" in page
    assert f"/insurance/{filing.uuid}" in page
