"""A centre that runs short asks for a loan; the district agrees; both ledgers show it."""

import uuid

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from clinic.codes import Role
from messaging.actions import quota as actions
from messaging.codes import QuotaKind
from messaging.models import Quota
from tests import factories

pytestmark = pytest.mark.django_db(transaction=True)


def allowance(institution, segments, by):
    quota = Quota.objects.create(institution=institution, year=timezone.localdate().year)
    actions.grant(
        quota=quota, kind=QuotaKind.ALLOTMENT, segments=segments, document="年度分配", key=uuid.uuid4(), by=by
    )
    return quota


@pytest.fixture
def business(district):
    return factories.user(Role.DISTRICT, district, name="区业务", username="business")


@pytest.fixture
def loan_asked(centre, other_centre, business):
    return allowance(centre, 100, business), allowance(other_centre, 900, business)


def test_a_loan_from_one_centre_to_another(loan_asked, manager, business, sign_in, page, server, browser):
    mine, other = loan_asked
    sign_in(manager)
    page.goto(f"{server.address}/admin/messaging/quota/{mine.uuid}/change/")
    form = page.locator("form[data-act=borrow]")
    form.locator("select[name=lender]").select_option(label=other.institution.short_name)
    form.locator("input[name=segments]").fill("300")
    form.locator("input[name=reason]").fill("秋季接种通知")
    form.locator("input[name=reason]").press("Enter")
    expect(page.locator("#loans")).to_contain_text("已申请")

    desk = browser.new_page(locale="zh-CN")
    sign_in(business, desk)
    desk.goto(f"{server.address}/admin/messaging/quota/")
    desk.get_by_role("button", name="批准").click()
    expect(desk.locator("body")).to_contain_text("已批准，额度已划转。")
    expect(desk.locator("dl.sums dd").nth(1)).to_have_text("400")
    desk.goto(f"{server.address}/admin/messaging/quota/{other.uuid}/change/")
    expect(desk.locator("dl.sums dd").nth(1)).to_have_text("600")
    expect(desk.locator("table").first).to_contain_text("借用")
    desk.close()
