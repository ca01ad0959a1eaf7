"""Failed saves leave a row: what the server refused it records itself, the rest the page tells."""

import uuid
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from clinic.codes import Act
from clinic.models import AuditEntry
from emr.actions import drafts, faults
from emr.models import SaveFault
from tests.emr.amending import CorrectionPage, begin, signed_note

pytestmark = pytest.mark.django_db
HASH = "ab" * 32


def entry(**facts):
    told = {
        "key": str(uuid.uuid4()), "ago": 90, "status": 0, "code": "", "save_key": str(uuid.uuid4()), "version": 3,
        "fields": ["treatment"], "characters": 12, "sha256": HASH, "attempts": 4,
    }  # fmt: skip
    return {**told, **facts}


@pytest.fixture
def tell(client, charting, encounter):
    def post(*entries, visit=encounter, body=None):
        body = {"faults": list(entries)} if body is None else body
        return client.post(f"/visits/{visit.uuid}/faults", body, content_type="application/json")

    return post


class TestTheServer:
    def test_records_a_stale_save(self, charting, note, doctor):
        charting.save({"treatment": "先"})
        key = uuid.uuid4()
        answer = charting.save({"treatment": "后来的"}, version=0, key=key)
        fault = SaveFault.objects.get()
        assert (fault.note, fault.by, fault.source) == (note, doctor, "server")
        assert (fault.status, fault.code, fault.save_key, fault.version) == (409, "stale", key, 0)
        assert (fault.fields, fault.characters) == (["treatment"], 3)
        assert fault.sha256 == drafts.fingerprint({"treatment": "后来的"})
        assert fault.request_id == answer["X-Request-ID"]

    def test_records_each_refused_save_once(self, charting):
        charting.save({"treatment": "先"})
        key = uuid.uuid4()
        for _again in range(3):
            charting.save({"treatment": "后"}, version=0, key=key)
        assert SaveFault.objects.count() == 1

    def test_keeps_no_text_and_no_name_that_is_not_ours(self, charting):
        charting.save({"treatment": "甲" * 20_001, "张秀英110101": "隐私"})
        fault = SaveFault.objects.get()
        assert (fault.code, fault.fields, fault.characters) == ("invalid", ["treatment"], 20_003)
        assert "隐私" not in str(vars(fault))
        assert "张秀英" not in str(vars(fault))

    @pytest.mark.parametrize(
        "body", ["", "[]", "{", '{"changes": "\\ud800"}', '{"changes": {"treatment": "\\u0000"}}', "[" * 9000]
    )
    def test_records_what_it_could_not_read(self, client, charting, encounter, body):
        answer = client.post(f"/visits/{encounter.uuid}/save", body, content_type="application/json")
        assert answer.status_code == 400
        assert SaveFault.objects.get().code == answer.json()["error"]

    def test_records_its_own_faults(self, client, charting, encounter, monkeypatch):
        client.raise_request_exception = False
        monkeypatch.setattr(drafts, "store", lambda *_args: 1 / 0)
        assert charting.save({"treatment": "甲"}).status_code == 500
        fault = SaveFault.objects.get()
        assert (fault.status, fault.code, fault.characters) == (500, "zerodivisionerror", 1)

    def test_records_a_signature_refused(self, charting):
        charting.save({"treatment": "甲"})
        assert charting.sign(version=1).status_code == 422
        assert SaveFault.objects.get().code == "incomplete"

    def test_records_a_correction_refused(self, client, resident, doctor):
        note = signed_note(client, resident, doctor)
        page = CorrectionPage(client, doctor, begin(note, doctor))
        assert page.save({"treatment": "甲"}, version=0).status_code == 409
        assert SaveFault.objects.get().note == note

    def test_records_a_colleague_who_may_see_but_not_write(self, as_user, colleague, encounter):
        assert as_user(colleague, encounter).save({"treatment": "甲"}).status_code == 403
        assert SaveFault.objects.get().by == colleague

    def test_says_nothing_of_a_note_out_of_reach(self, as_user, stranger, encounter):
        assert as_user(stranger, encounter).save({"treatment": "甲"}).status_code == 404
        assert not SaveFault.objects.exists()

    def test_a_fault_in_recording_is_not_the_doctors(self, charting, monkeypatch):
        monkeypatch.setattr(faults, "_refused", lambda *_args: 1 / 0)
        charting.save({"treatment": "先"})
        assert charting.save({"treatment": "后"}, version=0).status_code == 409

    def test_costs_a_good_save_nothing(self, charting):
        charting.save({"treatment": "先"})
        with CaptureQueriesContext(connection) as queries:
            assert charting.save({"treatment": "后"}, version=1).status_code == 200
        assert not [query for query in queries if "savefault" in query["sql"]]

    def test_a_page_gone_wild_fills_no_disk(self, charting, monkeypatch):
        monkeypatch.setattr(faults, "MOST_OF_A_NOTE", 2)
        for _again in range(4):
            charting.save({"treatment": ""}, version=9)
        assert SaveFault.objects.count() == 2


