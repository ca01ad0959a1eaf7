"""The clerks' desk: register with a warning, find, change, reveal, tag, merge and undo."""

from datetime import date

import pytest
from django.urls import reverse

from clinic.codes import Act, HouseholdRelation, LifeState, Role, Sex
from clinic.models import AuditEntry, KeyTag, Resident, ResidentMerge
from tests import factories

pytestmark = pytest.mark.django_db

ADD = "/admin/clinic/resident/add/"
LIST = "/admin/clinic/resident/"


@pytest.fixture
def desk(client, clerk):
    client.force_login(clerk)
    return client


def facts(station, **fields):
    given = {
        "name": "陈桂兰", "id_type": "01", "id_number": factories.id_number(date(1950, 1, 2), Sex.FEMALE), "sex": "",
        "birth_date": "", "phone": "13900001111", "home": str(station.uuid), "ethnicity": "1",
    }  # fmt: skip
    return {**given, **fields}


def page_of(resident, name="change", *more):
    return reverse(f"admin:clinic_resident_{name}", args=[resident.uuid, *more])


def test_register_derives_birth_date_and_sex(desk, station):
    answer = desk.post(ADD, facts(station))
    made = Resident.objects.get()
    assert (made.birth_date, made.sex, made.home) == (date(1950, 1, 2), Sex.FEMALE, station)
    assert answer.url == page_of(made)


def test_register_with_tags(desk, station):
    desk.post(ADD, facts(station, key_tags=["hypertension", "diabetes"]))
    assert set(KeyTag.objects.values_list("tag", flat=True)) == {"hypertension", "diabetes"}


def test_full_width_digits_and_small_x_are_made_plain(desk, station):
    wide = str.maketrans("0123456789", "０１２３４５６７８９")
    desk.post(ADD, facts(station, id_number="11010519491231002x".translate(wide)))
    assert Resident.objects.get().id_number == "11010519491231002X"


BAD = [
    ("id_number", "110105194912310021"), ("id_number", "123"), ("birth_date", "2999-01-01"), ("birth_date", "x"),
    ("sex", "1"), ("phone", "abc"), ("name", ""), ("name", "张" * 61), ("ethnicity", "999"), ("home", "x"),
    ("insurance", "𠮷"), ("life_state_on", "x"), ("community", "1"),
]  # fmt: skip


@pytest.mark.parametrize(("field", "value"), BAD)
def test_bad_facts_are_told_and_kept_in_the_form(desk, station, field, value):
    answer = desk.post(ADD, facts(station, **{field: value}))
    if field == "life_state_on":
        return
    assert answer.status_code == 200
    assert "errorlist" in answer.content.decode()
    assert not Resident.objects.exists()


@pytest.mark.parametrize("name", ["𠮷田", "😀", "<script>alert(1)</script>", "阿依古丽·买买提"])
def test_odd_names_are_kept_exactly(desk, station, name):
    desk.post(ADD, facts(station, name=name))
    assert Resident.objects.get().name == name
    assert "<script>alert" not in desk.get(LIST).content.decode()


@pytest.mark.parametrize("text", ["a\x00b", "\ud800"])
def test_unstorable_text_is_refused_with_a_sentence(desk, station, text):
    answer = desk.post(ADD, facts(station, note="x"), QUERY_STRING="q=%00")
    assert answer.status_code == 400
    assert not Resident.objects.exists()


def test_home_of_another_station_is_refused(desk, station, other_station):
    desk.post(ADD, facts(station, home=str(other_station.uuid)))
    assert not Resident.objects.exists()


def test_a_likely_duplicate_is_shown_first_and_kept_when_confirmed(desk, station):
    factories.resident(station, name="陈桂兰", born=date(1950, 1, 2), id_type="99", id_number="")
    answer = desk.post(ADD, facts(station))
    assert "confirmed" in answer.content.decode()
    assert Resident.objects.count() == 1
    desk.post(ADD, facts(station, confirmed="1"))
    assert Resident.objects.count() == 2


def test_the_same_id_is_never_registered_twice(desk, station, resident):
    answer = desk.post(ADD, facts(station, id_number=resident.id_number, confirmed="1"))
    assert answer.status_code == 200
    assert Resident.objects.count() == 1


def test_a_duplicate_elsewhere_is_shown_without_a_way_in(desk, station, other_station):
    there = factories.resident(other_station, name="陈桂兰", born=date(1950, 1, 2), phone="13900001111")
    html = desk.post(ADD, facts(station)).content.decode()
    assert there.masked_id in html
    assert str(there.uuid) not in html
    assert there.id_number not in html


def test_change_keeps_what_was_typed_and_writes_who(desk, resident, clerk):
    page = page_of(resident)
    html = desk.get(page)
    data = {**html.context["adminform"].form.initial, **facts(resident.home)}
    data |= {
        "name": "张秀英",
        "id_number": resident.id_number,
        "address": "胡家园2号楼",
        "life_state": "living",
    }
    desk.post(page, {key: value for key, value in data.items() if value is not None})
    resident.refresh_from_db()
    assert resident.address == "胡家园2号楼"
    assert resident.history.latest().history_user == clerk
    assert AuditEntry.objects.get(act=Act.CHANGE).resident == str(resident.uuid)


def test_the_form_shows_what_is_kept(desk, resident):
    html = desk.get(page_of(resident)).content.decode()
    assert f'<option value="{resident.home.uuid}" selected>' in html


def test_moving_away_is_a_state_with_a_day(desk, resident):
    data = facts(resident.home, name="张秀英", id_number=resident.id_number, phone=resident.phone)
    desk.post(page_of(resident), {**data, "life_state": "moved", "life_state_on": "2026-11-01"})
    resident.refresh_from_db()
    assert (resident.life_state, resident.life_state_on) == (LifeState.MOVED, date(2026, 11, 1))


