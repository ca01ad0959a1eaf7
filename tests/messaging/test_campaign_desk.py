"""Campaigns at the desk: made on one page, looked at before, acted on by whom it is for, exported without formulas."""

import io
import uuid
from datetime import timedelta

import pytest
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.urls import reverse
from django.utils import timezone
from openpyxl import load_workbook

from clinic.codes import Act, LifeState, Role
from clinic.models import AuditEntry
from messaging import building, saving
from messaging.actions import campaigns as actions
from messaging.actions import practice
from messaging.codes import CampaignKind, CampaignState, Left, Purpose
from messaging.models import CallTask, Campaign, Exclusion
from tests import factories
from tests.messaging import rows

pytestmark = pytest.mark.django_db

ADD = "/admin/messaging/campaign/add/"
BODY = "{name}您好，流感疫苗已到。拒收请回复R"


def at(campaign, page="change", *more):
    return reverse(f"admin:messaging_campaign_{page}", args=[campaign.uuid, *more])


def facts(where, **given):
    return {
        "key": str(uuid.uuid4()), "institution": str(where.uuid), "purpose": "education", "body": BODY, "source": "criteria",
        **given,
    }  # fmt: skip


@pytest.fixture
def desk(client, clerk):
    client.force_login(clerk)
    return client


@pytest.fixture
def audience(station):
    return [factories.resident(station, phone=f"1380013800{n}") for n in range(4)]


@pytest.fixture
def ready(station, clerk, audience):
    row = actions.make(
        key=uuid.uuid4(), institution=station, name="流感疫苗", purpose=Purpose.EDUCATION, body=BODY,
        audience={"source": "criteria"}, by=clerk,
    )  # fmt: skip
    return building.build(row)


def test_one_page_makes_a_campaign(desk, station, clerk):
    answer = desk.post(ADD, facts(station))
    row = Campaign.objects.get()
    assert (row.institution, row.made_by, row.body, row.state) == (
        station,
        clerk,
        BODY,
        CampaignState.BUILDING,
    )
    assert answer.url == at(row)


def test_two_clicks_make_one(desk, station):
    given = facts(station)
    assert [desk.post(ADD, given).status_code for _click in range(2)] == [302, 302]
    assert Campaign.objects.count() == 1


def test_two_clerks_make_one(client, desk, station):
    desk.post(ADD, facts(station))
    client.force_login(factories.user(Role.CLERK, station))
    answer = client.post(ADD, facts(station))
    assert answer.url == at(Campaign.objects.get())


BAD = [
    {"body": ""}, {"body": "【x】"}, {"body": "{nobody}"}, {"purpose": "x"}, {"key": "x"}, {"institution": "x"},
    {"age_from": "9", "age_to": "3"}, {"residents": "x"}, {"body": "长" * 501}, {"send_at": "x"}, {"tags": "x"},
    {"valid_until": "2020-01-01T00:00"}, {"source": "x"}, {"template": "x"},
]  # fmt: skip


@pytest.mark.parametrize("given", BAD, ids=lambda given: "-".join(given))
def test_bad_input_is_told_and_kept(desk, station, given):
    answer = desk.post(ADD, facts(station, name="我的名字", **given))
    assert answer.status_code == 400
    assert "我的名字" in answer.content.decode()
    assert not Campaign.objects.exists()


def test_another_institution_s_name_is_not_borrowed(desk, other_station):
    assert desk.post(ADD, facts(other_station)).status_code == 400


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.CENTRE_IT, Role.SYSADMIN])
def test_who_may_not_write_to_residents(client, station, role):
    client.force_login(factories.user(role, station))
    assert {client.get(ADD).status_code, client.post(ADD, facts(station)).status_code} == {403}


def look(client, station, **given):
    return client.post(reverse("admin:messaging_campaign_look"), facts(station, **given)).content.decode()


