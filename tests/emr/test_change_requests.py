"""Leave for archived notes and undone signatures: asked by the writer, decided by the centre's administration."""

import uuid

import pytest
from django.utils import timezone

from clinic.codes import Act, Role
from clinic.errors import Conflict, Refused
from clinic.models import AuditEntry
from emr.actions.change_requests import decide, withdraw_request
from emr.codes import RequestState
from emr.models import ChangeRequest, Correction, Encounter
from emr.signed import archive
from tests import factories
from tests.emr.amending import CORRECT, UNDO, allowed, ask, begin, corrected, save, sign, signed_note

pytestmark = pytest.mark.django_db


@pytest.fixture
def note(client, resident, doctor):
    return signed_note(client, resident, doctor)


@pytest.fixture
def archived(note, settings):
    settings.ARCHIVE_HOURS = 0
    return note


@pytest.fixture
def asked(archived, doctor):
    return ask(archived, doctor)


def code_of(act):
    with pytest.raises(Refused) as refused:
        act()
    return refused.value.code


class TestArchive:
    def test_begins_hours_after_the_signature(self, note, settings):
        assert archive.since(note) is None
        assert archive.since(note, now=archive.due(note)) == archive.due(note)
        assert (archive.due(note) - note.signed_at).total_seconds() == settings.ARCHIVE_HOURS * 3600

    def test_a_correction_does_not_put_it_off(self, note, doctor):
        due = archive.due(note)
        corrected(note, doctor, {"signs": "改"})
        note.refresh_from_db()
        assert archive.due(note) == due

    def test_an_archived_note_says_so_and_asks_for_leave(self, client, archived, doctor):
        client.force_login(doctor)
        assert "归档" in client.get(f"/visits/{archived.encounter.uuid}/").content.decode()
        assert code_of(lambda: begin(archived, doctor)) == "leave"

    def test_with_leave_it_is_corrected(self, archived, doctor, manager):
        leave = allowed(archived, doctor, manager)
        assert corrected(archived, doctor, {"signs": "改"}).request == leave

    def test_leave_is_used_once(self, archived, doctor, manager):
        allowed(archived, doctor, manager)
        corrected(archived, doctor, {"signs": "改"})
        assert code_of(lambda: begin(archived, doctor)) == "leave"

    def test_leave_runs_out(self, archived, doctor, manager, settings):
        allowed(archived, doctor, manager)
        settings.CHANGE_REQUEST_HOURS = 0
        assert code_of(lambda: begin(archived, doctor)) == "leave"

    def test_leave_that_ran_out_before_the_signature_wants_a_new_one(
        self, archived, doctor, manager, settings
    ):
        allowed(archived, doctor, manager)
        draft = begin(archived, doctor)
        save(draft, doctor, {"signs": "改"})
        settings.CHANGE_REQUEST_HOURS = 0
        assert code_of(lambda: sign(draft, doctor)) == "leave"
        settings.CHANGE_REQUEST_HOURS = 72
        assert sign(draft, doctor).is_signed

    def test_a_draft_overtaken_by_the_archive_is_signed_with_leave(self, note, doctor, manager, settings):
        draft = begin(note, doctor)
        save(draft, doctor, {"signs": "改"})
        settings.ARCHIVE_HOURS = 0
        assert code_of(lambda: sign(draft, doctor)) == "leave"
        leave = allowed(note, doctor, manager)
        assert sign(draft, doctor).request == leave

    def test_leave_to_correct_does_not_undo_nor_is_it_another_doctors(
        self, client, resident, assistant, doctor, manager, settings
    ):
        note = signed_note(client, resident, assistant)
        settings.ARCHIVE_HOURS = 0
        allowed(note, assistant, manager)
        assert code_of(lambda: begin(note, assistant, kind=UNDO)) == "leave"
        assert code_of(lambda: begin(note, doctor)) == "leave"


