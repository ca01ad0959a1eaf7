"""Receipts: early, late, twice, unknown, of parts, temporary."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from messaging.codes import Policy
from messaging.dispatching import booking, doubts, inbox, matching
from messaging.gateways.base import Incoming, Outcome
from messaging.models import Campaign, IncomingMessage, Message, NumberOverride, OptOut, Receipt
from tests.messaging import rows as campaigns
from tests.messaging.dispatching import rows

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 23, 12, 0, tzinfo=ZoneInfo("Asia/Shanghai"))


@pytest.fixture
def who(db):
    return rows.owner(rows.gateway())


@pytest.fixture
def campaign(station):
    return campaigns.campaign(station)


def keep(who, *reports, now=None):
    return inbox.keep_reports(who.gateway, reports, now or timezone.now())


def outcome(message):
    found = rows.fresh(message)
    return found.state, found.reason


@pytest.mark.parametrize(
    ("said", "cause", "state", "reason"),
    [
        (Outcome.DELIVERED, "", "delivered", ""), (Outcome.FAILED, "", "failed", "undelivered"),
        (Outcome.FAILED, "empty_number", "failed", "empty_number"), (Outcome.FAILED, "full", "failed", "full"),
        (Outcome.FAILED, "blacklisted", "failed", "blacklisted"), (Outcome.FAILED, "elsewhere", "failed", "undelivered"),
        (Outcome.EXPIRED, "", "expired", "too_late"), (Outcome.EXPIRED, "absent", "expired", "absent"),
        (Outcome.UNDER_WAY, "", "submitted", ""),
    ],
)  # fmt: skip
def test_what_a_receipt_says(who, campaign, said, cause, state, reason):
    (message,) = rows.submitted(who, campaign)
    (attempt,) = rows.last_attempts(message)
    keep(who, rows.report(attempt, said, cause=cause))
    assert outcome(message) == (state, reason)
    assert Receipt.objects.get().attempt_id == attempt.pk


def test_the_same_again_changes_nothing(who, campaign):
    (message,) = rows.submitted(who, campaign)
    report = rows.report(rows.last_attempts(message)[0])
    assert keep(who, report, report) == 1
    at = rows.fresh(message).state_at
    assert keep(who, report) == 0
    assert rows.fresh(message).state_at == at


def test_a_failure_after_a_delivery_is_kept_and_changes_nothing(who, campaign):
    (message,) = rows.submitted(who, campaign)
    (attempt,) = rows.last_attempts(message)
    keep(who, rows.report(attempt))
    keep(who, rows.report(attempt, Outcome.FAILED, "UNDELIV"))
    assert outcome(message) == ("delivered", "")
    assert Receipt.objects.count() == 2


def test_before_the_answer(who, campaign):
    (message,), attempts = rows.on_wire(who, campaign)
    (attempt,) = rows.last_attempts(message)
    keep(who, rows.report(attempt))
    assert (outcome(message), Receipt.objects.get().attempt_id) == (("claimed", ""), None)
    rows.answer(who, message)
    assert (outcome(message), Receipt.objects.get().attempt_id) == (("delivered", ""), attempt.pk)


def test_an_unknown_one_is_kept(who, campaign):
    (message,) = rows.submitted(who, campaign)
    keep(who, rows.report(rows.last_attempts(message)[0], remote_id="ffff"))
    matching.sweep(timezone.now() + timedelta(minutes=1))
    assert (outcome(message), Receipt.objects.get().attempt_id) == (("submitted", ""), None)


@pytest.mark.parametrize("state", ["unknown", "expired"])
@pytest.mark.parametrize("said", [Outcome.DELIVERED, Outcome.FAILED])
def test_a_late_one_decides(who, campaign, state, said):
    (message,) = rows.submitted(who, campaign)
    Message.objects.filter(pk=message.pk).update(state=state, decide_at=None)
    keep(who, rows.report(rows.last_attempts(message)[0], said))
    assert outcome(message)[0] == said.value


def test_a_long_message_is_delivered_with_its_last_part(who, campaign):
    (message,) = rows.submitted(who, campaign, text="长" * 150, segments=3)
    reports = [rows.report(one) for one in rows.last_attempts(message)]
    keep(who, *reports[:2])
    assert outcome(message) == ("submitted", "")
    keep(who, reports[2])
    assert outcome(message) == ("delivered", "")


def test_one_failed_part_fails_the_message(who, campaign):
    (message,) = rows.submitted(who, campaign, text="长" * 150, segments=3)
    first, second, third = rows.last_attempts(message)
    keep(who, rows.report(first), rows.report(second, Outcome.FAILED), rows.report(third))
    assert outcome(message) == ("failed", "undelivered")


def test_temporary_once_more_at_another_hour_of_the_next_day(who, campaign):
    (message,) = rows.submitted(who, campaign)
    keep(who, rows.report(rows.last_attempts(message)[0], Outcome.FAILED, temporary=True), now=NOON)
    again = rows.fresh(message)
    assert (again.state, again.retried) == ("queued", True)
    assert again.due_at == NOON + timedelta(days=1, hours=4)
    Message.objects.filter(pk=message.pk).update(due_at=timezone.now())
    rows.begin(who, rows.claim(who, campaign))
    rows.answer(who, message)
    keep(who, rows.report(rows.last_attempts(message)[0], Outcome.FAILED, temporary=True), now=NOON)
    assert outcome(message) == ("failed", "absent")


def test_both_parts_were_absent(who, campaign):
    (message,) = rows.submitted(who, campaign, text="长" * 100, segments=2)
    for attempt in rows.last_attempts(message):
        keep(who, rows.report(attempt, Outcome.FAILED, temporary=True))
    assert outcome(message) == ("queued", "")


@pytest.mark.parametrize("hours", [0, 20])
def test_not_again_where_the_practice_or_the_campaign_says_so(who, campaign, settings, hours):
    settings.SMS_RETRY_NEXT_DAY = bool(hours)
    campaign.valid_until = NOON + timedelta(hours=hours or 100)
    campaign.save()
    (message,) = rows.submitted(who, campaign)
    keep(who, rows.report(rows.last_attempts(message)[0], Outcome.FAILED, temporary=True), now=NOON)
    assert outcome(message) == ("failed", "absent")


def test_a_delivery_after_it_was_queued_again(who, campaign):
    """Rather twice than not at all, and the first try's receipt comes after all: not sent again."""
    campaign.policy = Policy.AT_LEAST_ONCE
    campaign.save()
    (message,), _attempts = rows.on_wire(who, campaign)
    (attempt,) = rows.last_attempts(message)
    rows.answer(who, message, "in_doubt")
    assert doubts.decide({}, timezone.now() + timedelta(days=1)) == ["queued"]
    booking.late(
        who,
        [booking.Result(attempt.pk, "accepted", rows.remote_of(attempt))],
        report_hours=1,
        ways=lambda *_: True,
        now=timezone.now(),
    )
    keep(who, rows.report(attempt))
    assert outcome(message) == ("delivered", "")