def test_the_look_shows_three_real_residents(desk, station, audience):
    html = look(desk, station)
    assert html.count('class="handset"') == 3
    assert f"{audience[0].name}您好" in html
    assert "4位居民" in html


def test_who_sees_no_resident_sees_masked_ones(client, district, station, audience):
    client.force_login(factories.user(Role.DISTRICT, district))
    html = look(client, district)
    assert audience[0].name not in html
    assert "张**您好" in html


def test_the_look_warns_of_diagnoses_quiet_hours_and_a_second_person(
    desk, station, centre, manager, audience
):
    practice.keep(institution=centre, by=manager, approval_above=2)
    night = timezone.localtime().replace(hour=23, minute=30) + timedelta(days=1)
    html = look(desk, station, body="高血压随访", send_at=f"{night:%Y-%m-%dT%H:%M}")
    assert "高血压" in html
    assert "免打扰" in html
    assert "需另一人批准" in html


def test_three_characters_less_save_as_many_segments():
    assert saving.advise(["字" * 73] * 10, 412).count("412")
    assert saving.advise(["字" * 70], 412) == ""


@pytest.mark.parametrize("given", [{"body": ""}, {"body": "{x"}, {"institution": ""}, {"age_from": "x"}])
def test_a_look_at_nothing_breaks_nothing(desk, station, given):
    assert desk.post(reverse("admin:messaging_campaign_look"), facts(station, **given)).status_code == 200


def pick(client, people, **more):
    data = {"action": "send_message", ACTION_CHECKBOX_NAME: [str(one.uuid) for one in people], **more}
    return client.post(f"/admin/clinic/resident/{more.pop('query', '')}", data)


def test_ticked_residents_go_to_the_page(desk, station, audience):
    html = pick(desk, audience[:2]).content.decode()
    assert "2位居民" in html
    desk.post(ADD, facts(station, residents=" ".join(str(one.uuid) for one in audience[:2])))
    row = building.build(Campaign.objects.get())
    assert (row.recipients, row.audience["source"]) == (2, "selection")


def test_all_that_the_filters_let_through_are_criteria(desk, audience):
    html = pick(desk, audience[:1], select_across="1", query="?age=65-79").content.decode()
    assert 'name="age_from" value="65"' in html


def test_another_s_resident_cannot_be_ticked(desk, audience, other_station):
    assert pick(desk, [factories.resident(other_station)]).status_code == 404
    desk.post(ADD, facts(audience[0].home, residents=str(factories.resident(other_station).uuid)))
    row = Campaign.objects.first()
    assert row is None or building.build(row).recipients == 0


def test_one_like_an_earlier_one(desk, ready):
    html = desk.get(f"{ADD}?from={ready.uuid}").content.decode()
    assert BODY in html


@pytest.mark.parametrize("query", ["?from=x", "?filter=x", "?template=1"])
def test_odd_addresses_are_not_found(desk, query):
    assert desk.get(ADD + query).status_code == 404


# The campaign's page --------------------------------------------------------------------------------------


def test_the_page_offers_what_is_lawful_now(desk, ready):
    html = desk.get(at(ready)).content.decode()
    assert 'data-act="release"' in html
    assert 'data-act="cancel"' in html
    assert 'data-act="approve"' not in html
    assert "创建4条 = 各状态合计4条" in html


def test_released_approved_paused_resumed_cancelled(client, desk, ready, centre, manager):
    practice.keep(institution=centre, by=manager, approval_above=2)
    states = []
    for who, name in (
        (None, "release"), (manager, "approve"), (manager, "pause"), (manager, "resume"), (manager, "cancel"),
    ):  # fmt: skip
        if who:
            client.force_login(who)
        client.post(at(ready, "act", name), {"reason": "不用了"})
        ready.refresh_from_db()
        states.append(ready.state)
    assert states == ["waiting", "running", "paused", "running", "cancelled"]


