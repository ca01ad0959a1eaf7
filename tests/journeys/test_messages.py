"""A campaign from the clerk's ticks in the residents' list to the last receipt, over real sockets, while a carrier's
gateway is killed; whom it did not reach is called; who writes T gets no more."""

import time

import pytest
from playwright.sync_api import expect

from clinic.codes import Role
from messaging.actions import practice, templates
from messaging.codes import CallState, CampaignState, MessageState, Purpose
from messaging.models import Attempt, CallTask, Campaign, Message, OptOut
from tests import factories
from tests.journeys import carriers as running

pytestmark = pytest.mark.django_db(transaction=True)

PREFIXES = ("1380013", "1300013", "1330013")  # one number of each carrier in turn
MANY = 24
LOST = "13300130005"


@pytest.fixture
def audience(station):
    return [
        factories.resident(station, name=f"居民{n:02d}", phone=f"{PREFIXES[n % 3]}{n:04d}")
        for n in range(MANY)
    ]


@pytest.fixture
def practised(centre, manager):
    """From eleven recipients on a second person decides; one template."""
    practice.keep(institution=centre, by=manager, signature="东直门社区", approval_above=10)
    return templates.keep(
        institution=centre, name="流感疫苗", purpose=Purpose.EDUCATION, by=manager, active=True,
        body="{name}您好，流感疫苗已到，请到{institution}接种。拒收请回复R",
    )  # fmt: skip


@pytest.fixture
def carriers(server, settings, tmp_path):
    made = running.Carriers(tmp_path, server.address)
    made.rows(settings, cmpp3=3)
    made.tell("smgp", stat_numbers={LOST: "UNDELIV"})
    yield made
    made.stop()


@pytest.fixture
def staffed(carriers, tmp_path):
    """Somebody who counts and somebody who sends."""
    made = running.Worker(tmp_path), running.dispatcher(tmp_path)
    yield
    for one in made:
        one.stop()


def until(condition, patience=40):
    end = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < end, list(Message.objects.values_list("state", "reason", "carrier"))
        time.sleep(0.05)


def tick_all_and_write(page, server):
    page.goto(f"{server.address}/admin/clinic/resident/")
    page.locator("#action-toggle").check()
    page.locator("select[name=action]").select_option(label="发送短信")
    page.get_by_role("button", name="执行").click()
    expect(page.locator("#compose")).to_contain_text(f"已在列表中勾选{MANY}位居民")
    page.locator("[name=template]").select_option(label="健康教育 · 流感疫苗")
    expect(page.locator("#look")).to_contain_text("【东直门社区】居民")
    expect(page.locator("#look")).to_contain_text("需另一人批准")
    page.get_by_role("button", name="统计对象").click()
    page.wait_for_url("**/campaign/*/change/")


def approve(window, server, name):
    window.goto(f"{server.address}/admin/messaging/campaign/")
    window.get_by_role("link", name=name).click()
    window.get_by_role("button", name="批准").click()
    expect(window.locator(".state-running, .state-finished")).to_be_visible()


def test_from_the_ticks_to_the_last_receipt(
    server, sign_in, page, browser, clerk, manager, nurse, audience, practised, carriers, staffed
):
    sign_in(clerk)
    tick_all_and_write(page, server)
    expect(page.locator(".state-ready")).to_be_visible(timeout=20_000)
    page.get_by_role("button", name="提交批准").click()
    expect(page.locator(".state-waiting")).to_be_visible()
    campaign = Campaign.objects.get()
    desk = browser.new_page(locale="zh-CN")
    sign_in(manager, desk)
    approve(desk, server, campaign.name)
    kill_the_mobile_gateway(carriers)
    # Nobody reloads: the clerk's page follows by itself.
    expect(page.locator(".state-finished")).to_be_visible(timeout=40_000)
    all_accounted_for(page, campaign)
    desk.reload()
    call_who_was_not_reached(desk, server, sign_in, browser, nurse)
    a_reply_ends_it(carriers, desk, server, audience)
    desk.close()


