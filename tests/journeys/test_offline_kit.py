"""The morning's file opens in the browser from a stick: no server, no network, the station's passphrase."""

from django.utils import timezone
from playwright.sync_api import expect

from clinic.codes import InstitutionKind
from clinic.models import Institution
from maintenance.emergencies import kits

ROWS = [
    {"name": "张秀英", "initials": "zxy", "facts": "女 68岁", "allergies": "青霉素 <b>皮疹</b>", "problems": "高血压", "medicines": "", "today": "候诊"},
    {"name": "李建国", "initials": "ljg", "facts": "男 70岁", "allergies": "", "problems": "糖尿病", "medicines": "二甲双胍", "today": ""},
]  # fmt: skip


def test_opened_from_a_file(page, tmp_path):
    place = Institution(kind=InstitutionKind.STATION, code="S0101", name="胡家园社区卫生服务站")
    salt = bytes(16)
    file = tmp_path / "kit.html"
    file.write_text(kits.page(place, timezone.localdate(), ROWS, kits.derive("梧桐秋天开门口令", salt), salt))
    page.context.set_offline(True)
    page.goto(file.as_uri())
    page.get_by_label("本站口令").fill("猜一个口令看看")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("口令不对", timeout=20_000)
    page.get_by_label("本站口令").fill("梧桐秋天开门口令")
    page.keyboard.press("Enter")
    expect(page.get_by_role("row", name="张秀英")).to_contain_text("青霉素 <b>皮疹</b>", timeout=20_000)
    page.get_by_label("查找").fill("ljg")
    expect(page.get_by_role("row", name="李建国")).to_be_visible()
    expect(page.get_by_role("row", name="张秀英")).to_be_hidden()
