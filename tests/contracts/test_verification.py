"""``manage.py verify agreements`` names what is not whole, and nothing else."""

import uuid

import pytest
from django.utils import timezone

from clinic.verification import Scope
from contracts import verification
from contracts.actions import fulfilment
from contracts.models import PlanItem
from tests.contracts.test_fulfilment import make_scene, planned


@pytest.fixture
def scene(district):
    made = make_scene(district)
    line = planned(made)
    fulfilment.by_hand(plan=line, on=timezone.localdate(), note="随访", by=made["doctor"], key=uuid.uuid4())
    return {**made, "line": line}


def test_what_is_whole_is_called_whole(scene):
    found = verification.agreements()
    assert found.ok, found.sentence
    assert "1" in found.sentence


def test_a_count_without_evidence_is_named(scene):
    PlanItem.objects.filter(pk=scene["line"].pk).update(done=2)
    found = verification.agreements(Scope(institution=scene["station"]))
    assert not found.ok
    assert scene["agreement"].number in found.sentence
    assert verification.agreements(Scope(institution=scene["district"])).ok


def test_a_wrong_day_of_service_is_named(scene):
    scene["agreement"].refresh_from_db()
    scene["agreement"].last_served_on = None
    scene["agreement"].save()
    assert scene["agreement"].number in verification.agreements().sentence
