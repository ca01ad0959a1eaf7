"""From the queue to the wire and back: what each answer means."""

from datetime import timedelta

import pytest
from django.db.models import Sum
from django.utils import timezone

from clinic.codes import LifeState
from clinic.models import Lease
from messaging.codes import CampaignState
from messaging.dispatching import booking, claiming
from messaging.models import Attempt, AttemptResult, NumberOverride, OptOut, Tally
from tests import factories
from tests.messaging import rows as campaigns
from tests.messaging.dispatching import rows

pytestmark = pytest.mark.django_db


@pytest.fixture
def gateway(db):
    return rows.gateway()


@pytest.fixture
def who(gateway):
    return rows.owner(gateway)


@pytest.fixture
def campaign(station):
    return campaigns.campaign(station)


def test_claimed_begun_accepted(who, campaign):
    (message,), attempts = rows.on_wire(who, campaign)
    begun = rows.fresh(message)
    assert (begun.state, begun.on_wire, begun.tries, begun.gateway_id) == ("claimed", True, 1, who.gateway)
    rows.answer(who, message)
    done = rows.fresh(message)
    assert (done.state, done.on_wire, done.claimed_by) == ("submitted", False, "")
    assert done.decide_at - done.submitted_at == timedelta(hours=rows.HOURS)
    assert AttemptResult.objects.get(attempt_id=attempts[message.pk, 1]).kind == "accepted"


@pytest.mark.parametrize(
    ("kind", "state", "reason"),
    [
        ("refused", "failed", "refused"), ("in_doubt", "unknown", "in_doubt"), ("throttled", "queued", ""),
        ("closed", "queued", ""), ("not_sent", "queued", ""), ("elsewhere", "queued", ""),
    ],
)  # fmt: skip
def test_verdicts(who, campaign, kind, state, reason):
    (message,), _attempts = rows.on_wire(who, campaign)
    rows.answer(who, message, kind)
    done = rows.fresh(message)
    assert (done.state, done.reason, done.on_wire) == (state, reason, False)
    assert done.refused_by == ([who.gateway] if kind == "elsewhere" else [])
    assert (done.due_at > timezone.now()) == (kind == "throttled")
    assert (done.decide_at is not None) == (kind == "in_doubt")


def test_a_number_no_gateway_takes(who, campaign):
    (message,), _attempts = rows.on_wire(who, campaign)
    rows.answer(who, message, "elsewhere", other_ways=False)
    assert (rows.fresh(message).state, rows.fresh(message).reason) == ("failed", "no_route")


def test_what_one_gateway_refused_another_takes_and_it_is_learnt(who, campaign):
    (message,), _attempts = rows.on_wire(who, campaign)
    rows.answer(who, message, "elsewhere")
    assert not rows.claim(who, campaign)
    other = rows.owner(rows.gateway(carrier="unicom", position=2, routes=["mobile"]))
    given = ("mobile", [who.gateway], [campaign.pk], 10, timezone.now())
    found = claiming.claim_turned_away(other, *given)
    assert [one.id for one in found] == [message.pk]
    rows.begin(other, found)
    rows.answer(other, message)
    assert NumberOverride.objects.get(phone=message.phone).carrier == "unicom"


def test_only_of_campaigns_that_run(who, campaign):
    rows.queue(campaign)
    for state in (CampaignState.PAUSED, CampaignState.CANCELLED, CampaignState.READY):
        campaign.state = state
        campaign.save()
        assert not rows.claim(who, campaign)


def test_each_queue_gives_its_share_in_the_order_it_is_due(who, campaign, station):
    other = campaigns.campaign(station)
    first, second = rows.queue(campaign, 5), rows.queue(other, 5)
    found = claiming.claim(who, [(campaign.pk, "mobile", 2), (other.pk, "mobile", 3)], timezone.now())
    assert sorted(one.id for one in found) == [one.pk for one in [*first[:2], *second[:3]]]


@pytest.mark.parametrize("name", ["worker", "account"])
def test_without_the_lease_nothing_begins(who, campaign, name):
    rows.queue(campaign, 2)
    (claimed, _other) = rows.claim(who, campaign)
    lease = Lease.objects.get(name=who.words[name])
    lease.until = timezone.now() - timedelta(seconds=1)
    lease.save()
    begun = rows.begin(who, [claimed])
    assert not begun.attempts
    assert not begun.stopped
    assert not rows.claim(who, campaign)
    assert not Attempt.objects.exists()