def test_after_a_doubt_the_phone_tells(who, campaign):
    (message,), _attempts = rows.on_wire(who, campaign)
    rows.answer(who, message, "in_doubt")
    keep(who, rows.report(rows.last_attempts(message)[0], remote_id="abcd"))
    matching.sweep(timezone.now())
    assert outcome(message) == ("unknown", "in_doubt")
    matching.sweep(timezone.now() + timedelta(minutes=1))
    assert outcome(message) == ("delivered", "")


def test_a_flood_of_strange_ones_hides_none(who, campaign):
    """An account that others use too: receipts of theirs are nobody's here."""
    now = timezone.now()
    strange = [rows.Report(f"s{n}", f"139{n:08d}", Outcome.DELIVERED, "DELIVRD") for n in range(2001)]
    keep(who, *strange, now=now - timedelta(minutes=1))
    (message,), _attempts = rows.on_wire(who, campaign)
    rows.answer(who, message, "in_doubt")
    keep(who, rows.report(rows.last_attempts(message)[0], remote_id="abcd"))
    matching.sweep(timezone.now() + timedelta(minutes=1))
    assert outcome(message) == ("delivered", "")


def test_of_two_in_doubt_the_phone_tells_nothing(who, campaign, station):
    (message,), _attempts = rows.on_wire(who, campaign)
    twin = Message.objects.create(
        uuid="0" * 32, campaign=campaign, institution=station, phone=message.phone, carrier="mobile",
        text="x", segments=1,
    )  # fmt: skip
    rows.begin(who, rows.claim(who, campaign))
    for one in (message, twin):
        rows.answer(who, one, "in_doubt")
    keep(who, rows.report(rows.last_attempts(message)[0], remote_id="abcd"))
    matching.sweep(timezone.now() + timedelta(minutes=1))
    assert outcome(message) == outcome(twin) == ("unknown", "in_doubt")


