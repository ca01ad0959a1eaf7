"""A fault from the hotline to the penalty statement, and an upgrade from its draft through gate, notice and watch to its review."""

from datetime import date, timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from clinic.codes import Role
from maintenance import breaches
from maintenance.actions import breaches as decisions
from maintenance.actions import upgrades
from maintenance.codes import Formula, Measure, Severity
from maintenance.models import (
    Breach,
    Clause,
    Contact,
    EmergencyPlan,
    Promise,
    ServiceLevel,
    Ticket,
    Upgrade,
    VendorContract,
)
from maintenance.upgrading import watching
from tests import factories

pytestmark = pytest.mark.django_db(transaction=True)
DAY = timedelta(days=1)


@pytest.fixture
def office(server, district, centre):
    """Those who keep it running, the vendor's promise and its price."""
    level = ServiceLevel.objects.create(name="合同服务等级", usual=True)
    for severity in Severity.values:
        Promise.objects.create(level=level, severity=severity, response=30, resolve=240)
    today = timezone.localdate()
    contract = VendorContract.objects.create(
        number="YW-1",
        vendor="明桥公司",
        starts=today - 30 * DAY,
        ends=today + 300 * DAY,
        amount=480_000,
        level=level,
    )
    Clause.objects.create(
        contract=contract, number="8.2", words="逾期未修复的，每逾期一小时扣 100 元，最多 4000 元。", measure=Measure.RESOLVE_LATE,
        formula=Formula.PER_HOUR, amount=100, cap=4000,
    )  # fmt: skip
    Contact.objects.create(institution=district, side="vendor", name="唐工", phone="13800000003")
    EmergencyPlan.objects.create(institution=district, name="停用预案", when="升级")
    return {
        "it": factories.user(Role.DISTRICT_IT, district, name="罗浩"), "head": factories.user(Role.DISTRICT, district, name="郭文华"),
        "vendor": factories.user(Role.VENDOR, district, name="唐工"), "manager": factories.user(Role.MANAGER, centre, name="吴卫东"),
        "contract": contract,
    }  # fmt: skip


def open_act(page, label):
    page.locator("summary", has_text=label).first.click()


def press(page, label):
    page.get_by_role("button", name=label, exact=True).last.click()


def test_a_fault_from_the_hotline_to_the_statement(
    sign_in, browser, server, page, office, station, browser_context_args
):
    sign_in(office["it"])
    page.goto(f"{server.address}/tickets/intake")
    page.get_by_label("机构").select_option(label=str(station))
    page.get_by_label("报告人姓名").fill("刘站长")
    page.get_by_label("一句话说明").fill("全站不能签名")
    page.get_by_label("模块").select_option(label="病历")
    page.get_by_label("先由谁处理").select_option(label="供应商")
    page.get_by_role("button", name="登记").click()
    expect(page.get_by_role("heading", name="全站不能签名")).to_be_visible()
    ticket = Ticket.objects.get()
    # Nobody mends it for two days: the job finds what that breaks.
    breaches.find(timezone.now() + 2 * DAY)
    row = Breach.objects.get()
    theirs = browser.new_context(**browser_context_args).new_page()
    sign_in(office["vendor"], theirs)
    theirs.get_by_role("link", name="运维合同").click()
    theirs.locator("#breaches tbody a").first.click()
    expect(theirs.get_by_text("= 4000")).to_be_visible()
    open_act(theirs, "提出异议")
    theirs.get_by_label("说明").fill("当天机房停电")
    press(theirs, "提出异议")
    expect(theirs.get_by_text("供应商有异议").first).to_be_visible()
    sign_in(office["head"], browser_page := browser.new_context(**browser_context_args).new_page())
    browser_page.goto(f"{server.address}/contract/breaches/{row.uuid}/")
    expect(browser_page.get_by_text("当天机房停电")).to_be_visible()
    open_act(browser_page, "确认违约")
    press(browser_page, "确认违约")
    expect(browser_page.get_by_text("已确认").first).to_be_visible()
    # The month ends.
    row.refresh_from_db()
    made = decisions.freeze(
        contract=office["contract"],
        month=row.on.replace(day=1),
        by=office["head"],
        now=timezone.now() + 62 * DAY,
    )
    browser_page.goto(f"{server.address}/contract/{office['contract'].uuid}/statements/{made.month:%Y-%m}/")
    expect(browser_page.get_by_text("4000.00").last).to_be_visible()
    expect(browser_page.get_by_text(ticket.number)).to_be_visible()
    expect(browser_page.get_by_text("未被改动")).to_be_visible()


def test_an_upgrade_from_its_draft_to_its_review(
    sign_in, browser, server, page, office, station, doctor, browser_context_args
):
    def window(user):
        return sign_in(user, browser.new_context(**browser_context_args).new_page())

    vendor, it, head = window(office["vendor"]), window(office["it"]), window(office["head"])
    plan_in_the_browser(vendor, server, station)
    row = Upgrade.objects.get()
    address = f"{server.address}/upgrades/{row.uuid}/"
    for who, label, state in ((it, "评估通过", "已评估"), (head, "批准", "已批准"), (it, "公告", "已公告")):
        who.goto(address)
        press(who, label)
        expect(who.locator(".page-top .state")).to_have_text(state)
    expect(it.get_by_text("尚未确认：")).to_be_visible()
    sign_in(doctor)
    expect(page.locator(".page-notice")).to_contain_text("V9.1")
    manager = window(office["manager"])
    manager.goto(address)
    press(manager, "确认知悉")
    expect(manager.get_by_text("吴卫东").last).to_be_visible()
    # Before its window the gate stays shut.
    it.goto(address)
    press(it, "开始升级")
    expect(it.get_by_text("窗口为").first).to_be_visible()
    row.refresh_from_db()
    upgrades.begin(upgrade=row, by=office["it"], now=row.starts_at)
    page.goto(f"{server.address}/tickets/")
    expect(page.locator(".page-notice-running")).to_contain_text("V9.1")
    upgrades.finish(upgrade=row, by=office["it"], now=row.starts_at + timedelta(minutes=30))
    watching.watch(row.starts_at + 4 * DAY)
    it.goto(address)
    expect(it.get_by_text("观察期：")).to_be_visible()
    open_act(it, "写总结并关闭")
    it.get_by_label("总结").fill("顺利，与上周持平。")
    press(it, "写总结并关闭")
    expect(it.get_by_text("顺利，与上周持平。")).to_be_visible()
    row.refresh_from_db()
    assert (row.state, row.hours.count()) == ("closed", watching.HOURS)


def plan_in_the_browser(vendor, server, station):
    starts = timezone.localtime() + 3 * DAY
    vendor.goto(f"{server.address}/upgrades/plan")
    vendor.get_by_label("版本").fill("V9.1")
    vendor.locator("#id_responsible").select_option(index=1)
    vendor.locator("#id_starts_at").fill(f"{starts:%Y-%m-%dT20:00}")
    vendor.locator("#id_ends_at").fill(f"{starts:%Y-%m-%dT22:00}")
    vendor.locator("[name=modules][value=chart]").check()
    vendor.locator("[name=businesses][value=charting]").check()
    vendor.locator(f"[name=places][value='{station.uuid}']").check()
    for name in ("what", "impact", "roll_back"):
        vendor.locator(f"#id_{name}").fill("检索提速，十分钟可切回")
    vendor.locator("#id_plan").select_option(label="停用预案")
    vendor.locator("#id_rehearsed_on").fill(f"{date.today():%Y-%m-%d}")
    vendor.get_by_role("button", name="保存计划").click()
    vendor.wait_for_url(lambda url: "/plan" not in url)
