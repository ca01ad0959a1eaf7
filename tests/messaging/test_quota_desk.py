"""The allowance at the desk: who sees which, who may write what, and what a typing error gets."""

import uuid

import pytest
from django.urls import reverse
from django.utils import timezone

from clinic.codes import Role
from messaging import quota as ledger
from messaging.actions import loans
from messaging.codes import LoanState, QuotaKind
from messaging.models import Quota, QuotaEntry
from tests import factories
from tests.messaging import rows
from tests.messaging.test_quota import SENT, business, filled, manager, moved, quota, released  # noqa: F401 - fixtures

YEAR = timezone.localdate().year
LIST = "/admin/messaging/quota/"


@pytest.fixture
def address(quota):  # noqa: F811
    return reverse("admin:messaging_quota_change", args=[quota.uuid])


def post(client, quota, name, **said):  # noqa: F811
    said.setdefault("key", str(uuid.uuid4()))
    return client.post(reverse("admin:messaging_quota_act", args=[quota.uuid, name]), said)


def test_each_sees_the_allowances_below_them(client, quota, business, manager, district, other_centre):  # noqa: F811
    filled(business, other_centre, 400)
    client.force_login(manager)
    seen = client.get(LIST).content.decode()
    assert quota.institution.short_name in seen
    assert other_centre.short_name not in seen
    client.force_login(business)
    seen = client.get(LIST).content.decode()
    assert other_centre.short_name in seen
    assert "1,400" in seen


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.CENTRE_IT, Role.SECADMIN])
def test_it_is_no_business_of_others(client, address, centre, role):
    client.force_login(factories.user(role, centre))
    assert client.get(LIST).status_code == 403
    assert client.get(address).status_code in (403, 404)


def test_a_stranger_does_not_find_it(client, address, other_centre):
    client.force_login(factories.user(Role.MANAGER, other_centre))
    assert client.get(address).status_code == 404


def test_the_list_costs_the_same_for_many(client, business, district, django_assert_max_num_queries):  # noqa: F811
    for number in range(30):
        place = factories.institution("centre", f"Q{number}", f"第{number}中心", district)
        filled(business, place, 100)
    client.force_login(business)
    with django_assert_max_num_queries(16):
        client.get(LIST)


def test_the_page_costs_the_same_for_a_long_ledger(
    client, quota, business, station, address, django_assert_max_num_queries  # noqa: F811
):  # fmt: skip
    for _n in range(60):
        released(station, 1)
    client.force_login(business)
    with django_assert_max_num_queries(22):
        shown = client.get(address).content.decode()
    assert "940" in shown
    assert "?p=2" in shown


def test_the_running_balance_is_that_after_each_line(client, quota, business, station, address):  # noqa: F811
    campaign = released(station, 300)
    moved(rows.message(campaign, segments=300), *SENT)
    ledger.settle(campaign, timezone.now())
    client.force_login(business)
    lines = client.get(address).context["page"].object_list
    assert [line.after.free for line in lines] == [700, 700, 1000]
    asked = (
        client.get(f"{address}?kind=consumption&month={timezone.localdate():%Y-%m}")
        .context["page"]
        .object_list
    )
    assert [(line.used, line.after.free) for line in asked] == [(300, 700)]


@pytest.mark.parametrize(
    "asked", ["kind=x", "month=2026-13", "month=%00", "p=-1", "p=１", "kind=%F0%9F%98%80"]
)
def test_nonsense_in_the_address_is_left_out(client, business, address, asked):  # noqa: F811
    client.force_login(business)
    assert client.get(f"{address}?{asked}").status_code in (200, 400)
    assert client.get(f"{LIST}?year=１２３４&{asked}").status_code in (200, 400)


def test_the_district_tops_up_once_for_two_clicks(client, quota, business):  # noqa: F811
    client.force_login(business)
    said = {
        "kind": "top_up",
        "segments": "500",
        "document": "合同",
        "money": "22.50",
        "key": str(uuid.uuid4()),
    }
    for _click in range(2):
        assert post(client, quota, "grant", **said).status_code == 302
    assert ledger.balance(quota).free == 1500


