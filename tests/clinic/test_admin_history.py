"""Every version that was saved, field by field, at the desk: through the same gate as the row, by GET alone."""

import uuid

import pytest
from django.contrib import admin
from django.urls import reverse

from clinic.admin.base import DeskAdmin
from clinic.codes import Act, Role
from clinic.models import AuditEntry
from tests import factories
from tests.guards import desk_rows

pytestmark = pytest.mark.django_db
ADDRESSED = sorted(
    model._meta.label_lower
    for model, desk in admin.site._registry.items()
    if isinstance(desk, DeskAdmin) and desk.addressed
)


@pytest.fixture
def desk(client, station, other_station):
    """A row of the model in one's reach and one outside it, and its reader signed in."""

    def open_for(label):
        row, hidden, reader = desk_rows.make(label, station, other_station)
        client.force_login(reader)
        return row, hidden

    return open_for


def address(label, page, *args):
    return reverse(f"admin:{label.replace('.', '_')}_{page}", args=args)


def test_every_row_with_a_page_has_its_line_in_the_table():
    assert set(ADDRESSED) == set(desk_rows.ROWS)


@pytest.mark.parametrize("label", ADDRESSED)
def test_history_is_read(label, desk, client):
    row, _hidden = desk(label)
    assert client.get(address(label, "history", row.uuid)).status_code == 200


@pytest.mark.parametrize("label", ADDRESSED)
@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_history_is_never_written(label, method, desk, client):
    row, _hidden = desk(label)
    for page, args in (("history", (row.uuid,)), ("version", (row.uuid, 1))):
        assert getattr(client, method)(address(label, page, *args)).status_code == 405


@pytest.mark.parametrize("label", sorted(desk_rows.HIDDEN))
def test_history_of_a_hidden_row_is_not_there(label, desk, client):
    _row, hidden = desk(label)
    for page, args in (("history", (hidden.uuid,)), ("version", (hidden.uuid, 1))):
        assert client.get(address(label, page, *args)).status_code == 404


@pytest.mark.parametrize("label", ADDRESSED)
def test_history_is_for_who_may_see_the_row(label, desk, client, station):
    row, _hidden = desk(label)
    client.force_login(factories.user(Role.VENDOR, station))
    assert client.get(address(label, "history", row.uuid)).status_code in (403, 404)
    assert client.get(address(label, "version", row.uuid, 1)).status_code in (403, 404)


@pytest.fixture
def changed(station, client):
    """A resident whose address and phone a clerk changed."""
    clerk = factories.user(Role.CLERK, station, name="钱芳")
    client.force_login(clerk)
    resident = factories.resident(station, name="张秀英", address="胡家园1号楼", phone="13911112222")
    resident.address, resident.phone = "胡家园<b>8</b>号楼", "13933334444"
    resident._history_user = clerk
    resident.save()
    return resident


def test_history_says_who_changed_what_from_what_to_what(changed, client):
    html = client.get(address("clinic.resident", "history", changed.uuid)).content.decode()
    assert "钱芳" in html
    assert "<del>胡家园1号楼</del>" in html
    assert "<ins>胡家园&lt;b&gt;8&lt;/b&gt;号楼</ins>" in html


def test_numbers_of_a_person_stay_masked(changed, client):
    pages = [address("clinic.resident", "history", changed.uuid)]
    pages += [address("clinic.resident", "version", changed.uuid, number) for number in (1, 2)]
    html = "".join(client.get(page).content.decode() for page in pages)
    assert "139****2222" in html
    assert "13911112222" not in html
    assert changed.id_number not in html


def test_one_version_stands_whole(changed, client):
    html = client.get(address("clinic.resident", "version", changed.uuid, 1)).content.decode()
    assert "胡家园1号楼" in html
    assert "胡家园&lt;b&gt;8" not in html


@pytest.mark.parametrize("number", [0, 3, 2**31, 10**30])
def test_a_version_that_never_was_is_not_there(number, changed, client):
    assert client.get(f"/admin/clinic/resident/{changed.uuid}/history/{number}/").status_code == 404


@pytest.mark.parametrize("page", ["0", "-1", "x", "１", "9" * 40, "1.5"])
def test_a_page_that_is_no_number_is_not_there(page, changed, client):
    where = address("clinic.resident", "history", changed.uuid)
    assert client.get(where, {"page": page}).status_code == 404


def test_reading_a_history_stands_in_the_trail(changed, client):
    client.get(address("clinic.resident", "version", changed.uuid, 1))
    entry = AuditEntry.objects.filter(act=Act.VIEW, resident=str(changed.uuid)).first()
    assert entry.detail == {"page": "history", "version": 1}


def test_a_long_history_costs_no_more_queries(changed, client, django_assert_max_num_queries):
    for number in range(120):
        changed.address = f"胡家园{number}号楼"
        changed.save()
    where = address("clinic.resident", "history", changed.uuid)
    with django_assert_max_num_queries(12):
        html = client.get(where, {"page": "2"}).content.decode()
    assert "胡家园50号楼" in html
    assert "胡家园119号楼" not in html


def test_the_history_of_nobody_is_not_there(client, station):
    client.force_login(factories.user(Role.CLERK, station))
    assert client.get(address("clinic.resident", "history", uuid.uuid4())).status_code == 404


def test_a_doctor_s_words_on_a_visit_stay_with_the_doctor(client, station, doctor):
    visit = factories.encounter(factories.resident(station), doctor)
    visit.hold_reason = "等待梅毒结果"
    visit.save()
    client.force_login(factories.user(Role.CLERK, station))
    for page, args in (("history", ()), ("version", (2,))):
        html = client.get(address("emr.encounter", page, visit.uuid, *args)).content.decode()
        assert "梅毒" not in html
