"""Templates: whose they are, how they are found, and that nothing personal gets into them."""

import time
import uuid
from datetime import date

import pytest
from django.utils import timezone

from clinic.codes import Act, Role
from clinic.errors import Forbidden, Refused
from clinic.models import AuditEntry
from emr.actions import templates
from emr.models import Note, NoteTemplate
from emr.seeding import templates as demo
from emr.templating import anonymising, listing
from tests import factories
from tests.emr.conftest import COMPLETE

pytestmark = pytest.mark.django_db
PLAN = {
    "chief_complaint": "血压升高复诊【天数】天", "signs": "心率【次数】次/分。", "treatment": "低盐饮食。",
    "diagnoses": COMPLETE["diagnoses"],
    "medications": [{"drug": "氨氯地平", "dose": "5mg", "route": "po", "frequency": "qd", "days": "28", "reason": "慢病"}],
}  # fmt: skip


def kept(by, name="高血压复诊", kind="plan", field="", content=None, **more):
    content = content or (PLAN if kind == "plan" else {field: "多饮水。"})
    return templates.create(
        key=uuid.uuid4(), kind=kind, field=field, name=name, content=content, by=by, **more
    )


@pytest.fixture
def district_person(district):
    return factories.user(Role.DISTRICT, district)


@pytest.fixture
def find(client):
    def find(user, q="", field="", kind=""):
        client.force_login(user)
        body = {"q": q, "field": field, "kind": kind}
        answer = client.post("/templates/search", body, content_type="application/json")
        return [item["name"] for item in answer.json()["items"]] if answer.status_code == 200 else answer

    return find


# Finding -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "typed", ["gxy", "gaoxueya", "高血压", "血压", "GXY", "ｇｘｙ", "高血压 复诊", "gxyfz", " "]
)
def test_a_template_is_found_by_initials_pinyin_and_chinese(find, doctor, typed):
    kept(doctor)
    assert find(doctor, typed) == ["高血压复诊"]


@pytest.mark.parametrize(
    "typed", ["xyz", "%", "_", "'", "𠮷", "<b>", "a" * 20_000, "高血压" * 5000, "\u202e"]
)
def test_odd_searches_find_nothing_and_break_nothing(find, doctor, typed):
    kept(doctor)
    assert find(doctor, typed) == []


@pytest.mark.parametrize("body", [{"q": 1}, {"q": "\x00"}, {"q": "\ud800"}, {"field": []}, [], "x"])
def test_misshapen_searches_are_refused(client, doctor, body):
    client.force_login(doctor)
    assert client.post("/templates/search", body, content_type="application/json").status_code == 400


def test_one_finds_texts_of_the_box_and_plans_own_first(
    find, doctor, manager, district_person, centre, district
):
    kept(district_person, "区方案", institution=district)
    kept(manager, "中心处理", kind="text", field="treatment", institution=centre)
    kept(doctor, "我的处理", kind="text", field="treatment")
    kept(doctor, "我的体征", kind="text", field="signs")
    assert find(doctor, field="treatment") == ["我的处理", "中心处理", "区方案"]
    assert find(doctor, field="diagnoses") == ["区方案"]


def test_own_ones_come_before_shared_ones_and_twenty_are_enough(find, doctor, manager, centre):
    for number in range(25):
        kept(manager, f"方案{number}", institution=centre)
    kept(doctor, "方案我的")
    found = find(doctor, "fa")
    assert (found[0], len(found)) == ("方案我的", 20)


def test_finding_is_one_query_and_the_preview_is_short(doctor, manager, centre, django_assert_num_queries):
    kept(manager, institution=centre, content={**PLAN, "treatment": "长" * 20_000})
    with django_assert_num_queries(1):
        found = listing.search(doctor, "gxy", "treatment")
        assert [listing.scope(row, doctor) for row in found]
        assert len(listing.preview(found[0])) == listing.PREVIEW


def test_what_is_off_or_of_another_department_is_not_offered(find, doctor, manager, centre):
    off = kept(manager, "停用", institution=centre)
    templates.switch(template=off.uuid, active=False, by=manager)
    kept(manager, "中医", institution=centre, department="中医科")
    assert find(doctor) == []
    doctor.department = "中医科"
    doctor.save()
    assert find(doctor) == ["中医"]


def test_other_peoples_and_other_centres_templates_are_hidden(
    find, client, doctor, colleague, stranger, manager, centre
):
    own = kept(doctor)
    kept(manager, "本中心", institution=centre)
    assert find(stranger) == []
    assert find(colleague) == ["本中心"]
    assert (
        client.post(f"/templates/{own.uuid}/content", {}, content_type="application/json").status_code == 404
    )
    assert client.get(f"/templates/{own.uuid}").status_code == 404


