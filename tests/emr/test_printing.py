"""A note on paper: every sign is there, every line fits, every page says whose it is and which of how many."""

import re
from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from clinic.codes import Act
from clinic.models import AuditEntry
from emr import printing
from emr.models import Note, NoteReview
from emr.typesetting import Line, break_lines, break_runs, measure, paginate, width
from tests import factories
from tests.emr import amending

LONG = "患者三天前受凉后出现咳嗽，咳白色泡沫痰，伴发热，最高体温38.5℃，自服对乙酰氨基酚0.5g后热退。" * 130
printable = st.text(st.characters(exclude_categories=["Cs", "Cc"], include_characters="\t"), max_size=300)


class TestLines:
    @given(text=printable, room=st.floats(16, 42), first=st.floats(0, 8))
    def test_lose_and_reorder_nothing(self, text, room, first):
        assert "".join(break_lines(text, room, first)) == text

    @given(text=printable, room=st.floats(16, 42), first=st.floats(0, 8))
    def test_are_never_wider_than_the_box(self, text, room, first):
        head, *rest = break_lines(text, room, first)
        assert first + measure(head) <= room
        assert all(measure(line) <= room for line in rest)

    def test_never_begin_with_a_closing_mark(self):
        assert break_lines("一二三四五六七八九，十", 9) == ["一二三四五六七八", "九，十"]

    def test_never_end_with_an_opening_mark(self):
        assert break_lines("一二三四五六七（八九）", 8.5) == ["一二三四五六七", "（八九）"]

    def test_keep_a_number_in_one_piece(self):
        assert break_lines("血压测得为一百四十120/80mmHg", 12) == ["血压测得为一百四十", "120/80mmHg"]

    def test_break_a_word_longer_than_the_line(self):
        assert "".join(break_lines("A" * 500, 20)) == "A" * 500

    def test_do_not_tear_a_sign_from_its_mark(self):
        lines = break_lines("e\u0301" * 60, 16)
        assert not any(line.startswith("\u0301") for line in lines)

    def test_a_full_width_sign_is_one_em(self):
        assert {width(sign) for sign in "高，（ａ𠮷"} == {1.0}


class TestStruckLines:
    runs = st.lists(st.tuples(printable, st.booleans()), max_size=6)

    @given(runs=runs, room=st.floats(16, 42), first=st.floats(0, 8))
    def test_lose_no_sign_and_no_stroke(self, runs, room, first):
        lines = break_runs(runs, room, first)
        signs = [(sign, struck) for text, struck in runs for sign in text]
        assert [(sign, struck) for line in lines for text, struck in line for sign in text] == signs

    @given(runs=runs, room=st.floats(16, 42), first=st.floats(0, 8))
    def test_are_never_wider_than_the_box(self, runs, room, first):
        head, *rest = ["".join(text for text, _struck in line) for line in break_runs(runs, room, first)]
        assert first + measure(head) <= room
        assert all(measure(line) <= room for line in rest)


class TestPages:
    @given(count=st.integers(0, 200), room=st.integers(5, 40), kept=st.sets(st.integers(0, 199)))
    def test_hold_every_line_once_in_order(self, count, room, kept):
        lines = [Line(str(number), keep=number in kept) for number in range(count)]
        pages = paginate(lines, room)
        assert [line for page in pages for line in page] == lines
        assert all(len(page) <= room for page in pages)

    def test_a_heading_goes_over_with_its_first_line(self):
        pages = paginate([*[Line("")] * 4, Line("诊断", keep=True), Line("感冒")], 5)
        assert [len(page) for page in pages] == [4, 2]


def sign(note, by, **fields):
    Note.objects.filter(pk=note.pk).update(
        signed_at=timezone.now(), signed_by=by, signer=by.name, signer_title=by.title, **fields
    )
    note.refresh_from_db()
    return note


def printed(note, paper="a5"):
    return printing.lay_out(note, printing.PAPERS[paper])


def text_of(printout):
    return "\n".join(line.label + line.text for lines, _number in printout.pages for line in lines)


