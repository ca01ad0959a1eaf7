"""After the signature: the doctor corrects on the chart page, the paper shows both texts, the archive asks for
leave, and a signature given in error is undone."""

import pytest
from django.conf import settings
from django.db import connection
from playwright.sync_api import expect

from emr.models import ChangeRequest, Correction, Note
from tests.conftest import Rights
from tests.emr import amending
from tests.factories import PASSWORD
from tests.journeys.chart import Chart

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def signed(server, client, resident, doctor):
    return amending.signed_note(client, resident, doctor)


@pytest.fixture
def archived(signed):
    """Signed the day before yesterday: the clock is turned back as the owner, where no trigger looks."""
    Rights.take(Rights.owner)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE emr_note DISABLE TRIGGER USER")
        cursor.execute(
            "UPDATE emr_note SET signed_at = signed_at - make_interval(hours => %s)",
            [settings.ARCHIVE_HOURS + 24],
        )
        cursor.execute("ALTER TABLE emr_note ENABLE TRIGGER USER")
    Rights.take(Rights.app)
    signed.refresh_from_db()
    return signed


class Correcting(Chart):
    """The chart page of a correction that the page itself has opened."""

    def ready(self):
        self.page.wait_for_selector("html[data-chart=ready]", state="attached")
        return self

    def sign(self):
        self.press("Control+Enter").type(PASSWORD).press("Enter")
        expect(self.page.locator("#signed-word")).to_contain_text("已签名")
        return self


def begin(page, server, note, reason):
    page.goto(f"{server.address}/visits/{note.encounter.uuid}/")
    page.get_by_role("link", name="修正…").click()
    page.locator("#reason-now").fill(reason)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**/corrections/**/")
    return Correcting(page, server.address, note.encounter).ready()


def test_a_signed_note_is_corrected_and_the_paper_shows_both_texts(server, signed, doctor, sign_in, page):
    sign_in(doctor)
    chart = begin(page, server, signed, "天数写错")
    expect(chart.complaint).to_have_value("咳嗽3天")
    chart.complaint.fill("咳嗽5天")
    chart.is_saved().sign()
    with page.expect_popup() as paper:
        chart.press("Enter")
    expect(paper.value.locator("del")).to_have_text(["3"])
    expect(paper.value.locator(".body")).to_contain_text("咳嗽35天")
    expect(paper.value.locator(".body")).to_contain_text("修正1：天数写错")
    assert Note.objects.get().chief_complaint == "咳嗽3天"
    page.locator("#sign-dialog").press("Escape")
    page.wait_for_url(f"**/visits/{signed.encounter.uuid}/")
    expect(page.locator(".chart-read")).to_contain_text("已修正 1 次")
    page.get_by_role("link", name="全部版本").click()
    expect(page.locator(".version").first).to_contain_text("修正1")


def test_text_of_a_crashed_correction_is_offered_in_the_correction_alone(
    server, signed, doctor, sign_in, page, context
):
    sign_in(doctor)
    chart = begin(page, server, signed, "天数写错")
    address = page.url
    server.kill()
    chart.complaint.fill("咳嗽一周")
    chart.keeps_something().crash()
    server.start()
    reading = context.new_page()
    reading.goto(f"{server.address}/visits/{signed.encounter.uuid}/")
    expect(reading.locator("#kept")).to_be_hidden()
    reading.goto(address)
    expect(reading.locator("[data-role=mine]")).to_have_text(["咳嗽一周"])
    reading.keyboard.press("Enter")
    Correcting(reading, server.address, signed.encounter).is_saved()
    assert Correction.objects.get().chief_complaint == "咳嗽一周"


def test_two_windows_on_one_correction_see_both_texts(server, signed, doctor, sign_in, page, context):
    sign_in(doctor)
    chart = begin(page, server, signed, "补充")
    other = Correcting(context.new_page(), server.address, signed.encounter)
    other.page.goto(page.url)
    other.ready().complaint.fill("另一窗口")
    other.is_saved()
    chart.complaint.fill("本窗口")
    chart.press("Tab")
    expect(page.locator("[data-role=theirs]")).to_have_text("另一窗口")


def test_an_archived_note_is_corrected_with_the_managers_leave(
    server, archived, doctor, manager, sign_in, page, browser
):
    sign_in(doctor)
    page.goto(f"{server.address}/visits/{archived.encounter.uuid}/")
    expect(page.locator(".chart-read-facts")).to_contain_text("归档")
    page.get_by_role("link", name="修正…").click()
    page.locator("#reason-ask").fill("漏写过敏史")
    page.get_by_role("button", name="提交申请").click()
    expect(page.locator("table")).to_contain_text("待审批")
    desk = sign_in(manager, browser.new_context(locale="zh-CN").new_page())
    desk.get_by_role("link", name="病历修改申请").first.click()
    desk.locator("#result_list a").first.click()
    expect(desk.locator("#content")).to_contain_text("漏写过敏史")
    desk.get_by_role("button", name="批准").click()
    expect(desk.locator(".messagelist")).to_contain_text("已批准")
    assert ChangeRequest.objects.get().decided_by == manager
    page.reload()
    page.get_by_role("link", name="修正…").click()
    expect(page.locator("#reason-now")).to_have_value("漏写过敏史")
    page.get_by_role("button", name="开始修正").click()
    chart = Correcting(page, server.address, archived.encounter).ready()
    chart.write("Alt+5", "青霉素过敏。").is_saved().sign()
    assert Correction.objects.get().request == ChangeRequest.objects.get()


def test_a_signature_given_in_error_is_undone_and_the_note_is_void(
    server, signed, doctor, manager, sign_in, page
):
    sign_in(doctor)
    page.goto(f"{server.address}/visits/{signed.encounter.uuid}/corrections")
    page.locator("#reason-ask").fill("写错病人")
    page.get_by_role("button", name="提交申请").click()
    amending.change_requests.decide(change_request=ChangeRequest.objects.get(), by=manager, approve=True)
    page.reload()
    page.get_by_role("link", name="修正…").click()
    page.get_by_label("作废整份病历").check()
    page.get_by_role("button", name="继续").click()
    page.locator("#password").fill("wrong-Password-1")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("密码")
    page.locator("#password").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/visits/{signed.encounter.uuid}/")
    expect(page.locator(".chart-read")).to_contain_text("作废")
    page.goto(f"{server.address}/visits/{signed.encounter.uuid}/print")
    expect(page.locator(".title").last).to_have_text("门诊病历（作废）")
    assert page.locator("del").count() >= 6