def test_a_nurse_has_no_templates(find, nurse):
    assert find(nurse).status_code == 403


# Keeping -----------------------------------------------------------------------------------------------


def test_the_same_key_makes_one_template_and_another_content_is_refused(doctor):
    same = {"key": uuid.uuid4(), "kind": "plan", "field": "", "content": PLAN, "by": doctor}
    assert templates.create(name="一", **same) == templates.create(name="一", **same)
    with pytest.raises(Refused) as refused:
        templates.create(name="二", **same)
    assert refused.value.code == "key"
    assert AuditEntry.objects.filter(act=Act.CREATE, object_type="emr.notetemplate").count() == 1


def test_two_of_one_name_are_refused(doctor):
    kept(doctor)
    with pytest.raises(Refused) as refused:
        kept(doctor)
    assert refused.value.code == "name"


@pytest.mark.parametrize(
    ("kind", "field", "content"),
    [
        ("plan", "", {}), ("plan", "", {"vitals": {"pulse": "80"}}), ("plan", "", {"past_history": "高血压"}),
        ("plan", "", {"marks": {}}), ("plan", "", {"treatment": 5}), ("plan", "", {"treatment": "长" * 20_001}),
        ("plan", "", {"diagnoses": [{"name": "x", "nonsense": 1}]}), ("plan", "", {"treatment": "   "}),
        ("text", "vitals", {"vitals": {}}), ("text", "treatment", {"signs": "x"}), ("text", "", {"": "x"}),
        ("nonsense", "treatment", {"treatment": "x"}), ("text", "treatment", []),
        ("text", "treatment", {"treatment": "证件 110101195803070024"}),
    ],
)  # fmt: skip
def test_a_template_holds_what_a_draft_may_hold_and_nothing_else(doctor, kind, field, content):
    with pytest.raises(Refused):
        templates.create(key=uuid.uuid4(), kind=kind, field=field, name="名", content=content, by=doctor)
    assert not NoteTemplate.objects.exists()


def test_sharing_is_the_managements_and_reaches_down_alone(
    doctor, manager, centre, district, station, other_station
):
    for by, where in ((doctor, station), (manager, district), (manager, other_station)):
        with pytest.raises(Forbidden):
            kept(by, institution=where)
    assert kept(manager, institution=station).institution == station


def test_only_the_keeper_changes_a_template(client, doctor, manager, centre):
    shared = kept(manager, institution=centre)
    client.force_login(doctor)
    assert client.get(f"/templates/{shared.uuid}").status_code == 200
    client.post(f"/templates/{shared.uuid}/switch", {"active": "0"})
    assert client.post(f"/templates/{shared.uuid}", {"name": "改了", "active": "on"}).status_code == 403
    shared.refresh_from_db()
    assert (shared.active, shared.name) == (True, "高血压复诊")
    assert AuditEntry.objects.filter(act=Act.DENIED).exists()


def test_a_template_made_on_its_page_is_what_was_typed(client, doctor):
    client.force_login(doctor)
    lines = {
        "d-TOTAL_FORMS": 2, "d-INITIAL_FORMS": 0, "d-0-name": "高血压", "d-0-code": "I10.x00", "d-0-system": "icd10",
        "d-0-release": "2.0", "d-0-coded": "高血压", "d-1-name": "自己的话", "d-1-code": "I10", "d-1-system": "icd10",
        "d-1-coded": "高血压", "m-TOTAL_FORMS": 1, "m-INITIAL_FORMS": 0, "m-0-drug": "氨氯地平", "m-0-dose": "5mg",
        "m-0-route": "po", "m-0-frequency": "qd", "m-0-days": "28",
    }  # fmt: skip
    typed = {"key": uuid.uuid4(), "name": "高血压", "chief_complaint": "头晕\r\n【天数】天", **lines}
    assert client.post("/templates/new?kind=plan", typed).status_code == 302
    row = NoteTemplate.objects.get()
    assert (row.owner, row.content["chief_complaint"]) == (doctor, "头晕\n【天数】天")
    assert [line["code"] for line in row.content["diagnoses"]] == ["I10.x00", ""]
    assert row.content["medications"][0]["days"] == "28"


