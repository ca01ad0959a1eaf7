"""The chain over an institution's seals, its anchors, and the sealing of what was signed before."""

import json
from datetime import date, timedelta
from threading import Thread

import pytest
from django.db import connection
from django.utils import timezone

from clinic import anchors
from emr.models import Note, Seal, SealAnchor, SealLink
from emr.sealing import adoption as seal_adoption
from emr.sealing import chain
from emr.sealing import keys as seal_keys
from tests import factories
from tests.emr import sealing
from tests.emr.sealing import settle, sign, told, verify
from tests.emr.test_races import at_once

pytestmark = pytest.mark.django_db(transaction=True)
DAY = date(2026, 11, 22)


@pytest.fixture(autouse=True)
def own_folders(settings, tmp_path):
    settings.ANCHORS, settings.SEAL_KEYS = tmp_path / "anchors", tmp_path / "keys"


@pytest.fixture
def old(doctor, station, as_owner):
    """Three notes signed before there were seals."""
    made = [sign(doctor, factories.resident(station, name=f"旧{number}")) for number in range(3)]
    sealing.tamper(as_owner, ("DELETE FROM emr_seal",))
    return made


# The chain ----------------------------------------------------------------------------------------


def test_each_institution_has_a_chain_of_its_own(doctor, stranger, station, other_station):
    for number in range(3):
        sign(doctor, factories.resident(station, name=f"甲{number}"))
        sign(stranger, factories.resident(other_station, name=f"乙{number}"))
    assert chain.chain_all() == 6
    for place in (station, other_station):
        links = SealLink.objects.filter(institution=place).order_by("position")
        assert list(links.values_list("position", flat=True)) == [1, 2, 3]
        assert list(links.values_list("seal", flat=True)) == sorted(links.values_list("seal", flat=True))


def test_the_chain_goes_on_where_it_stopped(doctor, station):
    for number in range(2):
        sign(doctor, factories.resident(station, name=f"甲{number}"))
        assert chain.chain_all() == 1
    assert chain.heads()[station.pk][0] == 2


def test_jobs_at_once_do_not_fork_the_chain(doctor, station):
    for number in range(12):
        sign(doctor, factories.resident(station, name=f"甲{number}"))
    assert sum(at_once(*[chain.chain_all] * 4)) == 12
    assert list(SealLink.objects.order_by("position").values_list("position", flat=True)) == list(
        range(1, 13)
    )


def test_a_seal_that_waits_too_long_makes_the_house_unready(doctor, resident):
    sign(doctor, resident)
    assert chain.follows(timezone.now())
    assert not chain.follows(timezone.now() + timedelta(minutes=11))
    chain.chain_all()
    assert chain.follows(timezone.now() + timedelta(minutes=11))


def test_the_link_covers_every_column_of_a_seal():
    assert set(chain.FIELDS) == {field.attname for field in Seal._meta.concrete_fields}


# Anchors ------------------------------------------------------------------------------------------


def test_one_line_a_day_for_each_chain_that_grew(doctor, stranger, station, other_station):
    sign(doctor, factories.resident(station))
    sign(stranger, factories.resident(other_station, name="乙"))
    settle()
    assert [chain.anchor(DAY) for _again in range(3)] == [2, 0, 0]
    sign(doctor, factories.resident(station, name="丙"))
    settle()
    assert chain.anchor(DAY + timedelta(days=1)) == 1
    lines = [json.loads(line) for line in anchors.path(anchors.SEALS).read_text().splitlines()]
    assert [(line["day"], line["position"]) for line in lines] == [
        ("2026-11-22", 1), ("2026-11-22", 1), ("2026-11-23", 2),
    ]  # fmt: skip
    assert {line["institution"] for line in lines} == {str(station.uuid), str(other_station.uuid)}


def test_without_a_chain_there_is_no_anchor(station):
    assert chain.anchor(DAY) == 0
    assert not anchors.path(anchors.SEALS).exists()


def test_jobs_at_once_write_one_anchor(doctor, resident):
    sign(doctor, resident)
    settle()
    at_once(*[lambda: chain.anchor(DAY)] * 3)
    assert len(anchors.read(anchors.SEALS)) == SealAnchor.objects.count() == 1


def test_after_a_crash_the_files_line_counts(doctor, station):
    sign(doctor, factories.resident(station))
    settle()
    line = anchors.Anchor(DAY, *chain.heads()[station.pk], "", str(station.uuid))
    anchors.append_all([line], anchors.SEALS)
    sign(doctor, factories.resident(station, name="乙"))
    settle()
    chain.anchor(DAY)
    assert SealAnchor.objects.get().position == 1
    assert len(anchors.read(anchors.SEALS)) == 1


# Adoption -----------------------------------------------------------------------------------------


def test_notes_of_before_are_sealed_once(old):
    assert seal_adoption.adopt() == 3
    assert seal_adoption.adopt() == 0
    assert Seal.objects.filter(adopted=True).count() == 3
    settle()
    assert "3" in verify()


