"""The pages of referrals: prefilled, sent in one step, listed, read by whom it concerns, and printed."""

import re
import uuid

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from clinic.codes import Act, Role
from clinic.models import AccessGrant, AuditEntry, Resident
from emr.actions import referrals
from emr.models import Note, Referral
from emr.referring import lists as referral_lists
from emr.referring import printing
from tests import factories
from tests.emr.amending import corrected, made_void, signed_note
from tests.emr.conftest import COMPLETE
from tests.emr.test_referrals import BACK, SHEET, send

pytestmark = pytest.mark.django_db
NOTE = {
    **COMPLETE,
    "medications": [
        {"drug": "氨溴索", "dose": "30mg", "route": "po", "frequency": "tid", "days": "5", "reason": ""},
        {"drug": "", "dose": "", "route": "", "frequency": "", "days": "", "reason": ""},
    ],
}
WHO = ("doctor", "colleague", "stranger", "assistant", "nurse", "manager", "clerk", "auditor", "outsider")
# address: (method, the code that each of WHO gets); the stranger's station receives.
TABLE = {
    "/referrals": ("get", 200, 200, 200, 200, 200, 200, 403, 403, 200),
    "/referrals?tab=all": ("get", 200, 200, 200, 200, 200, 200, 403, 403, 200),
    "/referrals/{referral}": ("get", 200, 200, 200, 200, 200, 200, 403, 403, 404),
    "/referrals/{referral}/print": ("get", 200, 200, 200, 200, 403, 200, 403, 403, 404),
    "/referrals/{referral}/print-return": ("get", 404, 404, 404, 404, 403, 404, 403, 403, 404),
    "/referrals/{referral}/accept": ("post", 403, 403, 302, 403, 403, 403, 403, 403, 404),
    "/referrals/{referral}/reject": ("post", 403, 403, 400, 403, 403, 403, 403, 403, 404),
    "/referrals/{referral}/terminate": ("post", 400, 400, 403, 400, 403, 403, 403, 403, 404),
    "/referrals/{referral}/visit": ("post", 409, 409, 409, 409, 403, 403, 403, 403, 404),
    "/visits/{visit}/refer": ("get", 200, 200, 404, 200, 403, 403, 403, 403, 404),
    "/residents/{resident}/refer": ("get", 200, 200, 404, 200, 403, 403, 403, 403, 404),
}
CASES = [
    pytest.param(address, row[0], who, code, id=f"{who} {address}")
    for address, row in TABLE.items()
    for who, code in zip(WHO, row[1:], strict=True)
]


@pytest.fixture
def outsider(other_centre):
    """A doctor of the other centre's second station: the referral is none of theirs."""
    far = factories.institution("station", "S0202", "地坛社区卫生服务站", other_centre)
    return factories.user(Role.DOCTOR, far, name="外人")


@pytest.fixture
def visit(resident, doctor):
    return factories.encounter(resident, doctor, **NOTE)


@pytest.fixture
def sent(doctor, resident, other_station, visit):
    return send(doctor, resident, other_station, encounter=visit)


@pytest.fixture
def returned(sent, stranger):
    referrals.accept(referral=sent, by=stranger)
    return referrals.send_back(referral=sent, by=stranger, sheet=BACK)


@pytest.fixture
def as_(client):
    def go(user):
        client.force_login(user)
        return client

    return go


def answers(page):
    """What a browser would post of the form on the page."""
    form = page.context["form"]
    return {name: form[name].value() or "" for name in form.fields}


@pytest.mark.parametrize(("address", "method", "who", "code"), CASES)
def test_table(as_, request, sent, visit, resident, address, method, who, code):
    where = address.format(referral=sent.uuid, visit=visit.uuid, resident=resident.uuid)
    assert getattr(as_(request.getfixturevalue(who)), method)(where).status_code == code


@pytest.mark.parametrize("address", TABLE)
def test_nobody_signed_in_learns_nothing(client, sent, visit, resident, address):
    where = address.format(referral=sent.uuid, visit=visit.uuid, resident=resident.uuid)
    answer = getattr(client, TABLE[address][0])(where)
    assert answer.status_code == 302
    assert "sign-in" in answer.url


