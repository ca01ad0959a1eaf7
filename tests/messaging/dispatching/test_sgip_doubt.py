"""China Unicom's number for a message is the sequence we sent it under: no doubt is too deep for its receipt."""

import uuid

import pytest
from django.utils import timezone

from clinic.models import Lease
from messaging.dispatching import beginning, inbox, recovery
from messaging.models import Message
from tests.messaging import rows as campaigns
from tests.messaging.dispatching import rows

pytestmark = pytest.mark.django_db
SEQUENCES = ["b3d0c5c7" "43c6ae4c" "0000000a", "b3d0c5c7" "43c6ae4c" "0000000b"]  # fmt: skip


def twins(campaign, other):
    """Two queued messages to one phone."""
    (first,) = rows.queue(campaign)
    plain = {one.attname: getattr(first, one.attname) for one in first._meta.fields if not one.primary_key}
    twin = Message(**{**plain, "uuid": uuid.uuid4(), "campaign_id": other.pk})
    return first, *Message.objects.bulk_create([twin])


def test_two_messages_to_one_phone_that_a_dead_dispatcher_left(station):
    who, campaign, other = (
        rows.owner(rows.gateway()),
        campaigns.campaign(station),
        campaigns.campaign(station),
    )
    first, second = twins(campaign, other)
    claimed = rows.claim(who, campaign) + rows.claim(who, other)
    work = [(one.id, 1, 1, sequence, 1) for one, sequence in zip(claimed, SEQUENCES, strict=True)]
    beginning.begin(who, work, (), timezone.now())
    Lease.objects.all().delete()
    assert recovery.recover(timezone.now()) == 2
    assert {rows.fresh(one).state for one in (first, second)} == {"unknown"}
    report = rows.report(rows.last_attempts(second)[0], remote_id=SEQUENCES[1])
    inbox.keep_reports(who.gateway, [report], timezone.now())
    assert (rows.fresh(first).state, rows.fresh(second).state) == ("unknown", "delivered")
