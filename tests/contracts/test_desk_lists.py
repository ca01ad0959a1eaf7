"""What the lists of signing say at the desk: names of columns, filters with a choice, a word where there is nothing."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone, translation

from clinic.codes import Role
from contracts import previewing
from contracts.codes import BatchKind
from contracts.models import Agreement, AgreementText, Batch, Package, Population, Reminder
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
    assert NO_MATCH in page
    assert EMPTY not in page
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
    assert list(found) == [second]
    assert first not in found


def test_who_left_the_team_comes_last(client, centre, station):
    team = build.team(station)
    gone = team.members.get(role="nurse")
    gone.until = gone.since
    gone.save()
    client.force_login(factories.user(Role.MANAGER, centre))
    answer = client.get(f"/admin/contracts/team/{team.uuid}/change/")
    assert list(answer.context["members"])[-1] == gone


@pytest.mark.parametrize(("state", "shown"), [("running", False), ("done", True)])
def test_the_lines_come_by_themselves_once_an_order_is_over(desk, clerk, state, shown):
    over = timezone.now() if shown else None
    made = Batch.objects.create(
        kind="renew",
        institution=clerk.institution,
        made_by=clerk,
        state=state,
        ended_at=over,
    )
    page = desk.get(f"/admin/contracts/batch/{made.uuid}/live/").content.decode()
    assert ('data-live="lines"' in page) is shown


@pytest.fixture
def office(client, manager):
    client.force_login(manager)
    return client


def test_people_that_were_typed_wrong_stand_there_still(office, station):
    save = reverse("admin:contracts_population_save", args=[station.uuid])
    answer = office.post(save, {"year": "2026", "all": "8600", "senior": "9000"})
    page = answer.content.decode()
    assert answer.status_code == 400
    assert "不能多于全部居民" in page
    assert 'value="8600"' in page
    assert page.count('aria-invalid="true"') == 1
    assert not Population.objects.exists()


def test_people_that_are_emptied_are_not_said_to_be_saved(office, station):
    save = reverse("admin:contracts_population_save", args=[station.uuid])
    office.post(save, {"year": "2026", "all": "8600", "senior": "1200"})
    answer = office.post(save, {"year": "2026", "all": "8700", "senior": ""})
    assert "不能清空" in answer.content.decode()
    assert dict(Population.objects.values_list("group", "people")) == {"all": 8600, "senior": 1200}


def test_who_joins_a_team_joins_today_if_nothing_is_said(office, station):
    page = office.get(f"/admin/contracts/team/{build.team(station).uuid}/change/").content.decode()
    assert f'name="since" value="{timezone.localdate()}"' in page


def test_packages_no_longer_offered_are_counted_before_the_order(desk, station, district):
    team, offered, gone = build.team(station), build.version(district), build.version(district, "OLD")
    Package.objects.filter(pk=gone.package_id).update(active=False)
    rows = [
        build.agreement(factories.resident(station), team, start=timezone.localdate() - timedelta(days=330))
        for _n in range(3)
    ]
    for row, version in zip(rows[:2], (offered, gone), strict=True):
        row.packages.create(version=version, price=1, waiver=0)
    shown = previewing.of(BatchKind.RENEW, Agreement.objects.all())
    assert (shown.total, shown.good, list(shown.reasons.values())) == (3, 1, [2])
