"""A household of three signs on the screen, with the mouse, and takes its three papers along."""

from datetime import date

import pytest
from playwright.sync_api import expect

from clinic.codes import HouseholdRelation, Role
from clinic.models import Household
from contracts.models import Agreement, Signature
from tests import factories
from tests.contracts import desk_build as build

pytestmark = pytest.mark.django_db(transaction=True)

# How many dots of the printed signature are dark.
INK = """(image) => {
  const paper = document.createElement("canvas");
  paper.width = image.naturalWidth;
  paper.height = image.naturalHeight;
  const pen = paper.getContext("2d");
  pen.drawImage(image, 0, 0);
  const dots = pen.getImageData(0, 0, paper.width, paper.height).data;
  return dots.filter((value, at) => at % 4 === 0 && value < 128).length;
}"""


@pytest.fixture
def clerk(server, station, district):
    team = build.team(station)
    build.version(district)
    build.text(district)
    return factories.user(Role.CLERK, team.institution)


@pytest.fixture
def mother(station):
    """With her son and her mother."""
    home = Household.objects.create(home=station)
    people = (
        ("李梅", date(1980, 5, 1), HouseholdRelation.HEAD),
        ("王小宝", date(2019, 3, 1), HouseholdRelation.SON),
        ("李奶奶", date(1950, 1, 1), HouseholdRelation.PARENT),
    )
    return [
        factories.resident(station, name=name, born=born, household=home, household_relation=part)
        for name, born, part in people
    ][0]


def draw(window, *strokes):
    """Each stroke goes through points given in parts of the canvas."""
    canvas = window.locator(".pad-canvas")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    for first, *rest in strokes:
        window.mouse.move(box["x"] + first[0] * box["width"], box["y"] + first[1] * box["height"])
        window.mouse.down()
        for across, down in rest:
            window.mouse.move(box["x"] + across * box["width"], box["y"] + down * box["height"], steps=5)
        window.mouse.up()


def test_a_household_signs_on_the_screen_and_prints(server, sign_in, page, clerk, mother):
    sign_in(clerk)
    page.goto(f"{server.address}/residents/{mother.uuid}/")
    page.get_by_role("link", name="全家一起签").click()
    expect(page.locator(".household-person")).to_have_count(3)
    expect(page.locator("[data-fee]")).to_have_text("360.00")
    page.locator("[name=years]").select_option("2")
    expect(page.locator("[data-due]")).to_have_text("120.00")
    draw(page, ((0.2, 0.3), (0.5, 0.7), (0.8, 0.2)), ((0.1, 0.9), (0.9, 0.9)))
    page.get_by_role("button", name="撤销一笔").click()
    # Not ticked yet: refused, and the drawing is still there.
    page.get_by_role("button", name="全部签约并打印").click()
    expect(page.locator(".sign-read + .errorlist")).to_be_visible()
    assert not Agreement.objects.exists()
    page.locator("[name=read]").check()
    page.get_by_role("button", name="全部签约并打印").click()
    page.wait_for_url("**/print")
    printed(page)


def printed(page):
    expect(page.locator("article.paper")).to_have_count(3)
    for name in ("李梅", "王小宝", "李奶奶"):
        expect(page.locator("article.paper", has_text=f"{name} ·")).to_have_count(1)
    pictures = page.locator(".ink img")
    expect(pictures).to_have_count(3)
    page.wait_for_function("[...document.images].every((one) => one.complete && one.naturalWidth)")
    assert all(picture.evaluate(INK) > 500 for picture in pictures.all())
    # Each begins on a sheet of its own.
    page.emulate_media(media="print")
    breaks = page.locator("article.paper").evaluate_all(
        "all => all.map((one) => getComputedStyle(one).breakAfter)"
    )
    assert breaks == ["page", "page", "auto"]
    assert set(Agreement.objects.values_list("state", "years")) == {("signed", 2)}
    assert set(Signature.objects.values_list("kind", "width")) == {("drawn", 900)}
