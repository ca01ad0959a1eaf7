"""The morning's encrypted file of a station: who is in it, who may make it readable, who takes it."""

import stat
from datetime import timedelta

import pytest
from django.utils import timezone

from clinic.codes import Role
from clinic.errors import Forbidden, Refused
from clinic.models import Allergy, AuditEntry, Problem
from emr import kit as contents
from maintenance.actions import emergencies as actions
from maintenance.emergencies import kits
from maintenance.models import KitKey, OfflineKit
from tests import factories

NOW = timezone.now()
TODAY = timezone.localdate()
WORD = "梧桐 秋天 2026 开门"


@pytest.fixture(autouse=True)
def _own_folder(settings, tmp_path, monkeypatch):
    settings.VAR = tmp_path
    monkeypatch.setattr(kits, "ROUNDS", 1000)


@pytest.fixture
def key(station, manager):
    return actions.set_passphrase(institution=station, by=manager, passphrase=WORD)


@pytest.fixture
def visited(resident, encounter):
    Allergy.objects.create(resident=resident, substance="青霉素", reaction="皮疹")
    Problem.objects.create(resident=resident, name="高血压", chronic=True)
    return resident


def test_who_is_expected_with_what_matters(visited, station, other_station):
    [row] = contents.rows(station, TODAY)
    assert (row["name"], row["allergies"], row["problems"], row["today"]) == (
        "张秀英",
        "青霉素 皮疹",
        "高血压",
        "候诊",
    )
    assert contents.rows(other_station, TODAY) == []


def test_who_came_long_ago_or_has_nothing_is_left_out(station, doctor):
    factories.encounter(factories.resident(station, name="无事人"), doctor, status="finished")
    old = factories.encounter(factories.resident(station, name="久别人"), doctor, status="finished")
    Allergy.objects.create(resident=old.resident, substance="磺胺")
    assert [row["name"] for row in contents.rows(station, TODAY + timedelta(days=1))] == ["久别人"]
    assert contents.rows(station, TODAY + timedelta(days=120)) == []


def test_each_morning_one_file_that_the_passphrase_alone_opens(key, visited, station):
    assert [kits.make_all(NOW), kits.make_all(NOW)] == [1, 0]
    made = OfflineKit.objects.get()
    file = kits.path_of(made)
    text = file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "张秀英" not in text
    assert kits.opened(text, WORD)[0]["name"] == "张秀英"
    with pytest.raises(ValueError, match="passphrase"):
        kits.opened(text, "梧桐 秋天 2026 关门")
    assert AuditEntry.objects.filter(act="export", object_type="maintenance.offlinekit").exists()


def test_nothing_of_the_passphrase_is_kept(key):
    row = KitKey.objects.get()
    assert WORD not in f"{row.salt}{row.sealed}"
    assert not AuditEntry.objects.filter(detail__icontains="秋天").exists()


def test_a_new_passphrase_opens_the_next_file(key, visited, station, manager):
    kits.make_all(NOW)
    actions.set_passphrase(institution=station, by=manager, passphrase="another word 99")
    kits.make_all(NOW + timedelta(days=1))
    newest = OfflineKit.objects.first()
    assert kits.opened(kits.path_of(newest).read_text(), "another word 99")


def test_a_key_of_another_installation_holds_up_nobody(key, visited, other_station, manager, settings):
    other = factories.user(Role.MANAGER, other_station.parent)
    settings.SECRET_KEY = "another installation"
    actions.set_passphrase(institution=other_station, by=other, passphrase=WORD)
    assert kits.make_all(NOW) == 1
    assert OfflineKit.objects.get().institution == other_station


def test_old_files_go(key, visited):
    kits.make_all(NOW)
    file = next(kits.folder().glob("*.html"))
    kits.make_all(NOW + timedelta(days=8))
    assert not file.exists()
    assert len(list(kits.folder().glob("*.html"))) == 1


@pytest.mark.parametrize("word", ["kurz", "1234567890", "aaaaaaaaaaaa", "x" * 81])
def test_a_weak_passphrase_is_refused(station, manager, word):
    with pytest.raises(Refused):
        actions.set_passphrase(institution=station, by=manager, passphrase=word)


def test_only_the_centres_manager_sets_it(station, other_station, manager, doctor):
    for where, by in ((other_station, manager), (station, doctor)):
        with pytest.raises(Forbidden):
            actions.set_passphrase(institution=where, by=by, passphrase=WORD)


def test_by_pages(client, visited, station, manager, doctor, stranger, clerk):
    client.force_login(manager)
    assert (
        client.post(
            "/emergency/kits/passphrase", {"institution": station.uuid, "passphrase": WORD}
        ).status_code
        == 302
    )
    kits.make_all(NOW)
    address = f"/emergency/kits/{TODAY}"
    client.force_login(doctor)
    assert address in client.get("/emergency/").content.decode()
    answer = client.get(address)
    assert "attachment" in answer["Content-Disposition"]
    assert kits.opened(answer.content.decode(), WORD)
    assert AuditEntry.objects.filter(act="export", username=doctor.username).exists()
    for who, status in ((stranger, 404), (clerk, 403)):
        client.force_login(who)
        assert client.get(address).status_code == status


@pytest.mark.parametrize("day", ["2026-13-01", "x", "2020-01-01"])
def test_no_file_of_an_odd_day(client, doctor, day):
    client.force_login(doctor)
    assert client.get(f"/emergency/kits/{day}").status_code == 404
