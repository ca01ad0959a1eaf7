"""After the signature: a further version with its own reason and signature; what was signed stays as it was."""

import json
import uuid

import pytest
from django.utils import timezone

from clinic.codes import Act
from clinic.errors import Conflict, Forbidden, Refused
from clinic.models import AuditEntry
from emr.actions import corrections
from emr.models import Correction, Diagnosis, Encounter, Medication, Note, NoteReview, Save
from tests import factories
from tests.emr.amending import (
    REASON,
    UNDO,
    CorrectionPage,
    begin,
    corrected,
    save,
    sign,
    signed_note,
    state,
)  # fmt: skip

pytestmark = pytest.mark.django_db
HOSTILE = "<script>alert(1)</script>𠮷😀\u202e倒"


@pytest.fixture
def note(client, resident, doctor):
    return signed_note(client, resident, doctor)


@pytest.fixture
def draft(note, doctor):
    """An open correction of the doctor's note: version 2, the signature's."""
    return begin(note, doctor)


@pytest.fixture
def page(client, draft, doctor):
    return CorrectionPage(client, doctor, draft)


class TestOpening:
    def test_begins_with_the_text_in_force_and_counts_on(self, note, draft):
        assert (draft.number, draft.version, draft.reason) == (1, note.version, REASON)
        assert all(getattr(draft, name) == getattr(note, name) for name in Note.DRAFT_FIELDS)

    def test_stands_in_the_trail_and_the_history(self, draft):
        assert AuditEntry.objects.get(act=Act.CORRECT).detail["event"] == "open"
        assert draft.history.count() == 1

    def test_the_second_begins_with_what_the_first_left(self, note, doctor):
        corrected(note, doctor, {"chief_complaint": "咳嗽5天"})
        second = begin(note, doctor)
        assert (second.number, second.chief_complaint, second.version) == (2, "咳嗽5天", note.version + 2)

    def test_a_withdrawn_one_leaves_its_number_and_its_versions(self, note, draft, doctor):
        save(draft, doctor, {"signs": "改"})
        corrections.withdraw(correction=draft.uuid, by=doctor)
        after = begin(note, doctor)
        assert (after.number, after.version, after.signs) == (2, note.version + 1, note.signs)

    def test_the_same_key_is_the_same_correction(self, note, doctor):
        key = uuid.uuid4()
        assert begin(note, doctor, key=key) == begin(note, doctor, key=key)
        with pytest.raises(Refused) as refused:
            begin(note, doctor, key=key, reason="另一理由")
        assert refused.value.code == "key"

    def test_content_is_its_first_save(self, note, doctor):
        made = begin(note, doctor, content={"treatment": "恢复的文字"})
        assert Save.objects.get(correction=made).changes == {"treatment": "恢复的文字"}
        assert (made.treatment, made.version) == ("恢复的文字", note.version + 1)

    def test_a_second_writer_is_told_who_writes(self, client, resident, assistant, doctor, colleague):
        note = signed_note(client, resident, assistant)
        begin(note, doctor)
        with pytest.raises(Conflict, match=doctor.name) as refused:
            begin(note, colleague)
        assert refused.value.code == "open"

    @pytest.mark.parametrize(
        ("facts", "code"),
        [
            ({"reason": "  "}, "reason"), ({"reason": "长" * 501}, "reason"), ({"kind": "other"}, "kind"),
            ({"void": True}, "kind"), ({"kind": UNDO}, "leave"),
        ],
    )  # fmt: skip
    def test_is_refused_with_a_sentence(self, note, doctor, facts, code):
        with pytest.raises(Refused) as refused:
            begin(note, doctor, **facts)
        assert (refused.value.code, Correction.objects.count()) == (code, 0)

    @pytest.mark.parametrize(
        ("change", "code"),
        [
            ({"signed_at": None, "signed_by": None}, "unsigned"), ({"imported": True}, "imported"),
        ],
    )  # fmt: skip
    def test_of_what_was_never_signed_is_refused(self, resident, doctor, change, code):
        note = factories.encounter(resident, doctor, **change).note
        with pytest.raises(Conflict) as refused:
            begin(note, doctor)
        assert refused.value.code == code

    def test_of_a_cancelled_visit_is_refused(self, resident, doctor):
        visit = factories.encounter(resident, doctor)
        Encounter.objects.filter(pk=visit.pk).update(status="cancelled", cancel_reason="走了")
        with pytest.raises(Conflict) as refused:
            begin(visit.note, doctor)
        assert refused.value.code == "cancelled"

    def test_is_not_a_colleagues(self, note, colleague):
        with pytest.raises(Forbidden) as refused:
            begin(note, colleague)
        assert refused.value.code == "author"

    @pytest.mark.parametrize("who", ["nurse", "clerk", "manager"])
    def test_is_not_of_other_roles(self, client, note, who, request):
        client.force_login(request.getfixturevalue(who))
        assert client.get(f"/visits/{note.encounter.uuid}/corrections").status_code == 403

    def test_a_stranger_finds_nothing(self, note, stranger):
        with pytest.raises(Encounter.DoesNotExist):
            begin(note, stranger)

    def test_has_an_end(self, note, doctor, monkeypatch):
        monkeypatch.setattr(corrections, "MOST", 1)
        corrected(note, doctor, {"chief_complaint": "咳嗽5天"})
        with pytest.raises(Refused) as refused:
            begin(note, doctor)
        assert refused.value.code == "many"


