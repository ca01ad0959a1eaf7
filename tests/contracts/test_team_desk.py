"""Teams, packages, texts, practice and populations at the desk."""

from datetime import date, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from clinic.codes import Role
from clinic.errors import Conflict, Forbidden, Refused
from contracts import practice
from contracts.actions import packages, teams
from contracts.models import AgreementText, Package, PackageItem, Population, Team
from contracts.teams import lacks
from tests import factories
from tests.contracts import desk_build as build

TODAY = timezone.localdate


@pytest.fixture
def desk(client, manager):
    client.force_login(manager)
    return client


def test_a_team_is_made_and_lacks_until_leader_and_nurse_join(desk, manager, station):
    answer = desk.post(
        reverse("admin:contracts_team_add"),
        {"institution": station.uuid, "name": "一队", "phone": "010", "cap": "", "note": "", "active": "on"},
    )
    team = Team.objects.get()
    assert (answer.status_code, team.institution) == (302, station)
    page = reverse("admin:contracts_team_change", args=[team.uuid])
    assert "没有团队长" in desk.get(page).content.decode()
    join = reverse("admin:contracts_team_join", args=[team.uuid])
    for role, part in ((Role.DOCTOR, "leader"), (Role.NURSE, "nurse")):
        who = factories.user(role, station)
        assert desk.post(join, {"person": who.uuid, "role": part, "since": TODAY()}).status_code == 302
    assert lacks(team) == []
    member = team.members.get(role="nurse")
    desk.post(reverse("admin:contracts_team_leave", args=[team.uuid, member.uuid]))
    member.refresh_from_db()
    assert member.until == TODAY()


def test_a_second_leader_is_a_sentence_on_the_page(desk, station):
    team = build.team(station)
    who = factories.user(Role.DOCTOR, station)
    given = {"person": who.uuid, "role": "leader", "since": TODAY()}
    answer = desk.post(reverse("admin:contracts_team_join", args=[team.uuid]), given)
    assert "同一时间只有一位团队长" in answer.content.decode()
    assert team.members.count() == 2


def test_another_centres_team_is_not_found(desk, other_station):
    far = build.team(other_station)
    assert desk.get(reverse("admin:contracts_team_change", args=[far.uuid])).status_code == 404
    assert desk.post(reverse("admin:contracts_team_join", args=[far.uuid])).status_code == 404


def test_a_clerk_looks_at_teams_and_changes_none(client, clerk, station):
    client.force_login(clerk)
    team = build.team(station)
    page = reverse("admin:contracts_team_change", args=[team.uuid])
    assert client.get(page).status_code == 200
    assert client.post(page, {"name": "x"}).status_code == 403
    with pytest.raises(Forbidden):
        teams.keep(institution=station, areas=[], by=clerk, team=team, name="x")


def test_a_package_is_written_published_and_then_never_changes(desk, manager, centre):
    package = packages.keep_package(
        institution=centre, code="GXY", name="高血压包", kind="personal", active=True, by=manager
    )
    version = package.versions.get()
    page = reverse("admin:contracts_package_version", args=[version.uuid])
    desk.post(page, {"valid_from": TODAY(), "price": "160", "waiver": "100", "groups": ["hypertension"]})
    publish = reverse("admin:contracts_package_publish", args=[version.uuid])
    desk.post(publish)
    version.refresh_from_db()
    assert not version.is_published  # without a service there is nothing to publish
    add = reverse("admin:contracts_package_add_item", args=[version.uuid])
    desk.post(
        add,
        {"name": "随访", "service": "public_health", "times": 1, "period": "quarter", "evidence": ["visit"]},
    )
    desk.post(publish)
    version.refresh_from_db()
    assert (version.is_published, version.price, version.groups) == (True, 160, ["hypertension"])
    late = desk.post(add, {"name": "再加", "service": "other", "times": 1, "period": "year"})
    assert "已发布的内容不能更改" in late.content.decode()
    assert PackageItem.objects.count() == 1
    with pytest.raises(Conflict):
        packages.keep_version(version=version, by=manager, price=1)


