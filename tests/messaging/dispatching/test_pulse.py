"""What an account's pulse says of it."""

from types import SimpleNamespace

import pytest
from django.utils import timezone

from messaging.dispatching import pulse
from messaging.dispatching.pulse import Pulse
from messaging.dispatching.routes import Routes
from messaging.dispatching.running import Work
from messaging.gateways.base import Answer, Unreachable, Verdict


@pytest.fixture
def clock():
    return SimpleNamespace(now=1000.0)


@pytest.fixture
def heart(clock):
    made = Pulse(None, clock=lambda: clock.now)
    made.changed(2, None)
    return made


def test_down_only_after_a_while(heart, clock):
    assert heart.state == "up"
    heart.changed(0, Unreachable("the line broke"))
    assert (heart.state, heart.sending, heart.error) == ("connecting", False, "the line broke")
    clock.now += pulse.DOWN_AFTER
    assert heart.state == "down"
    heart.changed(1, None)
    assert heart.state == "up"


def test_throttled_for_long_is_told_and_forgotten(heart, clock):
    for _ in range(8):
        heart.answered(Answer(1, Verdict.THROTTLED))
        clock.now += 1
    assert heart.state == "throttled"
    heart.answered(Answer(1, Verdict.ACCEPTED))
    assert heart.state == "up"


def test_closed_for_as_long_as_the_carrier_says(heart, clock):
    heart.answered(Answer(1, Verdict.CLOSED, code="75", seconds=30))
    assert (heart.state, heart.sending) == ("throttled", False)
    assert (heart.held_until(timezone.now()) - timezone.now()).seconds in (29, 30)
    clock.now += 31
    assert (heart.state, heart.sending) == ("up", True)


def test_an_account_that_refuses_everything_is_left_alone_for_longer_and_longer(heart, clock):
    waits = []
    for _ in range(3):
        while not heart.is_held:
            heart.answered(Answer(1, Verdict.REFUSED, code="11"))
        waits.append(heart.held - clock.now)
        clock.now = heart.held
    assert waits == [30, 60, 120]


@pytest.fixture
def routes():
    made = Routes()
    made.set({"mobile": [1, 2, 3], "unicom": [2]}, frozenset({1, 2, 3}))
    return made


@pytest.mark.parametrize(
    ("available", "serves"),
    [({1, 2, 3}, {1: True, 2: False, 3: False}), ({2, 3}, {2: True, 3: False}), ({3}, {2: True, 3: True})],
)
def test_the_next_one_takes_what_those_before_cannot(routes, available, serves):
    routes.set(routes.table, frozenset(available))
    work = Work(frozenset({7}), {}, {"mobile": [7]})
    for gateway, expected in serves.items():
        assert ((7, "mobile") in routes.queues(gateway, work)[1]) == expected


def test_what_all_before_have_refused(routes):
    work = Work(turned_away=frozenset({"mobile"}))
    assert routes.turned_away(3, work) == [("mobile", [1, 2])]
    assert routes.turned_away(1, work) == []
    assert routes.way_left("mobile", [1, 2])
    assert not routes.way_left("unicom", [2])
    assert routes.way_left("telecom", [2])