@pytest.mark.parametrize("segments", ["0", "-3", "1e9", "９", "abc", "", "99999999999999999999"])
def test_odd_figures_come_back_with_a_sentence(client, quota, business, segments):  # noqa: F811
    client.force_login(business)
    answer = post(client, quota, "grant", kind="top_up", segments=segments, document="合同")
    if segments == "９":  # full-width digits are digits to those who type them
        assert answer.status_code == 302
        assert ledger.balance(quota).free == 1009
        return
    assert answer.status_code == 400
    assert 'value="合同"' in answer.content.decode()
    assert ledger.balance(quota).free == 1000


def test_a_manager_shares_and_does_not_fill(client, quota, manager, station):  # noqa: F811
    below = Quota.objects.create(institution=station, year=YEAR)
    client.force_login(manager)
    assert post(client, quota, "grant", kind="top_up", segments="5", document="x").status_code == 403
    assert post(client, quota, "share", taker=str(below.uuid), segments="300").status_code == 302
    assert ledger.balance(below).free == 300
    answer = post(client, quota, "share", taker=str(below.uuid), segments="701")
    assert answer.status_code == 400
    assert "700" in answer.content.decode()


def test_a_clerk_looks_and_writes_nothing(client, quota, station):  # noqa: F811
    below = Quota.objects.create(institution=station, year=YEAR)
    client.force_login(factories.user(Role.CLERK, station))
    shown = client.get(reverse("admin:messaging_quota_change", args=[below.uuid]))
    assert shown.status_code == 200
    assert not shown.context["forms"]
    assert post(client, below, "share", segments="5").status_code == 403


@pytest.fixture
def loan(quota, business, manager, other_centre):  # noqa: F811
    lender = filled(business, other_centre, 300)
    return loans.ask(
        borrower=quota, lender=lender, segments=200, reason="秋季接种通知", key=uuid.uuid4(), by=manager
    )


def decide(client, loan, name):
    return client.post(reverse("admin:messaging_quotaloan_act", args=[loan.uuid, name]), follow=True)


def test_a_loan_asked_for_is_decided_on_the_list(client, loan, business, manager):  # noqa: F811
    client.force_login(manager)
    assert decide(client, loan, "approve").status_code == 403
    client.force_login(business)
    assert "秋季接种通知" in client.get(LIST).content.decode()
    decide(client, loan, "approve")
    loan.refresh_from_db()
    assert loan.state == LoanState.APPROVED
    assert "秋季接种通知" not in client.get(LIST).content.decode()


def test_a_second_decision_is_told(client, loan, business):  # noqa: F811
    client.force_login(business)
    decide(client, loan, "refuse")
    shown = decide(client, loan, "approve").content.decode()
    assert "未批准" in shown
    assert ledger.balance(loan.borrower).free == 1000


def test_the_export_starts_no_formula(client, quota, business):  # noqa: F811
    client.force_login(business)
    post(client, quota, "grant", kind="allotment", segments="5", document="=cmd|' /C calc'!A0")
    answer = client.get(reverse("admin:messaging_quota_export", args=[quota.uuid, "csv"]))
    assert b",=cmd" not in answer.content
    assert b"cmd" in answer.content


def test_warnings_stand_on_the_page(client, quota, business, station, address):  # noqa: F811
    released(station, 960)
    client.force_login(business)
    shown = client.get(address).content.decode()
    assert "80 %" in shown
    assert "95 %" in shown


def test_what_no_dispatcher_settled_is_settled_by_the_job(quota, station):  # noqa: F811
    campaign = released(station, 3)
    moved(rows.message(campaign, segments=3), *SENT)
    assert ledger.tend(timezone.now()) == 1
    assert ledger.balance(quota).used == 3
    assert ledger.tend(timezone.now()) == 0
    assert QuotaEntry.objects.filter(kind=QuotaKind.CONSUMPTION).count() == 1
