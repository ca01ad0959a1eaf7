"""An audience becomes queued messages in steps that may be cut off anywhere."""

import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from clinic.codes import LifeState
from messaging import building
from messaging.actions import campaigns as actions
from messaging.codes import CampaignState, ConsentSource, Left
from messaging.models import Campaign, Consent, Exclusion, Message, OptOut
from tests import factories

pytestmark = pytest.mark.django_db


def made(station, clerk, audience=None, **given):
    given = {"name": "x", "purpose": "education", "body": "{name}您好。拒收请回复R", **given}
    return actions.make(
        key=uuid.uuid4(), institution=station, audience=audience or {"source": "criteria"}, by=clerk, **given
    )


def people(station, *phones, **fields):
    return [factories.resident(station, phone=phone, **fields) for phone in phones]


def why(resident):
    return Exclusion.objects.get(resident=resident).why


def test_each_excluded_resident_is_told_why(station, clerk):
    good, same = people(station, "13800138000", "１３８ 0013 8000")
    none, bad, fixed, out, no = people(station, "", "1380", "010-65120000", "13800138001", "13800138002")
    (dead,) = people(station, "13800138003", life_state=LifeState.DECEASED)
    OptOut.objects.create(phone=out.phone, source=ConsentSource.SMS)
    Consent.objects.create(resident=no, purpose="education", given=False, source=ConsentSource.DESK)
    row = building.build(made(station, clerk))
    assert [message.resident for message in Message.objects.all()] == [good]
    assert [why(one) for one in (same, none, bad, fixed, out, no, dead)] == [
        Left.SAME_PHONE, Left.NO_PHONE, Left.BAD_PHONE, Left.LANDLINE, Left.OPTED_OUT, Left.NO_CONSENT, Left.DECEASED,
    ]  # fmt: skip
    assert (row.recipients, row.left_out, row.state) == (1, 7, CampaignState.READY)


def test_a_family_over_two_steps_gets_one(station, clerk, monkeypatch):
    monkeypatch.setattr(building, "STEP", 1)
    people(station, "13800138000", "13800138000", "13800138001")
    row = building.build(made(station, clerk))
    assert (row.recipients, row.left_out, Message.objects.count()) == (2, 1, 2)


def test_cut_off_it_goes_on(station, clerk, monkeypatch):
    monkeypatch.setattr(building, "STEP", 2)
    people(station, *(f"1380013800{n}" for n in range(5)))
    row = made(station, clerk)
    building._step(row.pk, timezone.now())
    assert Message.objects.count() == 2
    assert building.build(row).recipients == Message.objects.count() == 5
    assert building.build(row).recipients == 5
    assert row.history.count() == 2


def test_the_visits_of_a_period(station, clerk, doctor):
    came, _never = people(station, "13800138000", "13800138001")
    factories.encounter(came, doctor)
    today = timezone.localdate()
    for first, count in ((today, 1), (today + timedelta(days=1), 0)):
        audience = {"source": "criteria", "visited_from": str(first)}
        assert building.build(made(station, clerk, audience, body=f"{count}{{name}}")).recipients == count


def test_an_audience_that_nobody_knows_any_more_ends_it(station, clerk):
    people(station, "13800138000")
    row = made(station, clerk)
    Campaign.objects.filter(pk=row.pk).update(audience={"source": "gone"})
    row = building.build(row)
    assert (row.state, bool(row.fault)) == (CampaignState.CANCELLED, True)


def test_a_job_that_died_is_gone_on_with(station, clerk):
    people(station, "13800138000")
    now = timezone.now()
    row = made(station, clerk, now=now - timedelta(minutes=5))
    assert building.build_left_behind(now) == 1
    row.refresh_from_db()
    assert row.state == CampaignState.READY
    assert building.build_left_behind(now) == 0
