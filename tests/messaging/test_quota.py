"""The allowance: what is granted, set aside, used and given back; nobody passes beyond it."""

import uuid
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import Error, connection, transaction
from django.utils import timezone

from clinic.codes import Role
from clinic.errors import Conflict, Forbidden, Refused
from clinic.verification import Scope
from messaging import quota as ledger
from messaging.actions import loans
from messaging.actions import quota as actions
from messaging.codes import AtLimit, CampaignState, LoanState, MessageState, QuotaKind
from messaging.models import Campaign, Message, Quota, QuotaEntry, QuotaWarning
from messaging.quota import forecast, verification
from tests import factories
from tests.emr.test_races import at_once
from tests.messaging import rows

YEAR = timezone.localdate().year


@pytest.fixture
def business(district):
    return factories.user(Role.DISTRICT, district, name="区业务")


@pytest.fixture
def manager(centre):
    return factories.user(Role.MANAGER, centre, name="中心主任")


def filled(by, institution, segments, year=YEAR, at_limit=AtLimit.APPROVE):
    quota = Quota.objects.create(institution=institution, year=year, at_limit=at_limit)
    actions.grant(
        quota=quota, kind=QuotaKind.ALLOTMENT, segments=segments, document="年度分配", key=uuid.uuid4(), by=by
    )
    return quota


@pytest.fixture
def quota(business, centre):
    return filled(business, centre, 1000)


def released(station, segments, by=None):
    """A campaign in the moment of its release; its row is the caller's to lock."""
    campaign = rows.campaign(station, state=CampaignState.RUNNING)
    with transaction.atomic():
        locked = Campaign.objects.select_for_update().get(pk=campaign.pk)
        ledger.reserve(locked, segments=segments, by=by, now=timezone.now())
    return campaign


def pots(quota):
    balance = ledger.balance(quota)
    return balance.free, balance.reserved, balance.used


# Whose allowance --------------------------------------------------------------------------------------


def test_the_nearest_allowance_above_is_used(quota, business, district, station, other_station):
    filled(business, district, 5)
    assert ledger.of(station, YEAR) == quota
    assert ledger.of(other_station, YEAR).institution == district
    assert ledger.of(station, YEAR + 1) is None


def test_a_district_that_does_not_count_is_not_held_up(station):
    campaign = released(station, 70)
    assert not QuotaEntry.objects.exists()
    assert ledger.settle(campaign, timezone.now()) == ledger.Balance()


def test_the_year_is_the_one_of_the_clock_on_the_wall():
    assert ledger.year_of(datetime(2026, 12, 31, 16, 30, tzinfo=UTC)) == 2027


# Setting aside ----------------------------------------------------------------------------------------


def test_a_release_sets_segments_aside(quota, station):
    released(station, 300)
    assert pots(quota) == (700, 300, 0)


@pytest.mark.parametrize(("limit", "code"), [(AtLimit.BLOCK, "quota"), (AtLimit.APPROVE, "quota-approval")])
def test_more_than_is_free_is_refused(quota, station, limit, code):
    Quota.objects.filter(pk=quota.pk).update(at_limit=limit)
    with pytest.raises(Refused) as refused:
        released(station, 1001)
    assert (refused.value.code, refused.value.facts["short"]) == (code, 1)
    assert pots(quota) == (1000, 0, 0)


@pytest.mark.django_db(transaction=True)
def test_of_fifty_at_once_ten_get_what_there_is(business, station):
    quota = filled(business, station, 100)
    campaigns = [rows.campaign(station, state=CampaignState.RUNNING) for _ in range(50)]

    def take(campaign):
        with transaction.atomic():
            return ledger.reserve(campaign, segments=10, by=None, now=timezone.now())

    outcomes = at_once(*[lambda campaign=campaign: take(campaign) for campaign in campaigns])
    assert sum(isinstance(outcome, QuotaEntry) for outcome in outcomes) == 10
    assert pots(quota) == (0, 100, 0)


