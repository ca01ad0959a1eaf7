"""Pages of signing say what they mean, and lead nowhere that is forbidden."""

import re
from datetime import timedelta
from urllib.parse import quote

import pytest
from django.urls import reverse
from django.utils import timezone

from clinic.codes import Role
from contracts.models import Reminder
from tests import factories
from tests.contracts import desk_build as build

LISTS = ("my-team", "due", "not-served")


def test_tabs_lead_to_what_a_role_may_see(client, district):
    client.force_login(factories.user(Role.DISTRICT, district))
    html = client.get(reverse("signing-figures")).content.decode()
    assert 'aria-current="page">签约统计' in html
    assert not any(f'href="{reverse(name)}"' in html for name in LISTS)


@pytest.mark.parametrize("name", LISTS)
def test_who_has_no_team_is_told_so(client, station, name):
    client.force_login(factories.user(Role.CLERK, station))
    html = client.get(reverse(name)).content.decode()
    assert "您还不属于任何家庭医生团队" in html
    assert reverse("admin:contracts_agreement_changelist") in html


def test_lists_have_a_word_for_each_fact(client, station):
    team = build.team(station)
    build.agreement(factories.resident(station), team)
    client.force_login(build.leader(team))
    html = client.get(reverse("my-team")).content.decode()
    assert html.count('<td data-label="') == 4
    assert ">档案</a>" in html


def test_who_is_to_be_called_is_renewed_from_the_list(client, station):
    team = build.team(station)
    end = timezone.localdate() + timedelta(days=20)
    made = build.agreement(factories.resident(station), team, start=end - timedelta(days=364), end=end)
    Reminder.objects.create(agreement=made, institution=station, light=30, by="call", state="open")
    client.force_login(build.leader(team))
    html = client.get(reverse("signing-reminders")).content.decode()
    address = reverse("agreement", args=[made.uuid])
    assert f'href="{address}#renew">续约</a>' in html
    assert 'id="renew"' in client.get(address).content.decode()


def test_a_centre_sees_the_teams_of_its_stations(
    client, station, other_station, django_assert_max_num_queries
):
    team = build.team(station)
    name = build.agreement(factories.resident(station), team).resident.name
    factories.resident(other_station)
    build.agreement(factories.resident(other_station, name="别站人"), build.team(other_station, "别队"))
    client.force_login(factories.user(Role.MANAGER, station.parent))
    for each in ("my-team", "not-served"):
        client.get(reverse(each))
        with django_assert_max_num_queries(12):
            html = client.get(reverse(each)).content.decode()
        assert name in html
        assert "别站人" not in html
    assert client.get(reverse("not-served"), {"form": "xlsx"}).status_code == 200


def test_no_agreement_ends_for_a_reason_that_nobody_chose(client, station):
    team = build.team(station)
    made = build.agreement(factories.resident(station), team)
    client.force_login(build.leader(team))
    html = client.get(reverse("agreement", args=[made.uuid])).content.decode()
    assert html.count('<option value="" selected>—</option>') == 2
    answer = client.post(reverse("agreement-act", args=[made.uuid, "end"]), {"reason": ""})
    made.refresh_from_db()
    assert (answer.status_code, made.state) == (400, "signed")


def test_whoever_is_registered_elsewhere_is_opened_with_a_reason(client, station, other_station):
    team = build.team(station)
    far = build.agreement(factories.resident(other_station), team)
    client.force_login(build.leader(team))
    for address in (reverse("my-team"), reverse("agreement", args=[far.uuid])):
        html = client.get(address).content.decode()
        assert reverse("resident-open", args=[far.resident.uuid]) in html
        assert f'href="{reverse("resident", args=[far.resident.uuid])}"' not in html


def test_a_sheet_has_a_chinese_name(client, station):
    client.force_login(factories.user(Role.MANAGER, station.parent))
    for name, word in (("not-served", "签而未约"), ("signing-figures-sheet", "签约统计")):
        header = client.get(reverse(name), {"form": "xlsx"})["Content-Disposition"]
        assert header.startswith("attachment; filename*=utf-8''" + quote(word))


def test_the_header_says_where_one_is(client, station):
    client.force_login(build.leader(build.team(station)))
    for name in (*LISTS, "confirm", "signing-figures"):
        html = client.get(reverse(name)).content.decode()
        assert re.search(r'<a class="app-link" href="/signing/team"\s+aria-current="page">', html)
