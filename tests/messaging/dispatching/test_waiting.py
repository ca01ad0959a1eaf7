"""What is decided when the waiting is over, what the dead left, what has come to its end."""

from datetime import timedelta

import pytest
from django.utils import timezone

from clinic.models import Lease
from messaging.codes import CampaignState, Policy
from messaging.dispatching import doubts, leases, recovery, running
from messaging.models import AttemptResult, Message
from tests.messaging import rows as campaigns
from tests.messaging.dispatching import rows

pytestmark = pytest.mark.django_db
LATER = timedelta(days=3)


@pytest.fixture
def who(db):
    return rows.owner(rows.gateway())


@pytest.fixture
def campaign(station):
    return campaigns.campaign(station)


def outcome(message):
    found = rows.fresh(message)
    return found.state, found.reason


def dies(who):
    Lease.objects.filter(name=who.worker).update(until=timezone.now() - timedelta(seconds=1))
    assert leases.bury() == 1


# Doubts


def test_no_receipt_came(who, campaign):
    (message,) = rows.submitted(who, campaign)
    assert doubts.decide({}, timezone.now()) == []
    assert doubts.decide({}, timezone.now() + LATER) == ["expired"]
    assert outcome(message) == ("expired", "no_report")


@pytest.mark.parametrize(
    ("policy", "state"), [(Policy.AT_MOST_ONCE, "unknown"), (Policy.AT_LEAST_ONCE, "queued")]
)
def test_the_campaign_decides_on_a_doubt(who, campaign, policy, state):
    campaign.policy = policy
    campaign.save()
    (message,), _attempts = rows.on_wire(who, campaign)
    rows.answer(who, message, "in_doubt")
    assert doubts.decide({}, timezone.now() + LATER) == [state]
    assert doubts.decide({}, timezone.now() + LATER) == []
    assert rows.fresh(message).decide_at is None


def test_rather_twice_goes_by_another_gateway_where_there_is_one(who, campaign):
    campaign.policy = Policy.AT_LEAST_ONCE
    campaign.save()
    (message,), _attempts = rows.on_wire(who, campaign)
    rows.answer(who, message, "in_doubt")
    other = rows.gateway(carrier="unicom", position=2, routes=["mobile"])
    doubts.decide({"mobile": [who.gateway, other.pk]}, timezone.now() + LATER)
    assert rows.fresh(message).refused_by == [who.gateway]


def test_taken_after_all_but_no_receipt(who, campaign):
    (message,), _attempts = rows.on_wire(who, campaign)
    rows.answer(who, message, "in_doubt")
    (attempt,) = rows.last_attempts(message)
    AttemptResult.objects.create(attempt=attempt, gateway_id=who.gateway, kind="accepted", remote_id="a")
    assert doubts.decide({}, timezone.now() + LATER) == ["expired"]


def test_what_may_be_asked(who, campaign):
    (message, other), _attempts = rows.on_wire(who, campaign, 2)
    rows.answer(who, message, "in_doubt")
    (attempt,) = rows.last_attempts(message)
    asked = (message.pk, attempt.pk, attempt.sequence, "", message.phone)
    assert doubts.to_ask(who.gateway, 10) == [asked]
    assert not doubts.to_ask(who.gateway, 10, after=message.pk)
    AttemptResult.objects.create(attempt=attempt, gateway_id=who.gateway, kind="accepted", remote_id="a")
    assert not doubts.to_ask(who.gateway, 10)


# Recovery


def test_the_claims_of_the_dead(who, campaign):
    messages = rows.queue(campaign, 3)
    claimed = rows.claim(who, campaign)
    begun = [one for one in claimed if one.id != messages[0].pk]
    rows.begin(who, begun)
    assert recovery.recover(timezone.now()) == 0
    dies(who)
    assert recovery.recover(timezone.now()) == 3
    assert [outcome(one)[0] for one in messages] == ["queued", "unknown", "unknown"]
    assert set(AttemptResult.objects.values_list("kind", flat=True)) == {"in_doubt"}
    assert rows.fresh(messages[0]).gateway_id is None


def test_a_long_message_that_was_only_half_begun(who, campaign):
    (message,) = rows.queue(campaign, text="长" * 150, segments=3)
    (claimed,) = rows.claim(who, campaign)
    begun = rows.beginning.begin(who, [(claimed.id, 1, 3, "00000001", 1)], (), timezone.now())
    result = rows.Result(begun.attempts[message.pk, 1], "accepted", "r1")
    rows.booking.book(who, [result], [], timezone.now())
    dies(who)
    recovery.recover(timezone.now())
    assert outcome(message) == ("queued", "")
    assert rows.claim(rows.owner(campaign_gateway(who)), campaign)[0].taken == {1}


def campaign_gateway(who):
    class Row:
        pk = who.gateway

    return Row


