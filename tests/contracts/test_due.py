"""The pages of what is owed: due, to confirm, signed but not served, home visits, my team."""

import re
import uuid
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from clinic.codes import InstitutionKind, Role
from contracts import proposals
from contracts.models import Evidence, HomeVisit, PlanItem
from tests import factories
from tests.contracts import desk_build as build
from tests.contracts.test_fulfilment import make_scene, planned, signed_visit

PAGES = ("my-team", "due", "confirm", "not-served", "signing-reminders", "signing-figures")


@pytest.fixture
def scene(district, client):
    made = make_scene(district)
    client.force_login(made["doctor"])
    return made


def html(client, name, **query):
    return client.get(reverse(name), query).content.decode()


def test_due_is_written_down_by_hand_and_goes(scene, client):
    line = planned(scene, times=1)
    name = scene["resident"].name
    assert name in html(client, "due")
    given = {"key": uuid.uuid4(), "note": "电话随访", "on": timezone.localdate()}
    for _twice in range(2):
        assert client.post(reverse("serve", args=[line.uuid]), given).status_code == 302
    line.refresh_from_db()
    assert (line.done, Evidence.objects.count()) == (1, 1)
    assert name not in html(client, "due")


def test_writing_down_goes_on_with_the_same_list(scene, client):
    line, other, team = planned(scene), planned(scene), scene["team"]
    given = {"key": uuid.uuid4(), "note": "随访", "team": team.uuid, "service": "public_health"}
    answer = client.post(reverse("serve", args=[line.uuid]), given)
    assert answer.url == reverse("due", query={"team": team.uuid, "service": "public_health", "on": 1})
    for again in ({}, {"on": "2026-02-30", "key": uuid.uuid4()}):
        client.post(reverse("serve", args=[other.uuid]), {**given, **again})
    assert Evidence.objects.count() == 1
    page = html(client, "due")
    assert "此键属于另一项服务" in page
    assert "没有这一天" in page


def test_what_was_confirmed_in_error_is_withdrawn_on_the_agreements_page(scene, client):
    planned(scene, "visit")
    signed_visit(scene)
    proposals.propose()
    row, page = Evidence.objects.get(), reverse("agreement", args=[scene["agreement"].uuid])
    assert reverse("decide-evidence") in client.get(page).content.decode()
    client.post(reverse("decide-evidence"), {"evidence": row.uuid, "agreement": scene["agreement"].uuid})
    away = reverse("withdraw-evidence", args=[row.uuid])
    for note, state in ((" ", "confirmed"), ("记错人了", "withdrawn")):
        assert client.post(away, {"note": note}).url == page
        row.refresh_from_db()
        assert row.state == state
    assert away not in client.get(page).content.decode()


def test_one_click_confirms_no_more_than_was_promised(scene, client):
    planned(scene, "visit", times=1)
    for _n in range(3):
        signed_visit(scene)
    proposals.propose()
    boxes = re.findall(r'<input type="checkbox" name="evidence"[^>]*>', html(client, "confirm"))
    assert [" checked" in box for box in boxes] == [True, False, False]


def test_tabs_say_how_much_waits_for_my_own_teams(scene, client):
    planned(scene, "visit")
    assert "text-bg-warning" not in html(client, "due")
    signed_visit(scene)
    proposals.propose()
    assert '<span class="badge text-bg-warning">1</span>' in html(client, "due")
    client.force_login(factories.user(Role.DOCTOR, scene["station"], name="周医生"))
    assert "text-bg-warning" not in html(client, "due")


def test_home_visits_are_on_the_residents_page(scene, client):
    given = {"key": uuid.uuid4(), "on": timezone.localdate(), "did": "量血压 138/86"}
    client.post(reverse("home-visit", args=[scene["resident"].uuid]), given)
    page = client.get(reverse("resident", args=[scene["resident"].uuid])).content.decode()
    assert "量血压 138/86" in page
    assert reverse("home-visit", args=[scene["resident"].uuid]) in page


def test_a_visit_is_confirmed_with_one_click_for_all_it_serves(scene, client):
    first, second = planned(scene, "visit"), planned(scene, "visit")
    signed_visit(scene)
    proposals.propose()
    assert html(client, "confirm").count('name="evidence"') == 2
    rows = [str(row.uuid) for row in Evidence.objects.all()]
    client.post(reverse("decide-evidence"), {"evidence": rows, "decision": "confirm"})
    assert list(PlanItem.objects.filter(pk__in=[first.pk, second.pk]).values_list("done", flat=True)) == [
        1,
        1,
    ]
    assert 'name="evidence"' not in html(client, "confirm")
    assert scene["resident"].name not in html(client, "not-served")