def test_beyond_it_with_leave(quota, station):
    campaign = rows.campaign(station, state=CampaignState.RUNNING)
    with transaction.atomic():
        ledger.reserve(campaign, segments=1200, by=None, now=timezone.now(), exceed=True)
    assert pots(quota) == (-200, 1200, 0)


# Settling ---------------------------------------------------------------------------------------------


def moved(message, *states):
    for state in states:
        claim = {"claimed_by": "t"} if state == MessageState.CLAIMED else {"claimed_by": ""}
        Message.objects.filter(pk=message.pk).update(state=state, state_at=timezone.now(), **claim)


SENT = (MessageState.CLAIMED, MessageState.SUBMITTED)


@pytest.mark.parametrize(
    ("states", "stands"),
    [
        ((), (997, 3, 0)),
        ((MessageState.CLAIMED,), (997, 3, 0)),
        (SENT, (997, 0, 3)),
        ((*SENT, MessageState.DELIVERED), (997, 0, 3)),
        ((*SENT, MessageState.EXPIRED), (997, 0, 3)),
        ((MessageState.CLAIMED, MessageState.UNKNOWN), (997, 0, 3)),
        ((*SENT, MessageState.FAILED), (1000, 0, 0)),
        ((MessageState.CANCELLED,), (1000, 0, 0)),
    ],
    ids=lambda value: "-".join(map(str, value)) or "queued",
)
def test_what_became_of_a_message_is_what_it_costs(quota, station, states, stands):
    campaign = released(station, 3)
    moved(rows.message(campaign, segments=3), *states)
    for _again in range(2):
        ledger.settle(campaign, timezone.now())
        assert pots(quota) == stands


def test_a_failure_after_it_was_counted_is_given_back(quota, station):
    campaign = released(station, 3)
    message = rows.message(campaign, segments=3)
    moved(message, *SENT)
    ledger.settle(campaign, timezone.now())
    moved(message, MessageState.FAILED)
    ledger.settle(campaign, timezone.now())
    assert pots(quota) == (1000, 0, 0)
    assert list(quota.entries.order_by("pk").values_list("kind", flat=True)) == [
        QuotaKind.ALLOTMENT, QuotaKind.RESERVATION, QuotaKind.CONSUMPTION, QuotaKind.REFUND,
    ]  # fmt: skip


def test_the_rest_of_a_reservation_is_lifted(quota, station):
    campaign = released(station, 10)
    moved(rows.message(campaign, segments=2), *SENT)
    ledger.settle(campaign, timezone.now())
    assert pots(quota) == (998, 0, 2)


@pytest.mark.django_db(transaction=True)
def test_two_settlers_post_once(business, station):
    quota = filled(business, station, 100)
    campaign = released(station, 2)
    moved(rows.message(campaign, segments=2), *SENT)
    at_once(*[lambda: ledger.settle(campaign, timezone.now())] * 6)
    assert pots(quota) == (98, 0, 2)
    assert quota.entries.filter(kind=QuotaKind.CONSUMPTION).count() == 1


# Filling and sharing ----------------------------------------------------------------------------------


@pytest.mark.parametrize("segments", [0, -5, 100_000_001, "100", 1.5, None])
def test_odd_figures_are_refused(quota, business, segments):
    with pytest.raises(Refused, match="100000000|whole|整数"):
        actions.grant(
            quota=quota,
            kind=QuotaKind.TOP_UP,
            segments=segments,
            document="合同",
            key=uuid.uuid4(),
            by=business,
        )


def test_a_grant_sent_twice_is_one(quota, business):
    said = {
        "quota": quota,
        "kind": QuotaKind.TOP_UP,
        "document": "合同7",
        "key": uuid.uuid4(),
        "by": business,
    }
    first = actions.grant(segments=50, money=Decimal("2.50"), **said)
    assert actions.grant(segments=50, money=Decimal("2.50"), **said) == first
    with pytest.raises(Refused):
        actions.grant(segments=51, **said)
    assert pots(quota) == (1050, 0, 0)


