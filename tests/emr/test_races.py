"""Two at once, with real connections: one wins, the other is told, and nothing is half-written."""

import uuid
from threading import Barrier, Thread

import pytest
from django.db import connection

from clinic.errors import Refused
from emr.actions import corrections, drafts, signing, visits
from emr.actions.change_requests import decide, withdraw_request
from emr.codes import EncounterStatus
from emr.models import Encounter, Note, Save
from tests import factories
from tests.emr import amending
from tests.emr.conftest import COMPLETE

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS = 20
FEW = 8


def at_once(*acts):
    """Run the acts in threads that begin together; the outcome of each: its value or its exception."""
    barrier, outcomes = Barrier(len(acts)), [None] * len(acts)

    def run(place, act):
        try:
            barrier.wait()
            outcomes[place] = act()
        except Exception as error:
            outcomes[place] = error
        finally:
            connection.close()

    threads = [Thread(target=run, args=pair) for pair in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    unexpected = [
        outcome for outcome in outcomes if isinstance(outcome, Exception) and not isinstance(outcome, Refused)
    ]
    assert not unexpected
    return outcomes


def codes(outcomes):
    return sorted(outcome.code for outcome in outcomes if isinstance(outcome, Refused))


def save(note, by, text, version=0, key=None):
    return drafts.save_draft(
        encounter=note.encounter.uuid,
        key=key or uuid.uuid4(),
        version=version,
        changes={"treatment": text},
        by=by,
    )


def test_two_doctors_start_one_visit(station, clerk, doctor, colleague):
    for number in range(ROUNDS):
        person = factories.resident(station, f"居民{number}")
        visit = visits.check_in(resident=person, institution=station, by=clerk)
        outcomes = at_once(
            lambda visit=visit: visits.start(encounter=visit, by=doctor),
            lambda visit=visit: visits.start(encounter=visit, by=colleague),
        )
        assert codes(outcomes) == ["taken"]
        kept = Encounter.objects.select_related("note").get(pk=visit.pk)
        assert kept.note.author_id == kept.doctor_id


def test_two_clicks_of_one_key_are_one_visit(station, clerk):
    for number in range(ROUNDS):
        person, key = factories.resident(station, f"居民{number}"), uuid.uuid4()
        click = lambda person=person, key=key: visits.check_in(  # noqa: E731
            resident=person, institution=station, by=clerk, key=key
        )
        assert len({visit.pk for visit in at_once(click, click)}) == 1


def test_two_desks_check_in_one_resident(station, clerk, nurse):
    for number in range(ROUNDS):
        person = factories.resident(station, f"居民{number}")
        outcomes = at_once(
            lambda person=person: visits.check_in(resident=person, institution=station, by=clerk),
            lambda person=person: visits.check_in(resident=person, institution=station, by=nurse),
        )
        assert codes(outcomes) == ["waiting"]


def test_two_windows_save_one_version(station, doctor):
    for number in range(ROUNDS):
        note = factories.encounter(factories.resident(station, f"居民{number}"), doctor).note
        outcomes = at_once(
            lambda note=note: save(note, doctor, "甲"), lambda note=note: save(note, doctor, "乙")
        )
        assert codes(outcomes) == ["stale"]
        kept = Note.objects.get(pk=note.pk)
        assert (kept.version, kept.treatment) == (1, Save.objects.get(note=note).changes["treatment"])


def test_one_save_sent_twice_is_stored_once(station, doctor):
    for number in range(ROUNDS):
        note, key = (
            factories.encounter(factories.resident(station, f"居民{number}"), doctor).note,
            uuid.uuid4(),
        )
        send = lambda note=note, key=key: save(note, doctor, "甲", key=key)  # noqa: E731
        assert len({saved.pk for saved in at_once(send, send)}) == 1


def test_a_save_and_a_signature(station, doctor):
    """Either the text is in what was signed, or the save is refused: never signed without it and told saved."""
    for number in range(ROUNDS):
        note = factories.encounter(factories.resident(station, f"居民{number}"), doctor, **COMPLETE).note
        outcomes = at_once(
            lambda note=note: save(note, doctor, "后到"),
            lambda note=note: signing.sign(
                encounter=note.encounter.uuid, key=uuid.uuid4(), version=0, by=doctor
            ),
        )
        kept = Note.objects.get(pk=note.pk)
        assert codes(outcomes) in (["signed"], ["stale"])
        assert (kept.signed_at is None) == (kept.treatment == "后到")


def test_a_save_and_a_cancellation(station, doctor):
    for number in range(ROUNDS):
        note = factories.encounter(factories.resident(station, f"居民{number}"), doctor).note
        outcomes = at_once(
            lambda note=note: save(note, doctor, "甲"),
            lambda note=note: visits.cancel(encounter=note.encounter, by=doctor, reason="走了"),
        )
        saved = not isinstance(outcomes[0], Refused)
        assert (Note.objects.get(pk=note.pk).treatment == "甲") is saved
        assert Encounter.objects.get(pk=note.encounter_id).status == EncounterStatus.CANCELLED


def test_two_signatures_of_one_note(station, doctor):
    for number in range(ROUNDS):
        note = factories.encounter(factories.resident(station, f"居民{number}"), doctor, **COMPLETE).note
        sign = lambda note=note: signing.sign(  # noqa: E731
            encounter=note.encounter.uuid, key=uuid.uuid4(), version=0, by=doctor
        )
        assert codes(at_once(sign, sign)) == ["signed"]
        assert note.diagnosis_rows.count() == 1


def test_a_signature_and_another_click_on_start(station, doctor):
    """Neither waits for the other for ever: the signature's lines point at the person whom the click locks."""
    for number in range(ROUNDS):
        note = factories.encounter(factories.resident(station, f"居民{number}"), doctor, **COMPLETE).note
        person = note.encounter.resident
        at_once(
            lambda person=person: visits.start_for(resident=person, by=doctor),
            lambda note=note: signing.sign(
                encounter=note.encounter.uuid, key=uuid.uuid4(), version=0, by=doctor
            ),
        )
        assert Note.objects.get(pk=note.pk).is_signed


@pytest.fixture
def signed(client, station, doctor):
    """As many signed notes as there are rounds."""
    return [
        amending.signed_note(client, factories.resident(station, f"居民{number}"), doctor)
        for number in range(FEW)
    ]


def test_two_clicks_open_one_correction(signed, doctor):
    for note in signed:
        outcomes = at_once(
            lambda note=note: amending.begin(note, doctor), lambda note=note: amending.begin(note, doctor)
        )
        assert codes(outcomes) == ["open"]
        assert note.corrections.count() == 1


def test_one_click_sent_twice_is_one_correction(signed, doctor):
    for note in signed:
        key = uuid.uuid4()
        open_it = lambda note=note, key=key: amending.begin(note, doctor, key=key)  # noqa: E731
        assert len({row.pk for row in at_once(open_it, open_it)}) == 1


def test_a_save_and_the_signature_of_a_correction(signed, doctor):
    """Either the text is in what was signed, or the save is refused. Neither waits for the other for ever."""
    for note in signed:
        draft = amending.begin(note, doctor)
        version = amending.save(draft, doctor, {"signs": "先到"}).version
        outcomes = at_once(
            lambda draft=draft, version=version: amending.save(
                draft, doctor, {"signs": "后到"}, version=version
            ),
            lambda draft=draft, version=version: corrections.sign_correction(
                correction=draft.uuid, key=uuid.uuid4(), version=version, by=doctor
            ),
        )
        assert codes(outcomes) in (["signed"], ["stale"])
        draft.refresh_from_db()
        assert draft.is_signed == (draft.signs == "先到")


def test_two_signatures_of_one_correction(signed, doctor):
    for note in signed:
        draft = amending.begin(note, doctor)
        amending.save(draft, doctor, {"signs": "改"})
        draft.refresh_from_db()
        sign = lambda draft=draft: corrections.sign_correction(  # noqa: E731
            correction=draft.uuid, key=uuid.uuid4(), version=draft.version, by=doctor
        )
        assert codes(at_once(sign, sign)) == ["signed"]
        assert draft.diagnosis_rows.count() == 1


def test_a_signature_and_a_withdrawal_of_a_correction(signed, doctor):
    for note in signed:
        draft = amending.begin(note, doctor)
        amending.save(draft, doctor, {"signs": "改"})
        draft.refresh_from_db()
        outcomes = at_once(
            lambda draft=draft: corrections.sign_correction(
                correction=draft.uuid, key=uuid.uuid4(), version=draft.version, by=doctor
            ),
            lambda draft=draft: corrections.withdraw(correction=draft.uuid, by=doctor),
        )
        assert codes(outcomes) in (["signed"], ["withdrawn"])


def test_two_managers_decide_at_once(signed, doctor, manager, centre):
    other = factories.user("manager", centre, name="另一人")
    for note in signed:
        asked = amending.ask(note, doctor, "undo")
        outcomes = at_once(
            lambda asked=asked: decide(change_request=asked, by=manager, approve=True),
            lambda asked=asked: decide(change_request=asked, by=other, approve=False, answer="不行"),
        )
        assert codes(outcomes) == ["decided"]
        winner = next(outcome for outcome in outcomes if not isinstance(outcome, Refused))
        asked.refresh_from_db()
        assert (asked.state, asked.decided_by) == (winner.state, winner.decided_by)


def test_a_decision_and_a_withdrawal_of_the_request(signed, doctor, manager):
    for note in signed:
        asked = amending.ask(note, doctor, "undo")
        outcomes = at_once(
            lambda asked=asked: decide(change_request=asked, by=manager, approve=True),
            lambda asked=asked: withdraw_request(change_request=asked, by=doctor),
        )
        assert codes(outcomes) == ["decided"]
