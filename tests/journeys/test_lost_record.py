"""A record is said to be lost: the time line shows what happened, and a doctor brings back the text of 10:12."""

import re

import pytest
from playwright.sync_api import expect

from emr.models import Note, Save, SaveFault
from tests import factories
from tests.emr.amending import signed_note
from tests.emr.conftest import COMPLETE
from tests.factories import PASSWORD
from tests.journeys.chart import Chart

pytestmark = pytest.mark.django_db(transaction=True)
FIRST = "患儿三天前受凉后咳嗽，"
SECOND = "夜间加重，痰白。"


def note_of(visit):
    return Note.objects.get(encounter=visit)


def wait_for_faults(page, visit, count=1):
    for _tick in range(50):
        if SaveFault.objects.filter(note=note_of(visit)).count() >= count:
            return list(SaveFault.objects.filter(note=note_of(visit)))
        page.wait_for_timeout(100)
    raise AssertionError("no fault was told")


def test_the_server_dies_while_typing_and_the_time_line_tells_it(chart, server, visit):
    chart.type(FIRST).is_saved()
    server.kill()
    chart.type(SECOND).press("Tab").is_not_saved()
    server.start()
    chart.is_saved()
    (fault,) = wait_for_faults(chart.page, visit)
    save = Save.objects.get(version=2)
    assert (fault.source, fault.status, fault.save_key) == ("browser", 0, save.key)
    assert (fault.fields, fault.characters, fault.sha256) == (
        ["chief_complaint"],
        save.characters,
        save.sha256,
    )
    page = chart.page
    page.goto(f"{server.address}/visits/{visit.uuid}/inquiry")
    failed = page.locator(".inquiry-event.is-fault")
    expect(failed).to_contain_text("服务器无应答")
    expect(failed).to_contain_text(save.receipt)
    page.locator(".inquiry-event.is-saves summary").first.click()
    expect(page.locator(".inquiry-minute table").first).to_contain_text(save.receipt)


def test_what_failed_in_a_crashed_window_is_told_by_the_next(chart, server, visit, context):
    server.kill()
    chart.type(FIRST).press("Tab").is_not_saved()
    chart.page.wait_for_timeout(400)  # the entry is on the disk
    chart.crash()
    server.start()
    again = Chart(context.new_page(), server.address, visit).open()
    (fault,) = wait_for_faults(again.page, visit)
    assert (fault.status, fault.fields) == (0, ["chief_complaint"])
    again.press("Enter").is_saved()
    assert note_of(visit).chief_complaint == FIRST


def test_a_signature_without_an_answer_is_told_when_it_came_through(chart, server, visit):
    Note.objects.filter(encounter=visit).update(**COMPLETE)
    chart.open().press("Control+Enter").type(PASSWORD)
    expect(chart.page.locator("#sign-password")).to_have_value(PASSWORD)
    server.kill()
    chart.press("Enter")
    expect(chart.page.locator("#sign-word")).to_contain_text("服务器没有应答")
    server.start()
    chart.page.locator("#sign-submit").click()
    expect(chart.page.locator("#signed")).to_be_visible()
    (fault,) = wait_for_faults(chart.page, visit)
    signature = Save.objects.filter(note=note_of(visit)).latest("version")
    assert (fault.code, fault.status, fault.save_key) == ("sign", 0, signature.key)


def test_an_error_of_the_page_is_told_without_its_words(chart, visit):
    chart.page.evaluate("setTimeout(() => { throw new Error('张秀英 110101') })")
    chart.type(FIRST).is_saved()
    (fault,) = wait_for_faults(chart.page, visit)
    assert (fault.code, fault.fields, fault.characters, fault.save_key) == ("page", [], 0, None)


def test_a_doctor_brings_back_the_text_of_before_it_was_deleted(chart, server, visit):
    chart.type(FIRST).is_saved()
    receipt = Save.objects.get().receipt
    chart.press("Control+a", "Delete").press("Tab")
    chart.page.wait_for_function("() => !document.querySelector('#chief-complaint').value")
    chart.is_saved()
    page = chart.page
    page.get_by_role("link", name="我的保存记录").click()
    page.get_by_label("保存编号").fill(" ".join(receipt))
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_contain_text(receipt)
    expect(page.locator(".saves-receipt")).to_contain_text("与存储内容一致")
    page.get_by_role("button", name="恢复这一版").click()
    page.wait_for_url(f"{server.address}/visits/{visit.uuid}/")
    expect(page.locator("#chief-complaint")).to_have_value(FIRST)
    assert note_of(visit).marks["chief_complaint"] == {"how": "copied", "from": str(visit.uuid)}
    assert Save.objects.filter(note=note_of(visit)).count() == 3


def test_an_old_note_is_brought_back_into_a_correction(client, server, sign_in, doctor, resident, page):
    note = signed_note(client, factories.resident(doctor.institution, name="刘建国"), doctor)
    sign_in(doctor)
    page.goto(f"{server.address}/visits/{note.encounter.uuid}/inquiry?kind=saves")
    page.locator("summary").last.click()
    page.locator(".inquiry-minute table a").last.click()
    expect(page.get_by_role("button", name="恢复这一版")).to_be_visible()
    page.get_by_role("button", name="恢复这一版").click()
    expect(page.get_by_role("alert")).to_contain_text("无需恢复")  # it is what the note says


def test_the_medical_administration_finds_the_visit_and_restores_nothing(
    chart, server, sign_in, visit, manager, context
):
    chart.type(FIRST).is_saved()
    context.clear_cookies()
    desk = sign_in(manager, context.new_page())
    desk.get_by_role("link", name=re.compile("丢失病历取证")).first.click()
    desk.get_by_label("保存编号").fill("zxy")
    desk.keyboard.press("Enter")
    desk.locator(".saves-visits a").first.click()
    desk.locator(".inquiry-event.is-saves summary").first.click()
    desk.locator(".inquiry-minute table a").first.click()
    expect(desk.locator("main")).to_contain_text(FIRST)
    expect(desk.get_by_role("button", name="恢复这一版")).to_have_count(0)
