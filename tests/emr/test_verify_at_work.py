"""``manage.py verify seals`` while others work: what happens between two of its looks is no false alarm."""

from datetime import date, timedelta
from itertools import count

import pytest
from django.db import connection
from django.utils import timezone

from clinic import anchors
from emr.models import Seal
from emr.sealing import adoption, chain, keys
from tests import factories
from tests.emr import amending, sealing
from tests.emr.sealing import sign, verify

pytestmark = pytest.mark.django_db(transaction=True)
DAY = date(2026, 11, 22)


@pytest.fixture(autouse=True)
def own_folders(settings, tmp_path):
    settings.ANCHORS, settings.SEAL_KEYS = tmp_path / "anchors", tmp_path / "keys"


def once_after(monkeypatch, place, name, act):
    """Have somebody act just after the first call."""
    call = getattr(place, name)

    def is_followed(*given):
        monkeypatch.setattr(place, name, call)
        found = call(*given)
        act()
        return found

    monkeypatch.setattr(place, name, is_followed)


def verify_with_act_after(step, act, monkeypatch):
    """Verify; after this many of its looks at a table or a file the act comes in between. Whether it had so many."""
    looks, read_lines = [], anchors.read_lines

    def look(how, *given):
        found = how(*given)
        looks.append(how)
        if len(looks) == step:
            act()
        return found

    with monkeypatch.context() as patch, connection.execute_wrapper(look):
        patch.setattr(anchors, "read_lines", lambda name: look(read_lines, name))
        verify()
    return len(looks) >= step


@pytest.mark.parametrize("linked", [False, True])
@pytest.mark.parametrize("before", [0, 1])
def test_a_signature_with_a_new_key_comes_between_any_two_looks(before, linked, doctor, station, monkeypatch):
    sealing.close_adoption()
    for number in range(before):
        sign(doctor, factories.resident(station, name=f"早{number}"))
    days = (DAY + timedelta(days=number) for number in count())

    def work():
        keys.use(keys.new())
        sign(doctor, factories.resident(station, name=f"居民{Seal.objects.count()}"))
        if linked:
            chain.chain_all()
            chain.anchor(next(days))

    step = 1
    while verify_with_act_after(step, work, monkeypatch):
        step += 1
    assert Seal.objects.count() >= before + 15


def test_adoption_closes_and_the_first_anchor_follows(doctor, station, monkeypatch):
    sign(doctor, factories.resident(station))

    def begin():
        adoption.adopt(timezone.now())
        chain.chain_all()
        chain.anchor()

    once_after(monkeypatch, adoption, "state", begin)
    verify()
    assert anchors.read(anchors.SEALS)
    verify()


def test_corrections_of_before_wait_for_their_seals_too(doctor, station, as_owner):
    note = sign(doctor, factories.resident(station))
    amending.corrected(note, doctor, {"treatment": "多饮水"})
    sealing.tamper(as_owner, ("DELETE FROM emr_seal",))
    assert "2" in verify()
    assert adoption.adopt() == 2
    verify()
