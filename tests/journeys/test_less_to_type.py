"""Less to type: templates and their gaps, copying from an earlier visit, and the note made a template."""

import re
import uuid
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from emr.actions import templates
from emr.codes import EncounterStatus
from emr.models import Encounter, Note, NoteTemplate
from tests import factories
from tests.emr.conftest import COMPLETE
from tests.factories import PASSWORD
from tests.journeys.chart import Chart

pytestmark = pytest.mark.django_db(transaction=True)
PLAN = {
    "chief_complaint": "血压升高复诊【天数】天", "signs": "心率【次数】次/分，律齐。", "treatment": "低盐饮食，【复诊时间】复诊。",
    "diagnoses": COMPLETE["diagnoses"],
    "medications": [
        {"drug": "硝苯地平控释片", "dose": "30mg", "route": "po", "frequency": "qd", "days": "7", "reason": ""}
    ],
}  # fmt: skip


def keep(by, name="高血压复诊", content=None, field=""):
    facts = {"kind": "text" if field else "plan", "field": field, "content": content or PLAN}
    return templates.create(key=uuid.uuid4(), name=name, by=by, **facts)


@pytest.fixture
def earlier(resident, doctor):
    """A signed visit of ten days ago."""
    visit = factories.encounter(resident, doctor, **COMPLETE)
    Note.objects.filter(encounter=visit).update(
        signed_at=timezone.now(), signed_by=doctor, signer=doctor.name
    )
    Encounter.objects.filter(pk=visit.pk).update(
        status=EncounterStatus.FINISHED, arrived_at=timezone.now() - timedelta(days=10)
    )
    visit.refresh_from_db()
    return visit


@pytest.fixture
def charted(server, sign_in, doctor, earlier, visit, page):
    """The chart, with a visit before it."""
    sign_in(doctor)
    return Chart(page, server.address, visit).open()


def pick(chart, typed):
    chart.press("Alt+t")
    expect(chart.page.locator("#template-input")).to_be_focused()
    chart.type(typed)
    expect(chart.page.locator("#template-list li")).to_have_count(1)
    chart.press("Enter")
    expect(chart.page.locator("#template-dialog")).not_to_be_visible()
    return chart


def selected(chart):
    return chart.page.evaluate(
        "() => { const b = document.activeElement; return b.value.slice(b.selectionStart, b.selectionEnd) }"
    )


def box(chart, name):
    return chart.page.locator(f'[data-text="{name}"]')


def mark(chart, name):
    return chart.page.locator(f'button.mark[data-mark="{name}"]')


def note_of(visit):
    return Note.objects.get(encounter=visit)


def copy_section(chart, name):
    chart.press("Alt+p", "Enter")
    chart.page.locator(f'[data-copy="{name}"]').press("Enter")
    expect(mark(chart, name).or_(mark(chart, "chief_complaint")).first).to_be_visible()
    return chart


# Templates -----------------------------------------------------------------------------------------------


def test_a_plan_fills_the_note_gaps_are_filled_by_tab_and_it_is_signed(charted, visit, doctor):
    keep(doctor)
    charted.press("Alt+f")
    pick(charted, "gxyfz")
    assert selected(charted) == "【天数】"
    charted.type("3").press("Tab", "Tab")
    assert selected(charted) == "【次数】"
    charted.press("Shift+Tab")
    assert selected(charted) == "【复诊时间】"
    charted.type("一周后").press("Tab")
    charted.type("76")
    charted.write("Alt+4", "规律服药。").write("Alt+7", "暂无").is_saved()
    charted.press("Control+Enter").type(PASSWORD).press("Enter")
    expect(charted.page.locator("#signed-word")).to_contain_text(doctor.name)
    note = note_of(visit)
    assert (note.chief_complaint, note.treatment) == ("血压升高复诊3天", "低盐饮食，一周后复诊。")
    assert [row.drug for row in note.medication_rows.all()] == ["硝苯地平控释片"]
    assert set(note.marks) >= {"diagnoses", "medications"}
    assert {mark["how"] for name, mark in note.marks.items() if name in PLAN} == {"template"}