class TestThePage:
    def test_tells_once_it_can(self, tell, note, doctor):
        told = entry()
        assert tell(told).json() == {"stored": 1}
        fault = SaveFault.objects.get()
        assert (fault.note, fault.by, fault.source, fault.status) == (note, doctor, "browser", 0)
        assert abs(timezone.now() - timedelta(seconds=90) - fault.at) < timedelta(seconds=20)
        assert (fault.attempts, fault.fields, fault.sha256) == (4, ["treatment"], HASH)
        assert str(fault.save_key) == told["save_key"]

    def test_repeating_is_harmless(self, tell):
        told = entry()
        assert [tell(told).json()["stored"] for _again in range(2)] == [1, 0]
        assert tell(told, told, entry()).json() == {"stored": 1}
        assert SaveFault.objects.count() == 2

    def test_fifty_at_once_and_not_one_more(self, tell):
        assert tell(*[entry() for _n in range(51)]).status_code == 400
        assert tell(*[entry() for _n in range(50)]).json() == {"stored": 50}

    @pytest.mark.parametrize(
        "wrong",
        [
            {"key": "x"}, {"key": None}, {"ago": -1}, {"ago": "9"}, {"ago": 10**12}, {"ago": True}, {"status": 600},
            {"status": -1}, {"status": "0"}, {"status": True}, {"code": "患者张秀英"}, {"code": "a" * 31}, {"code": None},
            {"save_key": "x"}, {"version": -1}, {"version": 2**31}, {"fields": ["张秀英"]}, {"fields": "treatment"},
            {"fields": [["x"]]}, {"fields": ["treatment"] * 20}, {"characters": -1}, {"characters": 10**9},
            {"sha256": "张秀英"}, {"sha256": "AB" * 32}, {"attempts": -1}, {"attempts": 1.5},
        ],
        ids=str,
    )  # fmt: skip
    def test_a_bad_shape_is_refused_with_a_sentence_and_nothing_stored(self, tell, wrong):
        answer = tell(entry(), entry(**wrong))
        assert (answer.status_code, answer.json()["error"]) == (400, "form")
        assert answer.json()["message"]
        assert not SaveFault.objects.exists()

    @pytest.mark.parametrize(
        "body", [{}, {"faults": []}, {"faults": "x"}, {"faults": ["x"]}, {"faults": {"a": 1}}, []]
    )
    def test_so_is_a_body_of_another_form(self, tell, body):
        assert tell(body=body).status_code == 400

    def test_of_another_ones_draft_is_refused_and_in_the_trail(self, client, tell, colleague):
        client.force_login(colleague)
        assert tell(entry()).status_code == 403
        assert AuditEntry.objects.filter(act=Act.DENIED, username=colleague.username).exists()

    def test_of_a_draft_out_of_reach_is_not_found(self, client, tell, stranger):
        client.force_login(stranger)
        assert tell(entry()).status_code == 404

    def test_of_a_role_that_writes_nothing_is_refused(self, client, tell, nurse, clerk):
        for person in (nurse, clerk):
            client.force_login(person)
            assert tell(entry()).status_code == 403

    def test_of_somebody_signed_out_waits(self, client, tell):
        client.logout()
        assert tell(entry()).status_code == 401

    def test_a_page_error_bears_no_words(self, tell):
        assert tell(
            entry(code="page", save_key=None, version=None, fields=[], characters=0, sha256="")
        ).json()["stored"]
        assert (SaveFault.objects.get().code, SaveFault.objects.get().save_key) == ("page", None)
