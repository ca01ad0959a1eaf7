"""Which text is in force, and what was changed: nothing is lost, nothing is confused, and it ends in time."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic import registry
from clinic.codes import Act
from clinic.models import AuditEntry
from emr import previous_visits
from emr.codes import ReviewDecision
from emr.drafting import prefill
from emr.models import Encounter, Note, NoteReview
from emr.signed import comparing, versions
from tests import factories
from tests.emr.amending import begin, corrected, made_void, save, signed_note
from tests.emr.conftest import COMPLETE

texts = st.text(st.sampled_from("咳嗽发热3天5。，\n𠮷😀a1 "), max_size=60)


def old_text(runs, number=1):
    """The text of one version, put together again."""
    return "".join(
        run.text for run in runs if run.added <= number and not (run.struck and run.struck <= number)
    )


class TestComparing:
    @given(st.lists(texts, min_size=1, max_size=5))
    def test_every_version_is_whole(self, typed):
        runs = comparing.of_texts(typed)
        assert [old_text(runs, number) for number in range(1, len(typed) + 1)] == typed

    @given(st.lists(st.lists(texts, max_size=5), min_size=1, max_size=4))
    def test_every_version_of_lines_is_whole(self, versions_of_lines):
        runs = comparing.of_lines(versions_of_lines)
        for number, lines in enumerate(versions_of_lines, 1):
            there = [run for run in runs if run.added <= number and not (run.struck and run.struck <= number)]
            assert [run.text for run in there] == lines

    def test_the_struck_passage_stands_before_its_successor(self):
        runs = comparing.of_texts(["咳嗽3天，无发热。", "咳嗽5天，无发热。"])
        assert [(run.text, run.added, run.struck) for run in runs] == [
            ("咳嗽", 1, None), ("3", 1, 2), ("5", 2, None), ("天，无发热。", 1, None),
        ]  # fmt: skip

    def test_a_number_and_a_word_stay_in_one_piece(self):
        runs = comparing.of_texts(["血压120/80mmHg", "血压120/85mmHg"])
        assert [run.text for run in runs if run.struck or run.added > 1] == ["120/80mmHg", "120/85mmHg"]

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            ("啊" * 20_000, "啊" * 9_999 + "哦" + "啊" * 10_000),
            ("甲乙" * 10_000, "乙甲" * 10_000),
            ("".join(f"句{i}同。甲{i}。" for i in range(2000)), "".join(f"句{i}同。乙{i}。" for i in range(2000))),
            ("".join(chr(0x4E00 + i % 997) for i in range(20_000)), "".join(chr(0x4E00 + i % 991) for i in range(20_000))),
            ("".join("甲乙"[i * i % 7 % 2] for i in range(1400)), "".join("甲乙"[i * i % 11 % 2] for i in range(1400))),
        ],
        ids=["one sign", "swapped", "every second sentence", "unlike", "two signs"],
    )  # fmt: skip
    def test_twenty_thousand_characters_end_in_time(self, old, new):
        began = time.perf_counter()
        runs = comparing.of_texts([old, new])
        assert time.perf_counter() - began < 3
        assert (old_text(runs), old_text(runs, 2)) == (old, new)

    def test_a_page_of_many_hostile_versions_ends_in_time(self):
        patience = comparing.Patience()
        typed = ["".join("甲乙丙"[(i * n) % 13 % 3] for i in range(2000)) for n in range(1, 30)]
        began = time.perf_counter()
        for old, new in zip(typed, typed[1:], strict=False):
            comparing.of_texts([old, new], patience)
        assert time.perf_counter() - began < 5


@pytest.fixture
def note(client, resident, doctor):
    return signed_note(client, resident, doctor)


@pytest.mark.django_db
class TestInForce:
    def test_without_correction_it_is_the_notes_own(self, note):
        [only] = versions.of(note)
        assert (only.number, only.kind, only.text.pk, versions.text_in_force(note)) == (
            1,
            None,
            note.pk,
            note,
        )

    def test_versions_are_told_oldest_first(self, note, doctor):
        corrected(note, doctor, {"signs": "二"})
        corrected(note, doctor, {"signs": "三"}, reason="又一处")
        found = versions.of(note)
        assert [(version.number, version.text.signs) for version in found] == [
            (1, COMPLETE["signs"]), (2, "二"), (3, "三"),
        ]  # fmt: skip
        assert (found[-1].reason, found[-1].signer) == ("又一处", doctor.name)

    def test_an_open_one_is_not_in_force(self, note, doctor):
        save(begin(note, doctor), doctor, {"signs": "草稿"})
        [shown] = versions.overlay([note])
        assert (shown.signs, shown.in_force) == (COMPLETE["signs"], None)

    def test_overlay_reads_once_for_any_number_of_notes(
        self, client, station, doctor, django_assert_num_queries
    ):
        notes = [signed_note(client, factories.resident(station), doctor) for _n in range(4)]
        corrected(notes[0], doctor, {"signs": "二"})
        corrected(notes[0], doctor, {"signs": "三"})
        corrected(notes[2], doctor, {"signs": "改"})
        again = list(Note.objects.filter(pk__in=[note.pk for note in notes]).order_by("pk"))
        with django_assert_num_queries(1):
            versions.overlay(again)
        assert [note.signs for note in again] == ["三", COMPLETE["signs"], "改", COMPLETE["signs"]]
        assert Note.objects.get(pk=notes[0].pk).signs == COMPLETE["signs"]

    def test_the_first_version_survives_the_overlay(self, note, doctor):
        corrected(note, doctor, {"signs": "二"})
        versions.overlay([note])
        assert versions.of(note)[0].text.signs == COMPLETE["signs"]

    def test_versions_of_many_notes_are_two_queries(
        self, client, station, assistant, doctor, django_assert_num_queries
    ):
        notes = [signed_note(client, factories.resident(station), assistant) for _n in range(4)]
        corrected(notes[1], assistant, {"signs": "二"})
        corrected(notes[1], doctor, {"signs": "三"})
        with django_assert_num_queries(2):
            found = versions.of_all(notes)
        assert [len(found[note.pk]) for note in notes] == [1, 3, 1, 1]
        assert [len(version.reviews) for version in found[notes[1].pk]] == [0, 0, 1]

    def test_overlay_of_nothing_asks_nothing(self, django_assert_num_queries):
        with django_assert_num_queries(0):
            assert versions.overlay([]) == []

    def test_previous_visits_show_it_without_a_further_query(
        self, note, doctor, resident, django_assert_num_queries
    ):
        corrected(note, doctor, {"chief_complaint": "咳嗽5天"})
        ids = resident.record_ids()
        with django_assert_num_queries(1):
            [visit], _more = previous_visits.page(doctor, ids)
            assert (visit.note.chief_complaint, visit.note.in_force["number"]) == ("咳嗽5天", 1)

    def test_the_next_note_takes_over_what_is_in_force(self, note, doctor, resident):
        corrected(note, doctor, {"past_history": "高血压10年。"})
        assert "高血压10年" in prefill.for_start(factories.encounter(resident, doctor))["past_history"]


@pytest.mark.django_db
class TestPages:
    def get(self, client, user, note, name="versions"):
        client.force_login(user)
        return client.get(f"/visits/{note.encounter.uuid}/{name}")

    def test_both_texts_who_when_and_why_stand_there(self, client, note, doctor):
        corrected(note, doctor, {"chief_complaint": "咳嗽5天"})
        page = self.get(client, doctor, note).content.decode()
        assert '<del class="struck">3</del><ins class="brought">5</ins>' in page
        assert ("病程天数写错" in page, "修正1" in page, "首次签名" in page) == (True, True, True)
        assert AuditEntry.objects.filter(act=Act.VIEW, detail__page="versions").exists()

    def test_lines_are_compared_in_words(self, client, note, doctor):
        line = {"drug": "氨溴索", "dose": "30mg", "route": "po", "frequency": "tid", "days": "5"}
        corrected(note, doctor, {"medications": [line], "vitals": {"temperature": "38.5"}})
        page = self.get(client, doctor, note).content.decode()
        assert "氨溴索 30mg 口服 每日3次 5天" in page
        assert "体温 38.5 ℃" in page

    def test_the_chart_shows_the_text_in_force_and_the_original(self, client, note, doctor, colleague):
        corrected(note, doctor, {"chief_complaint": "咳嗽5天"})
        page = self.get(client, colleague, note, "").content.decode()
        assert '<del class="struck">3</del><ins class="brought">5</ins>' in page
        assert "已修正 1 次" in page

    def test_the_home_station_reads_and_a_stranger_finds_nothing(self, client, note, manager, stranger):
        assert self.get(client, manager, note).status_code == 200
        assert self.get(client, stranger, note).status_code == 404

    @pytest.mark.parametrize("who", ["clerk", "auditor"])
    def test_others_read_no_versions(self, client, note, who, request):
        assert self.get(client, request.getfixturevalue(who), note).status_code == 403

    def test_of_a_draft_there_are_none(self, client, doctor, encounter):
        assert self.get(client, doctor, encounter.note).status_code == 404

    @pytest.mark.parametrize("name", ["versions", "", "print", "corrections"])
    def test_few_queries_at_any_length(self, client, note, doctor, name, django_assert_max_num_queries):
        for number in range(8):
            corrected(note, doctor, {"signs": f"第{number}次"})
        self.get(client, doctor, note, name)
        with django_assert_max_num_queries(12 + len(registry.banner_badges)):
            assert client.get(f"/visits/{note.encounter.uuid}/{name}").status_code == 200

    def test_a_void_note_says_by_whom_and_why(self, client, note, doctor, manager):
        made_void(note, doctor, manager)
        page = self.get(client, doctor, note).content.decode()
        assert ("作废（误签名）" in page, "写错病人" in page) == (True, True)

    def test_hostile_text_is_text(self, client, note, doctor):
        corrected(note, doctor, {"signs": "<script>alert(1)</script>𠮷😀"}, reason="<b>理由</b>")
        page = self.get(client, doctor, note).content.decode()
        assert ("<script>alert" in page, "<b>理由" in page, "𠮷😀" in page) == (False, False, True)


@pytest.mark.django_db
def test_a_review_belongs_to_its_version(client, resident, assistant, doctor):
    note = signed_note(client, resident, assistant)
    NoteReview.objects.create(
        note=note, reviewer=doctor, reviewer_name="王", decision=ReviewDecision.RETURNED
    )
    corrected(note, assistant, {"signs": "改"})
    assert [bool(version.reviews) for version in versions.of(note)] == [True, False]
    assert Encounter.objects.count() == 1