def test_a_correction_takes_no_more_than_is_free(quota, business, station):
    released(station, 900)
    said = {"quota": quota, "kind": QuotaKind.CORRECTION, "document": "误录", "by": business}
    with pytest.raises(Refused):
        actions.grant(segments=-101, key=uuid.uuid4(), **said)
    actions.grant(segments=-100, key=uuid.uuid4(), **said)
    assert pots(quota) == (0, 900, 0)


def test_only_the_district_fills(quota, manager):
    with pytest.raises(Forbidden):
        actions.grant(
            quota=quota, kind=QuotaKind.TOP_UP, segments=5, document="x", key=uuid.uuid4(), by=manager
        )


def test_a_share_moves_down_and_back(quota, manager, station):
    below = Quota.objects.create(institution=station, year=YEAR)
    actions.share(giver=quota, taker=below, segments=400, key=uuid.uuid4(), by=manager)
    actions.share(giver=quota, taker=below, segments=-150, key=uuid.uuid4(), by=manager)
    assert (pots(quota), pots(below)) == ((750, 0, 0), (250, 0, 0))
    with pytest.raises(Refused):
        actions.share(giver=quota, taker=below, segments=751, key=uuid.uuid4(), by=manager)
    with pytest.raises(Refused):
        actions.share(giver=quota, taker=below, segments=-251, key=uuid.uuid4(), by=manager)


def test_a_share_does_not_go_sideways(quota, business, manager, other_station):
    beside = Quota.objects.create(institution=other_station, year=YEAR)
    with pytest.raises(Refused):
        actions.share(giver=quota, taker=beside, segments=5, key=uuid.uuid4(), by=business)
    with pytest.raises(Forbidden):
        actions.share(giver=beside, taker=quota, segments=5, key=uuid.uuid4(), by=manager)


@pytest.mark.django_db(transaction=True)
def test_a_share_and_a_release_do_not_both_take_the_last(business, centre, station):
    quota, below = filled(business, centre, 100), Quota.objects.create(institution=station, year=YEAR)
    campaign = rows.campaign(centre, state=CampaignState.RUNNING)

    def release():
        with transaction.atomic():
            return ledger.reserve(campaign, segments=80, by=None, now=timezone.now())

    outcomes = at_once(
        release,
        lambda: actions.share(giver=quota, taker=below, segments=80, key=uuid.uuid4(), by=business),
    )
    assert sum(isinstance(outcome, QuotaEntry) for outcome in outcomes) == 1
    assert ledger.balance(quota).free == 20


# Loans ------------------------------------------------------------------------------------------------


@pytest.fixture
def asked(quota, business, manager, other_centre):
    lender = filled(business, other_centre, 300)
    return loans.ask(
        borrower=quota, lender=lender, segments=200, reason="秋季接种通知", key=uuid.uuid4(), by=manager
    )


def test_a_loan_moves_when_the_district_agrees_and_comes_back(asked, quota, business, manager):
    assert ledger.balance(quota).free == 1000
    loans.decide(loan=asked, approve=True, by=business)
    assert (ledger.balance(quota).free, ledger.balance(asked.lender).free) == (1200, 100)
    loans.give_back(loan=asked, by=manager)
    assert (ledger.balance(quota).free, ledger.balance(asked.lender).free) == (1000, 300)


def test_a_loan_is_not_decided_by_who_asked_nor_by_a_manager(asked, manager, business):
    with pytest.raises(Forbidden):
        loans.decide(loan=asked, approve=True, by=manager)
    mine = loans.ask(
        borrower=asked.borrower, lender=asked.lender, segments=5, reason="试", key=uuid.uuid4(), by=business
    )
    with pytest.raises(Forbidden):
        loans.decide(loan=mine, approve=True, by=business)


@pytest.mark.django_db(transaction=True)
def test_two_who_decide_at_once_move_it_once(asked, business, district):
    second = factories.user(Role.DISTRICT, district, name="另一人")
    outcomes = at_once(
        lambda: loans.decide(loan=asked, approve=True, by=business),
        lambda: loans.decide(loan=asked, approve=False, by=second),
    )
    assert sum(isinstance(outcome, Conflict) for outcome in outcomes) == 1
    asked.refresh_from_db()
    assert ledger.balance(asked.borrower).free == (1200 if asked.state == LoanState.APPROVED else 1000)


