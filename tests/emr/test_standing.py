"""Standing history: carried from visit to visit, confirmed with one key, never overwritten unseen."""

import json
import re
import uuid
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from clinic.codes import Act
from clinic.errors import Conflict, Forbidden, Refused
from clinic.models import AccessGrant, Allergy, AuditEntry
from emr import standing_history
from emr.actions import signing, standing, visits
from emr.codes import EncounterStatus, StandingKind
from emr.drafting import prefill
from emr.models import Encounter, Note, Practice, StandingHistory
from tests import factories
from tests.emr.conftest import COMPLETE
from tests.emr.test_races import at_once

pytestmark = pytest.mark.django_db
PAST, MEDICATION = StandingKind.PAST.value, StandingKind.MEDICATION.value


def write(resident, by, text="高血压10年", kind=PAST, version=0):
    return standing.write(resident=resident, kind=kind, text=text, version=version, by=by)


def confirmed_long_ago(row, days=400):
    StandingHistory.objects.filter(pk=row.pk).update(confirmed_at=timezone.now() - timedelta(days=days))


def post(client, user, resident, body, what=""):
    client.force_login(user)
    where = f"/residents/{resident.uuid}/standing{what}"
    return client.post(where, json.dumps(body), content_type="application/json")


def shown(answer):
    return {line.kind: line for line in answer.context["standing"]["lines"]}


@pytest.fixture
def chart(client, doctor, encounter):
    client.force_login(doctor)
    return lambda: client.get(f"/visits/{encounter.uuid}/")


def sign(visit, by, **fields):
    Note.objects.filter(encounter=visit).update(**{**COMPLETE, **fields})
    version = Note.objects.get(encounter=visit).version
    return signing.sign(encounter=visit.uuid, key=uuid.uuid4(), version=version, by=by)


def finished(resident, doctor, days, **note):
    arrived = timezone.now() - timedelta(days=days)
    visit = Encounter.objects.create(
        resident=resident, institution=doctor.institution, doctor=doctor, arrived_at=arrived,
        status=EncounterStatus.FINISHED,
    )  # fmt: skip
    Note.objects.create(encounter=visit, author=doctor, signed_at=timezone.now(), signed_by=doctor, **note)
    return visit


class TestWriting:
    def test_who_wrote_it_confirmed_it(self, resident, doctor):
        row = write(resident, doctor)
        assert (row.text, row.confirmed_by, row.version) == ("高血压10年", doctor, 1)
        assert row.history.count() == 1
        assert AuditEntry.objects.filter(act=Act.CHANGE, object_id=str(row.uuid)).exists()

    def test_an_old_version_gets_the_others_text_and_changes_nothing(self, resident, doctor, colleague):
        write(resident, colleague, "糖尿病")
        with pytest.raises(Conflict) as refusal:
            write(resident, doctor, "高血压")
        assert refusal.value.facts["theirs"][0]["text"] == "糖尿病"
        assert StandingHistory.objects.get().text == "糖尿病"

    def test_the_same_again_is_the_same_row(self, resident, doctor):
        first = write(resident, doctor)
        assert (write(resident, doctor), StandingHistory.objects.get().version) == (first, 1)

    @pytest.mark.parametrize(
        ("kind", "text", "code"),
        [("allergy", "青霉素", "kind"), ("x", "", "kind"), (PAST, "长" * 20_001, "long")],
    )
    def test_what_does_not_belong_there_is_refused(self, resident, doctor, kind, text, code):
        with pytest.raises(Refused) as refusal:
            write(resident, doctor, text, kind)
        assert refusal.value.code == code

    @pytest.mark.parametrize("text", ["𠮷野家", "😀", "<script>alert(1)</script>", "a\nb", "' OR 1=1 --"])
    def test_every_character_comes_back(self, client, resident, doctor, chart, text):
        assert post(client, doctor, resident, {"kind": PAST, "text": text, "version": 0}).status_code == 200
        answer = chart()
        assert shown(answer)[PAST].text == text
        assert "<script>alert" not in answer.content.decode()

    @pytest.mark.parametrize(
        "body",
        [
            {"kind": PAST, "text": "a\x00b", "version": 0},
            {"kind": PAST, "text": "\ud800", "version": 0},
            {"kind": PAST, "text": 5, "version": 0},
            {"kind": PAST, "text": "a", "version": "0"},
            {"kind": PAST, "text": "长" * 20_001, "version": 0},
            {"kind": [], "text": "a", "version": 0},
        ],
    )
    def test_odd_bodies_are_refused_with_a_sentence(self, client, resident, doctor, body):
        answer = post(client, doctor, resident, body)
        assert (answer.status_code, StandingHistory.objects.exists()) == (400, False)
        assert answer.json()["message"]

    def test_a_stranger_finds_nothing_and_with_a_reason_may_write(self, client, resident, stranger):
        body = {"kind": PAST, "text": "高血压", "version": 0}
        assert post(client, stranger, resident, body).status_code == 404
        AccessGrant.objects.create(user=stranger, resident=resident, reason="会诊")
        assert post(client, stranger, resident, body).status_code == 200

    def test_who_may_not_write_notes_may_not_write_this(self, client, resident, nurse, manager, clerk):
        body = {"kind": PAST, "text": "高血压", "version": 0}
        assert {post(client, user, resident, body).status_code for user in (nurse, manager, clerk)} == {403}
        with pytest.raises(Forbidden):
            write(resident, nurse)

    def test_signed_out_it_is_401(self, client, resident):
        answer = client.post(f"/residents/{resident.uuid}/standing", "{}", content_type="application/json")
        assert answer.status_code == 401


