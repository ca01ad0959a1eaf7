"""My saves: what was stored, with its receipt; and bringing it back."""

import uuid
from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from clinic.codes import Act
from clinic.errors import Conflict, Forbidden, Refused
from clinic.models import AuditEntry
from emr.actions import restoring, visits
from emr.models import Correction, Encounter, Note, Save
from emr.saved import lists as save_lists
from emr.saved import versions
from tests import factories
from tests.emr.amending import begin, corrected, signed_note
from tests.emr.amending import save as save_correction
from tests.emr.conftest import COMPLETE

pytestmark = pytest.mark.django_db
HOSTILE = "<script>alert(1)</script>𠮷😀"


def last():
    return Save.objects.order_by("-pk").first()


@pytest.fixture
def three(charting):
    """咳嗽 → 咳嗽3天 → treatment; the text deleted."""
    charting.save({"chief_complaint": "咳嗽", "vitals": {"pulse": "80"}})
    charting.save({"chief_complaint": "咳嗽3天", "treatment": HOSTILE}, version=1)
    charting.save({"chief_complaint": "", "treatment": ""}, version=2)
    return list(Save.objects.order_by("version"))


class TestTheList:
    def test_shows_ones_own_newest_first(self, client, three):
        page = client.get("/saves").content.decode()
        places = [page.index(save.receipt) for save in reversed(three)]
        assert places == sorted(places)
        assert "张秀英" in page
        assert three[0].sha256[:12] in page

    def test_shows_nobody_elses(self, client, three, colleague):
        client.force_login(colleague)
        assert three[0].receipt not in client.get("/saves").content.decode()

    def test_is_paged_by_the_last_one_shown(self, client, three, monkeypatch):
        monkeypatch.setattr(save_lists, "PAGE", 2)
        page = client.get("/saves").content.decode()
        assert f"before={three[1].key}" in page
        older = client.get(f"/saves?before={three[1].key}").content.decode()
        assert three[0].receipt in older
        assert three[1].receipt not in older

    @pytest.mark.parametrize(
        "query",
        [
            "before=x",
            "visit=x",
            "before=00000000-0000-4000-8000-000000000000",
            "visit=00000000-0000-4000-8000-000000000000",
        ],
    )
    def test_a_made_up_place_is_not_found(self, client, three, query):
        assert client.get(f"/saves?{query}").status_code == 404

    def test_costs_the_same_at_any_length(self, client, three, note):
        with CaptureQueriesContext(connection) as queries:
            client.get("/saves")
        assert len(queries) <= 12
        assert not [
            query for query in queries if 'SELECT "emr_save"."id", "emr_save"."changes"' in query["sql"]
        ]

    def test_doctors_alone_have_one(self, client, nurse, clerk):
        for person in (nurse, clerk):
            client.force_login(person)
            assert client.get("/saves").status_code == 403


class TestFinding:
    @pytest.mark.parametrize("form", ["{}", " {} ", "№{}", "No.{}", "full", "spaced", "nodash", "dash"])
    def test_by_number_as_people_type_it(self, client, three, form):
        receipt = three[0].receipt
        wide = receipt.translate({ord(sign): chr(ord(sign) + 0xFEE0) for sign in "0123456789-"})
        other = {
            "full": wide,
            "spaced": " ".join(receipt),
            "nodash": receipt.replace("-", ""),
            "dash": receipt.replace("-", "—"),
        }
        answer = client.post("/saves", {"receipt": other.get(form, form.format(receipt))})
        assert (answer.status_code, answer.headers.get("Location")) == (302, f"/saves/{three[0].key}")

    @pytest.mark.parametrize(
        "typed", ["", "x", "20261399-000001", "1" * 40, "-", HOSTILE, "20200101-{pk}", "0-0", "9" * 18]
    )
    def test_what_is_no_number_of_ones_own_finds_nothing(self, client, three, typed):
        answer = client.post("/saves", {"receipt": typed.replace("{pk}", str(three[0].pk))})
        assert answer.status_code == 404
        assert "没有" in answer.content.decode() or "no save of yours" in answer.content.decode()

    def test_a_colleagues_number_finds_nothing(self, client, three, colleague):
        client.force_login(colleague)
        assert client.post("/saves", {"receipt": three[0].receipt}).status_code == 404

    @pytest.mark.parametrize("name", ["张", "张秀英", "zxy", "ZXY", "zhangxiuying", "ｚｘｙ"])
    def test_by_visit(self, client, three, encounter, name):
        page = client.post(
            "/saves", {"day": f"{timezone.localdate():%Y-%m-%d}", "name": name}
        ).content.decode()
        assert f"visit={encounter.uuid}" in page
        assert three[0].receipt in client.get(f"/saves?visit={encounter.uuid}").content.decode()

    def test_by_another_day_or_name_nothing(self, client, three, encounter):
        for asked in ({"day": "2020-01-01"}, {"name": "刘"}, {"day": "", "name": ""}):
            assert f"visit={encounter.uuid}" not in client.post("/saves", asked).content.decode()

    def test_a_day_that_is_none_is_told(self, client, three):
        assert client.post("/saves", {"day": "昨天"}).status_code == 400

    def test_parsing(self):
        assert save_lists.parse("２０２６１１２２－０００１２３") == (date(2026, 11, 22), 123)
        assert save_lists.parse("123") == (None, 123)
        assert save_lists.parse("20260230-000001") is None


