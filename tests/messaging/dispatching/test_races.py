"""Two at once, with real transactions."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from clinic.models import Lease
from messaging import optout
from messaging.dispatching import claiming, inbox, leases, recovery
from messaging.models import AttemptResult, Campaign, Message
from tests.messaging import rows as campaigns
from tests.messaging.dispatching import rows

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def who(db):
    return rows.owner(rows.gateway())


@pytest.fixture
def campaign(station):
    return campaigns.campaign(station)


@contextmanager
def at_once(count):
    """Threads with connections of their own, closed at the end; ``go(act, ...)`` starts all acts together."""
    barrier = threading.Barrier(count)

    def run(act, args):
        try:
            barrier.wait(10)
            return act(*args)
        finally:
            connection.close()

    with ThreadPoolExecutor(count) as pool:
        yield lambda *acts: [one.result(20) for one in [pool.submit(run, act, args) for act, *args in acts]]


@contextmanager
def aside(act):
    """``act`` in a thread, inside a transaction that stays open until the block's end; then its result is set."""
    done, go_on = threading.Event(), threading.Event()

    def run():
        try:
            with transaction.atomic():
                result = act()
                done.set()
                go_on.wait(10)
            return result
        finally:
            done.set()
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(run)
        assert done.wait(10)
        try:
            yield running
        finally:
            go_on.set()
        running.result(10)


def test_several_claimers_share_the_queue(who, campaign):
    rows.queue(campaign, 300)
    words = [(claiming.claim, who, [(campaign.pk, "mobile", 100)], timezone.now())] * 4
    with at_once(4) as go:
        found = [one.id for some in go(*words) for one in some]
    assert len(found) == len(set(found)) == 300 - Message.objects.filter(state="queued").count()


def test_cancelled_first_and_then_not_begun(who, campaign):
    (message,) = rows.queue(campaign)
    claimed = rows.claim(who, campaign)
    with aside(lambda: cancel(campaign)):
        begun = rows.begin(who, claimed)  # does not wait for the one who cancels
        assert not begun.attempts
    assert rows.fresh(message).state == "cancelled"
    assert claiming.give_back(who, [message.pk], timezone.now()) == 0


@transaction.atomic
def cancel(campaign):
    Campaign.objects.select_for_update().get(pk=campaign.pk)
    waiting = Message.objects.filter(campaign=campaign, state__in=["queued", "claimed"], on_wire=False)
    return waiting.update(state="cancelled", reason="campaign", claimed_by="")


def test_begun_first_and_then_not_cancelled(who, campaign):
    (message,) = rows.queue(campaign)
    claimed = rows.claim(who, campaign)
    with ThreadPoolExecutor(1) as pool:
        with aside(lambda: rows.begin(who, claimed)):
            cancelled = pool.submit(lambda: (cancel(campaign), connection.close()))
        assert cancelled.result(10)[0] == 0
    assert (rows.fresh(message).state, rows.fresh(message).on_wire) == ("claimed", True)


@pytest.mark.parametrize("first", ["opt-out", "begin"])
def test_an_opt_out_against_the_wire(who, campaign, first):
    (message,) = rows.queue(campaign)
    claimed = rows.claim(who, campaign)

    def opt_out():
        optout.honour([(message.phone, None)], timezone.now())

    with ThreadPoolExecutor(1) as pool:
        if first == "opt-out":
            with aside(opt_out):
                assert not rows.begin(who, claimed).attempts
        else:
            with aside(lambda: rows.begin(who, claimed)):
                waiting = pool.submit(lambda: (opt_out(), connection.close()))
            waiting.result(10)
    assert rows.fresh(message).state == ("cancelled" if first == "opt-out" else "claimed")


def test_two_recoveries(who, campaign):
    rows.on_wire(who, campaign, 100)
    Lease.objects.filter(name=who.worker).update(until=timezone.now() - timedelta(seconds=1))
    leases.bury()
    with at_once(2) as go:
        assert sum(go(*[(recovery.recover, timezone.now())] * 2)) == 100
    assert set(Message.objects.values_list("state", flat=True)) == {"unknown"}
    assert AttemptResult.objects.count() == 100


def test_the_same_reports_at_two_doors(who, campaign):
    messages = rows.submitted(who, campaign, 30)
    reports = [rows.report(rows.last_attempts(one)[0]) for one in messages]
    forth, back = list(reports), reports[::-1]
    with at_once(2) as go:
        words = [(inbox.keep_reports, who.gateway, some, timezone.now()) for some in (forth, back)]
        assert sum(go(*words)) == 30
    assert set(Message.objects.values_list("state", flat=True)) == {"delivered"}


def test_a_lease_is_one_persons():
    names = [leases.new_name() for _ in range(4)]
    with at_once(4) as go:
        assert sum(go(*[(leases.take, "sms-gateway:7", name) for name in names])) == 1
