"""A doctor charts real complaints with real codes, by the keyboard alone; print and the sight of the page."""

import pytest
from playwright.sync_api import expect

from clinic import pinyin
from clinic.codes import Act
from clinic.models import AuditEntry
from emr.models import Note
from tests.factories import PASSWORD
from tests.journeys.notes import real_notes

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("real", real_notes())
def test_a_visit_is_charted_signed_and_printed_without_touching_the_mouse(chart, terms, real, visit, doctor):
    name = real["diagnosis"].rstrip("。")
    chart.type(real["chief_complaint"]).diagnose(pinyin.spell(name)[1], name)
    chart.write("Alt+3", real["advice"]).write("Alt+4", real["present_illness"])
    chart.write("Alt+5", real["past_history"] or "否认。").write("Alt+6", "咽部充血。")
    chart.write("Alt+7", real["aux_exam"] or "暂无").is_saved()
    chart.press("Control+Enter").type(PASSWORD).press("Enter")
    expect(chart.page.locator("#signed-word")).to_contain_text(doctor.name)
    expect(chart.page.locator("[data-print=a5]")).to_be_focused()
    with chart.page.expect_popup() as paper:
        chart.press("Enter")
    expect(paper.value.locator("body")).to_contain_text(real["chief_complaint"])
    note = Note.objects.get(encounter=visit)
    assert note.is_signed
    assert (note.present_illness, note.treatment) == (real["present_illness"], real["advice"])
    assert [row.name for row in note.diagnosis_rows.all()] == [name]
    assert AuditEntry.objects.filter(act=Act.PRINT).exists()


def test_an_odd_figure_is_shown_beside_the_password(chart, visit):
    line = {
        "system": "",
        "release": "",
        "code": "",
        "name": "咳嗽待查",
        "certainty": "confirmed",
        "primary": True,
    }
    done = {"visit_kind": "return", "present_illness": "好转。", "examinations": "暂无", "diagnoses": [line]}
    Note.objects.filter(encounter=visit).update(**done)
    chart.open()
    chart.type("咳嗽3天").write("Alt+3", "多饮水。").press("Alt+8").type("43")
    chart.is_saved().press("Control+Enter")
    expect(chart.page.locator("#sign-hints")).to_contain_text("43")
    expect(chart.page.locator("#sign-password")).to_be_visible()