class TestConfirming:
    def test_one_key_confirms_all_that_is_shown(self, client, resident, doctor, colleague):
        for kind in (PAST, MEDICATION):
            confirmed_long_ago(write(resident, colleague, kind=kind))
        Allergy.objects.create(resident=resident, substance="青霉素")
        body = {"versions": {PAST: 1, MEDICATION: 1, "allergy": 0}, "allergies": "青霉素"}
        answer = post(client, doctor, resident, body, "/confirm")
        assert [line["kind"] for line in answer.json()["lines"]] == [PAST, "allergy", MEDICATION]
        assert {row.confirmed_by for row in StandingHistory.objects.all()} == {doctor}
        assert StandingHistory.objects.get(kind=PAST).text == "高血压10年"

    def test_what_changed_since_is_not_confirmed(self, resident, doctor, colleague):
        write(resident, colleague, "糖尿病", version=write(resident, colleague).version)
        with pytest.raises(Conflict) as refusal:
            standing.confirm(resident=resident, versions={PAST: 1}, allergies="", by=doctor)
        assert refusal.value.facts["theirs"][0]["text"] == "糖尿病"
        assert StandingHistory.objects.get().confirmed_by == colleague

    def test_allergies_are_confirmed_as_they_were_read(self, resident, doctor):
        Allergy.objects.create(resident=resident, substance="头孢")
        with pytest.raises(Conflict) as refusal:
            standing.confirm(resident=resident, versions={"allergy": 0}, allergies="青霉素", by=doctor)
        assert (refusal.value.code, refusal.value.facts["allergies"]) == ("allergies", "头孢")

    @pytest.mark.parametrize(("versions", "code"), [({}, "nothing"), ({"x": 1}, "kind")])
    def test_nothing_and_nonsense_are_refused(self, resident, doctor, versions, code):
        with pytest.raises(Refused) as refusal:
            standing.confirm(resident=resident, versions=versions, allergies="", by=doctor)
        assert refusal.value.code == code

    def test_a_repeated_confirmation_does_no_harm(self, resident, doctor):
        write(resident, doctor)
        for _again in range(2):
            standing.confirm(resident=resident, versions={PAST: 1}, allergies="", by=doctor)
        assert StandingHistory.objects.get().confirmed_by == doctor