class TestWriting:
    def test_saves_hang_on_the_correction_and_the_note_stays(self, note, draft, page):
        before = Note.objects.filter(pk=note.pk).values().get()
        answer = page.save({"chief_complaint": "咳嗽5天"}, version=2)
        assert (answer.status_code, answer.json()["version"]) == (200, 3)
        saved = Save.objects.get(correction=draft)
        assert (saved.note_id, saved.version, saved.changes) == (note.pk, 3, {"chief_complaint": "咳嗽5天"})
        assert Note.objects.filter(pk=note.pk).values().get() == before

    def test_an_old_version_gets_both_texts(self, page):
        page.save({"chief_complaint": "咳嗽5天"}, version=2)
        answer = page.save({"chief_complaint": "咳嗽6天"}, version=2)
        assert (answer.status_code, answer.json()["error"]) == (409, "stale")
        assert answer.json()["theirs"] == {"chief_complaint": "咳嗽5天"}

    def test_the_same_key_is_stored_once(self, page):
        key = str(uuid.uuid4())
        first = page.save({"signs": "改"}, version=2, key=key)
        assert page.save({"signs": "改"}, version=2, key=key).json() == first.json()
        assert Save.objects.filter(key=key).count() == 1

    def test_a_key_of_the_notes_own_save_is_refused(self, note, page):
        key = str(Save.objects.filter(note=note).first().key)
        assert page.save({"signs": "改"}, version=2, key=key).json()["error"] == "key"

    def test_hostile_text_is_text(self, client, page, note, draft, doctor):
        page.save({"treatment": HOSTILE, "signs": "长" * 20_000}, version=2)
        assert sign(draft, doctor).treatment == HOSTILE
        shown = client.get(f"/visits/{note.encounter.uuid}/").content.decode()
        assert "<script>alert" not in shown
        assert "𠮷😀" in shown

    @pytest.mark.parametrize("text", ["\x00", "\ud800"])
    def test_what_cannot_be_stored_is_a_sentence(self, page, draft, text):
        answer = page.client.post(
            page.at + "save",
            json.dumps({"key": str(uuid.uuid4()), "version": 2, "changes": {"signs": text}}),
            content_type="application/json",
        )
        assert (answer.status_code, answer.json()["error"]) == (400, "unstorable")
        assert state(draft)["version"] == 2

    def test_the_page_is_the_chart_with_addresses_of_its_own(self, client, page, draft):
        shown = client.get(page.at).content.decode()
        data = json.loads(shown.split('id="chart-data" type="application/json">')[1].split("</script>")[0])
        assert (data["store"], data["version"]) == (str(draft.uuid), 2)
        assert {data["urls"][name] for name in ("save", "check", "sign")} == {
            f"{page.at}save", f"{page.at}check", f"{page.at}sign",
        }  # fmt: skip
        assert REASON in shown

    def test_the_page_is_opened_with_few_queries(self, client, page, django_assert_max_num_queries):
        client.get(page.at)
        with django_assert_max_num_queries(12):
            client.get(page.at)

    def test_the_reviewer_of_the_note_does_not_write_anothers_correction(self, client, draft, colleague):
        other = CorrectionPage(client, colleague, draft)
        assert other.save({"signs": "改"}, version=2).json()["error"] == "author"
        assert client.get(other.at).headers["Location"] == f"/visits/{draft.note.encounter.uuid}/"

    def test_a_stranger_finds_no_page(self, client, draft, stranger):
        other = CorrectionPage(client, stranger, draft)
        answers = [client.get(other.at), other.save({"signs": "改"}, version=2), other.sign(version=2)]
        assert {answer.status_code for answer in answers} == {404}