def test_its_maker_does_not_approve_it(client, station, audience, manager, centre):
    practice.keep(institution=centre, by=manager, approval_above=0)
    row = actions.make(
        key=uuid.uuid4(), institution=centre, name="x", purpose="education", body=BODY,
        audience={"source": "criteria"}, by=manager,
    )  # fmt: skip
    actions.release(campaign=building.build(row), by=manager)
    client.force_login(manager)
    assert 'data-act="approve"' not in client.get(at(row)).content.decode()
    client.post(at(row, "act", "approve"))
    row.refresh_from_db()
    assert row.state == CampaignState.WAITING


def test_cancelling_asks_for_a_reason_first(desk, ready):
    assert "不能恢复" in desk.get(at(ready, "act", "cancel")).content.decode()
    assert desk.post(at(ready, "act", "cancel"), {"reason": ""}).status_code == 400
    ready.refresh_from_db()
    assert ready.state == CampaignState.READY


def test_an_act_that_is_late_is_told(desk, ready):
    for _click in range(2):
        answer = desk.post(at(ready, "act", "release"), follow=True)
    ready.refresh_from_db()
    assert ready.state == CampaignState.RUNNING
    assert "请刷新" in answer.content.decode()


@pytest.mark.parametrize(("name", "status"), [("release", 403), ("x", 404), ("cancel", 200)])
def test_acts_want_a_click(desk, ready, name, status):
    assert desk.get(at(ready, "act", name)).status_code == status


def test_other_stations_see_nothing_of_it(client, ready, other_station):
    client.force_login(factories.user(Role.CLERK, other_station))
    pages = [
        at(ready), at(ready, "live"), at(ready, "unreached"), at(ready, "left_out"), at(ready, "export", "xlsx"),
        at(ready, "act", "cancel"),
    ]  # fmt: skip
    assert {client.get(page).status_code for page in pages} == {404}
    assert client.post(at(ready, "calls")).status_code == 404


def test_the_district_sees_figures_and_no_people(client, ready, district):
    client.force_login(factories.user(Role.DISTRICT, district))
    assert client.get(at(ready)).status_code == 200
    assert "张秀英" not in client.get(at(ready)).content.decode()
    pages = [at(ready, "unreached"), at(ready, "left_out"), at(ready, "export", "xlsx")]
    assert {client.get(page).status_code for page in pages} == {403}


def test_the_live_part_says_when_it_is_over(desk, station, clerk):
    row = rows.campaign(station, clerk)
    rows.message(row, state="submitted")
    paces = []
    for state in (CampaignState.RUNNING, CampaignState.PAUSED, CampaignState.FINISHED):
        row.state = state
        row.save()
        paces.append(
            desk.get(at(row, "live") + "?rates=1").content.decode().split('data-pace="')[1].split('"')[0]
        )
    assert paces == ["quick", "slow", "slow"]
    over = rows.campaign(station, clerk, state=CampaignState.FINISHED)
    rows.message(over, state="delivered")
    assert 'data-pace="over"' in desk.get(at(over, "live")).content.decode()


def test_pages_cost_few_queries(desk, ready, django_assert_max_num_queries):
    pages = [
        at(ready),
        at(ready, "live"),
        at(ready, "unreached"),
        at(ready, "left_out"),
        "/admin/messaging/campaign/",
    ]
    desk.get(at(ready))
    for page in pages:
        with django_assert_max_num_queries(16):
            assert desk.get(page).status_code == 200


def test_who_was_left_out_and_why(desk, station, audience, clerk):
    factories.resident(station, phone=audience[0].phone)
    factories.resident(station, phone="")
    factories.resident(station, phone="13800138009", life_state=LifeState.DECEASED)
    desk.post(ADD, facts(station))
    row = building.build(Campaign.objects.get())
    assert set(Exclusion.objects.values_list("why", flat=True)) == {
        Left.SAME_PHONE,
        Left.NO_PHONE,
        Left.DECEASED,
    }
    html = desk.get(at(row, "left_out") + "?why=no_phone").content.decode()
    assert html.count(str(Left.NO_PHONE.label)) == 2
    assert desk.get(at(row, "left_out") + "?why=x").status_code == 404


