"""An assistant's note waits for a doctor's word; the note itself stays as it was signed."""

import pytest

from clinic.codes import Act
from clinic.errors import Conflict, Forbidden, Refused
from clinic.models import AuditEntry
from emr.actions.reviews import review
from emr.codes import ReviewDecision
from emr.models import Note, NoteReview
from tests import factories
from tests.emr.conftest import COMPLETE

pytestmark = pytest.mark.django_db
APPROVED, RETURNED = ReviewDecision.APPROVED, ReviewDecision.RETURNED


@pytest.fixture
def signed(as_user, assistant, resident):
    """A note that the assistant charted and signed."""
    visit = factories.encounter(resident, assistant)
    page = as_user(assistant, visit)
    page.save(COMPLETE)
    assert page.sign(version=1).json()["needs_review"] is True
    return Note.objects.get(encounter=visit)


def waiting(user):
    return list(Note.objects.visible_to(user).awaiting_review())


def test_an_assistants_signed_note_waits(signed, doctor):
    assert waiting(doctor) == [signed]


def test_a_doctors_signed_note_does_not_wait(charting, doctor):
    charting.save(COMPLETE)
    charting.sign(version=1)
    assert waiting(doctor) == []


def test_approval_ends_the_waiting_and_leaves_the_note_alone(signed, doctor):
    before = Note.objects.filter(pk=signed.pk).values().get()
    row = review(note=signed, by=doctor, decision=APPROVED)
    assert (row.reviewer_name, waiting(doctor)) == (doctor.name, [])
    assert Note.objects.filter(pk=signed.pk).values().get() == before
    assert AuditEntry.objects.get(act=Act.REVIEW).detail == {"decision": "approved", "correction": 0}


def test_a_returned_note_still_waits_and_is_shown_to_its_author(signed, doctor, assistant, client):
    review(note=signed, by=doctor, decision=RETURNED, comment="现病史请补充伴随症状")
    assert waiting(doctor) == [signed]
    client.force_login(assistant)
    assert "退回给我的病历" in client.get("/").content.decode()


def test_a_returned_note_may_be_approved_later(signed, doctor, colleague):
    review(note=signed, by=doctor, decision=RETURNED, comment="补充")
    review(note=signed, by=colleague, decision=APPROVED)
    assert (NoteReview.objects.count(), list(Note.objects.returned())) == (2, [])


def test_returning_wants_a_comment(signed, doctor):
    with pytest.raises(Refused):
        review(note=signed, by=doctor, decision=RETURNED, comment="  ")


def test_an_approved_note_is_not_reviewed_again(signed, doctor, colleague):
    review(note=signed, by=doctor, decision=APPROVED)
    with pytest.raises(Conflict):
        review(note=signed, by=colleague, decision=RETURNED, comment="晚了")


def test_an_unsigned_note_is_not_reviewed(note, colleague):
    with pytest.raises(Refused):
        review(note=note, by=colleague, decision=APPROVED)


def test_the_author_does_not_review(signed, assistant):
    with pytest.raises(Forbidden):
        review(note=signed, by=assistant, decision=APPROVED)


def test_promoted_to_doctor_the_author_still_does_not_review_it(signed, assistant):
    assistant.role = "doctor"
    with pytest.raises(Forbidden):
        review(note=signed, by=assistant, decision=APPROVED)


def test_a_stranger_does_not_find_it(signed, stranger):
    with pytest.raises(Note.DoesNotExist):
        review(note=signed, by=stranger, decision=APPROVED)


def test_the_list_names_who_waits_and_leads_to_the_note(signed, client, doctor):
    client.force_login(doctor)
    page = client.get("/reviews").content.decode()
    assert signed.signer in page
    assert f"/reviews/{signed.uuid}" in page


def test_deciding_on_the_page(signed, client, doctor):
    client.force_login(doctor)
    assert "咳嗽3天" in client.get(f"/reviews/{signed.uuid}").content.decode()
    answer = client.post(f"/reviews/{signed.uuid}", {"decision": "approved", "comment": ""})
    assert answer.headers["Location"] == "/reviews"
    assert NoteReview.objects.get().decision == APPROVED


@pytest.mark.parametrize(
    "typed",
    [
        {"decision": ""},
        {"decision": "maybe"},
        {"decision": "returned", "comment": ""},
        {"decision": "approved", "comment": "长" * 2001},
    ],
)
def test_a_faulty_review_is_a_sentence_with_the_input_kept(signed, client, doctor, typed):
    client.force_login(doctor)
    answer = client.post(f"/reviews/{signed.uuid}", typed)
    assert answer.status_code == 400
    assert typed.get("comment", "") in answer.content.decode()
    assert not NoteReview.objects.exists()
