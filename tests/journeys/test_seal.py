"""From the signature to its seal, in the browser."""

import pytest
from playwright.sync_api import expect

from emr.models import Note, Seal
from tests.emr.conftest import COMPLETE
from tests.factories import PASSWORD


@pytest.fixture
def signed(chart, visit):
    """A complete draft, signed on the page by keyboard."""
    Note.objects.filter(encounter=visit).update(**COMPLETE, version=1)
    chart.open()
    chart.press("Control+Enter")
    chart.page.locator("#sign-password").fill(PASSWORD)
    chart.press("Enter")
    expect(chart.page.locator("#signed-word")).to_be_visible()
    return Note.objects.get(encounter=visit)


def test_a_signed_note_shows_its_seal_and_checks_it(signed, chart):
    made = Seal.objects.get(note=signed)
    chart.page.goto(chart.url)
    chart.page.get_by_role("link", name=f"封签 {made.sha256[:8]}").focus()
    chart.press("Enter")
    expect(chart.page.get_by_text(made.sha256)).to_be_visible()
    expect(chart.page.get_by_text("刚刚核验无误")).to_be_visible()
    assert chart.page.evaluate("document.documentElement.scrollWidth") <= 1366
    chart.page.get_by_role("link", name="返回病历").click()
    expect(chart.page.get_by_role("link", name="封签")).to_be_visible()