def test_strays_were_never_written(who, campaign):
    known, stray, begun = rows.queue(campaign, 3)
    claimed = rows.claim(who, campaign)
    rows.begin(who, [one for one in claimed if one.id == begun.pk])
    assert recovery.strays(who, [known.pk], timezone.now()) == 2
    assert [outcome(one)[0] for one in (known, stray, begun)] == ["claimed", "queued", "queued"]
    assert AttemptResult.objects.get().kind == "not_sent"


# The end


def test_a_campaign_is_finished_when_nothing_is_under_way(who, campaign):
    done, open_one = rows.submitted(who, campaign, 2)
    rows.Message.objects.filter(pk=done.pk).update(state="delivered")
    assert running.finish(timezone.now()) == 0
    Message.objects.filter(pk=open_one.pk).update(state="unknown", decide_at=timezone.now())
    assert running.finish(timezone.now()) == 1
    campaign.refresh_from_db()
    assert campaign.state == CampaignState.FINISHED
    assert campaign.history.first().state == CampaignState.FINISHED


def test_one_whose_messages_are_not_there_yet_is_not_finished(campaign):
    assert running.finish(timezone.now()) == 0
    assert running.finish(timezone.now() + timedelta(minutes=2)) == 1


def test_not_while_a_doubt_may_be_sent_again(who, campaign):
    campaign.policy = Policy.AT_LEAST_ONCE
    campaign.save()
    (message,), _attempts = rows.on_wire(who, campaign)
    rows.answer(who, message, "in_doubt")
    assert running.finish(timezone.now()) == 0


def test_of_no_use_any_more(who, campaign):
    (message,) = rows.queue(campaign)
    campaign.valid_until = timezone.now() + timedelta(hours=1)
    campaign.save()
    assert running.close_late(timezone.now()) == 0
    assert running.close_late(timezone.now() + timedelta(hours=1)) == 1
    assert outcome(message) == ("failed", "too_late")


def test_refused_by_the_whole_route(who, campaign):
    message, other = rows.queue(campaign, 2)
    Message.objects.filter(pk=message.pk).update(refused_by=[who.gateway, 99])
    assert running.close_routeless({"mobile": [], "unicom": [who.gateway]}, timezone.now()) == 0
    assert running.close_routeless({"mobile": [who.gateway]}, timezone.now()) == 1
    assert outcome(message) == ("failed", "no_route")


@pytest.mark.parametrize(
    ("change", "allowed"),
    [
        ({}, True), ({"state": "paused"}, False), ({"send_at": LATER}, False), ({"send_at": -LATER}, True),
        ({"valid_until": -LATER}, False), ({"quiet": True}, False),
        ({"quiet": True, "quiet_override": "疫情"}, True),
    ],
)  # fmt: skip
def test_what_may_be_sent_now(campaign, settings, change, allowed):
    rows.queue(campaign)
    settings.SMS_QUIET_FROM, settings.SMS_QUIET_TO = (
        "00:00",
        "23:59:59" if change.pop("quiet", 0) else "00:00",
    )
    for name, value in change.items():
        setattr(campaign, name, timezone.now() + value if isinstance(value, timedelta) else value)
    campaign.save()
    work = running.look(["mobile", "unicom"], timezone.now())
    assert (campaign.pk in work.allowed) == allowed
    assert work.ordinary.get("mobile", []) == ([campaign.pk] if allowed else [])


# Leases


def test_an_account_has_one_owner_until_its_lease_ends(db, settings):
    first, second = leases.new_name(), leases.new_name()
    assert leases.take("sms-gateway:1", first)
    assert not leases.take("sms-gateway:1", second)
    assert leases.renew(first, ["sms-gateway:1", "sms-gateway:2"]) == {"sms-gateway:1"}
    Lease.objects.filter(name="sms-gateway:1").update(until=timezone.now() - timedelta(seconds=1))
    assert leases.take("sms-gateway:1", second)
    assert leases.renew(first, ["sms-gateway:1"]) == set()


def test_who_leaves_or_is_dead_has_no_share(db):
    names = [leases.new_name() for _ in range(3)]
    for name in names:
        leases.take(name, name)
    assert leases.living() == 3
    leases.leave(names[0])
    Lease.objects.filter(name=names[1]).update(until=timezone.now() - timedelta(seconds=1))
    assert leases.living() == 1
    leases.rest(names[2])
    assert not Lease.objects.filter(name=names[2]).exists()


@pytest.mark.parametrize(
    ("accounts", "dispatchers", "share"), [(3, 1, 3), (3, 2, 2), (1, 2, 1), (4, 3, 2), (0, 1, 0)]
)
def test_shares(accounts, dispatchers, share):
    assert leases.share(accounts, dispatchers) == share
    assert share * dispatchers >= accounts
