"""Registering and keeping residents: what is derived, what is warned of, what is refused, who wins a race."""

import threading
from datetime import date, timedelta

import pytest
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from clinic import duplicates, record_numbers
from clinic.actions import residents as actions
from clinic.codes import Act, IdType, LifeState, Sex
from clinic.errors import Conflict, Forbidden, Refused
from clinic.models import AuditEntry, Community, Resident, ResidentMerge
from tests import factories

pytestmark = pytest.mark.django_db
NUMBER = "11010519491231002X"


@pytest.fixture
def community(station):
    return Community.objects.create(
        code="110105001001", name="胡家园社区", street="东直门街道", institution=station
    )


def person(home, name="张秀英", **facts):
    return Resident(**{"name": name, "id_number": NUMBER, "home": home, **facts})


def register(home, by, confirmed=False, **facts):
    return actions.register(resident=person(home, **facts), by=by, confirmed=confirmed)


def refusal(of=Refused, **call):
    with pytest.raises(of) as caught:
        register(**call)
    return caught.value


def test_the_id_tells_birth_date_and_sex(station, clerk):
    row = register(station, clerk)
    assert (row.birth_date, row.sex, row.initials) == (date(1949, 12, 31), Sex.FEMALE, "zxy")


def test_the_record_number_is_the_neighbourhoods_next(station, clerk, community):
    first = register(station, clerk, community=community)
    second = register(station, clerk, community=community, name="王强", id_number=factories.id_number())
    assert [first.record_number, second.record_number] == ["11010500100100001", "11010500100100002"]


def test_numbers_that_came_by_import_are_passed_over(station, community):
    factories.resident(station, record_number="11010500100100041")
    assert record_numbers.take_next(community) == "11010500100100042"


def test_a_full_neighbourhood_says_so(station, community):
    factories.resident(station, record_number="11010500100199999")
    with pytest.raises(Refused):
        record_numbers.take_next(community)


@pytest.mark.parametrize(
    ("field", "facts"),
    [
        ("id_number", {"id_number": "110105194912310021"}),
        ("id_number", {"id_number": ""}),
        ("id_number", {"id_type": IdType.NONE, "birth_date": date(1990, 1, 1), "sex": "1"}),
        ("birth_date", {"birth_date": date(1950, 1, 1)}),
        ("birth_date", {"id_type": IdType.NONE, "id_number": "", "sex": "1"}),
        ("birth_date", {"id_type": IdType.NONE, "id_number": "", "sex": "1", "birth_date": date(1850, 1, 1)}),
        ("birth_date", {"id_type": IdType.NONE, "id_number": "", "sex": "1", "birth_date": date(2999, 1, 1)}),
        ("sex", {"sex": Sex.MALE}),
        ("sex", {"id_type": IdType.NONE, "id_number": "", "birth_date": date(1990, 1, 1)}),
        ("name", {"name": "   "}),
        ("phone", {"phone": "张三138"}),
        ("phone", {"phone": "123"}),
    ],
)
def test_a_wrong_fact_is_named_with_its_field(field, facts, station, clerk):
    assert refusal(home=station, by=clerk, **facts).facts["field"] == field
    assert not Resident.objects.exists()


def test_a_newborn_needs_no_papers(station, clerk):
    row = register(
        station, clerk, id_type=IdType.NEWBORN, id_number="", sex="1", birth_date=timezone.localdate()
    )
    assert row.age_text == "0天"


def test_the_same_id_is_refused_even_when_confirmed(station, clerk):
    register(station, clerk)
    assert refusal(Conflict, home=station, by=clerk, name="别人", confirmed=True).code == "taken"


def test_the_same_id_elsewhere_says_where(station, other_station, clerk):
    factories.resident(other_station, id_number=NUMBER)
    assert "安德路" in refusal(Conflict, home=station, by=clerk).message


def test_the_id_of_an_absorbed_row_is_taken_too(station, clerk):
    goes, stays = factories.resident(station, id_number=NUMBER), factories.resident(station)
    actions.merge(survivor=stays, absorbed=goes, reason="重复建档", by=clerk)
    assert refusal(Conflict, home=station, by=clerk, confirmed=True).code == "taken"


