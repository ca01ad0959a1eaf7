"""Journeys in the system's Chromium against a real gunicorn on the test database."""

import os
import shutil

import pytest
from playwright.sync_api import sync_playwright

from emr import term_lists
from emr.codes import System
from emr.term_lists import Line, TermList
from tests import factories
from tests.factories import PASSWORD
from tests.journeys.chart import Chart
from tests.journeys.notes import codes_for_notes
from tests.journeys.server import PLAIN_HOST, Server

# Playwright's loop runs in this thread; Django's ORM is used between its calls, never inside one.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
CHROMIUM = next(filter(None, map(shutil.which, ["chromium", "chromium-browser", "google-chrome"])), None)


@pytest.fixture(scope="session")
def browser_type_launch_args():
    assert CHROMIUM, "No Chromium was found."
    quiet = [
        "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
        "--disable-component-update", "--disable-sync", f"--host-resolver-rules=MAP {PLAIN_HOST} 127.0.0.1",
    ]  # fmt: skip
    return {"executable_path": CHROMIUM, "args": quiet, "headless": True}


@pytest.fixture(scope="session")
def browser_context_args():
    """The stations' old screens."""
    return {"viewport": {"width": 1366, "height": 768}, "locale": "zh-CN", "timezone_id": "Asia/Shanghai"}


@pytest.fixture(scope="package")
def playwright():
    """Playwright's loop counts as this thread's running one, so it ends with the last journey in a row: tests
    that run a loop of their own come after."""
    with sync_playwright() as made:
        yield made


@pytest.fixture(scope="package")
def browser(playwright, browser_type_launch_args):
    made = playwright.chromium.launch(**browser_type_launch_args)
    yield made
    made.close()


@pytest.fixture(scope="session")
def _server(django_db_setup, tmp_path_factory):
    made = Server(tmp_path_factory.mktemp("web"))
    made.collect()
    made.start()
    yield made
    made.kill()


@pytest.fixture
def server(_server, transactional_db):
    _server.ensure()
    return _server


@pytest.fixture
def terms(transactional_db):
    """A slice of the national list with every code that the notes need."""
    lines = [Line(code, name) for code, name in codes_for_notes()]
    term_lists.store(system=System.ICD10, name="2.0", valid_from="2020-01-01", terms=TermList(lines, 0))
    drugs = [Line("1", "阿莫西林胶囊"), Line("2", "氨溴索口服溶液"), Line("3", "硝苯地平控释片")]
    term_lists.store(system=System.MEDICINE, name="2024", valid_from="2020-01-01", terms=TermList(drugs, 0))


@pytest.fixture
def visit(server, doctor, resident):
    return factories.encounter(resident, doctor)


@pytest.fixture
def sign_in(server, page):
    """Through the door, as anybody does."""

    def go(user, window=page, address=None):
        window.goto(f"{address or server.address}/sign-in")
        window.fill("[name=username]", user.username)
        window.fill("[name=password]", PASSWORD)
        window.keyboard.press("Enter")
        window.wait_for_url(lambda url: "/sign-in" not in url)
        return window

    return go


@pytest.fixture
def chart(server, sign_in, doctor, visit, page):
    """The chart of the doctor's begun visit, open."""
    sign_in(doctor)
    return Chart(page, server.address, visit).open()