class TestSigning:
    def test_freezes_the_version_with_lines_of_its_own(self, note, draft, page, doctor):
        line = {"drug": "氨溴索", "dose": "30mg", "route": "po", "frequency": "tid", "days": "5"}
        page.save({"medications": [line], "chief_complaint": "咳嗽5天"}, version=2)
        answer = page.sign(version=3)
        assert (answer.status_code, answer.json()["signer"]) == (200, doctor.name)
        signed = Correction.objects.get()
        assert abs((timezone.now() - signed.signed_at).total_seconds()) < 5
        assert list(Medication.objects.values_list("drug", "correction")) == [("氨溴索", signed.pk)]
        assert [row.correction_id for row in Diagnosis.objects.in_force()] == [signed.pk]
        assert Diagnosis.objects.count() == 2

    def test_leaves_note_and_visit_untouched(self, note, draft, doctor):
        before = [model.objects.values().get() for model in (Note, Encounter)]
        save(draft, doctor, {"chief_complaint": "咳嗽5天"})
        sign(draft, doctor)
        assert [model.objects.values().get() for model in (Note, Encounter)] == before

    def test_twice_with_one_key_is_once(self, draft, page, doctor):
        save(draft, doctor, {"chief_complaint": "咳嗽5天"})
        key = str(uuid.uuid4())
        first = page.sign(version=3, key=key)
        assert page.sign(version=3, key=key).json() == first.json()
        assert AuditEntry.objects.filter(act=Act.CORRECT, detail__event="sign").count() == 1

    def test_what_is_missing_is_told(self, draft, page):
        page.save({"chief_complaint": " "}, version=2)
        answer = page.sign(version=3)
        assert (answer.status_code, answer.json()["missing"][0]["field"]) == (422, "chief_complaint")
        assert page.post("check").json()["missing"][0]["field"] == "chief_complaint"


def _unchanged(page, draft, **_others):
    return page.sign(version=2)


def _stale(page, draft, doctor, **_others):
    save(draft, doctor, {"signs": "别的窗口"})
    return page.sign(version=2)


def _wrong_password(page, draft, doctor, **_others):
    save(draft, doctor, {"signs": "改"})
    return page.sign(version=3, password="wrong")


def _twice(page, draft, doctor, **_others):
    save(draft, doctor, {"signs": "改"})
    page.sign(version=3)
    return page.sign(version=4)


def _withdrawn(page, draft, doctor, **_others):
    corrections.withdraw(correction=draft.uuid, by=doctor)
    return page.sign(version=2)


def _others_correction(page, draft, client, colleague, **_others):
    return CorrectionPage(client, colleague, draft).sign(version=2)


def _key_of_a_save(page, draft, doctor, **_others):
    saved = save(draft, doctor, {"signs": "改"})
    return page.sign(version=3, key=str(saved.key))


def _archived_meanwhile(page, draft, doctor, settings, **_others):
    save(draft, doctor, {"signs": "改"})
    settings.ARCHIVE_HOURS = 0
    return page.sign(version=3)


REFUSALS = [
    (_unchanged, "unchanged"), (_stale, "stale"), (_wrong_password, "password"), (_twice, "signed"),
    (_withdrawn, "withdrawn"), (_others_correction, "author"), (_key_of_a_save, "key"),
    (_archived_meanwhile, "leave"),
]  # fmt: skip


@pytest.fixture
def before_the_last_post(monkeypatch, draft):
    """What the tables held when the last request went out."""
    seen, plain = {}, CorrectionPage.post

    def post(self, *args, **body):
        seen["rows"] = rows(draft)
        return plain(self, *args, **body)

    monkeypatch.setattr(CorrectionPage, "post", post)
    return seen


def rows(draft):
    return state(draft), Save.objects.count(), Diagnosis.objects.count(), NoteReview.objects.count()


def refusals():
    return AuditEntry.objects.filter(act__in=[Act.REFUSED, Act.DENIED]).count()


@pytest.mark.parametrize(("act", "code"), REFUSALS, ids=[code for _act, code in REFUSALS])
def test_a_refused_signature_is_a_sentence_in_the_trail_and_changes_nothing(
    act, code, page, draft, doctor, colleague, client, settings, before_the_last_post
):
    answer = act(page, draft, doctor=doctor, colleague=colleague, client=client, settings=settings)
    assert answer.status_code in (400, 403, 409)
    assert (answer.json()["error"], bool(answer.json()["message"])) == (code, True)
    assert rows(draft) == before_the_last_post["rows"]
    assert refusals()


