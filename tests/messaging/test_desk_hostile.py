"""What a hostile or hurried person does to campaigns, allowances and sheets at the desk."""

import uuid

import pytest
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.urls import reverse
from django.utils import timezone

from clinic.codes import Act, Role
from clinic.errors import Forbidden
from clinic.models import AuditEntry
from messaging import texts
from messaging.actions import campaigns as actions
from messaging.actions import consent
from messaging.codes import CampaignKind, CampaignState
from messaging.models import CallTask, Campaign, IncomingMessage, Quota
from tests import factories
from tests.messaging import rows

pytestmark = pytest.mark.django_db
ADD = "/admin/messaging/campaign/add/"


@pytest.fixture
def desk(client, clerk):
    client.force_login(clerk)
    return client


def typed(where, **given):
    return {
        "key": str(uuid.uuid4()), "institution": str(where.uuid), "purpose": "education", "source": "criteria",
        "body": "{name}您好。拒收请回复R", **given,
    }  # fmt: skip


@pytest.mark.parametrize("name", ["cancel", "pause"])
def test_the_standing_campaign_of_single_messages_is_nobodys_to_stop(desk, station, clerk, name):
    standing = rows.campaign(station, kind=CampaignKind.SINGLES, year=2026)
    answer = desk.post(reverse("admin:messaging_campaign_act", args=[standing.uuid, name]), {"reason": "x"})
    standing.refresh_from_db()
    assert standing.state == CampaignState.RUNNING
    assert answer.status_code in (302, 403)
    with pytest.raises(Forbidden):
        actions.cancel(campaign=standing, by=clerk)


@pytest.mark.parametrize("moment", ["0001-01-01T00:00", "9999-12-31T23:59", "2000-01-01T00:00"])
@pytest.mark.parametrize("field", ["send_at", "valid_until"])
def test_a_moment_years_away_is_refused(desk, station, field, moment):
    answer = desk.post(ADD, typed(station, **{field: moment}))
    assert answer.status_code == 400
    assert not Campaign.objects.exists()
    assert desk.post(f"{ADD}look/", typed(station, **{field: moment})).status_code == 200


def test_a_test_send_of_what_another_app_fills_in(desk, station, monkeypatch):
    monkeypatch.setitem(texts.offered, "crew", "团队")
    given = typed(station, body="{crew}您好", phone="13800138000")
    assert desk.post(f"{ADD}test/", given).status_code == 200
    assert Campaign.objects.get(kind=CampaignKind.TEST).messages.get().text.endswith("团队您好")


def test_a_sheet_of_an_unknown_form_leaves_no_line_in_the_trail(client, manager, centre):
    client.force_login(manager)
    row, allowance = rows.campaign(centre), Quota.objects.create(institution=centre, year=2026)
    sheet = reverse("admin:messaging_campaign_export", args=[row.uuid, "张三"])
    ledger = reverse("admin:messaging_quota_export", args=[allowance.uuid, "doc"])
    assert [client.get(address).status_code for address in (sheet, ledger)] == [404, 404]
    assert not AuditEntry.objects.filter(act=Act.EXPORT).exists()


@pytest.mark.parametrize("month", ["9999-12", "0001-01", "x", "2026-13", "٢٠٢٦-١١"])
def test_any_month_in_the_address_of_an_allowance(desk, station, month):
    one = Quota.objects.create(institution=station, year=2026)
    page = reverse("admin:messaging_quota_change", args=[one.uuid])
    assert desk.get(page, {"month": month}).status_code == 200


def test_an_institution_chosen_in_the_residents_list_is_it_and_all_below(client, manager, centre, station):
    client.force_login(manager)
    person = factories.resident(station)
    given = {"action": "send_message", ACTION_CHECKBOX_NAME: [str(person.uuid)], "select_across": "1"}
    html = client.post(f"/admin/clinic/resident/?institution={centre.code}", given).content.decode()
    for place in (centre, station):
        assert f'value="{place.uuid}" id' in html
    assert html.count('name="places"') == html.count(" checked") == 2


def test_the_campaign_of_an_institution_above_is_named_and_not_linked(desk, centre, station):
    above = rows.campaign(centre)
    message = rows.message(above, factories.resident(station))
    html = desk.get(reverse("admin:messaging_message_change", args=[message.uuid])).content.decode()
    assert above.name in html
    assert str(above.uuid) not in html
    assert reverse("admin:messaging_message_changelist") in html  # the way back


@pytest.mark.parametrize("row", [CallTask(), IncomingMessage(phone="13800138000", text="退订")])
def test_a_title_tells_the_time_alone(row):
    assert str(row)[:2] == "20"
    assert len(str(row)) == 16


def test_what_another_institution_sent_before_is_not_read_here(desk, station, other_station):
    person = factories.resident(other_station)
    rows.message(rows.campaign(other_station), person, "delivered")
    type(person).objects.filter(pk=person.pk).update(home=station)
    html = desk.get(reverse("admin:messaging_message_of", args=[person.uuid])).content.decode()
    assert "您好" not in html


def test_an_allowance_has_no_second_form_that_leads_nowhere(client, district):
    client.force_login(factories.user(Role.DISTRICT, district))
    assert client.get(reverse("admin:messaging_quota_add")).status_code == 403
    given = {"institution": str(district.uuid), "year": timezone.localdate().year, "at_limit": "block"}
    assert client.post(reverse("admin:messaging_quota_open"), given).status_code == 302


@pytest.mark.parametrize(("held", "count"), [("yes", 1), ("no", 0), ("x", 1)])
def test_opt_outs_that_hold_and_those_taken_back(desk, clerk, held, count):
    consent.opt_out(phone="13800138000", source="desk", document="不要再发", by=clerk)
    html = desk.get(reverse("admin:messaging_optout_changelist"), {"held": held}).content.decode()
    assert html.count("138****8000") == count