def test_a_gap_left_open_is_named_before_the_password(chart, doctor):
    keep(doctor, "建议", {"treatment": "休息【天数】天"}, "treatment")
    chart.press("Alt+3")
    pick(chart, "jy")
    chart.press("Control+Enter")
    expect(chart.page.locator("#sign-missing")).to_contain_text("【天数】")


def test_tab_is_tab_where_there_is_no_gap(chart):
    chart.type("咳嗽3天").press("Tab")
    expect(chart.complaint).not_to_be_focused()


def test_a_plan_asks_before_it_adds_to_what_was_typed(chart, doctor, visit):
    keep(doctor)
    chart.type("头晕2天")
    pick(chart, "gxyfz")
    expect(chart.page.locator("#fill-question")).to_contain_text("主诉")
    chart.page.locator("#fill-leave").press("Enter")
    chart.is_saved()
    expect(chart.complaint).to_have_value("头晕2天")
    expect(box(chart, "treatment")).to_have_value(PLAN["treatment"])
    assert "chief_complaint" not in note_of(visit).marks
    pick(chart, "gxyfz")
    chart.page.locator("#fill-add").press("Enter")
    expect(chart.complaint).to_have_value(f"头晕2天\n{PLAN['chief_complaint']}")


def test_a_text_goes_where_the_cursor_stands_and_esc_takes_nothing(chart, doctor):
    keep(doctor, "饮水", {"treatment": "多饮水。"}, "treatment")
    chart.write("Alt+3", "休息。三天后复诊。")
    for _n in range(6):
        chart.press("ArrowLeft")
    chart.press("Alt+t", "Escape")
    expect(box(chart, "treatment")).to_have_value("休息。三天后复诊。")
    pick(chart, "ys")
    expect(box(chart, "treatment")).to_have_value("休息。多饮水。三天后复诊。")
    chart.is_saved()


def test_templates_are_fetched_only_when_asked_for(chart):
    asked = []
    chart.page.on("request", lambda request: asked.append(request.url))
    chart.type("咳嗽").is_saved()
    assert not [url for url in asked if "template" in url]
    chart.press("Alt+t")
    expect(chart.page.locator("#template-word")).not_to_be_empty()
    assert [url for url in asked if "/templates/search" in url]


# Copying -------------------------------------------------------------------------------------------------


def test_a_copied_section_is_marked_until_it_is_touched(charted, earlier, visit):
    copy_section(charted, "signs").is_saved()
    expect(box(charted, "signs")).to_have_value(COMPLETE["signs"])
    day = timezone.localtime(earlier.arrived_at).strftime("%Y-%m-%d")
    expect(mark(charted, "signs")).to_contain_text(day)
    charted.open()
    expect(mark(charted, "signs")).to_contain_text(day)
    assert note_of(visit).marks["signs"] == {"how": "copied", "from": str(earlier.uuid)}
    charted.write("Alt+6", "。").is_saved()
    expect(mark(charted, "signs")).to_have_count(0)
    assert "signs" not in note_of(visit).marks


def test_one_key_confirms_what_was_copied(charted, visit):
    copy_section(charted, "treatment").is_saved()
    expect(box(charted, "treatment")).to_be_focused()
    charted.press("Alt+c")
    expect(mark(charted, "treatment")).to_have_count(0)
    expect(charted.state).not_to_contain_text("未保存")
    charted.is_saved()
    assert "treatment" not in note_of(visit).marks
    assert note_of(visit).treatment == COMPLETE["treatment"]