def test_from_a_visit_the_form_is_filled_already(as_, doctor, visit, settings):
    form = as_(doctor).get(f"/visits/{visit.uuid}/refer").context["form"]
    assert form["impression"].value() == "急性上呼吸道感染"
    assert form["present_illness"].value() == NOTE["present_illness"]
    assert form["past_history"].value() == NOTE["past_history"]
    assert form["treatment_course"].value() == "多饮水，休息。\n氨溴索 30mg 口服 每日3次 5天"
    assert (form["direction"].value(), form["from_department"].value()) == ("up", "全科")


def test_one_click_sends_it(as_, doctor, visit, other_station):
    where = f"/visits/{visit.uuid}/refer"
    body = answers(as_(doctor).get(where)) | {"to_institution": str(other_station.uuid)}
    for _click in range(2):
        answer = as_(doctor).post(where, body)
    row = Referral.objects.get()
    assert answer.url == f"/referrals/{row.uuid}"
    assert (row.encounter, row.to_institution, row.impression) == (visit, other_station, "急性上呼吸道感染")


def test_the_text_in_force_fills_the_form(client, as_, doctor, resident):
    note = signed_note(client, resident, doctor)
    corrected(note, doctor, {"present_illness": "5天前受凉。"})
    form = as_(doctor).get(f"/visits/{note.encounter.uuid}/refer").context["form"]
    assert form["present_illness"].value() == "5天前受凉。"


def test_a_void_note_fills_nothing(client, as_, doctor, resident, manager):
    note = signed_note(client, resident, doctor)
    made_void(note, doctor, manager)
    form = as_(doctor).get(f"/visits/{note.encounter.uuid}/refer").context["form"]
    assert not form["impression"].value()


def test_a_half_filled_note_prefills_what_it_has(as_, doctor, resident):
    visit = factories.encounter(resident, doctor, chief_complaint="头晕2天", diagnoses=[{"name": ""}])
    form = as_(doctor).get(f"/visits/{visit.uuid}/refer").context["form"]
    assert (form["impression"].value(), form["present_illness"].value()) == ("", "头晕2天")


def test_what_was_typed_stays_when_it_is_refused(as_, doctor, visit):
    where = f"/visits/{visit.uuid}/refer"
    body = answers(as_(doctor).get(where)) | {"impression": "待查", "to_name": ""}
    answer = as_(doctor).post(where, body)
    assert answer.status_code == 400
    assert answer.context["form"]["impression"].value() == "待查"
    assert "请选择转入机构" in answer.content.decode()


@pytest.mark.parametrize(
    "bad",
    [{"key": "x"}, {"to_institution": "x"}, {"to_institution": str(uuid.uuid4())}, {"direction": "sideways"}],
)
def test_a_forged_form_is_refused_with_a_sentence(as_, doctor, visit, other_station, bad):
    where = f"/visits/{visit.uuid}/refer"
    body = answers(as_(doctor).get(where)) | {"to_institution": str(other_station.uuid)}
    assert as_(doctor).post(where, body | bad).status_code == 400
    assert not Referral.objects.exists()


def test_hospitals_of_earlier_referrals_are_offered(as_, doctor, resident, visit, other_station):
    for name in ("协和医院", "同仁医院", "协和医院"):
        send(doctor, resident, to_name=name)
    send(doctor, resident, other_station)
    assert as_(doctor).get(f"/visits/{visit.uuid}/refer").context["hospitals"] == ["协和医院", "同仁医院"]


def test_a_referral_on_its_way_is_pointed_out(as_, doctor, sent, resident):
    assert sent.number in as_(doctor).get(f"/residents/{resident.uuid}/refer").content.decode()


def test_reading_and_printing_stand_in_the_trail(as_, nurse, doctor, sent):
    as_(nurse).get(f"/referrals/{sent.uuid}")
    as_(doctor).get(f"/referrals/{sent.uuid}/print")
    for act, who in ((Act.VIEW, nurse), (Act.PRINT, doctor)):
        entry = AuditEntry.objects.get(act=act, username=who.username, object_id=str(sent.uuid))
        assert entry.resident == str(sent.resident.uuid)


def test_a_refused_move_keeps_the_reason_and_says_the_sentence(as_, stranger, doctor, sent):
    referrals.terminate(referral=sent, by=doctor, reason="患者不去了")
    answer = as_(stranger).post(f"/referrals/{sent.uuid}/reject", {"reason": "没有床位"})
    assert answer.status_code == 409
    assert "这份转诊单已结束：已终止。" in answer.content.decode()
    assert AuditEntry.objects.filter(act=Act.REFUSED, username=stranger.username).exists()


