"""``manage.py verify messages``: quiet while all is well, and it names what is not."""

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from clinic.codes import Role
from clinic.verification import Scope
from messaging import optout
from messaging.models import Message
from messaging.verification import messages
from tests import factories
from tests.messaging import rows
from tests.messaging.dispatching import rows as dispatching

pytestmark = pytest.mark.django_db


@pytest.fixture
def under_way(station):
    """A campaign with messages in several states, brought there by the dispatcher's own hand."""
    gateway = dispatching.gateway()
    who, campaign = dispatching.owner(gateway), rows.campaign(station)
    sent, _attempts = dispatching.on_wire(who, campaign, 3)
    dispatching.answer(who, sent[0])
    dispatching.answer(who, sent[1], kind="in_doubt")
    dispatching.queue(campaign, 2)
    refused = rows.message(campaign, factories.resident(station, phone="13900139000"))
    optout.honour([(refused.phone, None)], timezone.now())
    campaign.recipients = campaign.segments = Message.objects.filter(campaign=campaign).count()
    campaign.save(update_fields=["recipients", "segments"])
    return campaign


def test_all_is_well_while_a_campaign_is_under_way(under_way):
    found = messages()
    assert (found.ok, found.sentence.count("\n")) == (True, 0), found.sentence
    assert "6" in found.sentence


def test_a_changed_tally_is_named(under_way):
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE messaging_tally SET messages = messages + 1 WHERE state = 'submitted' AND messages > 0"
        )
    found = messages()
    assert not found.ok
    assert under_way.name in found.sentence
    assert str(under_way.uuid) in found.sentence


def test_a_campaign_that_counts_otherwise_is_named(under_way):
    under_way.recipients += 1
    under_way.save(update_fields=["recipients"])
    assert under_way.name in messages().sentence
    assert not messages().ok


def test_a_message_without_its_attempts_is_named(under_way, station):
    lied = rows.message(rows.campaign(station), state="submitted")
    found = messages()
    assert not found.ok
    assert str(lied.uuid) in found.sentence
    assert lied.phone not in found.sentence


def test_a_doubt_needs_an_attempt(station):
    lied = rows.message(rows.campaign(station), state="unknown")
    assert str(lied.uuid) in messages().sentence


def test_a_claim_of_nobody_is_named_once_it_is_abandoned(station):
    claimed = rows.message(rows.campaign(station), state="claimed")
    assert messages().ok
    assert messages().notes
    Message.objects.filter(pk=claimed.pk).update(state_at=timezone.now() - timedelta(hours=1))
    assert not messages().ok


def test_one_institution_alone(under_way, station, other_station):
    rows.message(rows.campaign(other_station), state="unknown")
    assert messages(Scope(station)).ok
    assert not messages(Scope(other_station)).ok


def test_nobody_s_word_is_in_it(under_way, station, clerk):
    rows.message(
        rows.campaign(station, name="随访"), factories.resident(station, name="张秀英"), state="unknown"
    )
    assert "张秀英" not in messages().sentence
    assert factories.user(Role.CLERK, station).name not in messages().sentence


@pytest.mark.django_db(transaction=True)
def test_outside_a_transaction_it_reads_one_snapshot(under_way):
    assert messages().ok
    assert Message.objects.filter(campaign=under_way).exists()