class TestWithdrawing:
    def test_is_a_state_and_the_texts_stay(self, client, page, draft, doctor):
        save(draft, doctor, {"signs": "写了又撤"})
        assert client.get(page.at + "withdraw").status_code == 200
        assert (
            client.post(page.at + "withdraw").headers["Location"] == f"/visits/{draft.note.encounter.uuid}/"
        )
        kept = Correction.objects.get()
        assert (kept.signs, kept.withdrawn_at is not None, Save.objects.filter(correction=kept).count()) == (
            "写了又撤", True, 1,
        )  # fmt: skip

    def test_again_changes_nothing(self, draft, doctor):
        first = corrections.withdraw(correction=draft.uuid, by=doctor).withdrawn_at
        assert corrections.withdraw(correction=draft.uuid, by=doctor).withdrawn_at == first

    def test_is_its_writers(self, draft, colleague):
        with pytest.raises(Forbidden):
            corrections.withdraw(correction=draft.uuid, by=colleague)

    def test_of_a_signed_one_is_refused(self, draft, doctor):
        save(draft, doctor, {"signs": "改"})
        sign(draft, doctor)
        with pytest.raises(Conflict):
            corrections.withdraw(correction=draft.uuid, by=doctor)


class TestThePages:
    def test_the_reason_leads_to_the_chart(self, client, note, doctor):
        client.force_login(doctor)
        address = f"/visits/{note.encounter.uuid}/corrections"
        assert "为什么修正" in client.get(address).content.decode()
        typed = {"key": str(uuid.uuid4()), "reason": REASON, "how": "correct"}
        answer = client.post(address, typed)
        assert answer.headers["Location"] == f"/corrections/{Correction.objects.get().uuid}/"

    @pytest.mark.parametrize(
        "typed",
        [
            {}, {"reason": "", "how": "correct"}, {"reason": "理由", "how": "delete"}, {"reason": "理由" * 300, "how": "void"},
            {"reason": "理由", "how": "correct", "key": "x"}, {"reason": "a\x00b", "how": "correct"},
        ],
    )  # fmt: skip
    def test_a_faulty_form_is_a_sentence(self, client, note, doctor, typed):
        client.force_login(doctor)
        answer = client.post(
            f"/visits/{note.encounter.uuid}/corrections", {"key": str(uuid.uuid4()), **typed}
        )
        assert (answer.status_code, Correction.objects.count()) == (400, 0)

    @pytest.mark.parametrize("state", ["unsigned", "imported", "cancelled"])
    def test_what_cannot_be_corrected_is_a_sentence_in_the_trail(self, client, resident, doctor, state):
        visit = factories.encounter(resident, doctor, imported=state == "imported")
        if state == "cancelled":
            Encounter.objects.filter(pk=visit.pk).update(status="cancelled", cancel_reason="走了")
        client.force_login(doctor)
        assert client.get(f"/visits/{visit.uuid}/corrections").status_code == 200
        for address in ("corrections", "change-requests"):
            typed = {"key": str(uuid.uuid4()), "reason": REASON, "how": "correct", "kind": "undo"}
            answer = client.post(f"/visits/{visit.uuid}/{address}", typed)
            assert (answer.status_code, 'role="alert"' in answer.content.decode()) == (409, True)
        assert (
            list(AuditEntry.objects.filter(act=Act.REFUSED).values_list("reason", flat=True)) == [state] * 2
        )
        assert not Correction.objects.exists()

    def test_a_refusal_keeps_what_was_typed(self, client, note, doctor, settings):
        settings.ARCHIVE_HOURS = 0
        client.force_login(doctor)
        typed = {"key": str(uuid.uuid4()), "reason": "天数写错了", "how": "correct"}
        answer = client.post(f"/visits/{note.encounter.uuid}/corrections", typed)
        assert (answer.status_code, "归档" in answer.content.decode()) == (403, True)
        assert AuditEntry.objects.filter(act=Act.DENIED).exists()

    def test_an_open_correction_is_a_duty_of_its_writer(self, client, draft, doctor, colleague):
        client.force_login(doctor)
        assert f"/corrections/{draft.uuid}/" in client.get("/").content.decode()
        client.force_login(colleague)
        assert f"/corrections/{draft.uuid}/" not in client.get("/").content.decode()

    def test_text_left_in_the_browser_is_shown_after_the_signature(self, client, note, draft, doctor):
        save(draft, doctor, {"signs": "改"})
        sign(draft, doctor)
        client.force_login(doctor)
        shown = client.get(f"/visits/{note.encounter.uuid}/").content.decode()
        kept = json.loads(shown.split('id="kept-data" type="application/json">')[1].split("</script>")[0])
        assert kept["stores"] == [str(note.encounter.uuid), str(draft.uuid)]
