"""The time line of one visit: who may ask, what stands on it, and that it costs the same for 3 000 saves."""

import uuid
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from clinic import audit, registry
from clinic.codes import Act
from clinic.models import AuditEntry
from emr.actions import drafts, faults, visits
from emr.models import Note, Save, SaveFault
from emr.saved import inquiry
from tests import factories
from tests.emr.amending import begin, corrected, signed_note

pytestmark = pytest.mark.django_db


def line(note, **asked):
    return inquiry.TimeLine(Note.objects.get(pk=note.pk), **asked).page()[0]


def words(note, **asked):
    return [event.words for event in line(note, **asked)]


def many(note, doctor, count, minutes=1):
    """So many saves, one every few seconds; 3 000 draw a draft of many minutes."""
    start = timezone.now() - timedelta(hours=20)
    Save.objects.bulk_create(
        Save(key=uuid.uuid4(), note=note, by=doctor, version=n, changes={"treatment": f"第{n}次"}, characters=3,
             sha256=drafts.fingerprint({"treatment": f"第{n}次"}), saved_at=start + timedelta(seconds=n * 20 * minutes))
        for n in range(1, count + 1)
    )  # fmt: skip
    Note.objects.filter(pk=note.pk).update(version=count)


class TestWhoMayAsk:
    @pytest.mark.parametrize(
        ("who", "status"),
        [("doctor", 200), ("manager", 200), ("colleague", 403), ("nurse", 403), ("clerk", 403), ("auditor", 403), ("stranger", 404)],
    )  # fmt: skip
    def test_the_writer_and_the_medical_administration(
        self, request, client, charting, encounter, who, status
    ):
        charting.save({"treatment": "甲"})
        client.force_login(request.getfixturevalue(who))
        assert client.get(f"/visits/{encounter.uuid}/inquiry").status_code == status
        at = inquiry.to_word((timezone.now(), "5"))
        assert client.get(f"/visits/{encounter.uuid}/inquiry/minute", {"at": at}).status_code == status

    def test_a_manager_elsewhere_finds_nothing(self, client, encounter, other_centre):
        client.force_login(factories.user("manager", other_centre))
        assert client.get(f"/visits/{encounter.uuid}/inquiry").status_code == 404

    def test_asking_stands_in_the_trail_and_on_the_line(self, client, manager, encounter, note):
        client.force_login(manager)
        client.get(f"/visits/{encounter.uuid}/inquiry")
        entry = AuditEntry.objects.get(act=Act.INQUIRE)
        assert (entry.username, entry.object_id) == (manager.username, str(note.uuid))
        assert manager.name in [event.who for event in line(note, kinds=["reads"])]

    def test_signed_out_goes_to_sign_in(self, client, encounter):
        assert client.get(f"/visits/{encounter.uuid}/inquiry").status_code == 302


