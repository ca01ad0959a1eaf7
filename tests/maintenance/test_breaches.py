"""From a broken promise to the frozen statement, and the same amount for whoever reckons it again."""

import json
from datetime import date
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from clinic.codes import Role
from clinic.errors import Conflict, Forbidden, Refused
from maintenance import breaches, penalty
from maintenance.actions import breaches as actions
from maintenance.actions import tickets
from maintenance.codes import Formula, Measure, Severity, WaitingFor
from maintenance.models import Breach, Clause, VendorContract
from tests import factories
from tests.maintenance.conftest import at


@pytest.fixture
def contract(level):
    made = VendorContract.objects.create(
        number="YW-2026",
        vendor="某科技公司",
        starts=date(2026, 1, 1),
        ends=date(2026, 12, 31),
        amount=500000,
        level=level,
    )
    for number, measure, formula, more in (
        ("8.1", Measure.RESPONSE_LATE, Formula.EACH, {"amount": 200}),
        ("8.2", Measure.RESOLVE_LATE, Formula.PER_HOUR, {"amount": 100, "cap": 1000}),
        ("8.3", Measure.REOPENED, Formula.PERCENT, {"percent": "0.05", "severity": Severity.SERIOUS}),
    ):
        Clause.objects.create(
            contract=made, number=number, words="违约", measure=measure, formula=formula, **more
        )
    return made


@pytest.fixture
def office_district(district):
    return factories.user(Role.DISTRICT, district)


def found():
    return {
        row.clause.number: (row.amount, row.facts.get("minutes_over"))
        for row in Breach.objects.select_related("clause")
    }


def test_what_is_broken_is_opened_and_follows_its_ticket(fault, people, contract):
    made = fault()
    assert breaches.find(at("11-23 09:29")) == 0
    assert breaches.find(at("11-23 09:40")) == 1
    tickets.accept(ticket=made, by=people["vendor"], now=at("11-23 09:50"))
    breaches.find(at("11-23 10:00"))
    breaches.find(at("11-24 11:00"))
    assert found() == {"8.1": (Decimal(200), 20), "8.2": (Decimal(200), 90)}
    tickets.work(ticket=made, by=people["vendor"], now=at("11-24 11:10"))
    tickets.fix(ticket=made, by=people["vendor"], words="好了", now=at("11-24 14:00"))
    breaches.find(at("11-25 09:00"))
    assert found()["8.2"] == (Decimal(300), 180)
    assert breaches.find(at("11-26 09:00")) == 0


def test_a_pause_for_the_user_is_nobodys_breach(fault, people, contract):
    made = fault()
    tickets.work(ticket=made, by=people["vendor"], now=at("11-23 09:10"))
    tickets.wait(
        ticket=made, by=people["vendor"], waiting_for=WaitingFor.USER, reason="等回电", now=at("11-23 09:30")
    )
    assert breaches.find(at("11-27 17:00")) == 0


def test_the_vendors_clock_begins_with_the_vendor(fault, people, contract):
    made = fault(side="centre_it")
    tickets.assign(ticket=made, by=people["it"], side="vendor", now=at("11-24 09:00"))
    assert breaches.find(at("11-24 09:25")) == 0
    assert breaches.find(at("11-24 09:31")) == 1
    assert found() == {"8.1": (Decimal(200), 1)}


def test_from_objection_to_the_frozen_month(fault, people, contract, office_district):
    made = fault()
    tickets.work(ticket=made, by=people["vendor"], now=at("11-23 10:00"))
    tickets.fix(ticket=made, by=people["vendor"], words="好了", now=at("11-24 14:00"))
    tickets.reopen(ticket=made, by=people["doctor"], reason="又坏", now=at("11-24 15:00"))
    breaches.find(at("11-24 15:01"))
    rows = {row.clause.number: row for row in Breach.objects.select_related("clause")}
    actions.object_to(breach=rows["8.1"], by=people["vendor"], words="电话里已答复")
    with pytest.raises(Refused):
        actions.freeze(contract=contract, month=date(2026, 11, 5), by=office_district, now=at("12-01 09:00"))
    actions.waive(breach=rows["8.1"], by=office_district, words="情况属实")
    for number in ("8.2", "8.3"):
        actions.confirm(breach=rows[number], by=office_district)
    with pytest.raises(Refused):
        actions.freeze(contract=contract, month=date(2026, 11, 5), by=office_district, now=at("11-30 09:00"))
    made, again = (
        actions.freeze(contract=contract, month=date(2026, 11, 5), by=office_district, now=at("12-01 09:00"))
        for _n in range(2)
    )
    assert (made, made.total) == (again, rows["8.2"].amount + Decimal(250))
    made.refresh_from_db()
    assert made.sha256 == actions.hash_of(contract, made.month, made.lines, made.total)
    for line in made.lines:
        assert penalty.reckon(line["facts"], line["facts"].get("minutes_over", 0)) == Decimal(line["amount"])


def test_what_is_decided_stays(fault, people, contract, office_district):
    fault()
    breaches.find(at("11-23 09:40"))
    row = Breach.objects.get()
    with pytest.raises(Forbidden):
        actions.confirm(breach=row, by=people["vendor"])
    with pytest.raises(Refused):
        actions.waive(breach=row, by=office_district, words=" ")
    actions.confirm(breach=row, by=office_district)
    with pytest.raises(Conflict):
        actions.waive(breach=row, by=office_district, words="算了")
    assert breaches.find(at("11-23 12:00")) == 0


@pytest.mark.parametrize(
    "wrong",
    [{"measure": ""}, {"formula": "percent"}, {"amount": None}, {"amount": 0}, {"cap": -1}, {"percent": 5}],
    ids=str,
)
def test_a_clause_without_measure_or_amount_is_refused(contract, wrong):
    given = {
        "contract": contract,
        "number": "9",
        "words": "x",
        "measure": "reopened",
        "formula": "each",
        "amount": 5,
    }
    with pytest.raises(IntegrityError), transaction.atomic():
        Clause.objects.create(**given | wrong)


@pytest.mark.parametrize(
    ("terms", "minutes", "amount"),
    [
        ({"formula": "per_hour", "amount": "100", "cap": None}, 1, "100"),
        ({"formula": "per_hour", "amount": "100", "cap": None}, 60, "100"),
        ({"formula": "per_hour", "amount": "100", "cap": None}, 61, "200"),
        ({"formula": "per_hour", "amount": "100", "cap": "150"}, 61, "150"),
        ({"formula": "percent", "percent": "0.05", "contract_amount": "500000.00", "cap": None}, 0, "250"),
        ({"formula": "percent", "percent": "0.33", "contract_amount": "1234.56", "cap": None}, 0, "4.07"),
    ],
)
def test_amounts(terms, minutes, amount):
    assert penalty.reckon(terms, minutes) == Decimal(amount)
    assert json.dumps(terms)