def test_the_return_form_is_filled_from_the_signed_note(as_, stranger, sent, other_station):
    referrals.accept(referral=sent, by=stranger)
    visit = referrals.start_visit(referral=sent, by=stranger)
    where = f"/referrals/{sent.uuid}/return"
    assert not as_(stranger).get(where).context["form"]["return_diagnosis"].value()
    Note.objects.filter(encounter=visit).update(
        **{**NOTE, "examinations": "心电图正常"},
        signed_at=timezone.now(),
        signed_by=stranger,
        signer=stranger.name,
    )
    page = as_(stranger).get(where)
    form = page.context["form"]
    assert (form["return_diagnosis"].value(), form["results"].value()) == ("急性上呼吸道感染", "心电图正常")
    assert as_(stranger).post(where, answers(page)).status_code == 302
    assert Referral.objects.get(pk=sent.pk).state == "returned"


def test_an_empty_return_form_is_refused(as_, stranger, sent):
    referrals.accept(referral=sent, by=stranger)
    answer = as_(stranger).post(f"/referrals/{sent.uuid}/return", {**BACK, "return_course": " "})
    assert answer.status_code == 400
    assert Referral.objects.get(pk=sent.pk).state == "accepted"


def test_the_sender_reads_the_return_beside_the_visits(as_, doctor, returned, resident):
    assert BACK["return_diagnosis"] in as_(doctor).get(f"/residents/{resident.uuid}/").content.decode()
    assert BACK["return_course"] in as_(doctor).get(f"/referrals/{returned.uuid}").content.decode()


def test_the_home_institution_reads_what_others_referred(as_, doctor, stranger, resident, other_centre):
    AccessGrant.objects.create(user=stranger, resident=resident, reason="会诊")
    row = send(stranger, resident, other_centre)
    assert as_(doctor).get(f"/referrals/{row.uuid}").status_code == 200


def test_numbers_are_masked_on_the_page_and_whole_on_paper(as_, doctor, sent, resident):
    assert resident.phone not in as_(doctor).get(f"/referrals/{sent.uuid}").content.decode()
    assert resident.phone in as_(doctor).get(f"/referrals/{sent.uuid}/print").content.decode()


def test_text_is_text(as_, doctor, resident, other_station):
    row = send(doctor, resident, other_station, impression="<script>alert(1)</script>𠮷😀")
    for where in ("", "/print"):
        page = as_(doctor).get(f"/referrals/{row.uuid}{where}").content.decode()
        assert "<script>alert" not in page
        assert "𠮷" in page


# Lists -----------------------------------------------------------------------------------------------------


def test_each_tab_holds_its_own(as_, doctor, stranger, resident, other_station, returned):
    waiting = send(doctor, resident, other_station)
    lists = {
        tab: [row.pk for row in as_(stranger).get(f"/referrals?tab={tab}").context["rows"]]
        for tab in referral_lists.TABS
    }
    assert lists == {
        "waiting": [waiting.pk], "received": [returned.pk], "sent": [], "all": [waiting.pk, returned.pk]
    }  # fmt: skip
    assert [row.pk for row in as_(doctor).get("/referrals?tab=sent").context["rows"]] == lists["all"]


def test_what_waits_is_counted_on_the_first_page(as_, doctor, stranger, resident, other_station, settings):
    send(doctor, resident, other_station)
    settings.REFERRAL_DAYS = -1
    send(doctor, resident, other_station)
    assert as_(stranger).get("/").context["duties"]["referrals"] == 1
    assert as_(doctor).get("/").context["duties"]["referrals"] == 0


def test_the_manager_reads_the_lists_of_the_whole_centre(as_, manager, sent):
    assert [row.pk for row in as_(manager).get("/referrals?tab=sent").context["rows"]] == [sent.pk]