def test_an_opt_out_between_claim_and_wire(who, campaign):
    message, other = rows.queue(campaign, 2)
    claimed = rows.claim(who, campaign)
    OptOut.objects.create(phone=message.phone, source="desk")
    begun = rows.begin(who, claimed)
    assert begun.stopped == {message.pk: "opted_out"}
    assert list(begun.attempts) == [(other.pk, 1)]
    assert (rows.fresh(message).state, rows.fresh(message).reason) == ("cancelled", "opted_out")


@pytest.mark.parametrize("life", [LifeState.DECEASED, LifeState.MOVED])
def test_the_dead_and_those_who_moved_away(who, campaign, station, life):
    (message,) = rows.queue(campaign, resident=factories.resident(station, life_state=life))
    rows.begin(who, rows.claim(who, campaign))
    assert (rows.fresh(message).state, rows.fresh(message).reason) == ("cancelled", life)


@pytest.mark.parametrize(("state", "then"), [("paused", "queued"), ("cancelled", "cancelled")])
def test_a_campaign_paused_or_cancelled_between_claim_and_wire(who, campaign, state, then):
    (message,) = rows.queue(campaign)
    claimed = rows.claim(who, campaign)
    campaign.state = state
    campaign.save()
    assert not rows.begin(who, claimed).attempts
    assert (rows.fresh(message).state, rows.fresh(message).gateway_id) == (then, None)


def test_what_was_not_begun_goes_back(who, campaign):
    waiting, begun = rows.queue(campaign, 2)
    claimed = rows.claim(who, campaign)
    rows.begin(who, [one for one in claimed if one.id == begun.pk])
    assert claiming.give_back(who, [waiting.pk, begun.pk], timezone.now()) == 1
    assert (rows.fresh(waiting).state, rows.fresh(begun).state) == ("queued", "claimed")


def test_a_long_message_is_taken_when_all_its_parts_are(who, campaign):
    (message,), attempts = rows.on_wire(who, campaign, text="长" * 150, segments=3)
    assert sorted(attempts) == [(message.pk, 1), (message.pk, 2), (message.pk, 3)]
    words = {"seconds": 0, "report_hours": 48, "other_ways": True, "now": timezone.now()}
    for kinds, state in [
        (["accepted"] * 3, "submitted"), (["accepted", "refused", "in_doubt"], "failed"),
        (["accepted", "in_doubt", "throttled"], "unknown"), (["accepted", "throttled", "accepted"], "queued"),
    ]:  # fmt: skip
        assert booking.decide(message.pk, kinds, **words).state == state


def test_only_the_missing_parts_go_out_again(who, campaign):
    (message,), attempts = rows.on_wire(who, campaign, text="长" * 150, segments=3)
    now = timezone.now()
    results = [
        booking.Result(key, "throttled" if part == 2 else "accepted", f"r{part}")
        for (_m, part), key in attempts.items()
    ]
    decision = booking.Decision(message.pk, "queued", due_at=now)
    booking.book(who, results, [decision], now)
    (again,) = rows.claim(who, campaign)
    assert again.taken == {1, 3}


def test_a_late_answer_ends_the_doubt(who, campaign):
    messages, attempts = rows.on_wire(who, campaign, 3)
    for one in messages:
        rows.answer(who, one, "in_doubt")
    now = timezone.now() + timedelta(minutes=2)
    kinds = ["accepted", "refused", "throttled"]
    late = [
        booking.Result(attempts[one.pk, 1], kind, kind) for one, kind in zip(messages, kinds, strict=True)
    ]
    booking.late(who, late, report_hours=48, ways=lambda *_: True, now=now)
    assert [rows.fresh(one).state for one in messages] == ["unknown", "failed", "queued"]
    assert rows.fresh(messages[0]).decide_at == now + timedelta(hours=48)


def test_the_tallies_are_the_messages(who, campaign):
    rows.queue(campaign, 5)
    rows.on_wire(who, campaign, 2)
    states = Tally.objects.values_list("state").annotate(n=Sum("messages")).exclude(n=0)
    assert dict(states) == {"claimed": 7}
