"""What comes out of the browser's print command: the server's pages, whole, with head and number on each."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from emr import printing
from emr.models import Note
from tests.emr import amending
from tests.emr.conftest import COMPLETE

TEXT = (
    "患者三天前受凉后出现咳嗽，咳白色泡沫痰，最高体温38.5℃，血压120/80mmHg，自服对乙酰氨基酚0.5g（未就诊）。"
    * 110
)
ODD = "WWWW MMMM mmmm @@@@ Hypertension, COPD & T2DM——“引号”……😀𠮷e\u0301ЖΩ①Ⅱ±×÷αβ﷽ עברית ไทย\tＡＢＣ " * 20
CHROMIUM = next(filter(None, map(shutil.which, ["chromium", "chromium-browser", "google-chrome"])), None)
# Measures in the page itself: how wide the text of a line is against its box, and bodies that reach the foot.
PROBE = """<script>
addEventListener("load", () => {
  const faults = [], range = document.createRange();
  for (const sheet of document.querySelectorAll(".sheet")) {
    const box = getComputedStyle(sheet), room = sheet.clientWidth - 2 * parseFloat(box.paddingLeft);
    for (const line of sheet.querySelectorAll(".line, .title")) {
      range.selectNodeContents(line);
      if (range.getBoundingClientRect().width > room + 0.5) faults.push("wide");
    }
    const end = sheet.querySelector(".body").getBoundingClientRect().bottom;
    if (end > sheet.querySelector("footer").getBoundingClientRect().top) faults.push("long");
  }
  document.title = "faults:" + faults.length;
});
</script></body>"""


def run(*arguments):
    assert CHROMIUM, "No Chromium was found."
    return subprocess.run(
        [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", *map(str, arguments)],
        capture_output=True, text=True, check=True, timeout=120,
    ).stdout  # fmt: skip


@pytest.fixture(params=["a5", "a4"])
def paper(request):
    return printing.PAPERS[request.param]


@pytest.fixture(params=["signed", "corrected"])
def long_note(request, note, doctor):
    Note.objects.filter(pk=note.pk).update(
        present_illness=TEXT, signs=ODD, signed_at=timezone.now(), signed_by=doctor, signer="王淑珍"
    )
    note.refresh_from_db()
    if request.param == "corrected":
        rest = {
            **COMPLETE,
            "present_illness": TEXT.replace("38.5", "39.1"),
            "signs": ODD.replace("M", "双肺"),
        }
        amending.corrected(note, doctor, rest)
    return note


@pytest.fixture
def page(client, long_note, doctor, paper, tmp_path):
    """The print page as a file that needs no server: its style sheets inside, its scripts left out."""
    client.force_login(doctor)
    answer = client.get(reverse("print-note", args=[long_note.encounter.uuid]), {"format": paper.code})
    html = re.sub(r"<script.*?</script>|<link[^>]*>", "", answer.content.decode())
    css = "".join(
        (Path(settings.BASE_DIR) / "static/css" / name).read_text()
        for name in ("print.css", f"print_{paper.code}.css")
    )
    path = tmp_path / "page.html"
    path.write_text(html.replace("</head>", f"<style>{css}</style></head>").replace("</body>", PROBE))
    return path


@pytest.mark.django_db
def test_no_line_is_wider_and_no_page_longer_than_its_box(page):
    dom = run("--virtual-time-budget=5000", "--dump-dom", page.as_uri())
    assert "<title>faults:0</title>" in dom


@pytest.mark.django_db
def test_the_printer_makes_the_pages_that_the_server_counted(page, long_note, paper, tmp_path):
    pdf = tmp_path / "page.pdf"
    run("--no-pdf-header-footer", f"--print-to-pdf={pdf}", page.as_uri())
    counted = printing.lay_out(long_note, paper).pages
    assert len(re.findall(rb"/Type\s*/Page\b", pdf.read_bytes())) == len(counted) > 5