def test_a_loan_beyond_what_the_lender_has_is_refused(asked, business):
    actions.grant(
        quota=asked.lender,
        kind=QuotaKind.CORRECTION,
        segments=-150,
        document="误",
        key=uuid.uuid4(),
        by=business,
    )
    with pytest.raises(Refused):
        loans.decide(loan=asked, approve=True, by=business)
    asked.refresh_from_db()
    assert asked.state == LoanState.ASKED


# Warnings and forecast --------------------------------------------------------------------------------


def test_each_level_is_written_down_once(quota, station):
    released(station, 790)
    assert not QuotaWarning.objects.exists()
    released(station, 10)
    released(station, 160)
    assert sorted(QuotaWarning.objects.values_list("level", flat=True)) == [80, 95]


def use(quota, day, segments, campaign):
    at = timezone.make_aware(datetime(day.year, day.month, day.day, 9))
    QuotaEntry.objects.create(
        quota=quota, kind=QuotaKind.RESERVATION, free=-segments, reserved=segments, campaign=campaign, at=at
    )
    QuotaEntry.objects.create(
        quota=quota, kind=QuotaKind.CONSUMPTION, used=segments, reserved=-segments, campaign=campaign, at=at
    )


def test_the_forecast_counts_mondays_as_mondays(business, station):
    """Eight Mondays of 100 each: 250 free last for two more Mondays and end on the third."""
    today = date(2026, 9, 30)  # a Wednesday
    quota = Quota.objects.create(institution=station, year=2026)
    campaign = rows.campaign(station)
    at = timezone.make_aware(datetime(2026, 1, 5))
    QuotaEntry.objects.create(quota=quota, kind=QuotaKind.TOP_UP, free=1050, money=Decimal("52.50"), at=at)
    for week in range(8):
        use(quota, date(2026, 9, 28) - timedelta(weeks=week), 100, campaign)
    found = forecast.of(quota, today)
    assert (found.per_week, found.runs_out, found.days) == (100, date(2026, 10, 19), 56)
    # Thirteen Mondays from 5 October to 28 December.
    assert (found.needed, found.gap, found.money) == (1300, 1050, Decimal("52.50"))


def test_what_waits_for_release_is_counted_in(quota, station):
    rows.campaign(station, state=CampaignState.WAITING, segments=1100)
    found = forecast.of(quota, timezone.localdate())
    assert (found.planned, found.gap, found.runs_out) == (1100, 100, timezone.localdate())


# What never changes, and the proof --------------------------------------------------------------------


@pytest.mark.parametrize(
    "statement", ["UPDATE messaging_quotaentry SET free = 1", "DELETE FROM messaging_quotaentry"]
)
def test_the_ledger_is_only_added_to(quota, statement):
    with pytest.raises(Error), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.django_db(transaction=True)
def test_verify_is_content_with_what_people_do(asked, quota, business, station):
    loans.decide(loan=asked, approve=True, by=business)
    campaign = released(station, 3)
    moved(rows.message(campaign, segments=3), *SENT)
    finding = verification.allowances()
    assert finding.ok, finding.sentence


@pytest.mark.django_db(transaction=True)
def test_verify_names_a_campaign_that_was_not_paid_and_a_share_of_one_side(quota, centre, station):
    campaign = released(station, 3)
    moved(rows.message(campaign, segments=3), *SENT)
    long_ago = timezone.now() - timedelta(hours=1)
    Campaign.objects.filter(pk=campaign.pk).update(state=CampaignState.FINISHED, ended_at=long_ago)
    QuotaEntry.objects.create(quota=quota, kind=QuotaKind.SHARE, free=7)
    finding = verification.allowances(Scope(institution=centre))
    assert not finding.ok
    assert str(campaign.uuid) in finding.sentence
    assert "7" in finding.sentence
    ledger.settle(campaign, timezone.now())
    assert str(campaign.uuid) not in verification.allowances().sentence
