"""The search box: who is found by what, where, and who is not."""

from datetime import date

import pytest
from django.urls import reverse

from clinic import search
from clinic.actions import residents as actions
from clinic.codes import Role
from tests import factories

pytestmark = pytest.mark.django_db


def names(text, user):
    return [hit.resident.name for hit in search.find(text, user)]


@pytest.fixture
def zhang(station):
    return factories.resident(
        station, "张秀英", id_number="11010519491231002X", phone="13800138000", born=date(1949, 12, 31),
        record_number="11010500100100042",
    )  # fmt: skip


@pytest.mark.parametrize(
    "typed",
    ["张", "张秀", "张秀英", "zxy", "ZXY", "zh", "zhangxiu", "zhang xiu ying", "002X", "002x", "8000", "１３８００１３８０００",
     "13800138000", "+86 13800138000", "11010519491231002x", "11010500100100042", "00042", "张秀英 8000", "zxy 1949", "zxy002x"],
)  # fmt: skip
def test_a_resident_is_found_by(typed, zhang, doctor):
    assert names(typed, doctor) == ["张秀英"]


@pytest.mark.parametrize(
    "typed", ["", " ", "z", "000", "李", "xy", "秀英", "9999", "%", "_张", "张%", "zxy 1950", "'; --"]
)
def test_a_resident_is_not_found_by(typed, zhang, doctor):
    assert names(typed, doctor) == []


@pytest.mark.parametrize("name", ["𠮷祥", "王㼆", "阿卜杜热合曼·麦麦提", "SMITH JOHN", "😀娃"])
def test_rare_names_are_found_by_themselves(name, station, doctor):
    factories.resident(station, name)
    assert names(name, doctor) == [name]


@pytest.mark.parametrize("typed", ["张秀英", "zxy", "002X", "8000", "00042"])
def test_a_stranger_finds_nobody_by_name_or_tail(typed, zhang, stranger):
    assert names(typed, stranger) == []


@pytest.mark.parametrize("typed", ["11010519491231002X", "13800138000", "11010500100100042"])
def test_a_stranger_finds_by_a_whole_number_and_must_say_a_reason(typed, zhang, stranger):
    [hit] = search.find(typed, stranger)
    assert hit.foreign


def test_a_foreign_resident_is_shown_by_name_and_masked_number(client, zhang, stranger):
    client.force_login(stranger)
    page = client.post(reverse("resident-search"), {"q": zhang.id_number}, headers={"HX-Request": "true"})
    text = page.content.decode()
    assert "110***********002X" in text
    assert reverse("resident-open", args=[zhang.uuid]) in text
    assert zhang.id_number not in text.replace(f'value="{zhang.id_number}"', "")
    assert "76" not in text.split("hit-name")[1].split("</li>")[0].replace(str(zhang.uuid), "")


def test_a_clerk_elsewhere_sees_the_name_and_no_way_in(client, zhang, other_station):
    client.force_login(factories.user(Role.CLERK, other_station))
    page = client.post(reverse("resident-search"), {"q": zhang.id_number})
    assert "张秀英" in page.content.decode()
    assert str(zhang.uuid) not in page.content.decode()


def test_with_a_grant_the_resident_opens_as_ones_own(zhang, stranger):
    actions.open_with_reason(resident=zhang, reason="今日来诊", by=stranger)
    [hit] = search.find(zhang.id_number, stranger)
    assert not hit.foreign


def test_a_centre_finds_the_residents_of_its_stations(zhang, manager):
    assert names("zxy", manager) == ["张秀英"]


def test_an_absorbed_row_leads_to_its_survivor(zhang, station, clerk):
    stays = factories.resident(station, "章秀英")
    actions.merge(survivor=stays, absorbed=zhang, reason="重复建档", by=clerk)
    assert names("张秀英", clerk) == ["章秀英"]
    assert names("13800138000", clerk) == ["章秀英"]
    assert names("zxy", clerk) == ["章秀英"]


def test_whole_names_come_before_longer_ones(station, doctor):
    factories.resident(station, "王伟")
    for _number in range(25):
        factories.resident(station, "王伟民")
    found = names("王伟", doctor)
    assert found[0] == "王伟"
    assert len(found) == search.LIMIT


@pytest.mark.parametrize(
    "role", [Role.VENDOR, Role.SYSADMIN, Role.SECADMIN, Role.CENTRE_IT, Role.DISTRICT, Role.AUDITOR]
)
def test_roles_without_patients_find_nobody_and_get_no_page(role, client, zhang, station):
    user = factories.user(role, station)
    assert search.find(zhang.id_number, user) == []
    client.force_login(user)
    assert client.post(reverse("resident-search"), {"q": "张"}).status_code == 403


@pytest.mark.parametrize(
    "typed",
    ["𠮷" * 20000, "😀", "<script>alert(1)</script>", "a" * 20000, "١٢٣٤", "张 \t 0000", "x" * 59 + "1"],
)
def test_hostile_text_is_answered(typed, client, doctor):
    client.force_login(doctor)
    page = client.post(reverse("resident-search"), {"q": typed})
    assert page.status_code == 200
    assert b"<script>alert" not in page.content


@pytest.mark.parametrize("typed", ["\x00张", "\ud800"])
def test_text_that_cannot_be_stored_is_refused(typed, client, doctor):
    client.force_login(doctor)
    body = b"q=" + (b"%00" if "\x00" in typed else b"%ED%A0%80")
    page = client.post(reverse("resident-search"), body, content_type="application/x-www-form-urlencoded")
    assert page.status_code in {200, 400}


def test_search_asks_at_most_three_statements(zhang, doctor, django_assert_max_num_queries):
    with django_assert_max_num_queries(3):
        search.find("zxy", doctor)


def test_without_script_the_form_answers_with_a_page(client, zhang, doctor):
    client.force_login(doctor)
    page = client.post(reverse("resident-search"), {"q": "张秀英"})
    assert "<html" in page.content.decode()
    assert reverse("resident", args=[zhang.uuid]) + "?from=search" in page.content.decode()