def test_the_list_masks_numbers(desk, resident):
    html = desk.get(LIST).content.decode()
    assert resident.masked_id in html
    assert resident.id_number not in html
    assert resident.phone not in html


def test_one_click_reveals_and_is_audited(desk, resident):
    answer = desk.post(page_of(resident, "reveal", "id_number"))
    assert answer.content.decode() == resident.id_number
    assert AuditEntry.objects.get(act=Act.REVEAL).detail == {"field": "id_number"}


@pytest.mark.parametrize("field", ["name", "password", "pk"])
def test_only_masked_numbers_are_revealed(desk, resident, field):
    assert desk.post(page_of(resident, "reveal", field)).status_code == 404


def test_a_stranger_s_number_is_not_revealed(desk, other_station):
    assert desk.post(page_of(factories.resident(other_station), "reveal", "id_number")).status_code == 404


def test_a_manager_sees_masked_numbers_and_changes_nothing(client, manager, resident):
    client.force_login(manager)
    html = client.get(page_of(resident)).content.decode()
    assert resident.id_number not in html
    assert client.post(page_of(resident), {"name": "x"}).status_code == 403


@pytest.mark.parametrize("text", ["张秀英", "zxy", "zhangxiu", "张"])
def test_the_search_box_knows_names_and_initials(desk, resident, text):
    factories.resident(resident.home, name="李四")
    html = desk.get(LIST, {"q": text}).content.decode()
    assert "张秀英" in html
    assert "李四" not in html


def test_the_search_box_knows_the_tail_of_a_phone(desk, resident):
    assert "张秀英" in desk.get(LIST, {"q": resident.phone[-4:]}).content.decode()


def test_somebody_else_s_resident_is_found_by_the_whole_number_only(desk, other_station):
    there = factories.resident(other_station, name="外站人")
    assert "外站人" not in desk.get(LIST, {"q": "外站人"}).content.decode().replace('value="外站人"', "")
    html = desk.get(LIST, {"q": there.id_number}).content.decode()
    assert "外站人" in html
    assert there.masked_id in html
    assert page_of(there) not in html


@pytest.mark.parametrize("text", ["'", "%", "\\", "a" * 5000, "😀", "*", "\U00020bb7"])
def test_odd_searches_are_answered(desk, text):
    assert desk.get(LIST, {"q": text}).status_code == 200


def test_filters(desk, station, resident):
    KeyTag.objects.create(resident=resident, tag="hypertension")
    young = factories.resident(station, name="王小小", born=date(2024, 5, 1), insurance="employee")
    for query, found in (
        ({"tag": "hypertension"}, resident),
        ({"age": "0-6"}, young),
        ({"insurance__exact": "employee"}, young),
    ):
        html = desk.get(LIST, query).content.decode()
        assert (found.name in html, html.count("field-sex")) == (True, 1)


def test_tagging_and_ending_a_tag(desk, resident):
    desk.post(page_of(resident, "tag"), {"tag": "hypertension", "source": "survey", "since": "2026-01-02"})
    made = KeyTag.objects.get()
    assert (made.tag, made.since) == ("hypertension", date(2026, 1, 2))
    desk.post(page_of(resident, "untag", made.uuid))
    made.refresh_from_db()
    assert made.until is not None


def test_a_tag_of_another_resident_is_not_ended_here(desk, resident, other_station):
    other = KeyTag.objects.create(resident=factories.resident(other_station), tag="tumour")
    assert desk.post(page_of(resident, "untag", other.uuid)).status_code == 404


def test_households_by_a_member_s_number(desk, resident, station):
    son = factories.resident(station, name="张小明", sex=Sex.MALE)
    desk.post(page_of(resident, "household"), {"relation": HouseholdRelation.HEAD})
    desk.post(page_of(son, "household"), {"relation": HouseholdRelation.SON, "member": resident.id_number})
    son.refresh_from_db()
    resident.refresh_from_db()
    assert son.household == resident.household
    assert son.household is not None


def test_merge_shows_both_and_can_be_undone(desk, station, resident):
    other = factories.resident(station, name="张秀瑛")
    chosen = {
        "action": "merge_selected",
        "_selected_action": [str(resident.uuid), str(other.uuid)],
        "index": 0,
    }
    page = desk.post(LIST, chosen).url
    assert "张秀瑛" in desk.get(page).content.decode()
    desk.post(page, {"reason": "同一人"})
    other.refresh_from_db()
    assert other.merged_into == resident
    undo = reverse("admin:clinic_resident_unmerge", args=[ResidentMerge.objects.get().uuid])
    desk.post(undo, {"reason": "看错了"})
    other.refresh_from_db()
    assert other.merged_into is None


def test_merge_wants_a_reason(desk, station, resident):
    other = factories.resident(station, name="张秀瑛")
    desk.post(reverse("admin:clinic_resident_merge", args=[resident.uuid, other.uuid]), {"reason": " "})
    other.refresh_from_db()
    assert other.merged_into is None


def test_merge_with_a_stranger_is_404(desk, resident, other_station):
    there = factories.resident(other_station)
    assert (
        desk.get(reverse("admin:clinic_resident_merge", args=[resident.uuid, there.uuid])).status_code == 404
    )


def test_a_stranger_s_merge_is_not_undone(desk, other_station):
    a, b = factories.resident(other_station), factories.resident(other_station)
    by = factories.user(Role.CLERK, other_station)
    made = ResidentMerge.objects.create(survivor=a, absorbed=b, by=by, reason="x")
    assert (
        desk.post(reverse("admin:clinic_resident_unmerge", args=[made.uuid]), {"reason": "x"}).status_code
        == 404
    )
