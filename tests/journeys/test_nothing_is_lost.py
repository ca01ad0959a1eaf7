"""What happens to a doctor's text when the server, the session, the browser or a second window gets in the way."""

import pytest
from django.contrib.sessions.models import Session
from django.utils import timezone
from playwright.sync_api import expect

from emr.models import Note
from tests import factories
from tests.factories import PASSWORD
from tests.journeys.chart import Chart

pytestmark = pytest.mark.django_db(transaction=True)

FIRST = "患儿三天前受凉后咳嗽，"
SECOND = "夜间加重，痰白𠮷，无发热。"


def text_of(visit, field="chief_complaint"):
    return getattr(Note.objects.get(encounter=visit), field)


def test_the_server_dies_in_mid_typing_and_not_one_character_is_lost(chart, server, visit):
    chart.type(FIRST).is_saved()
    server.kill()
    chart.type(SECOND).press("Tab").is_not_saved()
    server.start()
    chart.is_saved()
    assert text_of(visit) == FIRST + SECOND


def test_a_save_whose_answer_was_lost_is_sent_again_word_for_word(chart, visit):
    sent = []

    def swallow(route):
        sent.append(route.request.post_data)
        if len(sent) == 1:
            route.fetch()  # the server stores it, and nobody hears so
            return route.abort()
        return route.continue_()

    chart.page.route("**/save", swallow)
    chart.type(FIRST).is_saved()
    assert sent[0] == sent[1]
    assert (text_of(visit), Note.objects.get(encounter=visit).version) == (FIRST, 1)


def test_text_of_a_crashed_window_is_offered_at_the_next_opening(chart, server, visit, context):
    server.kill()
    chart.type(FIRST).write("Alt+4", SECOND).keeps_something().crash()
    server.start()
    again = Chart(context.new_page(), server.address, visit).open()
    expect(again.page.locator("#compare-title")).to_have_text("恢复未保存的文字")
    expect(again.page.locator("[data-role=mine]")).to_have_text([FIRST, SECOND])
    again.press("Enter").is_saved()
    assert (text_of(visit), text_of(visit, "present_illness")) == (FIRST, SECOND)


def test_two_windows_on_one_draft_see_both_texts(chart, server, visit, context):
    other = Chart(context.new_page(), server.address, visit).open()
    other.type("另一窗口：发热一天").is_saved()
    chart.type("本窗口：咳嗽三天").press("Tab")
    expect(chart.page.locator("[data-role=mine]")).to_have_text("本窗口：咳嗽三天")
    expect(chart.page.locator("[data-role=theirs]")).to_have_text("另一窗口：发热一天")
    chart.page.get_by_label("两份都留").check()
    chart.page.get_by_role("button", name="采用并保存").click()
    chart.is_saved()
    assert text_of(visit) == "本窗口：咳嗽三天\n另一窗口：发热一天"


def test_fields_that_only_one_window_changed_are_put_together_without_a_question(
    chart, server, visit, context
):
    other = Chart(context.new_page(), server.address, visit).open()
    other.write("Alt+6", "双肺呼吸音清").is_saved()
    chart.type("咳嗽三天").is_saved()
    expect(chart.page.locator("#chart-notice")).to_contain_text("体征")
    assert (text_of(visit), text_of(visit, "signs")) == ("咳嗽三天", "双肺呼吸音清")


def test_a_session_that_ends_in_mid_note_is_taken_up_in_place(chart, visit):
    chart.type(FIRST).is_saved()
    Session.objects.all().delete()
    chart.type(SECOND)
    expect(chart.page.locator("#signin-dialog")).to_be_visible()
    chart.page.locator("#signin-password").fill(PASSWORD)
    chart.press("Enter").is_saved()
    expect(chart.page.locator("#signin-dialog")).to_be_hidden()
    assert text_of(visit) == FIRST + SECOND


