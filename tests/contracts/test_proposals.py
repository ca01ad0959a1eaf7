"""Evidence that proposes itself: from whom, from what, and what becomes of it when its source goes."""

from datetime import timedelta

import pytest
from django.utils import timezone

from clinic.codes import Role
from contracts import proposals, verification
from contracts.actions import fulfilment
from contracts.models import Evidence
from messaging.codes import Purpose
from tests import factories
from tests.contracts import desk_build as build
from tests.contracts.test_fulfilment import make_scene, planned, signed_visit
from tests.emr import amending
from tests.messaging import rows


@pytest.fixture
def scene(district):
    return make_scene(district)


@pytest.fixture
def undone(scene, client):
    """A function: what happens between the proposal of a visit and the undoing of its signature."""

    def undo(meanwhile=lambda row: None):
        line = planned(scene, "visit")
        note = amending.signed_note(client, scene["resident"], scene["doctor"])
        proposals.propose()
        row = line.evidence.get()
        meanwhile(row)
        amending.made_void(note, scene["doctor"], factories.user(Role.MANAGER, scene["station"]))
        return row

    return undo


def test_a_proposal_goes_with_the_signature_of_its_visit(undone):
    row = undone()
    assert (proposals.withdraw_undone(), proposals.withdraw_undone(), proposals.propose()) == (1, 0, 0)
    row.refresh_from_db()
    assert (row.state, row.decided_by) == ("withdrawn", None)


def test_what_a_person_decided_is_not_taken_back_by_a_job(undone, scene):
    row = undone(lambda row: fulfilment.confirm(evidence=row, by=scene["doctor"]))
    assert not fulfilment.retract(evidence=row)
    assert proposals.withdraw_undone() == 0
    row.refresh_from_db()
    assert row.state == "confirmed"


@pytest.mark.parametrize("absorbed", ["agreement", "visit", "both"])
def test_files_that_were_merged_are_one_person(scene, absorbed):
    line, signed = planned(scene, "visit"), scene["resident"]
    survivor = signed if absorbed == "visit" else factories.resident(scene["station"])
    other = factories.resident(scene["station"])
    gone = {"agreement": [signed], "visit": [other], "both": [signed, other]}[absorbed]
    visited = {"agreement": survivor, "visit": other, "both": other}[absorbed]
    visit = signed_visit({**scene, "resident": visited})
    type(signed).objects.filter(pk__in=[one.pk for one in gone]).update(merged_into=survivor)
    assert (proposals.propose(), proposals.propose()) == (1, 0)
    assert line.evidence.get().encounter == visit


@pytest.mark.parametrize(
    ("purpose", "state", "count"),
    [
        (Purpose.EDUCATION, "delivered", 1),
        (Purpose.FOLLOW_UP, "delivered", 1),
        (Purpose.AGREEMENT, "delivered", 0),
        (Purpose.EDUCATION, "failed", 0),
    ],
)
def test_a_delivered_message_shows_that_somebody_was_told(scene, purpose, state, count):
    line = planned(scene, "message")
    made = rows.message(rows.campaign(scene["station"], purpose=purpose), scene["resident"], state)
    assert (proposals.propose(), proposals.propose_all(), proposals.propose_all()) == (0, count, 0)
    assert [row.message for row in line.evidence.all()] == [made] * count


def test_a_job_that_stood_still_for_weeks_misses_nothing(scene):
    planned(scene, "visit")
    visit = signed_visit(scene)
    later = timezone.now() + timedelta(days=50)
    assert (proposals.propose(later), proposals.propose_all(later)) == (0, 1)
    assert Evidence.objects.get().encounter == visit


def test_two_agreements_on_files_that_were_merged_are_named(scene):
    survivor = factories.resident(scene["station"])
    build.agreement(survivor, scene["team"])
    assert verification.agreements().ok
    type(survivor).objects.filter(pk=scene["resident"].pk).update(merged_into=survivor)
    found = verification.agreements()
    assert not found.ok
    assert scene["agreement"].number in found.sentence