@pytest.mark.parametrize("tab", referral_lists.TABS)
def test_long_lists_are_leafed_in_few_queries(
    as_, doctor, stranger, resident, other_station, tab, monkeypatch
):
    monkeypatch.setattr(referral_lists, "PAGE", 3)
    rows = [send(doctor, resident, other_station) for _n in range(7)]
    if tab == "received":
        for row in rows:
            referrals.accept(referral=row, by=stranger)
    client = as_(doctor if tab == "sent" else stranger)
    seen, where = [], f"/referrals?tab={tab}"
    while where:
        with CaptureQueriesContext(connection) as queries:
            page = client.get(where)
        assert len(queries) <= 12
        seen += [row.pk for row in page.context["rows"]]
        where = f"/referrals?tab={tab}&before={page.context['rows'][-1].uuid}" if page.context["more"] else ""
    assert seen == [row.pk for row in reversed(rows)]


@pytest.mark.parametrize("query", ["tab=none", "before=x", "before=00000000-0000-4000-8000-000000000000"])
def test_a_broken_address_of_the_list_is_404(as_, doctor, query):
    assert as_(doctor).get(f"/referrals?{query}").status_code == 404


def test_one_referrals_page_takes_few_queries(as_, doctor, returned):
    client = as_(doctor)
    with CaptureQueriesContext(connection) as queries:
        client.get(f"/referrals/{returned.uuid}")
    assert len(queries) <= 12


# On paper ----------------------------------------------------------------------------------------------------


def text_of(form):
    return "\n".join(line.label + line.text for lines, _number in form.pages for line in lines)


def test_the_form_out_has_its_stub_and_all_fields(sent):
    form = printing.lay_out(Referral.objects.get(pk=sent.pk))
    text = text_of(form)
    assert text.index("存根") < text.index("双向转诊（转出）单") < text.index("初步印象：")
    for said in (
        SHEET["impression"],
        SHEET["present_illness"],
        SHEET["past_history"],
        sent.person["phone"],
        sent.to_name,
        sent.doctor_name,
    ):
        assert said in text
    assert form.pages[0][1] == "第 1 页 共 1 页"


def test_the_form_back_has_its_stub_and_all_fields(returned):
    form = printing.lay_out_return(returned)
    text = text_of(form)
    assert form.titles[0] == returned.to_name
    for said in (
        "存根",
        "双向转诊（回转）单",
        BACK["return_diagnosis"],
        BACK["return_course"],
        "住院病案号：＿",
        "赵敏",
    ):
        assert said in text


def test_a_long_text_goes_on_on_the_next_sheet_and_nothing_is_lost(doctor, resident, other_station):
    long = "".join(f"第{number}句，患者头晕加重。" for number in range(1500))
    row = send(doctor, resident, other_station, present_illness=long)
    form = printing.lay_out(row)
    assert len(form.pages) > 5
    assert long in text_of(form).replace("\n", "")
    room = printing.PAPER.lines(len(form.titles), len(form.facts))
    assert all(len(lines) <= room for lines, _number in form.pages)
    assert all(row.number in "".join(form.facts) for _page in form.pages)


def test_the_paper_is_chinese_whatever_the_page_speaks(as_, doctor, sent, settings):
    client = as_(doctor)
    client.cookies["django_language"] = "en"
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "en"
    page = client.get(f"/referrals/{sent.uuid}/print").content.decode()
    assert "初步印象" in page
    assert re.search(r"\d{4}年\d\d月\d\d日", page)


def test_nothing_comes_back_on_paper_before_it_came_back(as_, doctor, sent):
    assert as_(doctor).get(f"/referrals/{sent.uuid}/print-return").status_code == 404


def test_an_outside_hospitals_paper_is_written_down_by_the_sender(as_, doctor, resident):
    row = send(doctor, resident)
    page = as_(doctor).get(f"/referrals/{row.uuid}").content.decode()
    assert "医院已接收" in page
    assert as_(doctor).post(f"/referrals/{row.uuid}/return", BACK).status_code == 302
    assert as_(doctor).get(f"/referrals/{row.uuid}/print-return").status_code == 200


def test_the_visit_starts_from_the_referrals_page(as_, stranger, sent, resident):
    as_(stranger).post(f"/referrals/{sent.uuid}/accept")
    answer = as_(stranger).post(f"/referrals/{sent.uuid}/visit", {"key": str(uuid.uuid4())})
    assert answer.url.startswith("/visits/")
    assert as_(stranger).get(answer.url).status_code == 200
    assert Resident.objects.visible_to(stranger).filter(pk=resident.pk).exists()