@pytest.mark.django_db
class TestNote:
    def test_empty_sections_are_not_printed(self, note, doctor):
        text = text_of(printed(sign(note, doctor, chief_complaint="咳嗽3天")))
        assert "主诉：咳嗽3天" in text
        assert not [label for label in ("现病史", "既往史", "诊断", "用药", "体征") if label in text]

    def test_vital_signs_stand_on_one_line(self, note, doctor):
        vitals = {"temperature": "36.5", "pulse": "78", "systolic": "120", "diastolic": "80", "weight": ""}
        text = text_of(printed(sign(note, doctor, vitals=vitals)))
        assert "生命体征：体温 36.5℃  脉搏 78次/分  血压 120/80mmHg" in text

    def test_diagnoses_are_numbered_and_doubt_is_said(self, note, doctor):
        lines = [
            {"system": "icd10", "code": "J06.900", "name": "急性上呼吸道感染", "certainty": "confirmed", "primary": True},
            {"system": "", "code": "", "name": "过敏性鼻炎", "certainty": "suspected"},
            {"system": "tcm_disease", "code": "TD001", "name": "感冒", "certainty": "confirmed"},
        ]  # fmt: skip
        text = text_of(printed(sign(note, doctor, diagnoses=lines)))
        assert (
            "诊断：\n1. 急性上呼吸道感染  J06.900\n2. 过敏性鼻炎（疑似）\n中医诊断：\n1. 感冒  TD001" in text
        )

    def test_medication_is_a_list(self, note, doctor):
        line = {
            "drug": "阿莫西林胶囊",
            "dose": "0.5g",
            "route": "po",
            "frequency": "tid",
            "days": "5",
            "reason": "",
        }
        text = text_of(printed(sign(note, doctor, medications=[line])))
        assert "用药：\n1. 阿莫西林胶囊  0.5g  口服  每日3次  5天" in text

    def test_signature_has_name_title_and_time(self, note, doctor):
        text = text_of(printed(sign(note, doctor)))
        assert "医师：王淑珍 主治医师" in text
        assert f"签名时间：{timezone.localtime(note.signed_at):%Y-%m-%d %H:%M}" in text

    def test_an_assistants_note_says_that_review_is_awaited(self, note, assistant):
        assert "待上级医师审核" in text_of(printed(sign(note, assistant, needs_review=True)))

    def test_a_reviewed_note_names_the_reviewer(self, note, assistant, doctor):
        sign(note, assistant, needs_review=True)
        NoteReview.objects.create(note=note, reviewer=doctor, reviewer_name="王淑珍", decision="approved")
        text = text_of(printed(note))
        assert "审核医师：王淑珍" in text
        assert "待上级医师审核" not in text

    def test_a_returned_note_is_not_reviewed(self, note, assistant, doctor):
        sign(note, assistant, needs_review=True)
        NoteReview.objects.create(note=note, reviewer=doctor, reviewer_name="王淑珍", decision="returned")
        assert "王淑珍 " in text_of(printed(note))
        assert "待重新审核" in text_of(printed(note))

    def test_line_breaks_stay_and_empty_lines_shrink(self):
        assert printing.paragraphs("\n一\r\n\n\n \n二\u2028三\n\n") == ["一", "", "二", "三"]

    @pytest.mark.parametrize("paper", ["a5", "a4"])
    def test_six_thousand_characters_are_all_there(self, note, doctor, paper):
        printout = printed(sign(note, doctor, present_illness=LONG), paper)
        assert len(LONG) >= 6000
        assert LONG in text_of(printout).replace("\n", "")
        assert [number for _lines, number in printout.pages] == [
            f"第 {page} 页 共 {len(printout.pages)} 页" for page in range(1, len(printout.pages) + 1)
        ]

    def test_head_tells_whose_record_it_is(self, note, doctor):
        printout = printed(sign(note, doctor))
        assert printout.titles == ["胡家园社区卫生服务站", "门诊病历"]
        facts = "　".join(printout.facts)
        assert "姓名：张秀英　性别：女　年龄：" in facts
        assert "就诊时间：" in facts

    @pytest.mark.parametrize("paper", ["a5", "a4"])
    def test_the_longest_names_fit(self, doctor, station, paper):
        station.name = "北京市东城区" + "长" * 94
        station.save()
        note = factories.encounter(factories.resident(station, name="W" * 60), doctor).note
        printout = printed(sign(note, doctor), paper)
        paper = printout.paper
        assert all(measure(line) <= paper.room for line in printout.facts)
        assert all(measure(line) <= paper.title_room for line in printout.titles)
        assert "".join(printout.titles[:-1]) == station.name

    def test_paper_speaks_chinese_whatever_the_page_does(self, client, note, doctor):
        sign(note, doctor, chief_complaint="咳嗽")
        client.force_login(doctor)
        client.cookies["django_language"] = "en"
        page = client.get(reverse("print-note", args=[note.encounter.uuid])).content.decode()
        assert "主诉：" in page
        assert "第 1 页 共 1 页" in page