def test_what_is_refused_on_the_page_stays_typed(client, doctor):
    kept(doctor, "处理", kind="text", field="treatment")
    client.force_login(doctor)
    typed = {"key": uuid.uuid4(), "name": "处理", "field": "treatment", "text": "<script>我写的</script>"}
    answer = client.post("/templates/new?kind=text", typed)
    assert answer.status_code == 400
    assert "&lt;script&gt;我写的" in answer.content.decode()


@pytest.mark.parametrize("count", [1, 60])
def test_the_list_costs_few_queries_at_any_length(client, doctor, count, django_assert_max_num_queries):
    for number in range(count):
        kept(doctor, f"方案{number}")
    client.force_login(doctor)
    client.get("/templates")
    with django_assert_max_num_queries(8):
        assert client.get("/templates").status_code == 200


def test_the_desk_lists_shared_ones_and_never_a_persons_own(client, doctor, manager, centre):
    kept(doctor, "私人的")
    kept(manager, "共用的", institution=centre)
    client.force_login(manager)
    page = client.get("/admin/emr/notetemplate/").content.decode()
    assert "共用的" in page
    assert "私人的" not in page


def test_the_demo_has_a_dozen_of_them(doctor, manager, district_person):
    staff = {"doctor": doctor, "manager": manager, "district": district_person}
    demo.make(staff, [])
    demo.make(staff, [])
    assert NoteTemplate.objects.count() == 12


# The note as a template ---------------------------------------------------------------------------------


@pytest.fixture
def make(client):
    def make(user, visit, **asked):
        client.force_login(user)
        body = {"key": str(uuid.uuid4()), "kind": "plan", "field": "", "name": "上感", **asked}
        return client.post(f"/visits/{visit.uuid}/template", body, content_type="application/json")

    return make


def test_a_note_becomes_a_plan_without_vital_signs_and_past_history(make, doctor, encounter):
    Note.objects.filter(encounter=encounter).update(**COMPLETE, vitals={"pulse": "80"})
    assert make(doctor, encounter).status_code == 200
    row = NoteTemplate.objects.get()
    assert (row.owner, set(row.content)) == (doctor, {"chief_complaint", "signs", "diagnoses", "treatment"})


def test_past_history_and_a_colleagues_note_become_no_template(make, doctor, colleague, stranger, encounter):
    Note.objects.filter(encounter=encounter).update(**COMPLETE)
    assert make(doctor, encounter, kind="text", field="past_history").status_code == 400
    assert make(doctor, encounter, kind="text", field="vitals").status_code == 400
    assert make(colleague, encounter).status_code == 403
    assert make(stranger, encounter).status_code == 404
    assert not NoteTemplate.objects.exists()


def test_asked_twice_with_one_key_it_is_one_template(make, doctor, encounter):
    Note.objects.filter(encounter=encounter).update(**COMPLETE)
    key = str(uuid.uuid4())
    assert [make(doctor, encounter, key=key).status_code for _n in range(2)] == [200, 200]
    assert NoteTemplate.objects.count() == 1


HOSTILE = [
    "张秀英咳嗽", "张 秀 英咳嗽", "张\u200b秀\u200b英", "患者张秀英诉咳嗽", "张-秀·英", "秀英诉头晕", "张阿姨诉头晕", "老张诉头晕", "张某诉",
    "证件110101195803070024", "１１０１０１１９５８０３０７００２４", "110101 19580307 0024", "110101-19580307-0024",
    "尾号070024", "电话13912345678", "139 1234 5678", "139-1234-5678", "１３９１２３４５６７８", "+86 13912345678",
    "档号11010100100100012", "住东四北大街42号院3单元501", "东四北大街", "家属李建国陪同", "建国陪同", "李先生代诉", "010-65251234",
    "他人电话13800138000", "他人证件11010119900307001X", "zhang@example.com", "参保号A12345678", "就职于北京第一机床厂",
]  # fmt: skip
TRACES = [
    "张秀英", "秀英", "张阿姨", "老张", "张某", "110101195803070024", "070024", "13912345678", "11010100100100012", "东四北大街",
    "3单元", "李建国", "建国", "李先生", "65251234", "13800138000", "1101011990", "example", "A12345678", "第一机床",
]  # fmt: skip


@pytest.fixture
def known(resident):
    facts = {
        "name": "张秀英", "id_number": "110101195803070024", "phone": "13912345678", "contact_name": "李建国",
        "contact_phone": "13800138000", "address": "北京市东城区东四北大街42号院3单元501", "insurance_number": "A12345678",
        "employer": "北京第一机床厂", "record_number": "11010100100100012",
    }  # fmt: skip
    for name, value in facts.items():
        setattr(resident, name, value)
    return resident


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_of_the_person_stays(known, text):
    left = anonymising.strip({"treatment": text}, [known], [])["treatment"]
    bare = anonymising._shadow(left)[0]
    assert not [trace for trace in TRACES if anonymising._shadow(trace)[0] in bare], left