class TestTheLine:
    def test_tells_of_the_visit_and_its_end(self, note, encounter, doctor):
        visits.hold(encounter=encounter, by=doctor)
        visits.resume(encounter=encounter, by=doctor)
        visits.cancel(encounter=encounter, by=doctor, reason="病人离开")
        told = " ".join(words(note, kinds=["visit"]))
        assert all(part in told for part in ("病人离开", "挂起" if "挂起" in told else "hold"))
        assert len(line(note, kinds=["visit"])) >= 4

    def test_groups_saves_by_the_minute(self, charting, note, doctor):
        many(note, doctor, 7)
        rows = [event.row for event in line(note, kinds=["saves"])]
        assert sum(row["count"] for row in rows) == 7
        assert max(row["count"] for row in rows) == 3

    def test_tells_of_failed_saves_and_whether_they_came_in_later(self, client, charting, note, encounter):
        charting.save({"treatment": "先"})
        key = uuid.uuid4()
        charting.save({"treatment": "后"}, version=0, key=uuid.uuid4())
        charting.save({"treatment": "再"}, version=1, key=key)
        told = {"key": str(uuid.uuid4()), "ago": 5, "status": 0, "save_key": str(key), "attempts": 3}
        faults.report(encounter=encounter.uuid, by=charting.visit.doctor, faults=[told])
        found = {event.row.source: event.row for event in line(note, kinds=["faults"])}
        assert found["browser"].arrived == Save.objects.get(key=key)
        assert found["server"].arrived is None
        page = client.get(f"/visits/{encounter.uuid}/inquiry").content.decode()
        assert Save.objects.get(key=key).receipt in page

    def test_tells_of_signatures_corrections_and_withdrawals(self, client, resident, doctor):
        note = signed_note(client, resident, doctor)
        corrected(note, doctor, {"treatment": "改"}, reason="写错剂量")
        begin(note, doctor, reason="又一次")
        told = words(note, kinds=["versions"])
        assert len(told) == 4
        assert sum("写错剂量" in each for each in told) == 2

    def test_tells_of_the_writers_sign_ins_that_day_alone(self, charting, note, doctor, colleague):
        charting.save({"treatment": "甲"})
        for person in (doctor, colleague):
            audit.record(Act.SIGN_IN, by=person)
            audit.record(Act.SIGN_OUT, by=person, reason="idle")
        assert {event.who for event in line(note, kinds=["sign_ins"])} == {doctor.name}
        assert len(line(note, kinds=["sign_ins"])) == 2

    def test_tells_who_read_and_printed_this_note_and_no_other(
        self, client, note, encounter, colleague, another_visit
    ):
        client.force_login(colleague)
        for visit in (encounter, another_visit):
            client.get(f"/visits/{visit.uuid}/")
        assert [event.who for event in line(note, kinds=["reads"])] == [colleague.name]

    def test_oldest_first_is_the_other_way_round(self, charting, note, doctor):
        many(note, doctor, 9)
        newest, oldest = line(note), line(note, oldest=True)
        assert [event.place for event in newest] == [event.place for event in oldest][::-1]

    @pytest.mark.parametrize("oldest", [False, True])
    def test_pages_leave_nothing_out_and_show_nothing_twice(self, note, doctor, oldest):
        many(note, doctor, 400)
        SaveFault.objects.bulk_create(
            SaveFault(key=uuid.uuid4(), note=note, source="server", status=409, at=timezone.now())
            for _n in range(15)
        )
        seen, after, more = [], None, True
        while more:
            events, more = inquiry.TimeLine(note, oldest=oldest, after=after).page()
            seen += events
            after = inquiry.from_word(inquiry.to_word(events[-1].place))
        assert len({event.place for event in seen}) == len(seen)
        assert sum(event.row["count"] for event in seen if event.kind == "saves") == 400
        assert sum(event.kind == "faults" for event in seen) == 15

    @pytest.mark.parametrize("count", [3, 3000])
    def test_costs_at_most_twelve_queries(self, client, note, encounter, doctor, count):
        many(note, doctor, count)
        fault = SaveFault(key=uuid.uuid4(), note=note, source="server", status=409, save_key=uuid.uuid4())
        fault.save(force_insert=True)
        client.force_login(doctor)
        client.get("/saves")  # the session's clock is set
        with CaptureQueriesContext(connection) as queries:
            answer = client.get(f"/visits/{encounter.uuid}/inquiry")
        assert answer.status_code == 200
        assert len(queries) <= 12, [query["sql"][:80] for query in queries]
        assert len(answer.content) < 120_000

    @pytest.mark.parametrize(
        "query", ["after=x", "after=~", "kind=x", "order=y", "after=2026-01-01", "after=%00"]
    )
    def test_a_made_up_address_does_no_harm(self, client, doctor, encounter, query):
        client.force_login(doctor)
        assert client.get(f"/visits/{encounter.uuid}/inquiry?{query}").status_code in (200, 400)

    def test_the_minute_shows_each_save_with_its_receipt(self, client, charting, note, encounter):
        charting.save({"treatment": "<b>甲</b>"})
        event = line(note, kinds=["saves"])[0]
        page = client.get(f"/visits/{encounter.uuid}/inquiry/minute", {"at": event.word}).content.decode()
        assert Save.objects.get().receipt in page
        assert "甲" not in page


class TestFindingTheVisit:
    def test_by_a_resident_and_a_day(self, client, manager, encounter, resident):
        client.force_login(manager)
        for who in ("张秀英", "zxy", resident.id_number[-6:], resident.id_number):
            page = client.post("/inquiry", {"who": who, "day": f"{timezone.localdate():%Y-%m-%d}"})
            assert f"/visits/{encounter.uuid}/inquiry" in page.content.decode(), who
        page = client.post("/inquiry", {"who": "张秀英", "day": "2020-01-01"}).content.decode()
        assert str(encounter.uuid) not in page

    def test_by_a_receipt(self, client, charting, manager, encounter):
        charting.save({"treatment": "甲"})
        client.force_login(manager)
        answer = client.post("/inquiry", {"who": Save.objects.get().receipt})
        assert answer.headers["Location"] == f"/visits/{encounter.uuid}/inquiry"

    def test_elsewhere_nothing(self, client, encounter, other_centre, charting):
        charting.save({"treatment": "甲"})
        client.force_login(factories.user("manager", other_centre))
        for who in ("张秀英", Save.objects.get().receipt):
            assert str(encounter.uuid) not in client.post("/inquiry", {"who": who}).content.decode()

    def test_is_the_medical_administrations(self, client, doctor, clerk, manager):
        for person, status in ((doctor, 403), (clerk, 403), (manager, 200)):
            client.force_login(person)
            assert client.get("/inquiry").status_code == status

    def test_stands_on_the_desk(self, client, manager):
        client.force_login(manager)
        assert "/inquiry" in client.get("/admin/").content.decode()


def test_tickets_lead_to_it(client, resident, doctor, encounter):
    address = f"/visits/{encounter.uuid}/inquiry"
    assert registry.inquiry_link(f"/visits/{encounter.uuid}/save") == address
    note = signed_note(client, factories.resident(doctor.institution), doctor)
    draft = begin(note, doctor)
    assert registry.inquiry_link(f"/corrections/{draft.uuid}/") == f"/visits/{note.encounter.uuid}/inquiry"
    for path in ("/", "/nowhere", f"/corrections/{uuid.uuid4()}/", "x"):
        assert registry.inquiry_link(path) is None
