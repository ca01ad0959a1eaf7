"""Sums of a campaign are the tallies'; created is the sum over all states, whatever happens."""

from datetime import timedelta

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from messaging import charts, progress
from messaging.codes import CampaignKind, Carrier
from messaging.models import Message
from messaging.progress import Rate
from tests import factories
from tests.messaging import rows

pytestmark = pytest.mark.django_db


@pytest.fixture
def campaign(station, clerk):
    return rows.campaign(station, clerk)


def many(campaign, **counts):
    for state, count in counts.items():
        for _n in range(count):
            rows.message(campaign, state=state)


def test_created_is_the_sum_over_all_states(campaign):
    many(campaign, queued=2, claimed=1, submitted=1, delivered=3, failed=1, expired=1, unknown=1, cancelled=1)
    sums = progress.of(campaign)
    assert (sums.created, sums.expected, sums.balanced) == (11, 11, True)
    assert (sums.waiting, sums.under_way, sums.delivered, sums.lost) == (3, 1, 3, 3)
    assert sum(count for _state, count, _segments in sums.by_state) == 11


def test_a_message_too_few_is_told(campaign):
    many(campaign, queued=2)
    campaign.recipients = 3
    assert not progress.of(campaign).balanced


def test_the_standing_campaign_of_single_messages_expects_no_number(station):
    standing = rows.campaign(station, kind=CampaignKind.SINGLES)
    many(standing, delivered=1)
    standing.recipients = 0
    assert progress.of(standing).balanced


def test_reasons_are_told_with_their_state_the_most_frequent_first(campaign):
    rows.message(campaign, state="failed", reason="empty_number")
    for _n in range(2):
        rows.message(campaign, state="expired", reason="no_report")
    lines = progress.of(campaign).by_reason
    assert [(state.value, count) for state, _reason, count in lines] == [("expired", 2), ("failed", 1)]


def test_sums_of_many_campaigns_cost_one_query(station, clerk, django_assert_num_queries):
    made = [rows.campaign(station, clerk) for _n in range(3)]
    many(made[1], delivered=1)
    with django_assert_num_queries(1):
        sums = progress.of_all(made)
    assert [sums[row.pk].created for row in made] == [0, 1, 0]


def test_the_breakdown_splits_by_carrier_gateway_place_and_hour(campaign, station, other_station):
    cmpp = rows.gateway()
    rows.message(campaign, state="delivered", gateway=cmpp)
    rows.message(campaign, state="failed", gateway=cmpp, carrier=Carrier.UNICOM)
    rows.message(campaign, factories.resident(other_station), state="delivered", gateway=cmpp)
    found = progress.breakdown([campaign])
    assert [(rate.delivered, rate.lost) for rate in found.carriers] == [(2, 0), (0, 1)]
    assert [(rate.label, rate.percent) for rate in found.gateways] == [(cmpp.name, 67)]
    assert [(rate.label, rate.delivered) for rate in found.places] == [
        (station.short_name, 1), (other_station.short_name, 1),
    ]  # fmt: skip
    assert sum(rate.decided for _hour, rate in found.hours) == 3


def test_the_breakdown_costs_three_queries(campaign, django_assert_max_num_queries):
    many(campaign, delivered=2, queued=1)
    with django_assert_max_num_queries(3):
        progress.breakdown([campaign])


def test_stations_may_be_added_up_for_their_centre(campaign, station):
    many(campaign, delivered=2)
    found = progress.breakdown([campaign], lambda place: place.parent)
    assert [(rate.label, rate.delivered) for rate in found.places] == [(station.parent.short_name, 2)]


def test_a_month_counts_what_came_to_its_end_in_it(campaign):
    old = rows.message(campaign)
    rows.message(campaign, state="delivered")
    Message.objects.filter(pk=old.pk).update(state="cancelled", state_at=timezone.now() - timedelta(days=40))
    now = timezone.now()
    found = progress.breakdown([campaign], since=now - timedelta(days=1), until=now + timedelta(hours=1))
    assert [(rate.delivered, rate.cancelled) for rate in found.carriers] == [(1, 0)]


@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_percents_are_whole_and_all_means_all(part, rest):
    made = progress.percent(part, part + rest)
    assert made is None or 0 <= made <= 100
    assert (made == 100) == (part > 0 and rest == 0)


@given(st.lists(st.integers(0, 10**7), max_size=8))
def test_a_bar_is_filled_to_its_end(counts):
    parts = charts.bar([("x", "x", count) for count in counts])
    assert len(parts) == sum(count > 0 for count in counts)
    assert not parts or parts[-1].x + parts[-1].width == 1000
    assert all(part.width > 0 for part in parts)


@given(
    st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=30)
)
def test_columns_stay_in_their_chart(drawn):
    start = timezone.now().replace(minute=0, second=0, microsecond=0)
    hours = sorted(
        {start + timedelta(hours=n): Rate("", up, down) for n, up, down in drawn if up + down}.items()
    )
    chart = charts.columns(hours)
    for column in chart.columns if chart else ():
        assert column.lost_y >= 0
        assert column.delivered_y + column.delivered_height == chart.height
    assert chart is None or len(chart.columns) <= charts.COLUMNS
