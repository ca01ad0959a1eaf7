"""The chart page: everything the doctor needs, in few queries whatever the history."""

import base64
import json
import re
from datetime import timedelta

import pytest
from django.utils import timezone

from clinic.codes import KeyPopulation
from clinic.models import AccessGrant, Allergy, KeyTag, Problem
from emr.actions.visits import check_in, start_for
from emr.codes import EncounterStatus
from emr.models import Encounter, Note
from tests import factories

pytestmark = pytest.mark.django_db


def past_visits(resident, doctor, count, **note):
    for number in range(1, count + 1):
        visit = factories.encounter(resident, doctor, chief_complaint=f"第{number}次前", **note)
        Note.objects.filter(encounter=visit).update(
            signed_at=timezone.now(), signed_by=doctor, signer=doctor.name
        )
        Encounter.objects.filter(pk=visit.pk).update(
            status=EncounterStatus.FINISHED, arrived_at=timezone.now() - timedelta(days=number)
        )


def data_of(answer):
    found = re.search(
        r'<script id="chart-data" type="application/json">(.*?)</script>', answer.content.decode(), re.S
    )
    return json.loads(found[1])


@pytest.fixture
def load(client):
    def load(user, visit):
        client.force_login(user)
        return client.get(f"/visits/{visit.uuid}/")

    return load


@pytest.mark.parametrize("history", [0, 40])
def test_the_chart_costs_ten_queries_and_one_for_the_team_whatever_the_history(
    client, load, doctor, resident, django_assert_max_num_queries, history
):
    past_visits(resident, doctor, history)
    visit = factories.encounter(resident, doctor)
    load(doctor, visit)
    with django_assert_max_num_queries(11):
        client.get(f"/visits/{visit.uuid}/")


def test_the_page_carries_the_draft_its_version_and_its_addresses(load, doctor, encounter):
    Note.objects.filter(encounter=encounter).update(treatment="多饮水𠮷</script>", version=4)
    data = data_of(load(doctor, encounter))
    assert (data["note"]["treatment"], data["version"]) == ("多饮水𠮷</script>", 4)
    assert data["urls"]["save"] == f"/visits/{encounter.uuid}/save"
    assert data["user"] == str(doctor.uuid)


def test_the_key_of_a_draft_is_the_persons_and_stays_the_same(
    load, client, doctor, colleague, encounter, resident
):
    first = data_of(load(doctor, encounter))["draft_key"]
    client.logout()
    again = data_of(load(doctor, encounter))["draft_key"]
    other = data_of(load(colleague, factories.encounter(factories.resident(resident.home), colleague)))[
        "draft_key"
    ]
    assert first == again != other
    assert len(base64.b64decode(first)) == 32


def test_the_banner_knows_what_must_not_be_missed(load, doctor, encounter, resident):
    Allergy.objects.create(resident=resident, substance="青霉素")
    Allergy.objects.create(resident=resident, substance="磺胺", refuted_on="2020-01-01")
    Problem.objects.create(resident=resident, name="高血压")
    KeyTag.objects.create(resident=resident, tag=KeyPopulation.HYPERTENSION)
    banner = load(doctor, encounter).context["banner"]
    assert [row.substance for row in banner.allergies] == ["青霉素"]
    assert ([row.name for row in banner.problems], len(banner.key_tags)) == (["高血压"], 1)


def test_a_merged_file_is_one_file(load, doctor, resident, station):
    absorbed = factories.resident(station, "张秀英")
    Allergy.objects.create(resident=absorbed, substance="头孢")
    past_visits(absorbed, doctor, 1)
    type(absorbed).objects.filter(pk=absorbed.pk).update(merged_into=resident)
    answer = load(doctor, factories.encounter(resident, doctor))
    assert [row.substance for row in answer.context["banner"].allergies] == ["头孢"]
    assert len(answer.context["previous"]) == 1


