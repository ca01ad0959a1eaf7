"""The medical administration hands out a copy and seals one with the patient's daughter at the table."""

import hashlib
import json
import uuid

import pytest
from playwright.sync_api import expect

from clinic.codes import Act, IdType
from clinic.models import AuditEntry
from emr.actions import papers as actions
from emr.codes import Relation
from emr.models import CopyIssue, SealedCopy
from emr.papers import Person
from tests import factories
from tests.emr.conftest import COMPLETE
from tests.emr.test_sealed_copies import correct, sign
from tests.journeys.test_printed_pages import ODD

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def visits(server, resident, doctor):
    """One signed, one still being written."""
    done = sign(factories.encounter(resident, doctor, **COMPLETE), doctor)
    begun = factories.encounter(resident, doctor, chief_complaint="头晕2天")
    return done, begun


@pytest.fixture
def papers(server, sign_in, page, manager, resident, visits):
    """From the desk's list of residents to the resident's papers."""
    sign_in(manager)
    page.goto(f"{server.address}/admin/clinic/resident/")
    page.get_by_role("row").filter(has_text=resident.name).get_by_role("link", name="病历复制与封存").click()
    expect(page.locator(".banner-name")).to_have_text(resident.name)
    return page


def fill(page, **typed):
    for name, text in typed.items():
        page.fill(f"[name={name}]", text)


def save(page, name):
    with page.expect_download() as waiting:
        page.get_by_role("link", name=name).click()
    return waiting.value.path().read_bytes()


def seal(page):
    page.get_by_role("link", name="封存病历").click()
    page.get_by_label("全选").check()
    page.select_option("[name=relation]", "agent")
    fill(
        page, patient_party="张小红", id_number=factories.id_number(), reason="对用药有疑问", medium="U盘",
        location="病案室",
    )  # fmt: skip
    page.get_by_role("button", name="共同核对").click()


def test_a_copy_from_the_desk_to_paper_and_file(papers, resident):
    papers.get_by_role("link", name="复制病历").click()
    boxes = papers.locator(".papers-visits input")
    expect(boxes.first).to_be_disabled()  # the unfinished one
    boxes.last.check()
    fill(papers, applicant=resident.name, id_number=resident.id_number, purpose="转诊就医", stamped_by="钱芳")
    papers.keyboard.press("Enter")
    papers.wait_for_url("**/copies/*/")
    row = CopyIssue.objects.get()
    assert hashlib.sha256(save(papers, "下载文件")).hexdigest() == row.sha256
    papers.get_by_role("link", name="打印").click()
    expect(papers.locator(".sheet")).to_have_count(row.pages)
    expect(papers.locator(".sheet").first).to_contain_text("病历管理专用章")
    ways = AuditEntry.objects.filter(act=Act.COPY).order_by("pk").values_list("detail__way", flat=True)
    assert list(ways) == [None, "file", "print"]


def test_a_mistyped_number_keeps_what_was_typed(papers, resident):
    papers.get_by_role("link", name="复制病历").click()
    papers.locator(".papers-visits input").last.check()
    wrong = resident.id_number[:-1] + ("0" if resident.id_number[-1] != "0" else "1")
    fill(papers, applicant=resident.name, id_number=wrong, purpose="转诊就医")
    papers.get_by_role("button", name="登记并复制").click()
    expect(papers.locator("body")).to_contain_text("校验位不符")
    expect(papers.locator("[name=purpose]")).to_have_value("转诊就医")
    expect(papers.locator(".papers-visits input").last).to_be_checked()
    assert not CopyIssue.objects.exists()


