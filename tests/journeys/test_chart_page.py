"""What the chart does under a doctor's hands: diagnoses, medicines, folded sections, refusals, weight."""

import pytest
from playwright.sync_api import expect

from clinic.models import Allergy
from emr.models import Note
from tests.factories import PASSWORD
from tests.journeys.chart import Chart

pytestmark = pytest.mark.django_db(transaction=True)


def lines_of(visit, field="diagnoses"):
    return getattr(Note.objects.get(encounter=visit), field)


def test_enter_answers_to_what_was_typed_even_before_the_suggestions_come(chart, terms, visit):
    chart.write("Alt+2", "高血压").press("Enter")
    expect(chart.page.locator(".diagnosis-name")).to_have_text("高血压")
    chart.is_saved()
    assert [(line["name"], line["primary"]) for line in lines_of(visit)] == [("高血压", True)]


def test_own_words_are_allowed_and_marked_and_a_repeat_is_refused(chart, terms, visit):
    for _time in range(2):
        chart.write("Alt+2", "胸口说不出的不适")
        expect(chart.page.locator(".suggestion-free")).to_contain_text("不适”")
        chart.press("Enter")
    expect(chart.page.locator("#diagnosis-word")).to_contain_text("不重复添加")
    expect(chart.page.locator(".diagnosis .own-words")).to_have_text("自定义")
    chart.is_saved()
    assert [line["code"] for line in lines_of(visit)] == [""]


def test_lines_are_moved_doubted_made_primary_and_removed_by_keys(chart, terms, visit):
    for words in ("甲", "乙", "丙"):
        chart.write("Alt+2", words)
        expect(chart.page.locator(".suggestion-free")).to_contain_text(f"“{words}”")
        chart.press("Control+a", "End", "ArrowUp", "Enter")
    chart.press("Escape", "ArrowUp", "Alt+ArrowUp", "Space", "p", "Enter", "Backspace").is_saved()
    found = [(line["name"], line["certainty"], line["primary"]) for line in lines_of(visit)]
    assert found == [("甲", "confirmed", False), ("丙", "suspected", True)]


def test_an_allergy_is_warned_of_and_more_than_seven_days_ask_why(chart, terms, visit, resident):
    Allergy.objects.create(resident=resident, substance="青霉素")
    chart.open().write("Alt+9", "amxl")
    expect(chart.page.locator(".suggestion").first).to_contain_text("阿莫西林")
    chart.press("Enter").type("0.5g").press("Enter", "Enter").press("ArrowDown", "Enter").type("14").press(
        "Enter"
    )
    expect(chart.page.locator("[data-part=reason]").first).to_be_focused()
    chart.type("外出").press("Enter").is_saved()
    expect(chart.page.get_by_role("alert").filter(has_text="青霉素")).to_be_visible()
    [line] = lines_of(visit, "medications")
    assert (line["drug"], line["dose"], line["route"], line["days"]) == ("阿莫西林胶囊", "0.5g", "po", "14")
    assert line["reason"] == "外出"


def test_what_is_missing_is_listed_with_a_way_there(chart, terms):
    chart.type("咳嗽3天").press("Control+Enter")
    expect(chart.page.locator("#sign-missing button").first).to_be_focused()
    chart.press("Enter").type("三天前受凉。")
    expect(chart.page.locator("[data-text=present_illness]")).to_have_value("三天前受凉。")


def test_a_wrong_password_signs_nothing(chart, visit):
    Note.objects.filter(encounter=visit).update(
        chief_complaint="咳嗽3天", present_illness="受凉", past_history="否认", signs="无", examinations="暂无",
        treatment="休息", diagnoses=[{"system": "", "release": "", "code": "", "name": "感冒"}],
    )  # fmt: skip
    chart.open().press("Control+Enter").type("wrong-Password-1").press("Enter")
    expect(chart.page.locator("#sign-word")).to_contain_text("密码")
    assert not Note.objects.get(encounter=visit).is_signed
    chart.type(PASSWORD).press("Enter")
    expect(chart.page.locator("#signed-word")).to_contain_text("已签名")


def test_a_text_that_is_too_long_is_refused_with_a_sentence_and_the_rest_is_saved(chart, visit):
    chart.complaint.fill("长" * 20001)
    chart.write("Alt+3", "休息")
    expect(chart.page.locator(".field-fault")).to_contain_text("20000")
    chart.is_not_saved()
    expect(chart.complaint).to_have_value("长" * 20001)
    chart.complaint.fill("咳嗽𠮷😀\n三天")
    chart.press("Tab").is_saved()
    note = Note.objects.get(encounter=visit)
    assert (note.treatment, note.chief_complaint) == ("休息", "咳嗽𠮷😀\n三天")


def test_a_click_right_after_the_last_key_saves_first_and_asks_nothing(chart, server, visit):
    chart.type("咳嗽三天")
    chart.page.get_by_role("link", name="社医").click()
    chart.page.wait_for_url(f"{server.address}/")
    assert Note.objects.get(encounter=visit).chief_complaint == "咳嗽三天"


def test_a_colleague_reads_and_cannot_write(server, visit, colleague, sign_in, page):
    Note.objects.filter(encounter=visit).update(chief_complaint="咳嗽三天")
    sign_in(colleague)
    page.goto(Chart(page, server.address, visit).url)
    expect(page.locator(".chart-read")).to_contain_text("咳嗽三天")
    assert page.locator("main textarea, main input:not([type=hidden])").count() == 0


def test_the_three_boxes_the_status_and_the_button_are_in_sight_on_an_old_screen(chart):
    for place in (
        "#chief-complaint",
        "#diagnosis-input",
        "#treatment",
        "#save-state",
        "#sign-open",
        "#previous",
    ):
        expect(chart.page.locator(place)).to_be_in_viewport(ratio=0.9 if place != "#previous" else 0.5)


def test_the_first_opening_weighs_150_kilobytes_and_the_next_20(chart):
    def weigh():
        sizes = []
        cdp = chart.page.context.new_cdp_session(chart.page)
        cdp.send("Network.enable")
        cdp.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
        chart.open()
        cdp.detach()
        return sum(sizes)

    cleaner = chart.page.context.new_cdp_session(chart.page)
    cleaner.send("Network.clearBrowserCache")
    first, later = weigh(), weigh()
    assert 30_000 < first <= 150_000
    assert later <= 20_000