@pytest.mark.parametrize(
    ("why", "facts"),
    [
        ("phone", {"phone": "13800138000", "name": "李雷", "born": date(2000, 1, 1)}),
        ("name", {"name": "张秀英", "born": date(1949, 12, 31)}),
        ("sound", {"name": "章秀瑛", "born": date(1949, 12, 31)}),
    ],
)
def test_a_likeness_is_warned_of_until_confirmed(why, facts, station, clerk):
    factories.resident(station, **facts)
    assert refusal(Conflict, home=station, by=clerk, phone="13800138000").code == "duplicates"
    [match] = duplicates.candidates(
        person(station, phone="13800138000", birth_date=date(1949, 12, 31)), clerk
    )
    assert match.reasons == [why]
    assert register(station, clerk, phone="13800138000", confirmed=True).pk


def test_a_foreign_likeness_is_masked(station, other_station, clerk):
    factories.resident(other_station, "章秀瑛", born=date(1949, 12, 31))
    [match] = duplicates.candidates(person(station, birth_date=date(1949, 12, 31)), clerk)
    assert (match.name, match.born, match.foreign) == ("章**", None, True)


def test_nobody_registers_at_another_institution(other_station, clerk):
    assert refusal(Forbidden, home=other_station, by=clerk).facts["field"] == "home"


def test_rare_characters_are_kept_exactly(station, clerk):
    name = "𠮷㼆·麦麦提"
    assert Resident.objects.get(pk=register(station, clerk, name=name).pk).name == name


def test_registering_stands_in_the_trail(station, clerk):
    row = register(station, clerk)
    entry = AuditEntry.objects.get(act=Act.CREATE)
    assert (entry.username, entry.resident, entry.resident_home_path) == (
        clerk.username,
        str(row.uuid),
        station.path,
    )


def test_only_the_changed_fields_are_written(resident, clerk):
    stale = Resident.objects.get(pk=resident.pk)
    Resident.objects.filter(pk=resident.pk).update(address="新街1号")
    stale.employer = "纺织厂"
    actions.change(resident=stale, changed=["employer"], by=clerk)
    resident.refresh_from_db()
    assert (resident.address, resident.employer) == ("新街1号", "纺织厂")


def test_an_old_wrong_phone_does_not_stop_a_new_address(resident, clerk):
    Resident.objects.filter(pk=resident.pk).update(phone="1")
    resident.refresh_from_db()
    resident.address = "新街1号"
    assert actions.change(resident=resident, changed=["address"], by=clerk).address == "新街1号"


def test_a_change_cannot_take_anothers_id(resident, station, clerk):
    factories.resident(station, id_number=NUMBER)
    resident.id_number, resident.birth_date = NUMBER, date(1949, 12, 31)
    with pytest.raises(Conflict):
        actions.change(resident=resident, changed=["id_number", "birth_date"], by=clerk)


def test_a_stranger_with_a_grant_still_changes_nothing(resident, stranger):
    actions.open_with_reason(resident=resident, reason="今日来诊", by=stranger)
    with pytest.raises(Forbidden):
        actions.change(resident=resident, changed=["address"], by=stranger)


def test_a_death_has_a_day_between_birth_and_today(resident, clerk):
    for day in (date(1900, 1, 1), timezone.localdate() + timedelta(days=1)):
        with pytest.raises(Refused):
            actions.set_life_state(resident=resident, state=LifeState.DECEASED, on=day, by=clerk)
    row = actions.set_life_state(resident=resident, state=LifeState.DECEASED, by=clerk)
    assert (row.life_state, row.life_state_on) == (LifeState.DECEASED, timezone.localdate())


# Races: real connections, real transactions ---------------------------------------------------------


def at_once(*acts):
    """Run the acts side by side; return what each gave or raised."""
    gate, given = threading.Barrier(len(acts)), []

    def run(act):
        try:
            gate.wait(10)
            given.append(act())
        except Refused as refused:
            given.append(refused)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    return given


@pytest.mark.django_db(transaction=True)
def test_two_clerks_register_one_id_and_one_reads_the_sentence(station, clerk):
    given = at_once(*[lambda: register(station, clerk)] * 2)
    assert [isinstance(one, Refused) for one in given].count(True) == 1
    assert Resident.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_clerks_never_get_one_record_number(station, clerk, community):
    ids = [factories.id_number(date(1960, 1, day)) for day in range(1, 5)]
    at_once(*[
        lambda number=number: register(station, clerk, id_number=number, community=community, name=number[-4:])
        for number in ids
    ])  # fmt: skip
    given = sorted(Resident.objects.values_list("record_number", flat=True))
    assert given == [f"110105001001{number:05d}" for number in range(1, 5)]


