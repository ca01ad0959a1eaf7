"""Single messages of other apps: keyed, refused with a reason, counted on a standing campaign."""

import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from clinic.codes import LifeState, Role
from clinic.errors import Conflict, Forbidden, Refused
from clinic.models import AuditEntry
from messaging import progress
from messaging.actions import messages, templates
from messaging.codes import CampaignKind, ConsentSource
from messaging.dispatching import running
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
    send(urgent=True, reason="停水")
    standing = Campaign.objects.filter(kind=CampaignKind.SINGLES, urgent=False).get()
    assert progress.of(standing).created == 3
    assert Campaign.objects.count() == 2


def test_urgent_ones_alone_go_out_at_night(send):
    send()
    made = send(urgent=True, reason="疫苗批次召回")
    night = timezone.localtime().replace(hour=23) + timedelta(days=1)
    assert running.look(["mobile"], night).allowed == {made.campaign_id}
    assert AuditEntry.objects.get(object_id=str(made.uuid)).reason == "疫苗批次召回"


@pytest.mark.parametrize("reason", ["", "  ", "长" * 201, "\0"])
def test_urgent_needs_a_reason(send, reason):
    with pytest.raises(Refused) as refused:
        send(urgent=True, reason=reason)
    assert refused.value.code == "reason"


def test_urgent_needs_a_right(send, clerk, manager):
    with pytest.raises(Forbidden) as forbidden:
        send(by=clerk, urgent=True, reason="停水")
    assert forbidden.value.code == "quiet"
    assert send(by=manager, urgent=True, reason="停水").state == "queued"


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


def test_a_key_of_another_institution_is_a_conflict(send, person, template, centre):
    key = uuid.uuid4()
    send(key)
    with pytest.raises(Conflict) as conflict:
        messages.queue(resident=person, purpose="follow_up", template=template, key=key, institution=centre)
    assert conflict.value.code == "key"


def test_the_retry_after_a_merge_finds_it(send, person, station):
    key = uuid.uuid4()
    made = send(key)
    stays = factories.resident(station, phone="13800138009")
    person.merged_into = stays
    person.save()
    assert send(key) == made


def test_values_of_the_caller(send, template, manager):
    template.body = "{due}到期"
    with pytest.raises(Refused) as refused:
        send()
    assert refused.value.code == "text"
    assert send(values={"due": "12月31日"}).text.endswith("】12月31日到期")
    with pytest.raises(Refused) as refused:
        send(values={"due": ""})
    assert refused.value.code == "no_value"


def test_a_template_not_in_use_is_refused(send, template):
    template.active = False
    with pytest.raises(Refused):
        send()


def test_who_takes_back(send, clerk, nurse, other_station):
    made = send(by=clerk)
    for who in (nurse, factories.user(Role.CLERK, other_station)):
        with pytest.raises(Forbidden):
            messages.cancel(message=made, by=who)
    assert messages.cancel(message=made, by=clerk).state == "cancelled"


def test_taken_back_while_it_waits(send):
    made = send()
    assert messages.cancel(message=made).state == "cancelled"
    assert messages.cancel(message=made).state == "cancelled"
    sent = rows.move(send(), "submitted")
    with pytest.raises(Conflict):
        messages.cancel(message=sent)