class TestOneSave:
    def test_shows_the_whole_note_then_and_what_it_changed(self, client, three):
        page = client.get(f"/saves/{three[1].key}").content.decode()
        assert "咳嗽<ins" in page
        assert "&lt;script&gt;" in page
        assert "<script>alert" not in page
        assert "80" in page  # the vital signs of the save before

    def test_the_hash_is_computed_anew(self, client, three):
        assert [versions.check(save) for save in three] == ["matches"] * 3
        assert "text-bg-success" in client.get(f"/saves/{three[0].key}").content.decode()
        three[0].changes = {"chief_complaint": "别的"}
        assert versions.check(three[0]) == "differs"

    def test_is_audited_without_text(self, client, three, note):
        client.get(f"/saves/{three[0].key}")
        entry = AuditEntry.objects.filter(act=Act.VIEW).latest("pk")
        assert entry.object_id == str(note.uuid)
        assert entry.detail == {"page": "save", "receipt": three[0].receipt}

    def test_prints_a_proof_and_audits_it(self, client, three):
        page = client.get(f"/saves/{three[1].key}/proof").content.decode()
        assert three[1].receipt in page
        assert three[1].sha256 in page
        assert AuditEntry.objects.filter(act=Act.PRINT).count() == 1

    @pytest.mark.parametrize(
        ("who", "status"), [("colleague", 404), ("stranger", 404), ("manager", 200), ("nurse", 403)]
    )
    def test_is_seen_by(self, request, client, three, who, status):
        client.force_login(request.getfixturevalue(who))
        for address in ("", "/proof"):
            assert client.get(f"/saves/{three[0].key}{address}").status_code == status

    def test_a_manager_elsewhere_finds_nothing(self, client, three, other_centre):
        client.force_login(factories.user("manager", other_centre))
        assert client.get(f"/saves/{three[0].key}").status_code == 404

    def test_a_corrections_draft_begins_with_the_text_in_force(self, client, resident, doctor):
        note = signed_note(client, resident, doctor)
        corrected(note, doctor, {"treatment": "第二版"})
        draft = begin(note, doctor)
        save_correction(draft, doctor, {"signs": "改"})
        state = versions.state(last())
        assert (state["treatment"], state["signs"]) == ("第二版", "改")
        assert client.get(f"/saves/{last().key}").status_code == 200

    def test_costs_at_most_twelve_queries(self, client, three):
        with CaptureQueriesContext(connection) as queries:
            client.get(f"/saves/{three[2].key}")
        assert len(queries) <= 12, [query["sql"][:90] for query in queries]


def restore(save, by, key=None, **facts):
    fresh = Save.objects.select_related("note__encounter__resident", "correction").get(pk=save.pk)
    return restoring.restore(save=fresh, by=by, key=key or uuid.uuid4(), **facts)


class TestRestoring:
    def test_brings_the_text_back_as_a_further_save(self, three, doctor, note, encounter):
        restore(three[1], doctor)
        now = Note.objects.get(pk=note.pk)
        assert (now.chief_complaint, now.treatment, now.version) == ("咳嗽3天", HOSTILE, 4)
        taken = {"how": "copied", "from": str(encounter.uuid)}
        assert now.marks == {"chief_complaint": taken, "treatment": taken}
        assert versions.state(three[2])["treatment"] == ""  # what stood there is still a version

    def test_vital_signs_taken_since_stay(self, charting, three, doctor, note):
        charting.save({"vitals": {"pulse": "99", "systolic": "150"}}, version=3)
        restore(three[0], doctor)
        assert Note.objects.get(pk=note.pk).vitals == {"pulse": "99", "systolic": "150"}

    def test_the_same_key_restores_once(self, three, doctor, note):
        key = uuid.uuid4()
        for _again in range(2):
            restore(three[1], doctor, key)
        assert Note.objects.get(pk=note.pk).version == 4
        with pytest.raises(Refused) as refused:
            restore(three[0], doctor, key)
        assert refused.value.code == "key"

    def test_what_stands_there_already_is_not_saved_again(self, three, doctor):
        with pytest.raises(Refused) as refused:
            restore(three[2], doctor)
        assert refused.value.code == "same"

    def test_stands_in_the_trail(self, three, doctor, note):
        restore(three[1], doctor)
        entry = AuditEntry.objects.get(act=Act.RESTORE)
        assert (entry.object_id, entry.detail["receipt"]) == (str(note.uuid), three[1].receipt)
        assert HOSTILE not in str(entry.detail)

    @pytest.mark.parametrize(
        ("who", "status"), [("colleague", 404), ("stranger", 404), ("manager", 403), ("nurse", 403)]
    )
    def test_only_its_author_does(self, request, client, three, note, who, status):
        client.force_login(request.getfixturevalue(who))
        answer = client.post(f"/saves/{three[1].key}/restore", {"key": uuid.uuid4()})
        assert (answer.status_code, Note.objects.get(pk=note.pk).version) == (status, 3)

    def test_a_manager_is_told_who_can(self, client, three, manager, doctor):
        client.force_login(manager)
        page = client.get(f"/saves/{three[1].key}").content.decode()
        assert doctor.name in page
        assert "/restore" not in page

    def test_a_forged_key_is_refused_with_a_sentence(self, client, three, note):
        for key in ("", "x", "\ud83d"):
            answer = client.post(
                f"/saves/{three[1].key}/restore", {"key": key.encode("utf-16", "surrogatepass")}
            )
            assert answer.status_code == 400
        assert Note.objects.get(pk=note.pk).version == 3

    def test_the_page_leads_to_the_chart(self, client, three, encounter):
        answer = client.post(f"/saves/{three[1].key}/restore", {"key": uuid.uuid4()})
        assert (answer.status_code, answer.headers["Location"]) == (302, f"/visits/{encounter.uuid}/")

    def test_another_hand_may_not_by_the_action_either(self, three, colleague):
        with pytest.raises(Forbidden):
            restore(three[1], colleague)


