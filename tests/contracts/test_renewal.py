"""Renewing: no gap, no overlap, singly and by the hundred."""

import uuid
from datetime import date, timedelta

import pytest
from django.utils import timezone

from clinic.codes import InstitutionKind, LifeState, Role
from clinic.errors import Conflict
from contracts import terms
from contracts.actions import agreements, renewal, renewals
from contracts.models import Agreement
from tests import factories
from tests.contracts import desk_build as build

TODAY = timezone.localdate


@pytest.fixture
def scene(db, district):
    station = factories.institution(InstitutionKind.STATION, "S1", "东站", district)
    return {
        "team": build.team(station), "clerk": factories.user(Role.CLERK, station), "text": build.text(district),
        "version": build.version(district), "station": station,
    }  # fmt: skip


def ending(scene, days, state="signed", **given):
    """An agreement whose last day is so many days ahead."""
    end = TODAY() + timedelta(days=days)
    made = build.agreement(
        factories.resident(scene["station"]), scene["team"], state="signed", start=end - timedelta(days=364), end=end, **given
    )  # fmt: skip
    made.packages.create(version=scene["version"], price=120, waiver=100)
    if state == "expired":
        made.state, made.ended_on, made.ended_at = "expired", end, timezone.now()
        made.save()
    return made


def renewed(scene, old, **given):
    return renewal.renew(
        agreement=old, by=scene["clerk"], text=scene["text"], read=True, **{"key": uuid.uuid4(), **given}
    )


class Line:
    def __init__(self, agreement):
        self.agreement, self.agreement_id, self.pk = agreement, agreement.pk, id(self)


def many(scene, olds, **orders):
    orders = {"text": scene["text"].pk, "confirmed": True, "years": None, **orders}
    return renewals.renew_many([Line(old) for old in olds], orders, scene["clerk"])


def test_the_new_one_begins_the_day_after_the_old_one_which_stays_signed(scene):
    old = ending(scene, 40)
    new = renewed(scene, old)
    old.refresh_from_db()
    assert (new.start, new.state, new.follows, old.state) == (
        old.end + timedelta(days=1),
        "signed",
        old,
        "signed",
    )
    assert [line.due_from for line in new.plan.all()] == [new.start]


def test_a_lapsed_one_is_renewed_from_today(scene):
    assert renewed(scene, ending(scene, -30, "expired")).start == TODAY()


def test_too_early_and_twice_are_sentences(scene):
    with pytest.raises(Conflict):
        renewed(scene, ending(scene, 91))
    old, key = ending(scene, 90), uuid.uuid4()
    assert renewed(scene, old, key=key) == renewed(scene, old, key=key)
    with pytest.raises(Conflict):
        renewed(scene, old)


def test_many_at_once_each_with_its_sentence(scene):
    dead, lapsed, good, early = (
        ending(scene, 5),
        ending(scene, -9, "expired"),
        ending(scene, 9),
        ending(scene, 200),
    )
    dead.resident.life_state, dead.resident.life_state_on = LifeState.DECEASED, TODAY()
    dead.resident.save()
    results = many(scene, [dead, lapsed, good, early, good])
    assert [bool(made) for _line, made, _why in results] == [False, True, True, False, False]
    assert all(why for _line, made, why in results if not made)
    new = results[2][1]
    assert (new.start, new.fee, new.history.count()) == (good.end + timedelta(days=1), 120, 1)
    assert (new.packages.get().version, new.plan.count()) == (scene["version"], 1)


def test_many_stop_at_the_cap_for_the_lapsed_alone(scene):
    olds = [ending(scene, 5), *(ending(scene, -5, "expired") for _n in range(3))]
    scene["team"].cap = 2
    scene["team"].save()
    assert [bool(made) for _line, made, _why in many(scene, olds)] == [True, True, False, False]


def test_many_take_as_many_statements_as_few(scene, django_assert_max_num_queries):
    many(scene, [ending(scene, 5)])
    olds = [ending(scene, 5 + n) for n in range(30)]
    with django_assert_max_num_queries(40):
        assert all(made for _line, made, _why in many(scene, olds))
    assert len(set(Agreement.objects.values_list("number", flat=True))) == Agreement.objects.count()


@pytest.mark.parametrize(
    ("start", "years", "end"),
    [
        (date(2026, 3, 1), 1, date(2027, 2, 28)), (date(2027, 3, 1), 1, date(2028, 2, 29)),
        (date(2028, 2, 29), 1, date(2029, 2, 28)), (date(2026, 1, 1), 3, date(2028, 12, 31)),
    ],
    ids=str,
)  # fmt: skip
def test_a_term_is_whole_years(start, years, end):
    assert terms.last_day(start, years) == end


def test_after_a_mistaken_renewal_was_ended_it_is_renewed_again(scene):
    old = ending(scene, 40)
    mistaken = renewed(scene, old, years=3)
    agreements.end(agreement=mistaken, reason="mistake", by=scene["clerk"])
    new = renewed(scene, old, years=1)
    assert (new.start, new.follows) == (old.end + timedelta(days=1), old)
    with pytest.raises(Conflict):
        renewed(scene, old)
