"""Real dispatchers, real sockets, a carrier in its own process: nothing is lost, nobody gets anything twice."""

import time
from collections import Counter

import pytest

from messaging import secrets
from messaging.models import AllowedAddress, Attempt, Gateway, Message, Route
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
    # Those whose answer was lost with the killed one are found by their receipts.
    until(
        lambda: (
            states() == {"delivered": count - len(missing), "unknown": len(missing)}
            or not missing
            and set(states()) == {"delivered"}
        )
    )


def test_one_of_two_is_killed_midway(station, carriers, dispatchers):
    prove_the_kill(station, carriers, dispatchers, 1_000)


@pytest.mark.soak
def test_one_of_two_is_killed_midway_through_ten_thousand(station, carriers, dispatchers):
    prove_the_kill(station, carriers, dispatchers, 10_000)
