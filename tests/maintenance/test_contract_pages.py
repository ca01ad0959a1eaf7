"""The vendor's contract on pages: who may decide, what stays frozen, what is paid in the end."""

import threading
import uuid
from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from clinic.codes import Role
from clinic.errors import Conflict, Refused
from clinic.verification import Scope
from maintenance import breaches, settling, verification
from maintenance.actions import breaches as actions
from maintenance.actions import tickets
from maintenance.codes import BreachState, Formula, Measure, Side
from maintenance.models import Breach, Clause, Payment, Statement, VendorContract
from tests import factories

TODAY = timezone.localdate()
LAST_MONTH = (TODAY.replace(day=1) - timedelta(days=1)).replace(day=1)


@pytest.fixture
def contract(level):
    made = VendorContract.objects.create(
        number="YW-1", vendor="明桥", starts=TODAY - timedelta(days=200), ends=TODAY + timedelta(days=100), amount=1000, level=level
    )  # fmt: skip
    for number, measure, amount in (
        ("1", Measure.RESOLVE_LATE, 300),
        ("2", Measure.SAVES_LOST, 1000),
        ("3", Measure.UPGRADE_FAILED, 500),
    ):
        Clause.objects.create(
            contract=made,
            number=number,
            words="逾期扣款",
            measure=measure,
            formula=Formula.EACH,
            amount=amount,
        )
    return made


@pytest.fixture
def business(district):
    return factories.user(Role.DISTRICT, district)


@pytest.fixture
def broken(contract, fault):
    """Long overdue with the vendor."""
    fault(now=timezone.now() - timedelta(days=20), side=Side.VENDOR)
    breaches.find()
    return Breach.objects.get()


@pytest.fixture
def lost(contract, business):
    clause = Clause.objects.select_related("contract").get(measure=Measure.SAVES_LOST)
    return actions.charge(clause=clause, on=LAST_MONTH, words="丢了一份", key=uuid.uuid4(), by=business)


def act(client, row, name, **data):
    return client.post(f"/contract/breaches/{row.uuid}/act/{name}", data)


def test_the_page_shows_how_the_penalty_comes_about(client, broken, business):
    client.force_login(business)
    page = client.get(f"/contract/breaches/{broken.uuid}/").content.decode()
    for words in (broken.ticket.number, "300.00", "逾期扣款", "非工作时间"):
        assert words in page
    assert "This does not" not in page


@pytest.mark.parametrize(("role", "name", "status"), [(Role.VENDOR, "object", 302), (Role.VENDOR, "waive", 403), (Role.DISTRICT, "waive", 302), (Role.DISTRICT, "object", 403), (Role.DISTRICT_IT, "confirm", 403), (Role.MANAGER, "confirm", 403), (Role.DOCTOR, "confirm", 403)])  # fmt: skip
def test_who_may_do_what_to_a_breach(client, broken, district, role, name, status):
    client.force_login(factories.user(role, district))
    assert act(client, broken, name, words="因为").status_code == status


def test_the_vendor_objects_and_the_centre_decides(client, broken, people, business):
    client.force_login(people["vendor"])
    act(client, broken, "object", words="断电")
    client.force_login(business)
    assert act(client, broken, "waive", words="").status_code == 400
    act(client, broken, "confirm")
    broken.refresh_from_db()
    assert (broken.state, broken.objection, broken.decided_by) == ("confirmed", "断电", business)
    assert act(client, broken, "waive", words="反悔").status_code == 409


def test_a_merged_ticket_costs_nothing_more(broken, fault, people):
    other = fault(side=Side.VENDOR)
    tickets.merge(ticket=broken.ticket, into=other, by=people["it"])
    breaches.find()
    broken.refresh_from_db()
    assert (broken.state, other.number in broken.decision) == ("waived", True)


def test_lost_records_are_entered_by_a_person(client, contract, business):
    client.force_login(business)
    clause = Clause.objects.get(measure=Measure.SAVES_LOST)
    data = {"key": uuid.uuid4(), "clause": clause.uuid, "on": TODAY, "words": "断电后两份未签病历不全"}
    for _n in range(2):
        assert client.post(f"/contract/{contract.uuid}/charge", data).status_code == 302
    assert [row.amount for row in Breach.objects.all()] == [Decimal("1000.00")]


@pytest.mark.parametrize("change", [{"words": ""}, {"clause": uuid.uuid4()}, {"on": "2020-01-01"}, {"on": TODAY + timedelta(days=1)}, {"on": "x"}, {"words": "a\x00"}])  # fmt: skip
def test_an_odd_breach_gets_a_sentence(client, contract, business, change):
    client.force_login(business)
    clause = Clause.objects.get(measure=Measure.SAVES_LOST)
    data = {"key": uuid.uuid4(), "clause": clause.uuid, "on": TODAY, "words": "丢了", **change}
    assert client.post(f"/contract/{contract.uuid}/charge", data).status_code == 400
    assert not Breach.objects.exists()


def test_what_the_system_measures_nobody_enters(contract, business):
    clause = Clause.objects.select_related("contract").get(measure=Measure.RESOLVE_LATE)
    with pytest.raises(Refused):
        actions.charge(clause=clause, on=TODAY, words="晚了", key=uuid.uuid4(), by=business)


