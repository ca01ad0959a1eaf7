"""The control page of the simulated carriers, by keyboard, in the browser."""

import pytest
from playwright.sync_api import expect

from tests.journeys.carriers import Carriers


@pytest.fixture(scope="module")
def carriers(tmp_path_factory):
    made = Carriers(tmp_path_factory.mktemp("carriers"), hook="")
    yield made
    made.stop()


def test_a_carrier_is_made_slow_and_well_again_by_keyboard(carriers, page):
    complaints = []
    page.on("console", lambda message: complaints.append(message.text))
    page.goto(f"http://127.0.0.1:{carriers.control}/?lang=en")
    page.locator("#wish-carrier").focus()
    page.keyboard.type("China Telecom")
    page.keyboard.press("Tab")
    page.keyboard.type("Answer slowly")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_have_text("Done.")
    row = page.get_by_role("row").filter(has_text="China Telecom")
    expect(row).to_contain_text("latency=1.0")
    assert complaints == []


def test_the_table_keeps_itself_fresh(carriers, page):
    page.goto(f"http://127.0.0.1:{carriers.control}/")
    carriers.tell("smgp", reset=True, down=True)
    row = page.get_by_role("row").filter(has_text="电信 SMGP")
    expect(row).to_contain_text("已停止")
    expect(row).to_contain_text("无")
