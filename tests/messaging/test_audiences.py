"""Who is meant: what a choice may say, and that it never leaves the campaign's institution."""

import uuid
from datetime import date

import pytest

from clinic.codes import Insurance, Sex
from clinic.errors import Refused
from clinic.models import KeyTag
from messaging import audiences, building, texts
from messaging.actions import campaigns as actions
from messaging.models import Message
from tests import factories

pytestmark = pytest.mark.django_db

HOSTILE = {
    "nothing": {}, "a list": [], "no source": {"source": None}, "a source of lists": {"source": []},
    "unknown source": {"source": "everybody"}, "unknown word": {"source": "criteria", "id_number": "1"},
    "a path": {"source": "criteria", "home__path": "/"}, "no uuid": {"source": "criteria", "places": ["1"]},
    "places as text": {"source": "criteria", "places": str(uuid.uuid4())},
    "a nested place": {"source": "criteria", "places": [["x"]]},
    "unknown tag": {"source": "criteria", "tags": ["x"]}, "a dict of tags": {"source": "criteria", "tags": {"a": 1}},
    "too many tags": {"source": "criteria", "tags": ["diabetes"] * 1000},
    "unknown sex": {"source": "criteria", "sex": "x"}, "age as text": {"source": "criteria", "age_from": "1"},
    "age as truth": {"source": "criteria", "age_from": True}, "old": {"source": "criteria", "age_to": 10**9},
    "no day": {"source": "criteria", "visited_from": "2026-02-30"},
    "the last day": {"source": "criteria", "visited_to": "9999-12-31"},
    "a number for a day": {"source": "criteria", "visited_to": 20260101},
    "ticked words": {"source": "selection", "residents": ["x"]},
    "very many ticked": {"source": "selection", "residents": [str(uuid.uuid4())] * 5001},
    "ticked and criteria": {"source": "selection", "residents": [], "sex": "1"},
}  # fmt: skip


@pytest.mark.parametrize("audience", list(HOSTILE.values()), ids=list(HOSTILE))
def test_what_nobody_can_mean_is_refused(station, audience):
    with pytest.raises(Refused) as refused:
        audiences.resolve(audience, station)
    assert refused.value.code == "audience"


def who(institution, **criteria):
    return set(audiences.resolve({"source": "criteria", **criteria}, institution))


def test_criteria(station):
    today = date.today()
    old = factories.resident(station, born=date(1950, 1, 1), sex=Sex.MALE, insurance=Insurance.EMPLOYEE)
    child = factories.resident(station, born=date(today.year - 3, 1, 1), sex=Sex.FEMALE)
    KeyTag.objects.create(resident=old, tag="diabetes", since=today)
    KeyTag.objects.create(resident=child, tag="diabetes", since=today, until=today)
    assert who(station) == {old, child}
    assert who(station, age_from=65) == who(station, sex=Sex.MALE) == who(station, tags=["diabetes"]) == {old}
    assert who(station, insurance=[Insurance.EMPLOYEE]) == {old}
    assert who(station, age_to=6) == {child}
    assert who(station, age_from=3, age_to=2) == set()


def test_it_stays_within_the_institution(station, centre, other_station):
    here, there = factories.resident(station), factories.resident(other_station)
    assert who(station) == {here}
    assert who(station, places=[str(other_station.uuid)]) == set()
    ticked = {"source": "selection", "residents": [str(here.uuid), str(there.uuid)]}
    assert set(audiences.resolve(ticked, station)) == {here}


def test_who_was_merged_into_another_is_not_meant_twice(station):
    stays = factories.resident(station)
    factories.resident(station, merged_into=stays)
    assert who(station) == {stays}


def test_another_app_offers_people_and_values(station, clerk, monkeypatch):
    monkeypatch.setattr(audiences, "sources", {})
    monkeypatch.setattr(texts, "offered", {})
    due, undated = factories.resident(station), factories.resident(station)
    audiences.register(
        "agreements", "签约", lambda _said, rows: rows, variables={"due": "到期日"},
        values=lambda _said, _ids: {due.pk: {"due": "12月31日"}},
    )  # fmt: skip
    row = actions.make(
        key=uuid.uuid4(), institution=station, name="x", purpose="agreement", body="{due}到期", by=clerk,
        audience={"source": "agreements"},
    )  # fmt: skip
    building.build(row)
    assert Message.objects.get().text.endswith("12月31日到期")
    assert (row.exclusions.get().resident, row.exclusions.get().why) == (undated, "no_value")
