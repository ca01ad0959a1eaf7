"""A signature given in error is undone under leave: rewritten, or the whole note made void. Nothing is deleted."""

import uuid

import pytest

from clinic.errors import Conflict
from emr.drafting import prefill
from emr.models import Correction, Diagnosis, StandingHistory
from tests import factories
from tests.emr.amending import (
    UNDO,
    CorrectionPage,
    allowed,
    begin,
    corrected,
    made_void,
    save,
    signed_note,
    state,
)
from tests.emr.conftest import COMPLETE

pytestmark = pytest.mark.django_db


@pytest.fixture
def note(client, resident, doctor):
    return signed_note(client, resident, doctor)


@pytest.fixture
def void(note, doctor, manager):
    return made_void(note, doctor, manager)


def test_a_rewritten_text_is_signed_under_leave(note, doctor, manager):
    leave = allowed(note, doctor, manager, UNDO)
    made = corrected(note, doctor, {"chief_complaint": "头痛1天"}, kind=UNDO)
    assert (made.request, made.void) == (leave, False)


def test_a_void_note_has_no_lines_in_force(void):
    assert (Diagnosis.objects.count(), Diagnosis.objects.in_force().count()) == (1, 0)


def test_a_void_note_is_struck_wherever_it_is_shown(client, note, void, doctor, resident):
    client.force_login(doctor)
    chart = client.get(f"/visits/{note.encounter.uuid}/").content.decode()
    assert ("is-void" in chart, "作废" in chart, "写错病人" in chart) == (True, True, True)
    assert "作废" in client.get(f"/residents/{resident.uuid}/").content.decode()


def test_a_void_note_is_corrected_no_more(note, void, doctor, manager):
    with pytest.raises(Conflict) as refused:
        begin(note, doctor)
    assert refused.value.code == "void"


def test_nothing_of_a_void_note_is_carried_over(note, void, resident, doctor):
    assert prefill.for_start(factories.encounter(resident, doctor)) == {}


def test_needs_no_requirements_and_takes_no_saves(note, doctor, manager):
    allowed(note, doctor, manager, UNDO)
    draft = begin(note, doctor, kind=UNDO, void=True)
    with pytest.raises(Conflict) as refused:
        save(draft, doctor, {"signs": "改"})
    assert refused.value.code == "void"


def test_is_signed_with_the_password_on_a_page_of_its_own(client, note, doctor, manager):
    allowed(note, doctor, manager, UNDO)
    draft = begin(note, doctor, kind=UNDO, void=True)
    page = CorrectionPage(client, doctor, draft)
    assert COMPLETE["present_illness"] in client.get(page.at).content.decode()
    key = str(uuid.uuid4())
    assert client.post(page.at + "void", {"key": key, "password": "wrong"}).status_code == 403
    assert client.post(page.at + "void", {"key": key, "password": factories.PASSWORD}).status_code == 302
    assert client.post(page.at + "void", {"key": key, "password": factories.PASSWORD}).status_code == 302
    assert Correction.objects.get().is_signed


def test_an_ordinary_correction_is_not_signed_that_way(client, note, doctor):
    draft = begin(note, doctor)
    page = CorrectionPage(client, doctor, draft)
    answer = client.post(page.at + "void", {"key": str(uuid.uuid4()), "password": factories.PASSWORD})
    assert (answer.status_code, state(draft)["signed_at"]) == (400, None)


class TestStandingHistory:
    """What the note gave to the resident's standing past history goes the way of the note."""

    def text(self):
        return StandingHistory.objects.get().text

    def test_follows_a_correction(self, note, doctor):
        assert self.text() == COMPLETE["past_history"]
        corrected(note, doctor, {"past_history": "高血压10年。"})
        assert self.text() == "高血压10年。"

    def test_goes_back_where_the_note_is_void(self, client, resident, doctor, manager, note):
        later = signed_note(client, resident, doctor, past_history="错记：糖尿病。")
        assert self.text() == "错记：糖尿病。"
        made_void(later, doctor, manager)
        assert self.text() == COMPLETE["past_history"]

    def test_stays_where_something_else_was_written_since(self, client, resident, doctor, manager, note):
        signed_note(client, resident, doctor, past_history="后来的既往史。")
        made_void(note, doctor, manager)
        assert self.text() == "后来的既往史。"
