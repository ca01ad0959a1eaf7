"""Who hears of a promise that runs out: once, by message, whatever restarts meanwhile."""

import pytest

from clinic.codes import Role
from maintenance import escalation
from maintenance.actions import tickets
from maintenance.codes import Severity, Side
from maintenance.models import Contact, TicketEvent
from messaging.models import Message
from tests import factories
from tests.maintenance.conftest import at


@pytest.fixture
def contacts(district, station):
    it = factories.user(Role.DISTRICT_IT, district, name="区信息")
    Contact.objects.create(
        institution=district,
        side=Side.VENDOR,
        name="供应商值班",
        phone="13800000001",
        deputy="副班",
        deputy_phone="13900000002",
    )
    Contact.objects.create(institution=district, side=Side.DISTRICT_IT, person=it, phone="18600000003")
    return it


def told(kind):
    return [event.facts["told"] for event in TicketEvent.objects.filter(kind=kind).order_by("pk")]


def test_three_quarters_and_the_end(fault, contacts, people):
    fault()
    assert [escalation.fire(at("11-23 09:23")) for _twice in range(2)] == [1, 0]
    assert told("warned") == [["供应商值班"]]
    escalation.fire(at("11-23 09:31"))
    assert sorted(told("escalated")[0]) == ["供应商值班", "副班", "区信息"]
    assert Message.objects.filter(resident=None).count() == 4
    assert "打印机" not in "".join(Message.objects.values_list("text", flat=True))


def test_the_nearest_contact_and_who_has_it_hear(fault, contacts, people, station):
    Contact.objects.create(institution=station, side=Side.VENDOR, name="驻站", phone="13700000009")
    it = people["it"]
    it.phone = "13600000008"
    it.save()
    tickets.accept(ticket=fault(severity=Severity.CRITICAL), by=it, now=at("11-23 09:05"))
    escalation.fire(at("11-23 12:01"))
    assert sorted(told("warned")[0]) == sorted(["驻站", it.name])


def test_a_telephone_that_cannot_be_reached_holds_up_nobody(fault, contacts):
    Contact.objects.filter(side=Side.VENDOR).update(phone="12")
    fault()
    escalation.fire(at("11-23 09:31"))
    assert sorted(told("escalated")[0]) == ["副班", "区信息"]


def test_cut_off_it_is_as_if_it_had_not_begun(fault, contacts, monkeypatch):
    fault()

    def broken(*_args, **_given):
        raise RuntimeError("cut off")

    monkeypatch.setattr(TicketEvent.objects, "bulk_create", broken)
    with pytest.raises(RuntimeError, match="cut off"):
        escalation.fire(at("11-23 09:31"))
    assert not Message.objects.exists()
    monkeypatch.undo()
    assert escalation.fire(at("11-23 09:31")) == 2
    assert Message.objects.count() == 4