def test_the_next_version_copies_and_ends_the_one_before(manager, centre):
    old = build.version(centre)
    new = packages.new_version(package=old.package, by=manager)
    assert packages.new_version(package=old.package, by=manager) == new
    assert (new.number, new.items.get().name, new.price) == (2, "随访", old.price)
    packages.keep_version(version=new, by=manager, valid_from=TODAY() - timedelta(days=1))
    with pytest.raises(Refused):
        packages.publish_version(version=new, by=manager)
    packages.keep_version(version=new, by=manager, valid_from=TODAY() + timedelta(days=9))
    packages.publish_version(version=new, by=manager)
    old.refresh_from_db()
    assert old.valid_to == TODAY() + timedelta(days=8)


def test_a_text_is_published_and_stands(desk, centre, manager):
    text = packages.keep_text(
        institution=centre, version="v1", title="协议", body="第一条", valid_from=TODAY(), by=manager
    )
    desk.post(reverse("admin:contracts_agreementtext_publish", args=[text.uuid]))
    text.refresh_from_db()
    assert text.published_by == manager
    page = reverse("admin:contracts_agreementtext_change", args=[text.uuid])
    assert "第一条" in desk.get(page).content.decode()
    assert desk.post(page, {"body": "改"}).status_code == 403
    assert AgreementText.objects.get().body == "第一条"


def test_a_practice_says_what_is_in_force_and_where_from(desk, station, centre, manager):
    teams.keep_practice(institution=centre, by=manager, cap_team=1500, hard_stop=False)
    desk.post(
        reverse("admin:contracts_signingpractice_add"),
        {"institution": station.uuid, "cap_doctor": "900", "stop": "on", "remind_by": "call"},
    )
    now = practice.of(station)
    assert (now.cap_doctor, now.cap_team, now.hard_stop, now.remind_by) == (900, 1500, True, "call")


def test_people_are_entered_line_by_line(desk, station, other_station):
    page = reverse("admin:contracts_population_changelist")
    assert str(station) in desk.get(page).content.decode()
    save = reverse("admin:contracts_population_save", args=[station.uuid])
    desk.post(save, {"year": "2026", "all": "8600", "senior": "1200", "key": "１２"})
    assert not Population.objects.exists()  # full-width digits are no number here
    desk.post(save, {"year": "2026", "all": "8600", "senior": "1200"})
    desk.post(save, {"year": "2026", "all": "8700"})
    assert dict(Population.objects.values_list("group", "people")) == {"all": 8700, "senior": 1200}
    far = reverse("admin:contracts_population_save", args=[other_station.uuid])
    assert desk.post(far, {"year": "2026", "all": "1"}).status_code == 404


def test_packages_of_above_are_used_and_not_written_below(client, district, station):
    version = build.version(district)
    client.force_login(factories.user(Role.MANAGER, station.parent))
    page = reverse("admin:contracts_package_version", args=[version.uuid])
    assert "随访" in client.get(page).content.decode()
    assert client.post(page, {"price": 1}).status_code == 403
    assert (
        client.post(reverse("admin:contracts_package_new_version", args=[version.package.uuid])).status_code
        == 403
    )
    assert Package.objects.get().versions.count() == 1


def test_terms_of_before_are_kept(centre, manager):
    old = build.version(centre)
    assert old.valid_from == date(2020, 1, 1)
    with pytest.raises(Conflict):
        packages.drop_item(item=old.items.get(), by=manager)


def test_a_year_of_five_thousand_digits_is_this_year(client, centre, station):
    client.force_login(factories.user(Role.MANAGER, centre))
    save = f"/admin/contracts/population/{station.uuid}/save/"
    assert client.post(save, {"year": "9" * 5000, "all": "1"}).status_code == 302
    assert Population.objects.get().year == timezone.localdate().year