@pytest.mark.parametrize(
    "text",
    ["2026-11-22", "2026年11月22日", "11月22日", "11-22", "11/22", "2026.11.22", "２０２６-１１-２２", "22日复查", "2026/11/22复诊",
     "1958年3月7日生", "1958-03-07", "生于1958.3.7"],
)  # fmt: skip
def test_days_of_the_visit_and_of_birth_go(known, text):
    left = anonymising.strip({"signs": text}, [known], [date(2026, 11, 22), date(1958, 3, 7)])["signs"]
    assert "【日期】" in left
    assert "22" not in left
    assert "1958" not in left


@pytest.mark.parametrize(
    "text",
    ["咳嗽3天", "血压138/86mmHg，心率76次/分，律齐。", "白细胞9.8×10⁹/L", "体温36.5-38.6℃，每日3-5次", "服药28天后复诊",
     "0.5g 每日2次 口服", "FEV1/FVC 62%", "张力增高，开张器检查", "卧床休息，低盐饮食，3-6个月复查", "𠮷野家 😀 <b>"],
)  # fmt: skip
def test_clinical_words_and_figures_stay_as_they_are(known, text):
    assert anonymising.strip({"signs": text}, [known], [date(2026, 11, 22)])["signs"] == text


def test_name_lines_and_the_templates_name_are_cleaned_too(make, known, doctor, encounter):
    known.save()
    line = {**COMPLETE["diagnoses"][0], "name": "张秀英的感冒"}
    drug = {
        "drug": "布洛芬",
        "dose": "0.3g",
        "route": "po",
        "frequency": "prn",
        "days": "3",
        "reason": "李建国要求",
    }
    Note.objects.filter(encounter=encounter).update(diagnoses=[line], medications=[drug])
    assert make(doctor, encounter, name="张秀英上感").status_code == 200
    row = NoteTemplate.objects.get()
    assert "张秀英" not in f"{row.name}{row.content}"
    assert "李建国" not in str(row.content)
    assert row.content["diagnoses"][0]["code"] == "J06.900"


def test_an_absorbed_rows_name_goes_too(make, doctor, encounter, resident, station):
    survivor = factories.resident(station, name="欧阳明月")
    type(resident).objects.filter(pk=resident.pk).update(merged_into=survivor)
    Note.objects.filter(encounter=encounter).update(
        treatment=f"欧阳女士、明月、{resident.name}：休息。", signed_at=None
    )
    assert make(doctor, encounter).status_code == 200
    assert NoteTemplate.objects.get().content["treatment"] == "患者、患者、患者：休息。"


def test_the_visits_own_day_goes(make, doctor, encounter):
    today = timezone.localdate()
    Note.objects.filter(encounter=encounter).update(treatment=f"{today.month}月{today.day}日开始服药")
    make(doctor, encounter)
    assert NoteTemplate.objects.get().content["treatment"] == "【日期】开始服药"


def test_the_longest_note_is_cleaned_in_a_moment(known):
    long = dict.fromkeys(listing.FROM_NOTE, ("张 秀 英住东四北大街42号，138 " * 1000)[:20000])
    began = time.monotonic()
    left = anonymising.strip(long, [known], [date(2026, 11, 22)])
    assert time.monotonic() - began < 5
    assert "秀" not in str(left)


# Gaps --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "value"),
    [("treatment", "休息【天数】天"), ("chief_complaint", "咳嗽【】"),
     ("medications", [{"drug": "布洛芬", "dose": "【剂量】", "route": "po", "frequency": "prn", "days": "3"}]),
     ("diagnoses", [{**COMPLETE["diagnoses"][0], "name": "【诊断】"}])],
)  # fmt: skip
def test_a_gap_left_open_is_missing_before_signing(charting, field, value):
    charting.save({**COMPLETE, field: value})
    answer = charting.sign(version=1)
    assert (answer.status_code, answer.json()["error"]) == (422, "incomplete")
    assert field in [entry["field"] for entry in answer.json()["missing"]]
    assert "【" in answer.json()["missing"][-1]["sentence"]


@pytest.mark.parametrize("text", ["休息（3天）", "[3]天", "【三\n天】", "】休息【"])
def test_other_brackets_are_no_gap(charting, text):
    charting.save({**COMPLETE, "treatment": text})
    assert charting.sign(version=1).status_code == 200