def test_a_new_installation_has_nothing_to_adopt_and_never_will(doctor, resident, as_owner):
    assert seal_adoption.adopt() == 0
    sign(doctor, resident)
    sealing.tamper(as_owner, ("DELETE FROM emr_seal",))
    assert seal_adoption.adopt() == 0
    assert not Seal.objects.exists()


def test_until_they_are_sealed_verify_says_that_they_wait(old):
    assert "3" in verify()


def test_the_release_before_may_sign_for_a_day_and_then_no_more(old, doctor, station, as_owner):
    now = timezone.now()
    seal_adoption.adopt(now)
    late = sign(doctor, factories.resident(station, name="晚"))
    sealing.tamper(as_owner, ("DELETE FROM emr_seal WHERE note_id = %s", late.pk))
    assert "1" in verify().splitlines()[-1]
    assert seal_adoption.adopt(now + timedelta(hours=23)) == 1
    assert seal_adoption.adopt(now + timedelta(hours=25)) == 0
    assert seal_adoption.state().closed


def test_after_closing_nothing_is_laundered(old, doctor, station, as_owner):
    now = timezone.now()
    for hours in (0, 25):
        seal_adoption.adopt(now + timedelta(hours=hours))
    late = sign(doctor, factories.resident(station, name="伪"))
    sealing.tamper(as_owner, ("DELETE FROM emr_seal WHERE note_id = %s", late.pk))
    assert seal_adoption.adopt(now + timedelta(hours=26)) == 0
    assert str(late.uuid) in told()


def test_removing_the_marker_does_not_open_adoption_again(old, doctor, station, as_owner):
    now = timezone.now()
    for hours in (0, 25):
        seal_adoption.adopt(now + timedelta(hours=hours))
    settle()
    chain.anchor(DAY)
    anchors.path(seal_adoption.FILE).unlink()
    late = sign(doctor, factories.resident(station, name="伪"))
    sealing.tamper(as_owner, ("DELETE FROM emr_seal WHERE note_id = %s", late.pk))
    assert seal_adoption.adopt() == 0
    said = told()
    assert str(late.uuid) in said
    assert "adoption.jsonl" in said


def test_a_start_waits_for_no_million_notes(old):
    assert seal_adoption.adopt(patience=0) == 0
    assert not seal_adoption.state().closed
    assert seal_adoption.adopt() == 3


def test_two_sweeps_at_once_seal_each_note_once(old):
    at_once(*[lambda: seal_adoption.adopt(timezone.now())] * 3)
    assert Seal.objects.count() == 3


def test_a_sweep_that_was_cut_off_goes_on(old, monkeypatch):
    monkeypatch.setattr(seal_adoption, "BATCH", 1)
    keep, calls = seal_adoption._seal, []

    def dies(batch):
        calls.append(batch)
        if len(calls) == 2:
            raise RuntimeError("power cut")
        return keep(batch)

    monkeypatch.setattr(seal_adoption, "_seal", dies)
    with pytest.raises(RuntimeError):
        seal_adoption.adopt()
    assert seal_adoption.adopt() == 2
    assert Seal.objects.count() == 3


# Nobody needs to rest -----------------------------------------------------------------------------


def test_no_false_alarm_while_doctors_sign_and_jobs_link(doctor, colleague, station):
    sealing.close_adoption()
    people = [factories.resident(station, name=f"居民{number}") for number in range(24)]
    over = []

    def work(who, whom):
        try:
            for resident in whom:
                sign(who, resident)
        finally:
            over.append(who)
            connection.close()

    def keep():
        try:
            while len(over) < 2:
                chain.chain_all()
                chain.anchor(timezone.localdate() + timedelta(days=len(over)))
        finally:
            connection.close()

    crew = [
        Thread(target=work, args=(doctor, people[:12])), Thread(target=work, args=(colleague, people[12:])),
        Thread(target=keep),
    ]  # fmt: skip
    for thread in crew:
        thread.start()
    looks = 0
    while len(over) < 2:
        verify()
        looks += 1
    for thread in crew:
        thread.join(30)
    assert looks
    assert Note.objects.filter(signed_at__isnull=False).count() == Seal.objects.count() == 24
    verify()


@pytest.mark.parametrize("before", [0, 1])
def test_a_key_taken_into_use_during_the_check_is_no_false_alarm(before, doctor, station, monkeypatch):
    sealing.close_adoption()
    for number in range(before):
        sign(doctor, factories.resident(station, name=f"早{number}"))
    heads = chain.heads

    def sign_first(*given):
        monkeypatch.setattr(chain, "heads", heads)
        seal_keys.use(seal_keys.new())
        sign(doctor, factories.resident(station))
        chain.chain_all()
        return heads(*given)

    monkeypatch.setattr(chain, "heads", sign_first)
    verify()
