"""The clerk's desk in autumn: what ends within ninety days is filtered, renewed at once, followed to its end, and every
line says what became of it."""

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from clinic.codes import LifeState, Role
from clinic.models import Resident
from contracts.models import Agreement, Batch
from tests import factories
from tests.contracts import desk_build as build
from tests.journeys.carriers import Worker

pytestmark = pytest.mark.django_db(transaction=True)
MANY = 12
GONE = "签约居民03"


@pytest.fixture
def clerk(server, station, district):
    """Twelve end in forty days, three in two hundred."""
    team, today = build.team(station), timezone.localdate()
    version = build.version(district)
    build.text(district)
    for n in range(MANY + 3):
        end = today + timedelta(days=40 if n < MANY else 200)
        person = factories.resident(station, name=f"签约居民{n:02d}")
        old = build.agreement(person, team, start=end - timedelta(days=364), end=end)
        old.packages.create(version=version, price=120, waiver=100)
    return factories.user(Role.CLERK, station)


@pytest.fixture
def staffed(tmp_path):
    """Who works orders off begins when told to."""
    begun = []
    yield lambda: begun.append(Worker(tmp_path))
    for one in begun:
        one.stop()


def test_a_clerk_renews_what_ends_within_ninety_days(server, sign_in, page, clerk, staffed):
    sign_in(clerk)
    page.get_by_role("link", name="签约协议").first.click()
    page.get_by_role("link", name="90 天内到期").click()
    expect(page.locator("#result_list tbody tr")).to_have_count(MANY)
    order(page)
    # The clerk has looked at the numbers; meanwhile somebody dies, which only the line can tell.
    Resident.objects.filter(name=GONE).update(
        life_state=LifeState.DECEASED, life_state_on=timezone.localdate()
    )
    page.locator("button[name=confirm]").press("Enter")
    page.wait_for_url("**/batch/*/change/")
    expect(page.locator(".state-waiting")).to_be_visible()
    staffed()
    # Nobody reloads: the page follows by itself.
    expect(page.locator(".state-done")).to_be_visible(timeout=20_000)
    expect(page.locator(".sums dd")).to_have_text([str(MANY), str(MANY - 1), "1", "0"])
    row_by_row(page)
    followed_without_a_gap(page, server)


def order(page):
    """By the keyboard, from the choice of the order on; nothing is taken before it is confirmed."""
    page.locator("#action-toggle").check()
    page.locator("select[name=action]").select_option(label="批量续约…")
    page.get_by_role("button", name="执行").press("Enter")
    expect(page.locator(".order-numbers dd")).to_have_text([str(MANY), str(MANY), "0"])
    page.locator("[name=years]").select_option("2")
    page.locator("button[name=confirm]").press("Enter")
    assert not Batch.objects.exists()
    page.locator("[name=confirmed]").press("Space")


def row_by_row(page):
    rows = page.locator(".desk-table tbody tr")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text(GONE)
    page.locator("[data-act=tab-done]").press("Enter")
    expect(rows).to_have_count(MANY - 1)


def followed_without_a_gap(page, server):
    renewed = Agreement.objects.exclude(follows=None).select_related("follows")
    assert renewed.count() == MANY - 1
    assert {(one.start - one.follows.end).days for one in renewed} == {1}
    assert set(renewed.values_list("years", "state")) == {(2, "signed")}
    # Renewed, they end no more.
    page.goto(f"{server.address}/admin/contracts/agreement/?light=90")
    expect(page.locator("#result_list tbody tr")).to_have_count(1)
