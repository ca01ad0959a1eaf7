"""A doctor refers from a visit to another station; a doctor there receives, sees the patient and sends back; the
sender reads the return and prints both forms."""

import pytest
from playwright.sync_api import expect

from emr.actions import referrals
from emr.codes import ReferralState
from emr.models import Encounter, Referral
from tests import factories
from tests.emr.conftest import COMPLETE
from tests.emr.test_referrals import BACK
from tests.emr.test_referrals import send as refer
from tests.factories import PASSWORD
from tests.journeys.test_printed_pages import ODD, TEXT

# How wide the text of a line is against its box, and bodies that reach the foot.
FAULTS = """() => {
  const faults = [], range = document.createRange();
  for (const sheet of document.querySelectorAll(".sheet")) {
    const room = sheet.clientWidth - 2 * parseFloat(getComputedStyle(sheet).paddingLeft);
    for (const line of sheet.querySelectorAll(".line, .title")) {
      range.selectNodeContents(line);
      if (range.getBoundingClientRect().width > room + 0.5) faults.push(line.textContent);
    }
    const end = sheet.querySelector(".body").getBoundingClientRect().bottom;
    if (end > sheet.querySelector("footer").getBoundingClientRect().top) faults.push("long");
  }
  return faults;
}"""

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def visit(server, doctor, resident):
    """An insured pensioner's visit, the note written and not yet signed."""
    resident.insurance = "resident_senior"
    resident.save()
    return factories.encounter(resident, doctor, **COMPLETE)


@pytest.fixture
def far(browser, server, sign_in, stranger):
    """The other station's doctor at their own computer."""
    window = browser.new_page(locale="zh-CN", viewport={"width": 1366, "height": 768})
    sign_in(stranger, window)
    yield window
    window.close()


def finish(window):
    """Sign the note on the page, as the doctor there does."""
    window.keyboard.press("Control+Enter")
    window.locator("#sign-dialog[open]").wait_for()
    window.keyboard.type(PASSWORD)
    window.keyboard.press("Enter")
    window.wait_for_selector(".signed-word")


def send(chart, other_station):
    """With the keyboard: the last words are saved first, the form is filled, the place is chosen."""
    page = chart.page
    chart.write("Alt+3", "随诊。").press("Alt+r")
    page.wait_for_url("**/refer")
    expect(page.locator(".resident-banner")).to_contain_text("一老")
    expect(page.locator("[name=impression]")).to_have_value("急性上呼吸道感染")
    expect(page.locator("[name=treatment_course]")).to_have_value("多饮水，休息。随诊。")
    page.locator("[name=to_institution]").select_option(label=other_station.name)
    expect(page.locator("[name=to_name]")).to_be_hidden()
    page.keyboard.press("Control+Enter")
    page.wait_for_url("**/referrals/*")
    expect(page.locator(".referral-state")).to_have_text("待接收")


def test_there_and_back(chart, page, far, server, stranger, resident, other_station, other_centre):
    send(chart, other_station)
    row = Referral.objects.get()
    far.goto(server.address)
    expect(far.get_by_role("heading", name="待接收转诊")).to_contain_text("1")
    far.get_by_role("link", name="待接收转诊").click()
    far.get_by_role("link", name=resident.name).click()
    expect(far.locator(".referral-sheet")).to_contain_text("急性上呼吸道感染")
    far.get_by_role("button", name="接收", exact=True).click()
    expect(far.locator(".referral-state")).to_have_text("已接收")
    far.get_by_role("button", name="开始接诊").click()
    far.wait_for_url("**/visits/*/")
    visit = Encounter.objects.get(institution=other_station)
    factories_fill(visit)
    far.reload()
    finish(far)
    far.goto(f"{server.address}/referrals/{row.uuid}")
    far.get_by_role("link", name="回转", exact=True).click()
    expect(far.locator("[name=return_diagnosis]")).to_have_value("急性上呼吸道感染")
    far.locator("[name=return_course]").fill("已好转，回社区随访。")
    far.get_by_role("button", name="回转").click()
    expect(far.locator(".referral-state")).to_have_text("已回转")
    read(page, server, resident, row)


def factories_fill(visit):
    """What the doctor there types; typing itself has journeys of its own."""
    note = visit.note
    for name, value in COMPLETE.items():
        setattr(note, name, value)
    note.skip_history_when_saving = True
    note.save()


def read(page, server, resident, row):
    page.goto(f"{server.address}/residents/{resident.uuid}/")
    expect(page.locator("#main")).to_contain_text("已好转，回社区随访。")
    page.goto(f"{server.address}/referrals/{row.uuid}")
    for link, title in (("打印转出单", "双向转诊（转出）单"), ("打印回转单", "双向转诊（回转）单")):
        with page.expect_popup() as opened:
            page.get_by_role("link", name=link).click()
        paper = opened.value
        expect(paper.locator(".sheet")).to_contain_text([title])
        assert paper.locator(".sheet").count() == 1
        paper.close()


def test_both_move_it_at_once_and_one_is_told(chart, page, far, server, other_station):
    send(chart, other_station)
    row = Referral.objects.get()
    far.goto(f"{server.address}/referrals/{row.uuid}")
    page.get_by_text("终止转诊").first.click()
    page.locator("#reason-terminate").fill("患者不去了")
    page.get_by_role("button", name="终止转诊").click()
    expect(page.locator(".referral-state")).to_have_text("已终止")
    far.get_by_role("button", name="接收", exact=True).click()
    expect(far.get_by_role("alert")).to_have_text("这份转诊单已结束：已终止。")
    assert Referral.objects.get().state == ReferralState.TERMINATED


def test_to_a_hospital_outside_on_paper(chart, page, server):
    page.goto(f"{chart.url}refer")
    page.locator("[name=to_name]").fill("北京协和医院")
    page.get_by_role("button", name="发出转诊单").click()
    page.wait_for_url("**/referrals/*")
    page.get_by_role("link", name="登记回转").click()
    page.locator("[name=return_diagnosis]").fill("肺炎")
    page.locator("[name=return_course]").fill("抗感染治疗后出院，一周复查。")
    page.locator("[name=return_doctor]").fill("张大夫")
    page.get_by_role("button", name="登记回转").click()
    expect(page.locator(".referral-state")).to_have_text("已回转")
    page.goto(f"{chart.url}refer")
    assert page.locator("#hospitals option").get_attribute("value") == "北京协和医院"


def test_long_and_odd_text_stays_on_its_sheets(server, sign_in, page, doctor, resident):
    row = refer(doctor, resident, present_illness=TEXT, treatment_course=ODD, to_name="医" * 100)
    referrals.send_back(referral=row, by=doctor, sheet={**BACK, "return_course": ODD + TEXT})
    sign_in(doctor)
    for form in ("print", "print-return"):
        page.goto(f"{server.address}/referrals/{row.uuid}/{form}")
        assert page.locator(".sheet").count() > 3
        assert not page.evaluate(FAULTS)
