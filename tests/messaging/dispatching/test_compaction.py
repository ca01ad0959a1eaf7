"""Tallies added up say the same as before."""

import pytest
from django.db.models import Sum

from messaging.dispatching import compaction
from messaging.models import Tally
from tests.messaging import rows as campaigns
from tests.messaging.dispatching import rows

pytestmark = pytest.mark.django_db


def sums():
    found = Tally.objects.values_list(
        "campaign", "state", "reason", "gateway", "institution", "carrier", "hour"
    )
    return set(found.annotate(n=Sum("messages"), s=Sum("segments")).exclude(n=0))


def test_the_sums_stay(station, monkeypatch):
    monkeypatch.setattr(compaction, "LEAST", 5)
    who = rows.owner(rows.gateway())
    one, other = campaigns.campaign(station), campaigns.campaign(station)
    for _ in range(4):
        rows.submitted(who, one, 3)
    rows.queue(other)
    before, count = sums(), Tally.objects.count()
    assert compaction.add_up() == count - Tally.objects.count() > 0
    assert sums() == before
    assert compaction.add_up() == 0