@pytest.mark.django_db
class TestPage:
    def get(self, client, user, note, **query):
        client.force_login(user)
        return client.get(reverse("print-note", args=[note.encounter.uuid]), query)

    @pytest.mark.parametrize("paper", ["a5", "a4"])
    def test_each_sheet_has_head_and_number(self, client, note, doctor, paper):
        sign(note, doctor, present_illness=LONG)
        page = self.get(client, doctor, note, format=paper).content.decode()
        sheets = page.split('<section class="sheet">')[1:]
        assert len(sheets) == len(printed(note, paper).pages) > 1
        for number, sheet in enumerate(sheets, start=1):
            assert "姓名：张秀英" in sheet
            assert "胡家园社区卫生服务站" in sheet
            assert f"第 {number} 页 共 {len(sheets)} 页" in sheet
        assert f"css/print_{paper}.css" in page

    def test_printing_stands_in_the_trail(self, client, note, doctor, resident):
        self.get(client, doctor, sign(note, doctor), format="a4")
        entry = AuditEntry.objects.get(act=Act.PRINT)
        assert (entry.username, entry.resident, entry.detail) == (
            doctor.username, str(resident.uuid), {"format": "a4", "version": 1},
        )  # fmt: skip

    def test_a_draft_is_refused(self, client, note, doctor):
        answer = self.get(client, doctor, note)
        assert answer.status_code == 409
        assert "病历签名后才能打印" in answer.content.decode()
        assert not AuditEntry.objects.filter(act=Act.PRINT).exists()

    def test_other_paper_is_refused(self, client, note, doctor):
        assert self.get(client, doctor, sign(note, doctor), format="a3").status_code == 400

    def test_a_colleague_prints_too(self, client, note, doctor, colleague):
        assert self.get(client, colleague, sign(note, doctor)).status_code == 200

    def test_a_stranger_sees_no_note(self, client, note, doctor, stranger):
        assert self.get(client, stranger, sign(note, doctor)).status_code == 404

    @pytest.mark.parametrize("who", ["nurse", "clerk"])
    def test_nurses_and_clerks_print_nothing(self, client, note, doctor, who, request):
        assert self.get(client, request.getfixturevalue(who), sign(note, doctor)).status_code == 403

    def test_hostile_text_is_text(self, client, note, doctor):
        sign(note, doctor, chief_complaint="<script>alert(1)</script>𠮷😀\u202e倒")
        page = self.get(client, doctor, note).content.decode()
        assert "<script>alert" not in page
        assert "𠮷😀\u202e倒" in page

    def test_an_imported_note_says_where_it_comes_from(self, client, resident, doctor):
        note = factories.encounter(
            resident, doctor, imported=True, imported_doctor="陈医生", chief_complaint="复诊取药"
        ).note
        page = self.get(client, doctor, note).content.decode()
        assert "由旧系统导入" in page
        assert "陈医生" in page

    def test_age_is_that_of_the_visit(self, note, doctor):
        sign(note, doctor)
        note.encounter.started_at = datetime(2020, 6, 1, tzinfo=UTC)
        assert "年龄：62岁" in "  ".join(printed(note).facts)

    def test_few_queries(self, client, note, doctor):
        sign(note, doctor, present_illness=LONG)
        self.get(client, doctor, note)
        with CaptureQueriesContext(connection) as queries:
            client.get(reverse("print-note", args=[note.encounter.uuid]))
        assert len(queries) <= 7