class TestShowing:
    def test_the_chart_shows_four_lines_and_what_is_stale(self, chart, resident, doctor, settings):
        confirmed_long_ago(write(resident, doctor), settings.STANDING_HISTORY_DAYS + 1)
        write(resident, doctor, "阿司匹林", MEDICATION)
        lines = shown(chart())
        assert list(lines) == [kind.value for kind in StandingKind]
        assert [line.stale for line in lines.values()] == [True, False, False, False]

    def test_it_costs_one_statement(self, chart, resident, doctor):
        write(resident, doctor)
        chart()
        with CaptureQueriesContext(connection) as queries:
            chart()
        assert len([q for q in queries if "emr_standinghistory" in q["sql"]]) == 1

    def test_of_a_merged_file_the_newest_counts_and_writing_goes_on(self, chart, station, resident, doctor):
        absorbed = factories.resident(station, "张秀英")
        confirmed_long_ago(write(resident, doctor, "旧的"), 30)
        write(absorbed, doctor, "新的")
        type(absorbed).objects.filter(pk=absorbed.pk).update(merged_into=resident)
        line = shown(chart())[PAST]
        assert line.text == "新的"
        write(resident, doctor, "更新的", version=line.version)
        assert shown(chart())[PAST].text == "更新的"

    def test_readers_see_it_without_the_means_to_write(self, client, encounter, resident, doctor, nurse):
        write(resident, doctor)
        client.force_login(nurse)
        html = client.get(f"/visits/{encounter.uuid}/").content.decode()
        assert "高血压10年" in html
        assert "standing-data" not in html

    def test_it_stands_on_the_residents_page(self, client, resident, doctor, clerk):
        write(resident, doctor)
        client.force_login(doctor)
        assert "高血压10年" in client.get(f"/residents/{resident.uuid}/").content.decode()
        client.force_login(clerk)
        assert "高血压10年" not in client.get(f"/residents/{resident.uuid}/").content.decode()

    def test_allergies_are_those_on_record(self, resident):
        rows = [Allergy(substance="青霉素", reaction="皮疹"), Allergy(substance="磺胺")]
        assert standing_history.allergy_text(resident, rows) == "青霉素（皮疹）、磺胺"
        assert standing_history.allergy_text(resident, []) == ""


class TestLongTermMedication:
    @staticmethod
    def line(drug, days):
        return {"drug": drug, "dose": "5mg", "route": "po", "frequency": "qd", "days": str(days)}

    def test_four_weeks_or_two_visits_running_are_proposed(self, chart, resident, doctor):
        line = self.line
        finished(resident, doctor, 5, medications=[line("氨氯地平片", 7), line("布洛芬", 3)])
        finished(resident, doctor, 40, medications=[line("氨氯地平片", 7), line("头孢", 3)])
        finished(resident, doctor, 80, medications=[line("二甲双胍片", 28), line("布洛芬", 3)])
        proposal = shown(chart())[MEDICATION].proposal
        assert [entry.split()[0] for entry in proposal.splitlines()] == ["氨氯地平片", "二甲双胍片"]

    def test_what_stands_there_already_is_not_proposed(self, chart, resident, doctor):
        finished(resident, doctor, 5, medications=[self.line("氨氯地平片", 28)])
        write(resident, doctor, shown(chart())[MEDICATION].proposal, MEDICATION)
        assert shown(chart())[MEDICATION].proposal == ""

    @pytest.mark.parametrize(
        "odd", [[], [{}], [{"drug": None}], ["x"], {"a": 1}, [{"drug": "药", "days": None}]]
    )
    def test_odd_lines_propose_nothing(self, chart, resident, doctor, odd):
        finished(resident, doctor, 5, medications=odd)
        assert shown(chart())[MEDICATION].proposal == ""


class TestCarrying:
    def test_a_visit_begins_with_the_standing_past_history(self, resident, doctor):
        finished(resident, doctor, 9, past_history="上次写的")
        visit = factories.encounter(resident, doctor)
        assert prefill.for_start(visit)["past_history"] == "上次写的"
        write(resident, doctor, "长期的")
        assert prefill.for_start(visit)["past_history"] == "长期的"

    def test_signing_makes_the_notes_past_history_the_standing_one(self, resident, encounter, doctor):
        sign(encounter, doctor, past_history=" 冠心病6年 ")
        row = StandingHistory.objects.get()
        assert (row.text, row.confirmed_by, row.kind) == ("冠心病6年", doctor, PAST)

    def test_what_was_only_carried_is_not_confirmed(self, resident, encounter, doctor, colleague):
        confirmed_long_ago(write(resident, colleague))
        carried = {"past_history": {"how": "carried", "from": ""}}
        sign(encounter, doctor, past_history="高血压10年", marks=carried)
        assert StandingHistory.objects.get().confirmed_by == colleague

    def test_confirmed_in_the_note_it_is_confirmed_for_good(self, resident, encounter, doctor, colleague):
        write(resident, colleague)
        sign(encounter, doctor, past_history="高血压10年", marks={})
        row = StandingHistory.objects.get()
        assert (row.confirmed_by, row.version) == (doctor, 2)

    @pytest.mark.parametrize("marks", [[], "x", {"past_history": 3}, {"past_history": []}])
    def test_odd_marks_hold_no_signature_up(self, encounter, doctor, marks):
        note = Note(past_history="冠心病", marks=marks)
        assert standing.take_over(note, encounter, doctor).text == "冠心病"

    def test_it_takes_few_statements(self, resident, encounter, doctor):
        write(resident, doctor)
        note = Note.objects.get(encounter=encounter)
        note.past_history = "新"
        with CaptureQueriesContext(connection) as queries:
            standing.take_over(note, encounter, doctor)
        assert len(queries) <= 4

    def test_a_merged_residents_visit_writes_the_survivors_row(self, station, resident, doctor):
        absorbed = factories.resident(station, "张秀英")
        visit = factories.encounter(absorbed, doctor)
        type(absorbed).objects.filter(pk=absorbed.pk).update(merged_into=resident)
        visits_row = Encounter.objects.select_related("resident__merged_into").get(pk=visit.pk)
        standing.take_over(Note(past_history="新", marks={}), visits_row, doctor)
        assert StandingHistory.objects.get().resident == resident