class TestAsking:
    def test_waits_and_stands_in_the_trail(self, asked, doctor):
        assert (asked.state, asked.requested_by) == (RequestState.WAITING, doctor)
        assert AuditEntry.objects.get(act=Act.REQUEST).detail == {"kind": "correct"}

    def test_the_same_key_is_the_same_request(self, archived, doctor):
        key = uuid.uuid4()
        assert ask(archived, doctor, key=key) == ask(archived, doctor, key=key)
        assert code_of(lambda: ask(archived, doctor, key=key, reason="另一个")) == "key"

    def test_once_at_a_time(self, asked, archived, doctor):
        assert code_of(lambda: ask(archived, doctor)) == "waiting"

    def test_before_the_archive_it_is_needless(self, note, doctor):
        assert code_of(lambda: ask(note, doctor)) == "needless"

    def test_undoing_always_wants_it(self, note, doctor):
        assert ask(note, doctor, UNDO).kind == UNDO

    @pytest.mark.parametrize("facts", [{"reason": " "}, {"reason": "长" * 501}, {"kind": "other"}])
    def test_a_faulty_one_is_refused(self, archived, doctor, facts):
        assert code_of(lambda: ask(archived, doctor, **facts)) in ("reason", "kind")

    def test_is_the_writers(self, archived, colleague):
        assert code_of(lambda: ask(archived, colleague)) == "author"

    def test_a_stranger_finds_nothing_to_ask_for(self, archived, stranger):
        with pytest.raises(Encounter.DoesNotExist):
            ask(archived, stranger)

    def test_a_draft_needs_none(self, encounter, doctor):
        assert code_of(lambda: ask(encounter.note, doctor, UNDO)) == "unsigned"

    def test_is_withdrawn_by_its_writer_alone(self, asked, doctor, colleague, manager):
        assert code_of(lambda: withdraw_request(change_request=asked, by=colleague)) == "author"
        assert withdraw_request(change_request=asked, by=doctor).state == RequestState.WITHDRAWN
        assert code_of(lambda: decide(change_request=asked, by=manager, approve=True)) == "decided"


class TestDeciding:
    def test_approval_names_who_and_when(self, asked, manager):
        row = decide(change_request=asked, by=manager, approve=True, answer="同意")
        assert (row.state, row.decided_by, row.answer) == (RequestState.APPROVED, manager, "同意")
        assert abs((timezone.now() - row.decided_at).total_seconds()) < 5
        assert AuditEntry.objects.get(act=Act.DECIDE).detail == {"state": "approved", "kind": "correct"}

    def test_a_refusal_wants_an_answer_and_gives_no_leave(self, asked, archived, doctor, manager):
        assert (
            code_of(lambda: decide(change_request=asked, by=manager, approve=False, answer=" ")) == "answer"
        )
        decide(change_request=asked, by=manager, approve=False, answer="理由不足")
        assert code_of(lambda: begin(archived, doctor)) == "leave"

    def test_the_second_is_told_who_decided(self, asked, manager, centre):
        decide(change_request=asked, by=manager, approve=True)
        second = factories.user(Role.MANAGER, centre, name="另一人")
        with pytest.raises(Conflict, match=manager.name):
            decide(change_request=asked, by=second, approve=False, answer="不行")

    def test_nobody_decides_on_their_own(self, asked, doctor):
        doctor.role = Role.MANAGER
        assert code_of(lambda: decide(change_request=asked, by=doctor, approve=True)) == "own"

    @pytest.mark.parametrize("who", ["doctor", "colleague", "assistant"])
    def test_is_not_a_doctors(self, asked, who, request):
        by = request.getfixturevalue(who)
        assert code_of(lambda: decide(change_request=asked, by=by, approve=True)) == "right"

    def test_of_another_centre_is_out_of_reach(self, asked, other_centre):
        other = factories.user(Role.MANAGER, other_centre)
        with pytest.raises(ChangeRequest.DoesNotExist):
            decide(change_request=asked, by=other, approve=True)

    def test_the_residents_home_centre_does_not_decide_for_the_visits(
        self, client, station, other_centre, other_station, stranger, settings
    ):
        """The resident lives here, the visit was elsewhere: the file is in reach, the leave is theirs to give."""
        note = signed_note(client, factories.resident(station), stranger)
        settings.ARCHIVE_HOURS = 0
        home = factories.user(Role.MANAGER, station.parent)
        assert (
            code_of(lambda: decide(change_request=ask(note, stranger), by=home, approve=True)) == "elsewhere"
        )


class TestOwnPage:
    def test_asking_on_the_page(self, client, archived, doctor):
        client.force_login(doctor)
        shown = client.get(f"/visits/{archived.encounter.uuid}/corrections").content.decode()
        assert "向医务管理申请修改" in shown
        typed = {"key": str(uuid.uuid4()), "reason": "天数写错", "kind": "correct"}
        answer = client.post(f"/visits/{archived.encounter.uuid}/change-requests", typed)
        assert answer.headers["Location"] == "/change-requests"
        listed = client.get("/change-requests").content.decode()
        assert ("天数写错" in listed, "待审批" in listed) == (True, True)

    @pytest.mark.parametrize("typed", [{}, {"reason": "", "kind": "undo"}, {"reason": "理由", "kind": "all"}])
    def test_a_faulty_form_is_a_sentence(self, client, archived, doctor, typed):
        client.force_login(doctor)
        form = {"key": str(uuid.uuid4()), **typed}
        answer = client.post(f"/visits/{archived.encounter.uuid}/change-requests", form)
        assert (answer.status_code, ChangeRequest.objects.count()) == (400, 0)

    def test_withdrawing_on_the_page(self, client, asked, doctor, colleague):
        client.force_login(colleague)
        client.post(f"/change-requests/{asked.uuid}/withdraw")
        asked.refresh_from_db()
        assert asked.state == RequestState.WAITING
        assert AuditEntry.objects.filter(act=Act.DENIED, detail__code="author").exists()
        client.force_login(doctor)
        client.post(f"/change-requests/{asked.uuid}/withdraw")
        asked.refresh_from_db()
        assert asked.state == RequestState.WITHDRAWN

    def test_shows_ones_own_alone(self, client, asked, colleague):
        client.force_login(colleague)
        assert asked.reason not in client.get("/change-requests").content.decode()

    def test_costs_few_queries_at_any_length(
        self, client, archived, doctor, manager, django_assert_max_num_queries
    ):
        for _n in range(6):
            allowed(archived, doctor, manager)
        client.force_login(doctor)
        client.get("/change-requests")
        with django_assert_max_num_queries(12):
            client.get("/change-requests?page=1")