def test_a_home_visit_is_written_once(scene, client):
    address = reverse("home-visit", args=[scene["resident"].uuid])
    given = {"key": uuid.uuid4(), "on": timezone.localdate(), "did": "量血压 138/86"}
    for _twice in range(2):
        assert client.post(address, given).status_code == 302
    assert HomeVisit.objects.get().did == "量血压 138/86"
    answer = client.post(address, {**given, "key": uuid.uuid4(), "did": " "})
    assert answer.status_code == 400


@pytest.mark.parametrize("name", PAGES)
def test_a_stranger_sees_nothing_of_it(scene, client, stranger, name):
    planned(scene, "visit")
    signed_visit(scene)
    proposals.propose()
    client.force_login(stranger)
    assert scene["resident"].name not in html(client, name)
    row, line = Evidence.objects.get(), PlanItem.objects.get()
    given = {"evidence": str(row.uuid), "key": uuid.uuid4(), "note": "x", "on": timezone.localdate()}
    assert client.post(reverse("decide-evidence"), given).status_code == 404
    assert client.post(reverse("serve", args=[line.uuid]), given).status_code == 404
    assert client.post(reverse("withdraw-evidence", args=[row.uuid]), given).status_code == 404
    assert client.get(reverse("agreement", args=[scene["agreement"].uuid])).status_code == 404


def test_a_clerk_looks_and_does_not_confirm(scene, client):
    line = planned(scene)
    client.force_login(factories.user(Role.CLERK, scene["station"]))
    assert client.get(reverse("confirm")).status_code == 403
    assert client.post(reverse("serve", args=[line.uuid])).status_code == 403


@pytest.mark.parametrize("name", PAGES)
def test_a_long_page_asks_as_little_as_a_short_one(scene, client, name, django_assert_max_num_queries):
    for _n in range(12):
        made = build.agreement(factories.resident(scene["station"]), scene["team"])
        scene["agreement"], scene["resident"] = made, made.resident
        planned(scene, "visit")
        signed_visit(scene)
    proposals.propose()
    client.get(reverse(name))  # the session's first page writes
    with django_assert_max_num_queries(12):
        assert client.get(reverse(name)).status_code == 200


def test_my_team_is_found_by_initials_light_and_group(scene, client):
    end = timezone.localdate() + timedelta(days=20)
    whom = factories.resident(scene["station"], name="欧阳建国")
    build.agreement(whom, scene["team"], start=end - timedelta(days=364), end=end, groups=["senior"])
    for asked in ({"q": "oyjg"}, {"q": "欧阳"}, {"show": "light-30"}, {"group": "senior"}):
        page = client.post(reverse("my-team"), asked).content.decode()
        assert "欧阳建国" in page
        assert scene["resident"].name not in page
    assert client.get(reverse("my-team"), {"team": "x"}).status_code == 404


def test_acts_on_the_agreements_page(scene, client):
    made = scene["agreement"]
    page = reverse("agreement", args=[made.uuid])
    assert made.number in client.get(page).content.decode()
    end = reverse("agreement-act", args=[made.uuid, "end"])
    assert client.post(end, {"reason": "other", "note": ""}).status_code == 400
    assert client.post(end, {"reason": "moved", "note": "迁出"}).status_code == 302
    made.refresh_from_db()
    assert (made.state, made.end_note) == ("terminated", "迁出")
    assert client.post(end, {"reason": "lost", "note": ""}).status_code == 302
    assert client.post(reverse("agreement-act", args=[made.uuid, "renew"]), {"years": 1}).status_code == 400
    assert client.post(reverse("agreement-act", args=[made.uuid, "explode"])).status_code == 404


def test_a_change_of_team_is_asked_and_agreed_on_the_page(scene, client, district):
    made = scene["agreement"]
    made.packages.create(version=build.version(district), price=1, waiver=0)
    build.text(district)
    other = build.team(factories.institution(InstitutionKind.STATION, "S9", "新站", district), "新队")
    to = f"{other.uuid} {build.leader(other).uuid}"
    assert (
        client.post(
            reverse("agreement-act", args=[made.uuid, "switch"]), {"to": to, "reason": "搬家"}
        ).status_code
        == 302
    )
    wish = made.switches.get()
    answer = client.post(reverse("agreement-act", args=[made.uuid, "agree"]), {"switch": wish.uuid})
    assert answer.status_code == 302
    made.refresh_from_db()
    assert (made.state, made.switches.get().made.team) == ("switched", other)