def test_allergies_stay_in_sight_when_the_access_ran_out(load, stranger, resident):
    Allergy.objects.create(resident=resident, substance="青霉素")
    visit = factories.encounter(resident, stranger)
    grant = timezone.now() - timedelta(hours=30)
    AccessGrant.objects.create(user=stranger, resident=resident, reason="会诊", granted_at=grant)
    assert load(stranger, visit).context["banner"].allergies


def test_previous_visits_come_newest_first_ten_a_page(load, client, doctor, resident):
    past_visits(resident, doctor, 25)
    visit = factories.encounter(resident, doctor)
    answer = load(doctor, visit)
    seen = [row.note.chief_complaint for row in answer.context["previous"]]
    while answer.context["previous_more"]:
        last = answer.context["previous"][-1].uuid
        answer = client.get(f"/visits/{visit.uuid}/previous?before={last}")
        seen += [row.note.chief_complaint for row in answer.context["previous"]]
    assert seen == [f"第{number}次前" for number in range(1, 26)]


def test_visits_elsewhere_are_not_shown_without_a_right(load, doctor, stranger, station, other_station):
    person = factories.resident(other_station)
    past_visits(person, stranger, 3)
    answer = load(doctor, factories.encounter(person, doctor))
    assert answer.context["previous"] == []


def test_the_script_learns_what_signing_will_demand_and_what_to_watch(load, doctor, encounter, resident):
    Allergy.objects.create(resident=resident, substance="青霉素过敏")
    data = data_of(load(doctor, encounter))
    assert set(data["demands"]) == {"first", "return", "emergency"}
    assert set(data["demands"]["first"]) <= set(data["missing"])
    assert data["watch"][0]["core"] == "青霉素"
    assert "西林" in data["watch"][0]["members"]


def test_past_history_is_marked_as_carried_over_until_somebody_touched_it(load, doctor, resident):
    past_visits(resident, doctor, 1, past_history="高血压10年")
    visit = start_for(resident=resident, by=doctor)
    last = Encounter.objects.get(status=EncounterStatus.FINISHED)
    marks = data_of(load(doctor, visit))["note"]["marks"]
    assert marks == {"past_history": {"how": "carried", "from": str(last.uuid)}}
    Note.objects.filter(encounter=visit).update(marks={})
    assert data_of(load(doctor, visit))["note"]["marks"] == {}


@pytest.mark.parametrize("before", ["x", "1", "00000000-0000-0000-0000-000000000000", "' OR 1=1"])
def test_a_page_after_nothing_is_404(client, doctor, encounter, before):
    client.force_login(doctor)
    assert client.get(f"/visits/{encounter.uuid}/previous", {"before": before}).status_code == 404


def test_a_visit_of_somebody_else_is_no_place_to_go_on_from(client, doctor, encounter, another_visit):
    client.force_login(doctor)
    answer = client.get(f"/visits/{encounter.uuid}/previous", {"before": another_visit.uuid})
    assert answer.status_code == 404


@pytest.mark.parametrize("state", ["signed", "imported", "cancelled", "waiting"])
def test_what_is_not_to_be_written_is_read_only(load, doctor, encounter, station, clerk, state):
    note = Note.objects.filter(encounter=encounter)
    if state == "signed":
        note.update(signed_at=timezone.now(), signed_by=doctor)
    elif state == "imported":
        note.update(imported=True)
    elif state == "cancelled":
        Encounter.objects.filter(pk=encounter.pk).update(
            status=EncounterStatus.CANCELLED, cancel_reason="走了"
        )
    else:
        encounter = check_in(resident=factories.resident(station), institution=station, by=clerk)
    answer = load(doctor, encounter)
    assert (answer.status_code, answer.context["writable"]) == (200, False)
    # The key to text this browser kept goes to the writer alone, also when the note is closed.
    assert ("draft_key" in answer.content.decode()) == (state != "waiting")


def test_a_colleague_reads_without_the_writers_key(load, colleague, encounter):
    answer = load(colleague, encounter)
    assert (answer.status_code, answer.context["writable"]) == (200, False)
    assert "draft_key" not in answer.content.decode()