def struck_of(printout):
    return "".join(
        text for lines, _number in printout.pages for line in lines for text, struck in line.runs if struck
    )


@pytest.mark.django_db
class TestCorrected:
    @pytest.fixture
    def signed(self, client, resident, doctor):
        return amending.signed_note(client, resident, doctor)

    def test_both_texts_stand_there_and_both_signatures(self, signed, doctor):
        amending.corrected(signed, doctor, {"chief_complaint": "咳嗽5天"})
        printout = printed(signed)
        text = text_of(printout)
        assert "主诉：咳嗽35天" in text
        assert struck_of(printout) == "3"
        assert ("修正1：病程天数写错" in text, text.count("医师：王淑珍"), text.count("签名时间：")) == (
            True,
            2,
            2,
        )

    def test_the_page_strikes_with_a_double_line(self, client, signed, doctor):
        amending.corrected(signed, doctor, {"chief_complaint": "咳嗽5天"})
        client.force_login(doctor)
        page = client.get(f"/visits/{signed.encounter.uuid}/print").content.decode()
        assert "咳嗽<del>3</del>5天" in page
        assert AuditEntry.objects.get(act=Act.PRINT).detail == {"format": "a5", "version": 2}

    def test_of_several_corrections_each_passage_tells_whose_it_is(self, signed, doctor):
        amending.corrected(signed, doctor, {"chief_complaint": "咳嗽5天"})
        amending.corrected(signed, doctor, {"treatment": "多饮水。"}, reason="医嘱写多了")
        text = text_of(printed(signed))
        assert ("咳嗽35〔1〕天" in text, "〔2〕" in text, "修正2：医嘱写多了" in text) == (True, True, True)

    def test_a_struck_line_keeps_its_place_without_a_number(self, signed, doctor):
        lines = [{"system": "", "name": "支气管炎", "certainty": "confirmed", "primary": True}]
        amending.corrected(signed, doctor, {"diagnoses": lines})
        printout = printed(signed)
        assert "诊断：\n急性上呼吸道感染  J06.900\n1. 支气管炎" in text_of(printout)
        assert struck_of(printout) == "急性上呼吸道感染  J06.900"

    def test_a_changed_kind_of_visit_is_told(self, signed, doctor):
        amending.corrected(signed, doctor, {"visit_kind": "return"})
        assert "初诊复诊" in text_of(printed(signed)).replace("\n", "")

    def test_a_void_note_is_struck_whole_and_says_why(self, signed, doctor, manager):
        amending.made_void(signed, doctor, manager)
        printout = printed(signed)
        assert printout.titles[-1] == "门诊病历（作废）"
        assert signed.present_illness in struck_of(printout)
        assert "作废（误签名）：写错病人" in text_of(printout)

    @pytest.mark.parametrize("paper", ["a5", "a4"])
    def test_long_texts_lose_nothing_and_fit(self, signed, doctor, paper):
        amending.corrected(signed, doctor, {"present_illness": LONG.replace("38.5", "39.2")})
        amending.corrected(signed, doctor, {"present_illness": LONG})
        printout = printed(signed, paper)
        lines = [line for lines, _number in printout.pages for line in lines]
        assert all(measure(line.label + line.text) <= printout.paper.room for line in lines)
        live = (text for line in lines for text, struck in line.runs or ((line.text, False),) if not struck)
        assert LONG in re.sub(r"〔\d〕", "", "".join(live))

    def test_the_assistants_correction_awaits_a_review(self, client, resident, assistant, doctor):
        note = amending.signed_note(client, resident, assistant)
        amending.corrected(note, assistant, {"signs": "改"})
        assert text_of(printed(note)).count("待上级医师审核") == 1
        amending.corrected(note, doctor, {"signs": "再改"})
        assert "待上级医师审核" not in text_of(printed(note))
