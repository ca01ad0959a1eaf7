"""How well messages reach a resident, on the resident's page and at the desk."""

import pytest
from django.urls import reverse
from django.utils import timezone

from clinic.codes import Act
from clinic.models import AuditEntry
from messaging import reach
from messaging.actions import calls
from messaging.codes import CallState, Carrier, ConsentSource, OverrideSource, Purpose
from messaging.models import CallTask, Consent, NumberOverride, OptOut
from tests import factories
from tests.messaging import rows

pytestmark = pytest.mark.django_db


@pytest.fixture
def person(station):
    return factories.resident(station, phone="13800138000")


@pytest.fixture
def campaign(station, clerk):
    return rows.campaign(station, clerk)


def test_the_rate_counts_what_came_to_an_end(campaign, person, clerk):
    for state in ("delivered", "failed", "queued"):
        rows.message(rows.campaign(campaign.institution, clerk), person, state=state)
    found = reach.of(person, clerk)
    assert (found["total"], found["delivered"], found["lost"], found["rate"]) == (3, 1, 1, 50)
    assert found["last_reached"] is not None


def test_nobody_was_written_to_yet(person, clerk):
    found = reach.of(person, clerk)
    assert (found["total"], found["rate"], found["last_reached"], found["messages"]) == (0, None, None, [])


def test_where_the_number_is_now(person, clerk):
    assert reach.of(person, clerk)["carrier"] == Carrier.MOBILE.label
    NumberOverride.objects.create(phone=person.phone, carrier=Carrier.UNICOM, source=OverrideSource.RECEIPT)
    found = reach.of(person, clerk)
    assert (found["carrier"], found["ported"]) == (Carrier.UNICOM.label, True)


@pytest.mark.parametrize("phone", ["", "010-65120000", "x", "1380013800"])
def test_a_number_that_is_no_mobile_has_no_carrier(station, clerk, phone):
    assert reach.of(factories.resident(station, phone=phone), clerk)["carrier"] == ""


def test_refusals_and_the_last_word_on_each_purpose(person, clerk):
    OptOut.objects.create(phone=person.phone, source=ConsentSource.SMS)
    for given in (True, False):
        Consent.objects.create(
            resident=person, purpose=Purpose.EDUCATION, given=given, source=ConsentSource.DESK
        )
    found = reach.of(person, clerk)
    said = {purpose: consent and consent.given for purpose, consent in found["consents"]}
    assert said[Purpose.EDUCATION] is False
    assert said[Purpose.AGREEMENT] is None
    assert found["opt_out"] is not None


def test_a_wrong_number_is_told_until_there_is_another(campaign, person, clerk):
    rows.message(campaign, person, state="failed")
    calls.make(campaign=campaign, by=clerk)
    calls.close(task=CallTask.objects.get(), state=CallState.WRONG_NUMBER, by=clerk)
    assert reach.of(person, clerk)["wrong"] is not None
    person.phone = "13800138001"
    person.save()
    assert reach.of(person, clerk)["wrong"] is None


def test_the_text_is_for_whom_may_read_messages(client, campaign, person, doctor, clerk):
    made = rows.message(campaign, person, state="delivered")
    for who, sees in ((doctor, False), (clerk, True)):
        client.force_login(who)
        html = client.get(reverse("resident", args=[person.uuid])).content.decode()
        assert ('id="reach-title"' in html, made.text in html) == (True, sees)


def test_the_profile_costs_few_queries(campaign, person, clerk, django_assert_max_num_queries):
    for _n in range(12):
        rows.message(rows.campaign(campaign.institution, clerk), person, state="delivered")
    with django_assert_max_num_queries(6):
        assert len(reach.of(person, clerk)["messages"]) == 10


def test_at_the_desk_and_audited(client, clerk, person):
    client.force_login(clerk)
    page = reverse("admin:messaging_message_of", args=[person.uuid])
    assert person.masked_phone in client.get(page).content.decode()
    assert AuditEntry.objects.filter(act=Act.VIEW, resident=str(person.uuid)).count() == 1


def test_another_station_s_resident_is_not_there(client, clerk, other_station):
    client.force_login(clerk)
    page = reverse("admin:messaging_message_of", args=[factories.resident(other_station).uuid])
    assert client.get(page).status_code == 404


def test_numbers_learnt_long_ago_count_no_more(person, clerk):
    NumberOverride.objects.create(
        phone=person.phone, carrier=Carrier.UNICOM, source=OverrideSource.RECEIPT, until=timezone.now()
    )
    assert not reach.of(person, clerk)["ported"]