def test_the_whole_is_copied_without_the_findings_of_that_day_and_signing_asks_once(charted, visit, doctor):
    copy_section(charted, "whole").is_saved()
    expect(box(charted, "signs")).to_have_value("")
    charted.write("Alt+6", "咽部无充血。").write("Alt+7", "暂无").is_saved()
    charted.press("Control+Enter").type(PASSWORD).press("Enter")
    expect(charted.page.locator("#sign-copied")).to_contain_text("主诉")
    expect(charted.page.locator("#sign-as-copied")).to_be_focused()
    charted.press("Enter")
    expect(charted.page.locator("#signed-word")).to_contain_text(doctor.name)
    note = note_of(visit)
    assert note.is_signed
    assert {"chief_complaint", "treatment", "diagnoses"} <= set(note.marks)
    assert "signs" not in note.marks


def test_what_is_asked_about_leads_to_its_box(charted):
    copy_section(charted, "whole").is_saved().write("Alt+6", "咽红。").write("Alt+7", "暂无").is_saved()
    charted.press("Control+Enter").type(PASSWORD).press("Enter")
    charted.page.locator("#sign-copied button").first.press("Enter")
    expect(charted.page.locator("#sign-dialog")).not_to_be_visible()
    expect(charted.complaint).to_be_focused()


def test_the_confirming_key_leads_from_one_marked_box_to_the_next(charted):
    copy_section(charted, "whole").press("Alt+c")
    expect(charted.complaint).to_be_focused()
    expect(mark(charted, "chief_complaint")).to_have_count(1)
    charted.press("Alt+c")
    expect(mark(charted, "chief_complaint")).to_have_count(0)
    charted.press("Alt+c")
    expect(charted.complaint).not_to_be_focused()


def test_marks_of_two_windows_are_never_a_question(charted, server, context, visit):
    second = Chart(context.new_page(), server.address, visit).open()
    copy_section(charted, "treatment").is_saved()
    second.write("Alt+1", "咳嗽3天").is_saved()
    expect(second.page.locator("#compare-dialog")).not_to_be_visible()
    expect(mark(second, "treatment")).to_have_count(1)
    assert note_of(visit).marks["treatment"]["how"] == "copied"
    assert note_of(visit).chief_complaint == "咳嗽3天"


def test_marks_survive_a_crash_with_their_text(charted, context, server, visit):
    charted.page.route("**/save", lambda route: route.abort())
    copy_section(charted, "signs").keeps_something()
    server.kill()
    charted.crash()
    server.start()
    again = Chart(context.new_page(), server.address, visit).open()
    expect(again.page.locator("#compare-rows fieldset")).to_have_count(1)  # marks are no question
    again.page.locator("#compare-done").press("Enter")
    expect(mark(again, "signs")).to_have_count(1)
    again.is_saved()
    assert note_of(visit).marks["signs"]["how"] == "copied"


# The note as a template ----------------------------------------------------------------------------------


def test_the_note_becomes_a_template_in_two_clicks_without_the_residents_name(
    chart, terms, visit, doctor, resident
):
    chart.type(f"{resident.name}咳嗽3天").write("Alt+3", f"电话{resident.phone}随访。").diagnose(
        "gxy", "高血压"
    )
    chart.page.locator('[data-templates="save"]').click()
    expect(chart.page.locator("#save-template-name")).to_have_value(re.compile("高血压"))
    chart.page.locator("#save-template-submit").click()
    expect(chart.page.locator("#chart-notice")).to_contain_text("高血压")
    row = NoteTemplate.objects.get()
    assert row.owner == doctor
    assert resident.name not in str(row.content)
    assert resident.phone not in str(row.content)
    assert row.content["chief_complaint"] == "患者咳嗽3天"


def test_a_name_that_is_taken_is_told_and_another_may_be_typed(chart, doctor):
    keep(doctor, "咳嗽3天")
    chart.type("咳嗽3天").is_saved()
    chart.page.locator('[data-templates="save"]').click()
    expect(chart.page.locator("#save-template-name")).to_be_focused()
    chart.press("Enter")
    expect(chart.page.locator("#save-template-fault")).to_contain_text("同名")
    chart.type("咳嗽二")
    chart.press("Enter")
    expect(chart.page.locator("#save-template-dialog")).not_to_be_visible()
    assert NoteTemplate.objects.filter(name="咳嗽二").exists()