class TestDesk:
    LIST = "/admin/emr/changerequest/"

    @pytest.fixture
    def desk(self, client, asked, manager):
        client.force_login(manager)
        return client

    def post(self, desk, asked, **form):
        return desk.post(f"{self.LIST}{asked.uuid}/decide/", form)

    def test_the_first_page_leads_there(self, desk):
        assert self.LIST in desk.get("/admin/").content.decode()

    def test_the_list_shows_what_waits(self, desk, asked, manager):
        assert str(asked.uuid) in desk.get(self.LIST).content.decode()
        decide(change_request=asked, by=manager, approve=True)
        assert str(asked.uuid) not in desk.get(self.LIST).content.decode()
        assert str(asked.uuid) in desk.get(f"{self.LIST}?state=approved").content.decode()

    def test_the_page_shows_the_text_in_force_and_the_reason(self, desk, asked):
        shown = desk.get(f"{self.LIST}{asked.uuid}/change/").content.decode()
        assert (asked.reason in shown, asked.note.present_illness in shown) == (True, True)
        assert AuditEntry.objects.filter(act=Act.VIEW, object_id=str(asked.uuid)).exists()

    def test_approving(self, desk, asked):
        assert self.post(desk, asked, decision="approve").headers["Location"] == self.LIST
        asked.refresh_from_db()
        assert asked.state == RequestState.APPROVED

    def test_refusing_without_an_answer_keeps_the_page(self, desk, asked):
        answer = self.post(desk, asked, decision="refuse")
        assert (answer.status_code, "请写明不同意的理由" in answer.content.decode()) == (400, True)
        assert AuditEntry.objects.filter(act=Act.REFUSED, reason="answer").exists()

    def test_the_second_decision_is_told_who_was_first(self, desk, asked, centre):
        decide(change_request=asked, by=factories.user(Role.MANAGER, centre, name="孙主任"), approve=True)
        answer = self.post(desk, asked, decision="refuse", answer="不行")
        assert (answer.status_code, "孙主任" in answer.content.decode()) == (409, True)
        asked.refresh_from_db()
        assert asked.state == RequestState.APPROVED

    def test_ones_own_is_refused_and_stands_in_the_trail(self, client, asked, doctor):
        doctor.role = Role.MANAGER
        doctor.save()
        client.force_login(doctor)
        answer = self.post(client, asked, decision="approve")
        assert (answer.status_code, "不能审批自己的申请" in answer.content.decode()) == (403, True)
        assert AuditEntry.objects.filter(act=Act.DENIED).exists()
        asked.refresh_from_db()
        assert asked.state == RequestState.WAITING

    def test_another_centre_finds_nothing(self, client, asked, other_centre):
        client.force_login(factories.user(Role.MANAGER, other_centre))
        assert client.get(f"{self.LIST}{asked.uuid}/change/").status_code == 404
        assert self.post(client, asked, decision="approve").status_code == 404

    @pytest.mark.parametrize("who", ["clerk", "auditor", "secadmin"])
    def test_other_desks_have_no_such_page(self, client, asked, who, request):
        client.force_login(request.getfixturevalue(who))
        assert client.get(self.LIST).status_code == 403
        assert client.get(f"{self.LIST}{asked.uuid}/change/").status_code in (403, 404)

    def test_corrections_are_listed_with_their_versions(self, client, archived, doctor, manager):
        allowed(archived, doctor, manager)
        made = corrected(archived, doctor, {"signs": "改"})
        client.force_login(manager)
        listed = client.get("/admin/emr/correction/").content.decode()
        assert (made.reason in listed, f"/visits/{archived.encounter.uuid}/versions" in listed) == (
            True,
            True,
        )
        assert client.get(f"/admin/emr/correction/{made.uuid}/history/").status_code == 200
        assert Correction.objects.get().kind == CORRECT