def test_sealed_with_both_present_read_certified_and_unsealed(papers, visits, doctor):
    seal(papers)
    expect(papers.locator("body")).to_contain_text("未完成，按当时内容封存")
    expect(papers.locator("body")).not_to_contain_text("封存须医患双方在场")
    papers.get_by_role("button", name="封存").click()
    expect(papers.locator("body")).to_contain_text("封存须医患双方在场")
    papers.get_by_label("医患双方均在场").check()
    papers.get_by_role("button", name="封存").click()
    papers.wait_for_url("**/sealed-copies/*/")
    correct(visits[0], doctor, "后来改的")
    papers.reload()
    expect(papers.locator("body")).to_contain_text("未变动")
    row = SealedCopy.objects.get()
    content = save(papers, "下载封存文件")
    assert hashlib.sha256(content).hexdigest() == row.sha256
    assert [len(visit["versions"]) for visit in json.loads(content)["visits"]] == [1, 1]
    papers.get_by_role("link", name="病历封存单").click()
    expect(papers.locator(".sheet")).to_contain_text("患方在场人：张小红")
    papers.get_by_role("link", name="返回").click()
    unseal(papers)
    expect(papers.locator("body")).to_contain_text("已解封")
    assert SealedCopy.objects.get().unseal_patient_party == "张小红"


# How many lines are wider than their sheet, and how many bodies reach the foot.
FAULTS = """() => {
  const range = document.createRange();
  let faults = 0;
  for (const sheet of document.querySelectorAll(".sheet")) {
    const room = sheet.clientWidth - 2 * parseFloat(getComputedStyle(sheet).paddingLeft);
    for (const line of sheet.querySelectorAll(".line, .title")) {
      range.selectNodeContents(line);
      if (range.getBoundingClientRect().width > room + 0.5) faults += 1;
    }
    const end = sheet.querySelector(".body").getBoundingClientRect().bottom;
    if (end > sheet.querySelector("footer").getBoundingClientRect().top) faults += 1;
  }
  return faults;
}"""


@pytest.fixture
def odd(settings, tmp_path, manager, resident, doctor, visits):
    """Papers whose every field is as long and as odd as it may be."""
    settings.SEAL_KEYS, settings.ANCHORS = tmp_path / "keys", tmp_path / "anchors"
    sign(visits[1], doctor)
    many = [sign(factories.encounter(resident, doctor, **COMPLETE), doctor) for _n in range(60)]
    person = Person(ODD[:60].strip(), Relation.HEIR_AGENT, IdType.FOREIGN, "ABC123456789012")
    shared = {"resident": resident, "visits": [visit.uuid for visit in many], "by": manager}
    sealed = actions.seal_copy(
        **shared, key=uuid.uuid4(), hospital_party=ODD[60:115], patient=person, reason=ODD[:195], medium=ODD[:55],
        location=ODD[100:195],
    )  # fmt: skip
    copy = actions.issue_copy(
        **shared, key=uuid.uuid4(), applicant=person, purpose=ODD[:95], stamped_by=ODD[:55], paper="a5"
    )
    return sealed, copy


def test_no_line_is_wider_and_no_sheet_longer_than_its_paper(odd, papers, server):
    sealed, copy = odd
    papers.goto(f"{server.address}/sealed-copies/{sealed.uuid}/certificate")
    assert papers.evaluate(FAULTS) == 0
    assert papers.locator(".sheet").count() > 1
    papers.goto(f"{server.address}/copies/{copy.uuid}/print")
    assert papers.evaluate(FAULTS) == 0
    expect(papers.locator(".sheet")).to_have_count(copy.pages)


def unseal(page):
    page.get_by_role("link", name="解封").click()
    fill(page, hospital_party="吴卫东", patient_party="张小红", reason="法院调取")
    page.get_by_label("医患双方均在场").check()
    page.get_by_role("button", name="解封").click()


def test_what_was_written_while_they_looked_is_looked_at_again(papers, visits, doctor):
    seal(papers)
    papers.get_by_label("医患双方均在场").check()
    correct(visits[0], doctor, "刚刚改的")
    papers.get_by_role("button", name="封存").click()
    expect(papers.locator("body")).to_contain_text("请重新核对")
    expect(papers.locator("[name=reason]")).to_have_value("对用药有疑问")
    assert not SealedCopy.objects.exists()
