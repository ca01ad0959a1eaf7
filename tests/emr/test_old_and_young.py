"""一老一小: who counts as insured old or young, and where people see it."""

from datetime import date

import pytest

from clinic.models import Resident
from clinic.old_or_young import old_or_young
from emr.codes import OldOrYoung

DAY = date(2026, 11, 22)


@pytest.mark.parametrize(
    ("insurance", "birth", "group"),
    [
        ("resident_senior", date(1990, 1, 1), OldOrYoung.OLD),
        ("resident_child", date(1990, 1, 1), OldOrYoung.YOUNG),
        ("resident", date(1966, 11, 22), OldOrYoung.OLD),
        ("resident", date(1966, 11, 23), ""),
        ("resident", date(2008, 11, 23), OldOrYoung.YOUNG),
        ("resident", date(2008, 11, 22), ""),
        ("resident", date(2026, 11, 22), OldOrYoung.YOUNG),
        ("employee", date(1940, 1, 1), ""),
        ("free", date(1940, 1, 1), ""),
        ("commercial", date(2020, 1, 1), ""),
        ("self", date(1940, 1, 1), ""),
        ("", date(1940, 1, 1), ""),
    ],
)
def test_the_rule(insurance, birth, group):
    assert old_or_young(Resident(insurance=insurance, birth_date=birth), DAY) == group


def test_the_ages_are_settings(settings):
    settings.INSURED_OLD_AGE, settings.INSURED_YOUNG_AGE = 50, 10
    assert old_or_young(Resident(insurance="resident", birth_date=date(1976, 11, 22)), DAY) == "old"
    assert old_or_young(Resident(insurance="resident", birth_date=date(2012, 11, 22)), DAY) == ""


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("insurance", "badge"), [("resident_senior", "一老"), ("resident_child", "一小"), ("employee", "")]
)
def test_the_banner_says_it_with_its_reason(client, doctor, resident, encounter, insurance, badge):
    resident.insurance = insurance
    resident.save()
    client.force_login(doctor)
    for where in (
        f"/residents/{resident.uuid}/",
        f"/visits/{encounter.uuid}/",
        f"/visits/{encounter.uuid}/refer",
    ):
        page = client.get(where).content.decode()
        assert ("banner-insured" in page) == bool(badge)
        assert not badge or f">{badge}</span>" in page
        assert ("医保备案" in page) == bool(badge)
