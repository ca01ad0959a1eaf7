"""Real dispatchers, real sockets, a carrier in its own process: nothing is lost, nobody gets anything twice."""

import time
from collections import Counter

import pytest

from clinic.models import Lease
from messaging import secrets
from messaging.models import AllowedAddress, Attempt, Gateway, GatewayHealth, Message, Route
from tests.messaging import rows as campaigns
from tests.messaging.dispatching import rows
from tests.messaging.dispatching.carriers import LOGIN, SECRET, CarrierProcess
from tests.messaging.dispatching.processes import DispatcherProcess

pytestmark = pytest.mark.django_db(transaction=True)

WINDOW, CONNECTIONS = 16, 2


def states() -> Counter:
    return Counter(Message.objects.values_list("state", flat=True))


def until(condition, patience=30):
    end = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < end, states()
        time.sleep(0.03)


@pytest.fixture
def carriers(tmp_path):
    """Two carriers, each with its ledger."""
    made = [CarrierProcess(tmp_path / f"{name}.ledger", latency=0.002) for name in ("mobile", "unicom")]
    yield made
    for one in made:
        one.stop()


@pytest.fixture
def dispatchers():
    made = []

    def start(**given):
        made.append(DispatcherProcess(**given))
        return made[-1]

    yield start
    for one in made:
        if one.process.poll() is None:
            one.kill()


def accounts(carriers):
    AllowedAddress.objects.get_or_create(network="127.0.0.0/8")
    made = []
    for name, one in zip(("mobile", "unicom"), carriers, strict=False):
        made.append(
            Gateway.objects.create(
                name=name, protocol="cmpp2", carrier=name, host="127.0.0.1", port=one.port, login=LOGIN,
                secret=secrets.store(SECRET), connections=CONNECTIONS, window=WINDOW, answer_seconds=2,
                options={"retry_longest": 0.5},
            )
        )  # fmt: skip
        Route.objects.create(carrier=name, position=1, gateway=made[-1])
    return made


def taken(carriers) -> Counter:
    """(phone, part) → how often a carrier has taken it."""
    time.sleep(0.25)  # ledgers are written ten times a second
    return Counter((one["phone"], one["part"]) for carrier in carriers for one in carrier.entries())


def prove_the_kill(station, carriers, dispatchers, count):
    accounts(carriers)
    campaign = campaigns.campaign(station)
    for carrier in ("mobile", "unicom"):
        rows.queue(campaign, count // 2, carrier=carrier)
    first, _second = dispatchers(), dispatchers()
    until(lambda: states()["delivered"] > count // 4)
    first.kill()
    until(lambda: not {"queued", "claimed", "submitted"} & set(states()), patience=120)
    seen = taken(carriers)
    assert max(seen.values()) == 1, "somebody got it twice"
    assert sum(states().values()) == count
    missing = Message.objects.exclude(phone__in=[phone for phone, _part in seen])
    assert len(missing) <= CONNECTIONS * WINDOW
    for message in missing:
        assert (message.state, message.reason) == ("unknown", "in_doubt")
        assert Attempt.objects.filter(message=message).exists()
    return len(missing)


def test_one_of_two_is_killed_midway(station, carriers, dispatchers):
    prove_the_kill(station, carriers, dispatchers, 1_000)


@pytest.mark.soak
def test_one_of_two_is_killed_midway_through_ten_thousand(station, carriers, dispatchers):
    missing = prove_the_kill(station, carriers, dispatchers, 10_000)
    # Those whose answer was lost with the killed one are found by their receipts.
    until(lambda: states()["unknown"] == missing)
    assert states()["delivered"] == 10_000 - missing


@pytest.mark.soak
def test_one_that_stood_still_finds_itself_gone(station, carriers, dispatchers):
    """Stopped for longer than its lease with its windows full, then woken: the other one has its accounts."""
    accounts(carriers[:1])
    carriers[0].tell(latency=0.2)
    campaign = campaigns.campaign(station)
    rows.queue(campaign, 600)
    first = dispatchers()
    until(lambda: states()["delivered"] > 50)
    first.freeze()
    dispatchers()
    carriers[0].tell(latency=0.0)
    until(lambda: states()["delivered"] > 300)
    first.thaw()
    until(lambda: not {"queued", "claimed", "submitted", "unknown"} & set(states()))
    assert max(taken(carriers).values()) == 1
    assert states() == {"delivered": 600}


def test_a_graceful_stop_leaves_nothing_in_doubt(station, carriers, dispatchers):
    accounts(carriers)
    carriers[0].tell(latency=0.1)
    campaign = campaigns.campaign(station)
    for carrier in ("mobile", "unicom"):
        rows.queue(campaign, 1_000, carrier=carrier)
    only = dispatchers()
    until(lambda: states()["delivered"] > 200)
    assert only.stop() == 0
    assert set(states()) <= {"queued", "submitted", "delivered"}
    assert sum(states().values()) == 2_000
    seen = taken(carriers)
    assert len(seen) == states()["submitted"] + states()["delivered"]
    assert not Lease.objects.filter(name__startswith="sms-worker:").exists()
    assert not Lease.objects.filter(name__startswith="sms-gateway:").exclude(holder="").exists()


@pytest.mark.soak
def test_when_one_carrier_is_gone_the_other_takes_its_messages_until_it_is_back(
    station, carriers, dispatchers
):
    mobile, unicom = accounts(carriers)
    Route.objects.create(carrier="mobile", position=2, gateway=unicom)
    campaign = campaigns.campaign(station)
    dispatchers()
    until(lambda: GatewayHealth.objects.filter(state="up").count() == 2)
    carriers[0].process.kill()
    rows.queue(campaign, 50)
    until(lambda: states() == {"delivered": 50})
    assert set(Message.objects.values_list("gateway", flat=True)) == {unicom.pk}
    back = CarrierProcess(carriers[0].path, port=mobile.port)
    carriers.append(back)
    until(lambda: GatewayHealth.objects.filter(state="up").count() == 2)
    time.sleep(1.5)  # the other one looks once a second
    rows.queue(campaigns.campaign(station), 50)
    until(lambda: states() == {"delivered": 100})
    assert Message.objects.filter(gateway=mobile).count() == 50
