"""Single messages of other apps: keyed, refused with a reason, counted on a standing campaign."""

import uuid

import pytest

from clinic.codes import LifeState
from clinic.errors import Conflict, Forbidden, Refused
from messaging import progress
from messaging.actions import messages, templates
from messaging.codes import CampaignKind, ConsentSource
from messaging.models import Campaign, Message, OptOut
from tests import factories
from tests.messaging import rows

pytestmark = pytest.mark.django_db


@pytest.fixture
def person(station):
    return factories.resident(station, phone="138 0013 8000")


@pytest.fixture
def template(station, centre, manager):
    return templates.keep(
        institution=centre, name="随访", purpose="follow_up", body="{salutation}您好，请来站。", by=manager
    )


@pytest.fixture
def send(person, template, station):
    def go(key=None, resident=person, **given):
        key = key or uuid.uuid4()
        return messages.queue(
            resident=resident, purpose="follow_up", template=template, key=key, institution=station, **given
        )

    return go


def test_the_same_key_sends_once(send, person):
    key = uuid.uuid4()
    assert send(key) == send(key)
    made = Message.objects.get()
    assert (made.phone, made.resident, made.text) == (
        "13800138000",
        person,
        "【社区卫生】张女士您好，请来站。",
    )


def test_one_standing_campaign_a_year(send):
    for _n in range(3):
        send()
    send(urgent=True)
    standing = Campaign.objects.filter(kind=CampaignKind.SINGLES, urgent=False).get()
    assert progress.of(standing).created == 3
    assert Campaign.objects.count() == 2


def test_a_key_of_another_resident_is_a_conflict(send, station):
    key = uuid.uuid4()
    send(key)
    with pytest.raises(Conflict):
        send(key, resident=factories.resident(station, phone="13800138001"))


def test_who_wants_none_gets_none(send, person):
    OptOut.objects.create(phone="13800138000", source=ConsentSource.SMS)
    with pytest.raises(Refused) as refused:
        send()
    assert refused.value.code == "opted_out"


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"phone": ""}, "no_phone"), ({"phone": "x"}, "bad_phone"), ({"phone": "010-65120000"}, "landline"),
        ({"life_state": LifeState.DECEASED}, "deceased"), ({"life_state": LifeState.MOVED}, "moved"),
    ],
)  # fmt: skip
def test_who_cannot_get_it_is_told(send, station, fields, code):
    with pytest.raises(Refused) as refused:
        send(resident=factories.resident(station, **{"phone": "13800138000", **fields}))
    assert refused.value.code == code


def test_who_may_not_queue_does_not(send, nurse):
    with pytest.raises(Forbidden):
        send(by=nurse)


def test_taken_back_while_it_waits(send):
    made = send()
    assert messages.cancel(message=made).state == "cancelled"
    assert messages.cancel(message=made).state == "cancelled"
    sent = rows.move(send(), "submitted")
    with pytest.raises(Conflict):
        messages.cancel(message=sent)