def test_the_unreached_are_paged_with_masked_numbers(desk, station, clerk):
    row = rows.campaign(station, clerk)
    for _n in range(51):
        rows.message(row, state="failed", reason="absent")
    html = desk.get(at(row, "unreached")).content.decode()
    first = row.messages.order_by("pk").first()
    assert first.resident.masked_phone in html
    assert first.phone not in html
    last = list(row.messages.order_by("pk"))[49]
    rest = desk.get(f"{at(row, 'unreached')}?after={last.uuid}").content.decode()
    assert rest.count("desk-masked") - rest.count("closest .desk-masked") == 1


def test_revealing_a_number_is_audited(desk, station, clerk):
    message = rows.message(rows.campaign(station, clerk), state="failed")
    answer = desk.post(reverse("admin:messaging_message_reveal", args=[message.uuid]))
    assert answer.content.decode() == message.phone
    assert AuditEntry.objects.filter(act=Act.REVEAL, object_id=str(message.uuid)).count() == 1


def test_call_tasks_with_one_click(desk, station, clerk):
    row = rows.campaign(station, clerk)
    rows.message(row, state="failed")
    for _click in range(2):
        desk.post(at(row, "calls"))
    assert CallTask.objects.count() == 1


def test_results_go_out_without_live_formulas(client, station, manager):
    row = rows.campaign(station, manager)
    rows.message(row, factories.resident(station, name="=HYPERLINK(1)"), state="failed", reason="absent")
    client.force_login(manager)
    answer = client.get(at(row, "export", "xlsx"))
    cells = [cell.value for line in load_workbook(io.BytesIO(answer.content)).active for cell in line]
    assert "'=HYPERLINK(1)" in cells
    assert row.messages.get().phone not in str(cells)
    assert AuditEntry.objects.filter(act=Act.EXPORT, object_id=str(row.uuid)).count() == 1


def test_a_clerk_exports_nothing(desk, ready):
    assert desk.get(at(ready, "export", "xlsx")).status_code == 403


def test_the_month_at_a_glance(client, station, district, clerk):
    rows.message(rows.campaign(station, clerk, name="本月的"), state="delivered")
    client.force_login(factories.user(Role.DISTRICT, district))
    html = client.get("/admin/messaging/campaign/overview/").content.decode()
    assert "本月的" in html
    assert station.parent.short_name in html
    for odd in ("x", "2999-01", "0001-01", "%00", "2026-13"):
        assert client.get(f"/admin/messaging/campaign/overview/?month={odd}").status_code in (200, 400)


def test_the_list_tells_sums_in_few_queries(desk, station, clerk, django_assert_max_num_queries):
    for _n in range(5):
        rows.message(rows.campaign(station, clerk), state="delivered")
    with django_assert_max_num_queries(12):
        assert desk.get("/admin/messaging/campaign/").content.decode().count("100 %") == 5


def test_the_standing_campaign_has_no_buttons(desk, station):
    standing = rows.campaign(station, kind=CampaignKind.SINGLES)
    assert 'data-act="cancel"' not in desk.get(at(standing)).content.decode()


def test_two_clicks_test_once(desk, station):
    given = facts(station, phone="13800138000")
    pages = [desk.post(reverse("admin:messaging_campaign_test"), given) for _click in range(2)]
    assert "8000" in pages[1].content.decode()
    test = Campaign.objects.get()
    assert (test.kind, test.messages.count()) == (CampaignKind.TEST, 1)
    refused = desk.post(reverse("admin:messaging_campaign_test"), {**given, "phone": "x"})
    assert "手机号" in refused.content.decode()
