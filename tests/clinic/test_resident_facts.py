"""Allergies, problems, tags and households: recorded once, ended with a date, never deleted."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from clinic import banner
from clinic.actions import residents as actions
from clinic.codes import HouseholdRelation, KeyPopulation
from clinic.errors import Conflict, Forbidden, Refused
from clinic.models import Allergy, KeyTag, Problem, Resident
from tests import factories

pytestmark = pytest.mark.django_db
TOMORROW = timezone.localdate() + timedelta(days=1)


def test_an_allergy_is_recorded_once(resident, doctor):
    actions.record_allergy(resident=resident, substance="青霉素", by=doctor)
    with pytest.raises(Conflict):
        actions.record_allergy(resident=resident, substance=" 青霉素 ", by=doctor)
    assert Allergy.objects.get().recorded_by == doctor


def test_a_refuted_allergy_stays_with_its_date_and_leaves_the_banner(resident, doctor):
    row = actions.record_allergy(resident=resident, substance="青霉素", by=doctor)
    actions.refute_allergy(allergy=row, by=doctor)
    assert Allergy.objects.get().refuted_on == timezone.localdate()
    assert banner.facts(resident, doctor).allergies == []


def test_none_known_is_told_apart_from_never_asked(resident, doctor):
    assert banner.facts(resident, doctor).no_known_allergies_on is None
    row = actions.set_no_known_allergies(resident=resident, by=doctor)
    assert banner.facts(row, doctor).no_known_allergies_on == timezone.localdate()


def test_an_allergy_takes_none_known_back(resident, doctor):
    actions.set_no_known_allergies(resident=resident, by=doctor)
    actions.record_allergy(resident=resident, substance="青霉素", by=doctor)
    resident.refresh_from_db()
    assert resident.no_known_allergies_on is None


def test_none_known_is_refused_while_an_allergy_stands(resident, doctor):
    actions.record_allergy(resident=resident, substance="青霉素", by=doctor)
    with pytest.raises(Refused):
        actions.set_no_known_allergies(resident=resident, by=doctor)


def test_nothing_begins_tomorrow(resident, doctor):
    for act in (
        lambda: actions.record_allergy(resident=resident, substance="青霉素", since=TOMORROW, by=doctor),
        lambda: actions.add_problem(resident=resident, name="高血压", since=TOMORROW, by=doctor),
        lambda: actions.tag(resident=resident, tag="diabetes", since=TOMORROW, by=doctor),
    ):
        with pytest.raises(Refused):
            act()


def test_a_problem_is_resolved_and_may_come_back(resident, doctor):
    first = actions.add_problem(resident=resident, name="高血压", by=doctor)
    actions.resolve_problem(problem=first, by=doctor)
    actions.add_problem(resident=resident, name="高血压", by=doctor)
    assert Problem.objects.filter(resolved_on=None).count() == 1
    with pytest.raises(Conflict):
        actions.resolve_problem(problem=first, by=doctor)


def test_a_tag_has_a_source_and_dates(resident, clerk):
    row = actions.tag(resident=resident, tag=KeyPopulation.DIABETES, source="report", by=clerk)
    actions.untag(key_tag=row, by=clerk)
    row.refresh_from_db()
    assert (row.source, row.until) == ("report", timezone.localdate())


def test_one_tag_stands_once(resident, clerk):
    actions.tag(resident=resident, tag=KeyPopulation.DIABETES, by=clerk)
    with pytest.raises(Conflict):
        actions.tag(resident=resident, tag=KeyPopulation.DIABETES, by=clerk)


def test_an_end_before_the_beginning_is_a_sentence(resident, clerk):
    row = actions.tag(resident=resident, tag=KeyPopulation.DIABETES, by=clerk)
    with pytest.raises(Refused):
        actions.untag(key_tag=row, until=timezone.localdate() - timedelta(days=9), by=clerk)
    assert KeyTag.objects.get().until is None


def test_age_groups_are_computed(station, doctor):
    child = factories.resident(station, born=timezone.localdate() - timedelta(days=400))
    old = factories.resident(station, born=timezone.localdate() - timedelta(days=70 * 366))
    assert [str(group) for group in banner.facts(child, doctor).age_groups] == ["0–6岁儿童"]
    assert [str(group) for group in banner.facts(old, doctor).age_groups] == ["老年人"]


def test_a_household_has_one_head(resident, station, clerk):
    head = actions.set_household(resident=resident, relation=HouseholdRelation.HEAD, by=clerk)
    wife = factories.resident(station)
    with pytest.raises(Conflict):
        actions.set_household(
            resident=wife, household=head.household, relation=HouseholdRelation.HEAD, by=clerk
        )
    actions.set_household(
        resident=wife, household=head.household, relation=HouseholdRelation.SPOUSE, by=clerk
    )
    assert head.household.head == resident
    assert head.household.members.count() == 2


def test_the_head_leaves_last(resident, station, clerk):
    head = actions.set_household(resident=resident, relation=HouseholdRelation.HEAD, by=clerk)
    son = factories.resident(station)
    actions.set_household(resident=son, household=head.household, relation=HouseholdRelation.SON, by=clerk)
    with pytest.raises(Refused):
        actions.leave_household(resident=resident, by=clerk)
    actions.leave_household(resident=son, by=clerk)
    assert actions.leave_household(resident=resident, by=clerk).household is None


def test_a_foreign_household_is_refused(resident, other_station, stranger, clerk):
    theirs = actions.set_household(
        resident=factories.resident(other_station), relation=HouseholdRelation.HEAD, by=stranger
    ).household
    with pytest.raises(Forbidden):
        actions.set_household(resident=resident, household=theirs, relation=HouseholdRelation.SON, by=clerk)


def test_the_page_puts_into_a_household_by_a_members_number(client, resident, station, clerk, doctor):
    head = actions.set_household(resident=resident, relation=HouseholdRelation.HEAD, by=clerk)
    son = factories.resident(station)
    client.force_login(doctor)
    client.post(reverse("household-set", args=[son.uuid]), {"member": resident.id_number, "relation": "2"})
    assert Resident.objects.get(pk=son.pk).household == head.household


@pytest.mark.parametrize("substance", ["", " ", "长" * 61, "\U0002a6d6" * 20000])
def test_a_bad_allergy_keeps_the_page_and_says_why(substance, client, resident, doctor):
    client.force_login(doctor)
    page = client.post(
        reverse("allergy-add", args=[resident.uuid]), {"substance": substance, "reaction": "皮疹"}
    )
    assert page.status_code == 400
    assert page.context["allergy_form"].errors["substance"]
    assert 'value="皮疹"' in page.content.decode()
    assert not Allergy.objects.exists()


def test_the_banner_asks_at_most_four_statements_and_one_for_the_team(
    resident, doctor, django_assert_max_num_queries
):
    actions.record_allergy(resident=resident, substance="青霉素", by=doctor)
    with django_assert_max_num_queries(5):
        banner.facts(resident, doctor)


ADDRESSES = [
    "allergy-add",
    "problem-add",
    "tag-add",
    "life-state",
    "household-set",
    "household-leave",
    "no-allergies",
    "reveal",
]
NONSENSE = [
    {},
    {
        "substance": "x",
        "name": "x",
        "tag": "x",
        "state": "x",
        "relation": "x",
        "since": "昨天",
        "on": "2999-01-01",
    },
    {
        "substance": "𠮷" * 20000,
        "name": "😀" * 20000,
        "member": "<b>" * 200,
        "field": "password",
        "relation": "0",
    },
    {"name": "<script>alert(1)</script>", "substance": "<script>alert(1)</script>", "since": "0000-00-00"},
]


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("typed", NONSENSE, ids=["empty", "wrong", "huge", "script"])
def test_nonsense_is_answered_with_a_page(address, typed, client, resident, doctor):
    client.force_login(doctor)
    answer = client.post(reverse(address, args=[resident.uuid]), typed)
    assert answer.status_code in {200, 302, 400, 409}
    assert b"<script>alert" not in answer.content


def test_an_ended_fact_is_not_ended_twice(client, resident, doctor):
    row = actions.record_allergy(resident=resident, substance="青霉素", by=doctor)
    client.force_login(doctor)
    codes = [client.post(reverse("allergy-refute", args=[row.uuid])).status_code for _number in range(2)]
    assert codes == [302, 409]