class TestRestoringASignedNote:
    @pytest.fixture
    def note(self, client, resident, doctor):
        return signed_note(client, resident, doctor, treatment="多饮水")

    @pytest.fixture
    def early(self, note, doctor):
        """A version that a signed correction overwrote."""
        first = Save.objects.get(note=note, version=1)
        corrected(note, doctor, {"treatment": "改过的"})
        return first

    def test_opens_a_correction_with_that_text(self, early, note, doctor):
        made = restore(early, doctor)
        assert (type(made), made.treatment, made.is_signed) == (Correction, "多饮水", False)
        assert made.marks["treatment"]["how"] == "copied"
        assert Note.objects.get(pk=note.pk).treatment == "多饮水"
        assert made.reason

    def test_twice_with_one_key_is_one_correction(self, early, doctor):
        key = uuid.uuid4()
        assert restore(early, doctor, key) == restore(early, doctor, key)
        assert Correction.objects.open().count() == 1

    def test_goes_into_ones_own_open_correction(self, early, note, doctor):
        mine = begin(note, doctor)
        assert restore(early, doctor) == mine
        mine.refresh_from_db()
        assert mine.treatment == "多饮水"

    def test_the_page_leads_to_it(self, client, early, doctor):
        answer = client.post(f"/saves/{early.key}/restore", {"key": uuid.uuid4(), "reason": "误删"})
        made = Correction.objects.open().get()
        assert (answer.headers["Location"], made.reason) == (f"/corrections/{made.uuid}/", "误删")

    def test_what_is_archived_wants_leave_first(self, client, early, settings):
        settings.ARCHIVE_HOURS = 0
        answer = client.post(f"/saves/{early.key}/restore", {"key": uuid.uuid4()})
        assert answer.status_code == 403
        assert not Correction.objects.open().exists()


class TestRestoringACancelledVisit:
    @pytest.fixture
    def cancelled(self, charting, encounter, doctor):
        charting.save({**COMPLETE, "vitals": {"pulse": "80"}})
        visits.cancel(encounter=encounter, by=doctor, reason="走了")
        return last()

    def test_begins_a_new_visit_of_today_with_the_text(self, cancelled, doctor, encounter):
        made = restore(cancelled, doctor)
        assert made.encounter != encounter
        assert (made.treatment, made.vitals) == (COMPLETE["treatment"], {})
        assert made.marks["treatment"] == {"how": "copied", "from": str(encounter.uuid)}
        assert Note.objects.get(encounter=encounter).version == 1

    def test_twice_with_one_key_is_one_visit(self, cancelled, doctor):
        key = uuid.uuid4()
        assert restore(cancelled, doctor, key) == restore(cancelled, doctor, key)
        assert (Encounter.objects.count(), Save.objects.filter(changes__has_key="treatment").count()) == (
            2,
            2,
        )

    def test_while_a_colleague_sees_the_resident_it_waits(self, cancelled, doctor, colleague, resident):
        visits.start_for(resident=resident, by=colleague)
        with pytest.raises(Conflict):
            restore(cancelled, doctor)

    def test_an_empty_one_is_refused(self, charting, encounter, doctor):
        charting.save({"vitals": {"pulse": "80"}})
        visits.cancel(encounter=encounter, by=doctor, reason="走了")
        with pytest.raises(Refused) as refused:
            restore(last(), doctor)
        assert refused.value.code == "same"


def test_receipts_of_old_days_are_found_by_their_own_day(three):
    save = three[0]
    other = save.saved_at - timedelta(days=1)
    assert save_lists.find(Save.objects.all(), f"{other:%Y%m%d}-{save.pk:06d}") is None
