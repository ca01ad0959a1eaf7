"""A clerk registers a newcomer at the desk and checks them in; the doctor finds them waiting and begins."""

import pytest
from playwright.sync_api import expect

from clinic.codes import Act, Sex
from clinic.models import AuditEntry, Resident
from emr.codes import EncounterStatus
from emr.models import Encounter
from tests import factories

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def newcomer():
    """What the newcomer's identity card says: born 7 March 1958, a woman with a rare name."""
    return {"name": "𠮷秀英", "id_number": factories.id_number()}


def register(page, server, card, phone="13800001234"):
    page.goto(f"{server.address}/admin/")
    page.get_by_role("link", name="登记居民").first.click()
    page.fill("[name=name]", card["name"])
    page.fill("[name=id_number]", card["id_number"])
    page.fill("[name=phone]", phone)
    page.locator("[name=_save]").click()


def test_from_the_identity_card_to_the_doctors_chart(server, sign_in, page, clerk, doctor, newcomer, browser):
    sign_in(clerk)
    register(page, server, newcomer)
    person = Resident.objects.get(id_number=newcomer["id_number"])
    assert (person.name, person.sex, str(person.birth_date)) == (newcomer["name"], Sex.FEMALE, "1958-03-07")
    page.goto(f"{server.address}/admin/clinic/resident/?q={newcomer['id_number'][-4:]}")
    row = page.get_by_role("row").filter(has_text=newcomer["name"])
    expect(row).not_to_contain_text(newcomer["id_number"])
    row.get_by_role("button", name="候诊登记").click()
    expect(page.locator("body")).to_contain_text("候诊")
    visit = Encounter.objects.get(resident=person)
    assert visit.status == EncounterStatus.WAITING
    assert AuditEntry.objects.filter(act=Act.CHECK_IN, resident=str(person.uuid)).count() == 1
    room = browser.new_page(locale="zh-CN")
    sign_in(doctor, room)
    expect(room.locator(".day-waiting")).to_contain_text(newcomer["name"])
    room.locator(".day-waiting").get_by_role("button", name="接诊").first.click()
    room.wait_for_url(f"**/visits/{visit.uuid}/")
    expect(room.locator(".resident-banner")).to_contain_text(newcomer["name"])
    room.close()


def test_a_mistyped_card_gets_a_sentence_and_keeps_what_was_typed(server, sign_in, page, clerk, newcomer):
    wrong = newcomer["id_number"][:-1] + ("0" if newcomer["id_number"][-1] != "0" else "1")
    sign_in(clerk)
    register(page, server, {**newcomer, "id_number": wrong})
    expect(page.locator("body")).to_contain_text("校验位不符")
    expect(page.locator("[name=name]")).to_have_value(newcomer["name"])
    assert not Resident.objects.exists()


def test_somebody_registered_already_is_shown_before_a_second_row_is_made(
    server, sign_in, page, clerk, station, newcomer
):
    factories.resident(station, name="吉秀英", phone="13800001234")
    sign_in(clerk)
    register(page, server, newcomer)
    expect(page.locator("body")).to_contain_text("吉秀英")
    assert Resident.objects.count() == 1
