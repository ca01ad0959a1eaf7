"""A pensioner of resident insurance is referred: filed by hand, through the interface, and while that one is down."""

import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.conf import settings
from django.utils import timezone
from playwright.sync_api import expect

from clinic.codes import Act
from clinic.models import AuditEntry
from emr.actions import filing_delivery, filings
from emr.codes import FilingFault, FilingState
from emr.insurance.service import Mood
from emr.models import InsuranceFiling
from tests import factories
from tests.emr.conftest import COMPLETE
from tests.emr.filings import SECRET, choose, pensioner, referral_of, running_sandbox

pytestmark = pytest.mark.django_db(transaction=True)
PATIENCE = 30


@pytest.fixture
def person(station):
    return pensioner(station, name="𠮷秀英")


@pytest.fixture
def visit(server, doctor, person):
    return factories.encounter(person, doctor, **COMPLETE)


@pytest.fixture
def sandbox():
    with running_sandbox() as service:
        yield service


@contextmanager
def worker(server, sandbox, seconds="1"):
    """The real process that runs the jobs."""
    environ = {
        **server.environ, "SHEYI_INSURANCE_SANDBOX_URL": sandbox.url, "SHEYI_INSURANCE_SECRET": SECRET,
        "SHEYI_INSURANCE_SECONDS": seconds,
    }  # fmt: skip
    command = [
        sys.executable,
        "manage.py",
        "db_worker",
        "--queue-name",
        "*",
        "--no-reload",
        "--interval",
        "0.1",
    ]
    process = subprocess.Popen(
        command, cwd=settings.BASE_DIR, env=environ, start_new_session=True, stdout=subprocess.DEVNULL
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def refer(page, server, visit):
    """From the visit, prefilled: the hospital's name, and sent."""
    page.goto(f"{server.address}/visits/{visit.uuid}/refer")
    page.fill("[name=to_name]", "市第一医院")
    page.keyboard.press("Control+Enter")
    page.wait_for_url("**/referrals/*")
    return InsuranceFiling.objects.get()


def test_by_hand_from_the_worklist_with_copying_and_the_number_typed_back(
    server, sign_in, page, doctor, visit, person
):
    sign_in(doctor)
    filing = refer(page, server, visit)
    expect(page.locator(".filing-state")).to_contain_text("待手工登记")
    page.goto(server.address)
    page.get_by_role("link", name="待办医保登记").click()
    row = page.get_by_role("row").filter(has_text=person.name)
    expect(row).not_to_contain_text(person.id_number)
    row.get_by_role("link", name="登记", exact=True).click()
    page.get_by_role("button", name="复制：证件号码").press("Enter")
    expect(page.get_by_role("button", name="复制：证件号码")).to_have_class(
        "btn btn-sm btn-outline-primary is-copied"
    )
    page.locator("#id_number").press("Control+V")
    expect(page.locator("#id_number")).to_have_value(person.id_number)
    page.keyboard.press("Enter")
    expect(page.locator("#number-error")).to_contain_text("不是登记号")
    page.locator("#id_number").fill("YB 2026-0001")
    page.keyboard.press("Enter")
    expect(page.locator("body")).to_contain_text("登记号 YB2026-0001")
    filing.refresh_from_db()
    assert (filing.state, filing.external_number) == (FilingState.CONFIRMED, "YB2026-0001")
    assert AuditEntry.objects.filter(act=Act.REVEAL, object_id=str(filing.uuid)).exists()
    page.goto(f"{server.address}/referrals/{filing.referral.uuid}")
    expect(page.locator(".filing-state")).to_contain_text("YB2026-0001")


def test_copying_works_without_https_too(server, sign_in, page, doctor, person):
    filing = filings.open_filing(referral=referral_of(doctor, person), by=doctor)
    sign_in(doctor, address=server.plain_address)
    page.goto(f"{server.plain_address}/insurance/{filing.uuid}")
    assert page.evaluate("navigator.clipboard") is None
    page.get_by_role("button", name="复制：医保编号").click()
    page.locator("#id_number").press("Control+V")
    expect(page.locator("#id_number")).to_have_value(person.insurance_number)


def test_through_the_interface_the_number_comes_by_itself(
    server, sign_in, page, doctor, visit, station, sandbox
):
    choose(station)
    sign_in(doctor)
    with worker(server, sandbox):
        refer(page, server, visit)
        expect(page.locator(".filing-state")).to_contain_text("SB", timeout=PATIENCE * 1000)
    (number,) = sandbox.ledger.rows
    expect(page.locator(".filing-state")).to_contain_text(number)
    page.goto(f"{server.address}/insurance")
    expect(page.locator("main")).to_contain_text("没有待手工办理的登记")


def test_while_the_interface_is_down_the_referral_goes_at_once_and_falls_back(
    server, sign_in, page, doctor, visit, station, sandbox
):
    choose(station)
    sandbox.mood = Mood.DOWN
    sign_in(doctor)
    with worker(server, sandbox):
        filing = refer(page, server, visit)
        expect(page.locator("body")).to_contain_text("已发出")
        expect(page.locator(".filing-state")).to_contain_text("已转为手工登记", timeout=PATIENCE * 1000)
    page.locator(".filing-state").get_by_role("link", name="去手工登记").click()
    expect(page.get_by_role("alert")).to_contain_text("接口连不上")
    page.locator("#id_number").fill("YB20260002")
    page.keyboard.press("Enter")
    expect(page.locator("body")).to_contain_text("登记号 YB20260002")
    filing.refresh_from_db()
    assert (filing.way, filing.fault) == ("by_hand", FilingFault.UNREACHABLE)


def test_a_worker_killed_while_it_sends_loses_and_doubles_nothing(server, doctor, station, sandbox, settings):
    settings.INSURANCE_SANDBOX_URL, settings.INSURANCE_SECRET = sandbox.url, SECRET
    choose(station)
    sandbox.mood = Mood.SLOW
    with worker(server, sandbox, seconds="50") as process:
        filing = filings.open_filing(referral=referral_of(doctor), by=doctor)
        end = time.monotonic() + PATIENCE
        while not sandbox.ledger.rows and time.monotonic() < end:
            assert process.poll() is None
            process_wait(process)
        os.killpg(process.pid, signal.SIGKILL)
    filing.refresh_from_db()
    assert filing.state == FilingState.SENDING
    sandbox.mood = Mood.WELL
    filing_delivery.tend(timezone.now() + timedelta(minutes=2))
    filing.refresh_from_db()
    assert (filing.state, [filing.external_number]) == (FilingState.CONFIRMED, list(sandbox.ledger.rows))


def process_wait(process):
    """A tenth of a second, or its end."""
    try:
        process.wait(0.1)
    except subprocess.TimeoutExpired:
        return