def test_a_delivery_by_another_carriers_gateway_is_learnt(who, campaign):
    (message,), _attempts = rows.on_wire(who, campaign)
    rows.answer(who, message, "elsewhere")
    other = rows.owner(rows.gateway(carrier="telecom", position=2, routes=["mobile"]))
    rows.begin(other, rows.claim(other, campaign))
    rows.answer(other, message)
    keep(other, rows.report(rows.last_attempts(message)[0]))
    assert NumberOverride.objects.get(phone=message.phone).source == "receipt"


@pytest.mark.parametrize("segments", [1, 2])
def test_a_number_that_is_another_carriers_by_now_goes_there(who, campaign, segments):
    """SGIP says so in a report only, part by part; where it is taken then is learnt."""
    other = rows.owner(rows.gateway(carrier="telecom", position=2, routes=["mobile"]))
    (message,) = rows.submitted(who, campaign, text="长" * 70 * segments, segments=segments)
    for attempt in rows.last_attempts(message):
        keep(who, rows.report(attempt, Outcome.FAILED, "2", error="23", cause="elsewhere"))
        assert (outcome(message), rows.fresh(message).refused_by) == (("queued", ""), [who.gateway])
    assert not rows.claim(who, campaign)
    rows.begin(other, rows.claim(other, campaign), segments)
    rows.answer(other, message)
    assert (outcome(message)[0], NumberOverride.objects.get().carrier) == ("submitted", "telecom")
    keep(other, rows.report(rows.last_attempts(message)[0], Outcome.FAILED, cause="elsewhere"))
    assert outcome(message) == ("failed", "undelivered")  # once only


@pytest.mark.parametrize("fields", [{"state": "cancelled"}, {"valid_until": NOON}])
def test_it_does_not_go_there_for_a_campaign_that_is_over(who, campaign, fields):
    rows.gateway(carrier="telecom", position=2, routes=["mobile"])
    (message,) = rows.submitted(who, campaign)
    Campaign.objects.filter(pk=campaign.pk).update(**fields)
    keep(who, rows.report(rows.last_attempts(message)[0], Outcome.FAILED, cause="elsewhere"))
    assert outcome(message)[0] == "failed"


def test_strange_signs_are_kept_as_far_as_they_can_be(who):
    report = rows.Report("a\0b" * 40, "138\0" * 20, Outcome.FAILED, "MK\0:\ud800" * 20, raw=b"\0\xff" * 3000)
    assert keep(who, report) == 1
    assert "\0" not in Receipt.objects.get().stat


# Messages from handsets


def incoming(phone, text, number="01"):
    return Incoming(number, phone, "10690001", text)


def test_an_opt_out_cancels_at_once_in_all_campaigns(who, campaign):
    (message,) = rows.queue(campaign)
    other = rows.queue(campaign)[0]
    assert inbox.keep_incoming(who.gateway, [incoming(message.phone, "ＴＤ")], timezone.now()) == 1
    assert inbox.keep_incoming(who.gateway, [incoming(message.phone, "ＴＤ")], timezone.now()) == 0
    assert outcome(message) == ("cancelled", "opted_out")
    assert outcome(other) == ("queued", "")
    assert OptOut.objects.get().incoming == IncomingMessage.objects.get()