def test_another_user_in_the_sign_in_dialog_is_sent_home_and_the_text_waits(
    chart, server, visit, colleague, sign_in, doctor
):
    Session.objects.all().delete()
    chart.type(FIRST)
    chart.page.locator("#signin-username").fill(colleague.username)
    chart.page.locator("#signin-password").fill(PASSWORD)
    chart.press("Enter")
    chart.page.wait_for_url(f"{server.address}/")
    chart.page.context.clear_cookies()
    sign_in(doctor)
    chart.open().press("Enter").is_saved()
    assert text_of(visit) == FIRST


def test_the_next_user_of_the_computer_cannot_read_what_was_left(
    chart, server, visit, colleague, sign_in, context
):
    server.kill()
    chart.type("隐私主诉secret-words").keeps_something()
    left = chart.kept()
    chart.crash()
    server.start()
    context.clear_cookies()
    page = sign_in(colleague, context.new_page())
    theirs = Chart(
        page, server.address, factories.encounter(factories.resident(colleague.institution), colleague)
    ).open()
    assert len(left) == len(theirs.kept()) == 1
    assert "secret-words" not in left[0]
    assert "隐私" not in left[0]
    expect(page.locator("#compare-dialog")).to_be_hidden()
    assert page.evaluate(DECRYPT) == "refused"


# Tries the leftover with the key that stands in the colleague's own page.
DECRYPT = """async () => {
  const data = JSON.parse(document.querySelector("#chart-data").textContent);
  const raw = Uint8Array.from(atob(data.draft_key), (sign) => sign.charCodeAt(0));
  const key = await crypto.subtle.importKey("raw", raw, "AES-GCM", false, ["decrypt"]);
  const open = indexedDB.open("sheyi-drafts");
  await new Promise((done) => (open.onsuccess = done));
  const all = open.result.transaction("drafts").objectStore("drafts").getAll();
  await new Promise((done) => (all.onsuccess = done));
  const [row] = all.result;
  const cipher = {name: "AES-GCM", iv: row.iv, additionalData: new TextEncoder().encode(row.id)};
  return crypto.subtle.decrypt(cipher, key, row.data).then(() => "read", () => "refused");
}"""


def test_without_a_secure_connection_the_page_says_so_and_keeps_nothing(server, visit, doctor, sign_in, page):
    sign_in(doctor, address=server.plain_address)
    chart = Chart(page, server.plain_address, visit).open()
    expect(page.locator("#not-kept")).to_contain_text("不能留存在此浏览器")
    chart.type(FIRST).is_saved()
    assert page.evaluate("typeof crypto.subtle") == "undefined"
    assert FIRST not in page.evaluate("JSON.stringify({...localStorage, ...sessionStorage})")
    assert page.evaluate("indexedDB.databases()") == []
    assert text_of(visit) == FIRST


def test_leaving_with_unsaved_text_warns(chart, server):
    server.kill()
    chart.type(FIRST)
    asked = []
    chart.page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
    chart.page.close(run_before_unload=True)
    chart.page.wait_for_timeout(300)
    assert asked == ["beforeunload"]


def test_text_for_a_note_signed_elsewhere_meanwhile_is_shown_to_its_writer(
    chart, server, visit, doctor, context
):
    server.kill()
    chart.type(FIRST).keeps_something().crash()
    server.start()
    Note.objects.filter(encounter=visit).update(
        signed_at=timezone.now(), signed_by=doctor, signer=doctor.name
    )
    page = context.new_page()
    page.goto(chart.url)
    expect(page.locator("#kept")).to_contain_text(FIRST)
    page.locator("#kept button").click()
    page.reload()
    expect(page.locator("#kept")).to_be_hidden()
    assert Chart(page, server.address, visit).kept() == []


def test_words_in_the_diagnosis_box_survive_a_crash_too(chart, server, visit, context):
    server.kill()
    chart.write("Alt+2", "胸口不适").keeps_something().crash()
    server.start()
    again = Chart(context.new_page(), server.address, visit).open()
    expect(again.page.locator("#diagnosis-input")).to_have_value("胸口不适")
