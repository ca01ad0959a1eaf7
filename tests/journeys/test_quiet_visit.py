"""A visit without a window in front of the patient: what it asks for waits on the after-visit list; one key says
that the standing history is still correct."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from emr.actions import standing
from emr.codes import ItemState
from emr.models import AfterVisitItem, Note, StandingHistory
from tests.factories import PASSWORD

pytestmark = pytest.mark.django_db(transaction=True)
FLU = {
    "system": "icd10", "release": "", "code": "J11.100", "name": "流行性感冒", "certainty": "confirmed", "primary": True,
}  # fmt: skip
DONE = {"present_illness": "3天前起病。", "past_history": "体健。", "signs": "咽红。", "examinations": "暂无"}


def write(resident, by, kind, text, version=0):
    return standing.write(resident=resident, kind=kind, text=text, version=version, by=by)


def line(page, kind):
    return page.locator(f'[data-standing="{kind}"]')


def test_a_notifiable_disease_opens_no_window_and_waits_prefilled(
    chart, visit, server, resident, doctor, station
):
    Note.objects.filter(encounter=visit).update(**DONE, diagnoses=[FLU])
    chart.open().type("发热3天").write("Alt+3", "多饮水。").is_saved()
    chart.press("Control+Enter").type(PASSWORD).press("Enter")
    expect(chart.page.locator("#signed-word")).to_contain_text(doctor.name)
    expect(chart.page.locator("dialog[open]")).to_have_count(1)  # the signature's own
    expect(chart.page.locator("dialog[open]")).not_to_contain_text("传染病")
    chart.page.goto(f"{server.address}/")
    chart.page.locator(".day-duties").get_by_role("link", name="诊后清单").click()
    first = chart.page.locator(".after-item").first
    expect(first).to_contain_text("传染病报告卡：流行性感冒")
    first.get_by_role("link").click()
    for name, value in {"name": resident.name, "id_number": resident.id_number, "unit": station.name}.items():
        expect(chart.page.locator(f"[name={name}]")).to_have_value(value)
    chart.page.fill("[name=onset_on]", "2026-11-20")
    chart.page.fill("[name=answer]", "已网络直报")
    chart.page.get_by_role("button", name="完成").click()
    expect(chart.page.locator(".after-list, .after-none")).not_to_contain_text("流行性感冒")
    item = AfterVisitItem.objects.get(prompt="infectious")
    assert (item.state, item.facts["onset_on"]) == (ItemState.DONE, "2026-11-20")


def test_one_key_says_that_the_standing_history_is_still_correct(chart, resident, doctor, colleague):
    row = write(resident, colleague, "past", "高血压10年")
    StandingHistory.objects.filter(pk=row.pk).update(confirmed_at=timezone.now() - timedelta(days=900))
    chart.open()
    expect(line(chart.page, "past").locator(".badge")).to_be_visible()
    chart.press("Alt+0")
    expect(line(chart.page, "past")).to_contain_text(f"{doctor.name} {timezone.localdate():%Y-%m-%d}")
    expect(line(chart.page, "past").locator(".badge")).to_be_hidden()
    expect(chart.complaint).to_be_focused()
    assert StandingHistory.objects.get().confirmed_by == doctor


def test_it_is_changed_in_place_and_nothing_typed_is_lost(chart, resident, doctor, colleague):
    chart.open()
    chart.page.locator("[data-edit=family]").click()
    chart.type("父亲高血压𠮷").press("Control+Enter")
    expect(line(chart.page, "family")).to_contain_text("父亲高血压𠮷")
    write(resident, colleague, "family", "母亲糖尿病", version=1)
    chart.page.locator("[data-edit=family]").click()
    chart.page.fill("#standing-box", "父亲冠心病")
    chart.press("Control+Enter")
    expect(chart.page.locator("#standing-fault")).to_contain_text("母亲糖尿病")
    expect(chart.page.locator("#standing-box")).to_have_value("父亲冠心病")
    chart.press("Control+Enter")
    expect(line(chart.page, "family")).to_contain_text("父亲冠心病")
    row = StandingHistory.objects.get(kind="family")
    assert (row.text, row.version, row.confirmed_by) == ("父亲冠心病", 3, doctor)


def test_a_closed_box_keeps_what_was_typed_and_help_tells_the_key(chart):
    chart.page.locator("[data-edit=past]").click()
    chart.type("未写完").press("Escape")
    chart.page.locator("[data-edit=past]").click()
    expect(chart.page.locator("#standing-box")).to_have_value("未写完")
    chart.press("Escape", "F1")
    expect(chart.page.locator("#help-dialog")).to_contain_text(re.compile(r"Alt\+0\s*长期病史"))


def test_what_the_note_carried_is_confirmed_with_it(chart, visit, resident, colleague):
    write(resident, colleague, "past", "高血压10年")
    stale = {"past_history": {"how": "carried", "from": "", "stale": True}}
    Note.objects.filter(encounter=visit).update(past_history="高血压10年", marks=stale)
    chart.open()
    mark = chart.page.locator('button.mark[data-mark="past_history"]')
    expect(mark).to_be_visible()
    chart.press("Alt+0")
    expect(mark).to_have_count(0)
    chart.is_saved()
    assert Note.objects.get(encounter=visit).marks == {}


def test_signed_out_the_confirmation_goes_on_after_the_password(chart, resident, doctor, colleague):
    write(resident, colleague, "past", "高血压10年")
    chart.open()
    chart.page.context.clear_cookies(name="sessionid")
    chart.press("Alt+0")
    expect(chart.page.locator("#signin-dialog")).to_be_visible()
    chart.type(PASSWORD).press("Enter")
    expect(line(chart.page, "past")).to_contain_text(doctor.name)
    assert StandingHistory.objects.get().confirmed_by == doctor