def test_a_month_is_frozen_when_all_is_decided(client, contract, lost, business):
    client.force_login(business)
    data = {"month": f"{LAST_MONTH:%Y-%m}"}
    client.post(f"/contract/{contract.uuid}/freeze", data)
    assert not Statement.objects.exists()
    act(client, lost, "confirm")
    answer = client.post(f"/contract/{contract.uuid}/freeze", data)
    made = Statement.objects.get()
    assert (made.total, answer.url) == (
        Decimal("1000.00"),
        f"/contract/{contract.uuid}/statements/{made.month:%Y-%m}/",
    )
    page = client.get(answer.url).content.decode()
    assert made.sha256 in page
    assert client.get(f"{answer.url}sheet")["Content-Type"].startswith("application/vnd")
    assert act(client, lost, "waive", words="反悔").status_code == 409


def test_a_month_without_penalties_is_frozen_and_verified_too(contract, lost, business):
    actions.waive(breach=lost, by=business, words="已恢复")
    made = actions.freeze(contract=contract, month=LAST_MONTH, by=business)
    assert made.total == 0
    assert verification.contract(Scope()).ok


def test_this_month_is_not_frozen_yet(client, contract, business):
    client.force_login(business)
    client.post(f"/contract/{contract.uuid}/freeze", {"month": f"{TODAY:%Y-%m}"})
    assert client.post(f"/contract/{contract.uuid}/freeze", {"month": "2026-13"}).status_code == 404
    assert not Statement.objects.exists()


def test_a_statement_goes_off_the_next_payment(contract, lost, business):
    actions.confirm(breach=lost, by=business)
    actions.freeze(contract=contract, month=LAST_MONTH, by=business)
    for due, amount in (
        (LAST_MONTH, 500),
        (TODAY + timedelta(days=40), 600),
        (TODAY + timedelta(days=80), 600),
    ):
        Payment.objects.create(contract=contract, due_on=due, amount=amount)
    dues, left_over = settling.of_contract(contract)
    assert ([due.payable for due in dues], left_over) == ([500, 0, 200], 0)


@given(st.lists(st.tuples(st.integers(0, 11), st.integers(0, 5000)), max_size=6), st.lists(st.tuples(st.integers(0, 13), st.integers(0, 3000)), max_size=6))  # fmt: skip
def test_no_fen_is_lost_between_statements_and_payments(frozen, paid):
    start = date(2026, 1, 1)

    def month(n):
        return start.replace(year=2026 + n // 12, month=n % 12 + 1)

    statements = [Statement(month=month(n), total=Decimal(amount)) for n, amount in dict(frozen).items()]
    payments = [Payment(pk=k, due_on=month(n), amount=Decimal(amount)) for k, (n, amount) in enumerate(paid)]
    dues, left_over = settling.settle(payments, statements)
    assert sum(due.taken for due in dues) + left_over == sum(one.total for one in statements)
    assert all(due.payable >= 0 for due in dues)
    assert all(statement.month < due.payment.due_on for due in dues for statement, _part in due.off)


def test_verify_names_a_penalty_that_does_not_follow(contract, lost):
    assert verification.contract(Scope()).ok
    Breach.objects.filter(pk=lost.pk).update(amount=1)
    found = verification.contract(Scope())
    assert not found.ok
    assert str(lost) in found.notes[0]


def test_an_upgrade_rolled_back_is_charged_once(contract):
    class Upgrade:
        uuid, release, began_at, ended_at = uuid.uuid4(), "V6.2", timezone.now(), timezone.now()

    assert [breaches.of_upgrade(Upgrade), breaches.of_upgrade(Upgrade)] == [1, 0]
    assert Breach.objects.get().facts["upgrade"] == "V6.2"


@pytest.mark.parametrize("role", [Role.DOCTOR, Role.NURSE, Role.CLERK, Role.MANAGER, Role.AUDITOR])
def test_the_contract_is_not_for_everybody(client, broken, district, role):
    client.force_login(factories.user(role, district))
    for address in ("/contract/", f"/contract/breaches/{broken.uuid}/"):
        assert client.get(address).status_code == 403


def test_what_the_pages_cost(client, broken, lost, business, django_assert_max_num_queries):
    client.force_login(business)
    for address in ("/contract/", f"/contract/breaches/{broken.uuid}/"):
        client.get(address)
        with django_assert_max_num_queries(16):
            client.get(address)


@pytest.mark.django_db(transaction=True)
def test_objecting_and_confirming_at_once_leave_one_story(contract, business, people):
    clause = Clause.objects.select_related("contract").get(measure=Measure.SAVES_LOST)
    for _round in range(10):
        row = actions.charge(clause=clause, on=TODAY, words="丢了", key=uuid.uuid4(), by=business)
        ended = race(
            lambda row=row: actions.object_to(breach=row, by=people["vendor"], words="不认"),
            lambda row=row: actions.confirm(breach=row, by=business),
        )
        row.refresh_from_db()
        assert row.state == BreachState.CONFIRMED
        assert (row.objection == "不认") is (ended[0] is None)


def race(*acts):
    """What each act raised, in order."""
    gate, ended = threading.Barrier(len(acts)), [None] * len(acts)

    def run(number, one):
        gate.wait()
        try:
            one()
        except Conflict as conflict:
            ended[number] = conflict
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return ended