@pytest.mark.django_db(transaction=True)
def test_merging_both_ways_at_once_makes_no_circle(station, clerk):
    one, other = factories.resident(station), factories.resident(station)
    pairs = ((one, other), (other, one))
    given = at_once(*[
        lambda pair=pair: actions.merge(survivor=pair[0], absorbed=pair[1], reason="重复建档", by=clerk)
        for pair in pairs
    ])  # fmt: skip
    made = [one for one in given if isinstance(one, ResidentMerge)]
    refused = [
        one for one in given if isinstance(one, Refused)
    ]  # in which words hangs on who was how much quicker
    assert (len(made), len(refused)) == (1, 1)
    assert Resident.objects.current().count() == 1


# The form ---------------------------------------------------------------------------------------------


def typed(community, **facts):
    return {
        "id_type": "01", "id_number": NUMBER, "name": "张秀英", "ethnicity": "1", "community": str(community.uuid), **facts,
    }  # fmt: skip


def test_the_page_registers_and_opens_the_resident(client, doctor, community):
    client.force_login(doctor)
    answer = client.post(reverse("resident-register"), typed(community))
    row = Resident.objects.get()
    assert answer["Location"] == reverse("resident", args=[row.uuid])
    assert (row.home, row.birth_date) == (doctor.institution, date(1949, 12, 31))


def test_a_mistyped_id_is_told_at_its_field_and_the_input_stays(client, doctor, community):
    client.force_login(doctor)
    page = client.post(
        reverse("resident-register"), typed(community, id_number="110105194912310021", address="柳堤路")
    )
    text = page.content.decode()
    assert page.status_code == 400
    assert "校验位" in text
    assert "110105194912310021" in text
    assert "柳堤路" in text


def test_a_date_that_contradicts_the_id_is_told_at_the_date(client, doctor, community):
    client.force_login(doctor)
    page = client.post(reverse("resident-register"), typed(community, birth_date="1950-01-01"))
    assert "1949-12-31" in page.context["form"].errors["birth_date"][0]


def test_the_page_warns_and_registers_after_the_tick(client, doctor, community, station):
    factories.resident(station, "章秀英", born=date(1949, 12, 31))
    client.force_login(doctor)
    page = client.post(reverse("resident-register"), typed(community))
    assert (page.status_code, Resident.objects.count()) == (409, 1)
    assert "章秀英" in page.content.decode()
    client.post(reverse("resident-register"), typed(community, confirmed="1"))
    assert Resident.objects.count() == 2


def test_the_same_id_offers_no_tick(client, doctor, community, station):
    factories.resident(station, id_number=NUMBER)
    client.force_login(doctor)
    page = client.post(reverse("resident-register"), typed(community, confirmed="1"))
    assert page.status_code == 409
    assert 'id="id_confirmed"' not in page.content.decode()


@pytest.mark.parametrize("name", ["😀" * 61, "<script>alert(1)</script>", "𠮷" * 20000, "a\nb"])
def test_hostile_names_are_kept_or_refused(name, client, doctor, community):
    client.force_login(doctor)
    page = client.post(reverse("resident-register"), typed(community, name=name), follow=True)
    assert page.status_code in {200, 400}
    assert b"<script>alert" not in page.content


@pytest.mark.parametrize(
    "field", ["home", "community", "id_type", "sex", "birth_date", "ethnicity", "insurance"]
)
def test_nonsense_in_a_choice_is_a_sentence(field, client, doctor, community):
    client.force_login(doctor)
    page = client.post(reverse("resident-register"), {**typed(community), field: "nonsense"})
    assert page.status_code == 400
    assert field in page.context["form"].errors


def test_the_change_page_keeps_what_is_typed(client, doctor, resident, community):
    client.force_login(doctor)
    page = client.get(reverse("resident-change", args=[resident.uuid]))
    facts = {name: field.value() or "" for name, field in ((f.name, f) for f in page.context["form"])}
    answer = client.post(
        reverse("resident-change", args=[resident.uuid]),
        {**facts, "address": "新街1号", "community": community.uuid},
    )
    assert answer.status_code == 302, answer.context["form"].errors
    resident.refresh_from_db()
    assert (resident.address, resident.record_number) == ("新街1号", "11010500100100001")
