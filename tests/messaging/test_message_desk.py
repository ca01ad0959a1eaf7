"""Messages, templates, saved filters and sending practice at the desk."""

import pytest
from django.urls import reverse

from messaging.actions import filters, templates
from messaging.models import SavedFilter, SendingPractice, SmsTemplate
from tests import factories
from tests.messaging import rows

pytestmark = pytest.mark.django_db

ADD = "/admin/messaging/campaign/add/"
BODY = "{name}您好，流感疫苗已到。拒收请回复R"


@pytest.fixture
def desk(client, clerk):
    client.force_login(clerk)
    return client


def test_a_message_with_its_time_line(desk, station, clerk):
    message = rows.message(rows.campaign(station, clerk), state="delivered")
    html = desk.get(reverse("admin:messaging_message_change", args=[message.uuid])).content.decode()
    assert 'class="timeline"' in html
    assert message.text in html
    assert message.phone not in html


def test_messages_are_found_by_number_or_its_tail(desk, station, clerk):
    message = rows.message(rows.campaign(station, clerk), factories.resident(station, phone="13800138123"))
    find = reverse("admin:messaging_message_find")
    for text, found in (
        ("8123", True),
        ("138 0013 8123", True),
        ("９123", False),
        ("812", False),
        ("", False),
        ("x", False),
    ):
        html = desk.post(find, {"q": text}).content.decode()
        assert (str(message.uuid) in html) == found, text
    assert message.phone not in html


def test_a_template_is_counted_and_kept(client, station, centre, manager):
    client.force_login(manager)
    page = reverse("admin:messaging_smstemplate_add")
    given = {
        "name": "疫苗",
        "purpose": "education",
        "body": BODY,
        "active": "on",
        "institution": str(centre.uuid),
    }
    client.post(page, given)
    assert SmsTemplate.objects.get().made_by == manager
    bad = client.post(page, {**given, "name": "另一", "body": "{x}"})
    assert "没有这个变量" in bad.content.decode()
    assert "1条计费" in client.post(reverse("admin:messaging_smstemplate_count"), given).content.decode()


def test_templates_from_above_are_used_and_not_changed(client, centre, station, manager, desk):
    row = templates.keep(institution=centre, name="疫苗", purpose="education", body=BODY, by=manager)
    page = reverse("admin:messaging_smstemplate_change", args=[row.uuid])
    assert desk.get(page).status_code == 200
    assert desk.post(page, {"name": "x"}).status_code == 403


def test_a_filter_is_kept_and_begins_a_campaign(desk, station):
    page = reverse("admin:messaging_savedfilter_add")
    given = {
        "name": "老年高血压",
        "institution": str(station.uuid),
        "active": "on",
        "tags": ["hypertension"],
        "age_from": "65",
    }
    desk.post(page, given)
    row = SavedFilter.objects.get()
    assert row.criteria == {"tags": ["hypertension"], "age_from": 65}
    html = desk.get(f"{ADD}?filter={row.uuid}").content.decode()
    assert 'name="age_from" value="65"' in html
    assert "高血压" in desk.get("/admin/messaging/savedfilter/").content.decode()
    change = reverse("admin:messaging_savedfilter_change", args=[row.uuid])
    assert 'value="65"' in desk.get(change).content.decode()
    assert desk.post(page, {**given, "age_to": "3", "name": "y"}).status_code == 200
    assert SavedFilter.objects.count() == 1


def test_a_second_filter_of_the_name_is_told(desk, station, clerk):
    filters.keep(institution=station, name="x", criteria={}, active=True, by=clerk)
    given = {"name": "x", "institution": str(station.uuid), "active": "on"}
    assert "errorlist" in desk.post(reverse("admin:messaging_savedfilter_add"), given).content.decode()


def test_practice_is_inherited_and_told(client, centre, station, manager):
    client.force_login(manager)
    page = reverse("admin:messaging_sendingpractice_add")
    given = {
        "institution": str(centre.uuid),
        "signature": "东直门",
        "quiet_from": "21:00",
        "quiet_to": "07:00",
    }
    client.post(page, {**given, "approval_above": "50", "retry": "off"})
    row = SendingPractice.objects.get()
    assert (row.signature, row.approval_above, row.retry_next_day) == ("东直门", 50, False)
    html = client.get(reverse("admin:messaging_sendingpractice_change", args=[row.uuid])).content.decode()
    assert "【东直门】" in html


@pytest.mark.parametrize(
    "given",
    [{"signature": "【x】"}, {"signature": "短" * 33}, {"quiet_from": "21:00"}, {"approval_above": "-1"}],
)
def test_odd_practice_is_refused(client, centre, manager, given):
    client.force_login(manager)
    data = {"institution": str(centre.uuid), **given}
    assert "errorlist" in client.post(reverse("admin:messaging_sendingpractice_add"), data).content.decode()
    assert not SendingPractice.objects.exists()