class TestUndoneSignatures:
    """A signature undone: what the note brought into the standing history goes with it."""

    def follow(self, visit, before, after, by):
        visit = Encounter.objects.select_related("resident__merged_into").get(pk=visit.pk)
        return standing.follow(before, after, visit, by)

    def test_what_stood_before_the_signature_stands_again(self, resident, encounter, doctor, colleague):
        write(resident, colleague, "自己的")
        sign(encounter, doctor, past_history="别人的")
        self.follow(encounter, "别人的", None, colleague)
        assert StandingHistory.objects.get().text == "自己的"

    def test_what_the_note_only_confirmed_stays(self, resident, encounter, doctor, colleague):
        write(resident, colleague, "自己的")
        sign(encounter, doctor, past_history="自己的")
        assert self.follow(encounter, "自己的", None, colleague) is None
        assert StandingHistory.objects.get().text == "自己的"

    def test_what_was_written_since_stays(self, resident, encounter, doctor, colleague):
        sign(encounter, doctor, past_history="错的")
        write(resident, colleague, "后来的", version=1)
        self.follow(encounter, "错的", "改的", doctor)
        assert StandingHistory.objects.get().text == "后来的"


@pytest.mark.django_db(transaction=True)
class TestRaces:
    def test_two_visits_signed_at_once_leave_one_whole_row(self, station, other_station, doctor, stranger):
        for number in range(10):
            person = factories.resident(station, f"居民{number}")
            here, there = factories.encounter(person, doctor), factories.encounter(person, stranger)
            AccessGrant.objects.create(user=stranger, resident=person, reason="会诊")
            at_once(
                lambda visit=here: sign(visit, doctor, past_history="甲"),
                lambda visit=there: sign(visit, stranger, past_history="乙"),
            )
            row = StandingHistory.objects.get(resident=person)
            assert (row.text, row.confirmed_by) in [("甲", doctor), ("乙", stranger)]
            assert (row.version, row.history.count()) == (2, 2)

    def test_two_who_write_at_once_one_is_told(self, station, doctor, colleague):
        for number in range(10):
            person = factories.resident(station, f"居民{number}")
            outcomes = at_once(
                lambda person=person: write(person, doctor, "甲"),
                lambda person=person: write(person, colleague, "乙"),
            )
            refused = [outcome.code for outcome in outcomes if isinstance(outcome, Refused)]
            assert (refused, StandingHistory.objects.get(resident=person).version) == (["stale"], 1)


def test_the_page_tells_the_key(chart):
    html = chart().content.decode()
    assert len(re.findall(r"Alt\+0", html)) == 2


def test_starting_a_visit_puts_it_into_the_note(resident, doctor):
    write(resident, doctor)
    visit = visits.start_for(resident=resident, by=doctor)
    assert Note.objects.get(encounter=visit).past_history == "高血压10年"


@pytest.mark.parametrize(("where", "opened"), [("centre", ["signs"]), ("other_centre", [])])
def test_fields_that_an_institution_wants_open_stand_open(request, chart, where, opened):
    Practice.objects.create(institution=request.getfixturevalue(where), unfolded=["signs"])
    found = re.search(
        r'<script id="chart-data" type="application/json">(.*?)</script>', chart().content.decode()
    )
    assert json.loads(found[1])["unfolded"] == opened
