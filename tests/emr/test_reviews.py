"""An assistant's note waits for a doctor's word; the note itself stays as it was signed."""

import pytest

from clinic.codes import Act
from clinic.errors import Conflict, Forbidden, Refused
from clinic.models import AuditEntry
from emr.actions.reviews import review
from emr.codes import ReviewDecision
from emr.models import Note, NoteReview
from emr.signed import versions
from tests import factories
from tests.emr import amending
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


class TestOfCorrections:
    """What counts is the last signed version."""

    def test_a_correction_by_the_assistant_waits_again(self, signed, assistant, doctor):
        review(note=signed, by=doctor, decision=APPROVED)
        amending.corrected(signed, assistant, {"signs": "改"})
        assert waiting(doctor) == [signed]
        row = review(note=signed, by=doctor, decision=APPROVED)
        assert (row.correction.number, waiting(doctor)) == (1, [])

    def test_a_returned_note_that_was_corrected_is_returned_no_more(self, signed, assistant, doctor):
        review(note=signed, by=doctor, decision=RETURNED, comment="补充")
        assert list(Note.objects.returned()) == [signed]
        amending.corrected(signed, assistant, {"signs": "补充了"})
        assert (list(Note.objects.returned()), waiting(doctor)) == ([], [signed])

    def test_a_returned_correction_is_returned(self, signed, assistant, doctor):
        amending.corrected(signed, assistant, {"signs": "改"})
        review(note=signed, by=doctor, decision=RETURNED, comment="仍不足")
        assert (list(Note.objects.returned()), waiting(doctor)) == ([signed], [signed])

    def test_the_supervisors_correction_settles_it_and_is_traced_as_such(self, signed, doctor, colleague):
        made = amending.corrected(signed, doctor, {"signs": "上级改"})
        row = NoteReview.objects.get()
        assert (row.correction, row.reviewer, row.decision, made.needs_review) == (
            made,
            doctor,
            APPROVED,
            False,
        )
        assert waiting(colleague) == []
        assert versions.of(signed)[-1].supervising
        with pytest.raises(Conflict):
            review(note=signed, by=colleague, decision=APPROVED)

    def test_the_assistants_word_after_the_supervisors_waits(self, signed, assistant, doctor):
        amending.corrected(signed, doctor, {"signs": "上级改"})
        amending.corrected(signed, assistant, {"signs": "又改"})
        assert waiting(doctor) == [signed]

    def test_promoted_to_doctor_the_author_settles_nothing_by_correcting(self, signed, assistant, doctor):
        assistant.role = "doctor"
        assistant.save()
        amending.corrected(signed, assistant, {"signs": "改"})
        assert waiting(doctor) == [signed]
        with pytest.raises(Forbidden):
            review(note=signed, by=assistant, decision=APPROVED)

    def test_a_void_note_waits_no_more(self, signed, assistant, doctor, manager):
        amending.made_void(signed, assistant, manager)
        assert waiting(doctor) == []
        with pytest.raises(Refused):
            review(note=signed, by=doctor, decision=APPROVED)

    def test_what_was_not_read_is_not_approved(self, signed, client, assistant, doctor):
        client.force_login(doctor)
        page = client.get(f"/reviews/{signed.uuid}").content.decode()
        assert 'name="seen" value="1"' in page
        amending.corrected(signed, assistant, {"signs": "改"})
        answer = client.post(f"/reviews/{signed.uuid}", {"decision": "approved", "seen": "1"})
        assert (answer.status_code, "刚被修正" in answer.content.decode()) == (400, True)
        assert not NoteReview.objects.exists()

    def test_the_pages_show_what_is_in_force(self, signed, client, assistant, doctor):
        name = [{"system": "", "name": "改后的诊断", "certainty": "confirmed", "primary": True}]
        amending.corrected(signed, assistant, {"diagnoses": name})
        client.force_login(doctor)
        assert "改后的诊断" in client.get("/reviews").content.decode()
        assert "改后的诊断" in client.get(f"/reviews/{signed.uuid}").content.decode()

    def test_a_returned_note_leads_its_writer_to_correct(self, signed, client, assistant, doctor):
        review(note=signed, by=doctor, decision=RETURNED, comment="补充")
        client.force_login(assistant)
        page = client.get(f"/visits/{signed.encounter.uuid}/").content.decode()
        assert f'btn-warning" href="/visits/{signed.encounter.uuid}/corrections"' in page

    def test_the_list_costs_the_same_for_any_number(
        self, client, station, assistant, doctor, django_assert_max_num_queries
    ):
        for number in range(5):
            note = amending.signed_note(client, factories.resident(station), assistant)
            if number % 2:
                amending.corrected(note, assistant, {"signs": "改"})
        client.force_login(doctor)
        client.get("/reviews")
        with django_assert_max_num_queries(8):
            client.get("/reviews")
