"""What the lists of signing say at the desk: names of columns, filters with a choice, a word where there is nothing."""

import pytest
from django.utils import translation

from clinic.codes import Role
from contracts.models import AgreementText, Reminder
from tests import factories
from tests.contracts import desk_build as build

pytestmark = pytest.mark.django_db
EMPTY, NO_MATCH = "暂无记录。", "没有符合条件的记录"


@pytest.fixture
def desk(client, clerk):
    client.force_login(clerk)
    return client


@pytest.mark.parametrize("name", ["team", "batch", "switchrequest", "reminder", "notsigned", "agreement"])
def test_an_empty_list_says_so(desk, name):
    assert EMPTY in desk.get(f"/admin/contracts/{name}/").content.decode()


def test_an_empty_filter_says_that_it_is_the_filter(desk, station):
    build.team(station)
    page = desk.get("/admin/contracts/team/", {"active__exact": "0"}).content.decode()
    assert NO_MATCH in page and EMPTY not in page
    assert EMPTY not in desk.get("/admin/contracts/team/").content.decode()


def test_a_station_is_asked_for_no_institution(desk, client, centre):
    address = "/admin/contracts/reminder/"
    assert 'data-filter-title="机构"' not in desk.get(address).content.decode()
    client.force_login(factories.user(Role.MANAGER, centre))
    assert 'data-filter-title="机构"' in client.get(address).content.decode()


@pytest.mark.parametrize(
    ("field", "name"), [((Reminder, "by"), "提醒方式"), ((AgreementText, "title"), "标题")]
)
def test_columns_are_called_what_they_are(field, name):
    model, of = field
    with translation.override("zh-hans"):
        assert model._meta.get_field(of).verbose_name == name


def test_a_team_is_found_by_its_members(desk, station):
    first, second = build.team(station, "一队"), build.team(station, "二队")
    found = desk.get("/admin/contracts/team/", {"q": build.leader(second).name}).context["cl"].result_list
    assert list(found) == [second] and first not in found


def test_who_left_the_team_comes_last(client, centre, station):
    team = build.team(station)
    gone = team.members.get(role="nurse")
    gone.until = gone.since
    gone.save()
    client.force_login(factories.user(Role.MANAGER, centre))
    answer = client.get(f"/admin/contracts/team/{team.uuid}/change/")
    assert list(answer.context["members"])[-1] == gone
