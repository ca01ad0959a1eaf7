"""Who lets a campaign go: its maker, a second person, the district beyond the allowance; what a cancelled one leaves."""

import uuid

import pytest
from django.utils import timezone

from clinic.codes import Role
from clinic.errors import Conflict, Forbidden, Refused
from messaging import building, quota
from messaging.actions import campaigns as actions
from messaging.actions import practice
from messaging.codes import AtLimit, CampaignState, QuotaKind
from messaging.models import Message, Quota, QuotaEntry
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def ready(station, clerk):
    for n in range(3):
        factories.resident(station, phone=f"1380013800{n}")
    row = actions.make(
        key=uuid.uuid4(), institution=station, name="x", purpose="education", body="{name}您好。拒收请回复R",
        audience={"source": "criteria"}, by=clerk,
    )  # fmt: skip
    return building.build(row)


@pytest.fixture
def allowance(centre):
    def give(segments, at_limit=AtLimit.APPROVE):
        row = Quota.objects.create(institution=centre, year=quota.year_of(timezone.now()), at_limit=at_limit)
        QuotaEntry.objects.create(quota=row, kind=QuotaKind.ALLOTMENT, free=segments)
        return row

    return give


def test_few_go_at_once_and_are_reserved(ready, clerk, allowance):
    pot = allowance(10)
    assert actions.release(campaign=ready, by=clerk).state == CampaignState.RUNNING
    assert (quota.balance(pot).free, quota.balance(pot).reserved) == (7, 3)


def test_beyond_the_allowance_the_district_decides(ready, clerk, manager, district, allowance):
    allowance(2)
    row = actions.release(campaign=ready, by=clerk)
    assert row.state == CampaignState.WAITING
    with pytest.raises(Refused) as refused:
        actions.approve(campaign=row, by=manager)
    assert refused.value.code == "quota-approval"
    chief = factories.user(Role.DISTRICT, district)
    assert actions.approve(campaign=row, by=chief).state == CampaignState.RUNNING


def test_beyond_a_blocked_allowance_nobody_sends(ready, clerk, allowance):
    allowance(2, AtLimit.BLOCK)
    with pytest.raises(Refused) as refused:
        actions.release(campaign=ready, by=clerk)
    assert refused.value.code == "quota"
    ready.refresh_from_db()
    assert ready.state == CampaignState.READY


def test_sent_back_it_is_asked_for_again(ready, clerk, manager, centre):
    practice.keep(institution=centre, by=manager, approval_above=0)
    row = actions.release(campaign=ready, by=clerk)
    row = actions.reject(campaign=row, by=manager, reason="时间不对")
    assert (row.state, row.fault) == (CampaignState.READY, "时间不对")
    row = actions.release(campaign=row, by=clerk)
    assert (row.state, row.fault) == (CampaignState.WAITING, "")


def test_who_has_not_the_right_does_nothing(ready, clerk, nurse, other_station):
    stranger = factories.user(Role.CLERK, other_station)
    for who, act in ((nurse, actions.release), (stranger, actions.release), (clerk, actions.approve)):
        with pytest.raises(Forbidden):
            act(campaign=ready, by=who)


def test_cancelled_it_gives_back_what_was_reserved(ready, clerk, allowance):
    pot = allowance(10)
    actions.release(campaign=ready, by=clerk)
    row = actions.cancel(campaign=ready, by=clerk, reason="不用了")
    assert quota.balance(pot).free == 10
    assert set(Message.objects.values_list("state", "reason")) == {("cancelled", "campaign")}
    with pytest.raises(Conflict):
        actions.cancel(campaign=row, by=clerk)


def test_a_test_goes_to_one_phone_once(station, clerk):
    key = uuid.uuid4()
    given = {
        "institution": station,
        "body": "您好{name}",
        "purpose": "service",
        "phone": "138 0013 8000",
        "by": clerk,
    }
    for _click in range(2):
        actions.try_on_self(key=key, **given)
    made = Message.objects.get()
    assert (made.phone, made.resident) == ("13800138000", None)
    with pytest.raises(Refused):
        actions.try_on_self(key=uuid.uuid4(), **{**given, "phone": "x"})