def kill_the_mobile_gateway(carriers):
    """After its first messages, for good."""
    until(lambda: Attempt.objects.filter(gateway__carrier="mobile").count() >= 2)
    carriers.tell("cmpp3", down=True, kick=True)


def all_accounted_for(page, campaign):
    campaign.refresh_from_db()
    assert campaign.state == CampaignState.FINISHED
    expect(page.locator(".balance")).to_contain_text(f"创建{MANY}条 = 各状态合计{MANY}条")
    assert Message.objects.count() == MANY == campaign.recipients
    ended = {MessageState.DELIVERED, MessageState.FAILED, MessageState.UNKNOWN, MessageState.EXPIRED}
    assert set(Message.objects.values_list("state", flat=True)) <= ended
    # What the dead gateway did not get went through the other one.
    ways = Message.objects.filter(carrier="mobile", state="delivered").values_list("gateway__name", flat=True)
    assert len(set(ways)) == 2
    assert Message.objects.get(phone=LOST).state == MessageState.FAILED


def call_who_was_not_reached(desk, server, sign_in, browser, nurse):
    desk.get_by_role("button", name="生成各站电话任务").click()
    expect(desk.locator("body")).to_contain_text("条电话任务")
    room = browser.new_page(locale="zh-CN")
    sign_in(nurse, room)
    room.get_by_role("link", name="电话任务").click()
    task = room.locator(".call").filter(has_text="居民05")
    task.get_by_role("button", name="显示").click()
    expect(task).to_contain_text(LOST)
    task.locator("[name=note]").fill("已告知")
    task.get_by_role("button", name="已联系上").click()
    expect(room.locator(".call.is-done")).to_contain_text("已告知")
    assert CallTask.objects.get(message__phone=LOST).state == CallState.REACHED
    room.close()


def a_reply_ends_it(carriers, desk, server, audience):
    person = audience[1]
    carriers.tell("sgip", mo=f"{person.phone}:Ｔ ")
    until(lambda: OptOut.objects.filter(phone=person.phone).exists())
    desk.goto(f"{server.address}/residents/{person.uuid}/")
    expect(desk.locator(".reach")).to_contain_text("拒收短信")


@pytest.fixture
def worker(server, tmp_path):
    made = running.Worker(tmp_path)
    yield made
    made.stop()


def test_a_clerk_alone_with_the_keyboard(server, sign_in, page, clerk, audience, practised, worker):
    """Own text, a mistake told at once, then cancelled again: nothing was sent."""
    sign_in(clerk)
    page.goto(f"{server.address}/admin/messaging/campaign/add/")
    page.locator("[name=body]").focus()
    page.keyboard.type("您好，{abc}")
    expect(page.locator("#look .stops")).to_contain_text("abc")
    page.keyboard.press("Control+A")
    page.keyboard.type("您好，周六停电，请改日来站。拒收请回复R")
    expect(page.locator("#look")).to_contain_text(f"{MANY}位居民")
    page.get_by_role("button", name="统计对象").press("Enter")
    page.wait_for_url("**/campaign/*/change/")
    expect(page.locator(".state-ready")).to_be_visible(timeout=20_000)
    worker.stop()
    page.get_by_role("link", name="取消任务").press("Enter")
    page.locator("[name=reason]").fill("改期")
    page.keyboard.press("Enter")
    expect(page.locator(".state-cancelled")).to_be_visible()
    assert set(Message.objects.values_list("state", "reason")) == {("cancelled", "campaign")}


def test_the_district_sees_figures_and_no_names(
    server, sign_in, page, district, audience, practised, manager
):
    sign_in(factories.user(Role.DISTRICT, district, name="郭文华"))
    page.goto(f"{server.address}/admin/messaging/campaign/add/?template={practised.uuid}")
    expect(page.locator("#look")).to_contain_text(f"{MANY}位居民")
    expect(page.locator("#look")).not_to_contain_text("居民00")
