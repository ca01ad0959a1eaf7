"""Signing on the page: alone, as a household, on paper."""

import base64
import io
import re
import uuid
from datetime import date, timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone
from PIL import Image

from clinic.codes import Act, Role
from clinic.models import AuditEntry
from contracts.models import Agreement, AgreementPackage, PlanItem, Signature, SigningPractice
from tests import factories
from tests.contracts import desk_build as build
from tests.contracts.signing.typed import INK, page_of, typed


def scanned():
    out = io.BytesIO()
    Image.new("RGB", (60, 80), "white").save(out, "JPEG")
    return SimpleUploadedFile("scan.jpg", out.getvalue())


def test_the_page_knows_what_is_known(client, clerk, team, person):
    html = client.get(page_of(person)).content.decode()
    assert person.phone in html
    assert "胡家园1号" in html
    assert "甲方……" in html
    assert f'value="{team.uuid}" selected' in html
    assert re.search(rf'value="{team.version.uuid}" checked', html)
    assert "disabled> 包OLD" in html
    assert "65" in html
    assert "(0/2000)" in html
    assert AuditEntry.objects.filter(act=Act.VIEW, resident=person.uuid).exists()


def test_a_doctor_of_the_team_is_chosen(client, team, person):
    build.team(team.institution, "二队")
    second = factories.user(Role.DOCTOR, team.institution, name="周医生")
    team.members.create(person=second, role="doctor", since=date(2020, 1, 1))
    client.force_login(second)
    html = client.get(page_of(person)).content.decode()
    assert f'value="{team.uuid}" selected' in html
    assert f'value="{second.uuid}" selected' in html


def test_two_clicks_are_one_agreement(client, clerk, team, person):
    post = typed(team)
    first, second = (client.post(page_of(person), post) for _ in range(2))
    made = Agreement.objects.get()
    assert first.url == second.url == reverse("agreement", args=[made.uuid])
    assert (made.state, made.fee, made.text) == ("signed", 120, team.paper)
    assert Signature.objects.get().kind == "drawn"


def test_the_keyboard_signs_with_a_scan(client, clerk, team, person):
    answer = client.post(page_of(person), typed(team, drawing="", scan=scanned()))
    assert answer.status_code == 302
    assert (Signature.objects.get().kind, Signature.objects.get().mime) == ("scan", "image/jpeg")


def test_a_refused_form_keeps_what_was_typed_and_drawn(client, clerk, team, person):
    answer = client.post(page_of(person), typed(team, read="", phone="13911112222", way="family"))
    html = answer.content.decode()
    assert answer.status_code == 400
    assert INK in html
    assert "13911112222" in html
    assert answer.context["form"].errors.keys() == {"representative"}
    assert not Agreement.objects.exists()
    answer = client.post(page_of(person), typed(team, read=""))
    assert answer.context["form"].errors.keys() == {"read"}


def test_a_telephone_number_is_one(client, clerk, team, person, family):
    for name, field in (("sign-resident", "phone"), ("sign-household", "signer_phone")):
        for number in ("12", "没有"):
            answer = client.post(page_of(person, name), typed(team, sitting=uuid.uuid4(), **{field: number}))
            assert answer.context["form"].errors[field]
    assert not Agreement.objects.exists()


def hostile():
    bomb = io.BytesIO()
    Image.new("L", (5000, 5000)).save(bomb, "PNG")
    start = "data:image/png;base64,"
    return {
        "no-png": "data:image/svg+xml;base64," + base64.b64encode(b"<svg onload='x'/>").decode(),
        "no-picture": start + base64.b64encode(b"GIF89a nonsense").decode(),
        "no-base64": start + "%%%%",
        "script": "javascript:alert(1)",
        "chinese": start + "图",
        "bomb": start + base64.b64encode(bomb.getvalue()).decode(),
        "large": start + "A" * 500_000,
        "cut-off": INK[:-200],
        "empty": start + base64.b64encode(b"").decode(),
    }


@pytest.mark.parametrize("which", sorted(hostile()))
def test_a_hostile_picture_is_a_sentence(client, clerk, team, person, which):
    answer = client.post(page_of(person), typed(team, drawing=hostile()[which]))
    assert answer.status_code == 400
    assert answer.context["form"].errors["drawing"]
    rows = (Agreement, AgreementPackage, PlanItem, Signature)
    assert [row.objects.count() for row in rows] == [0, 0, 0, 0]


def test_a_scan_that_is_too_large_or_none_is_a_sentence(client, clerk, team, person, settings):
    settings.CONTRACTS_SCAN_BYTES = 300
    for name in (scanned(), SimpleUploadedFile("x.jpg", b"%PDF")):
        answer = client.post(page_of(person), typed(team, drawing="", scan=name))
        assert answer.context["form"].errors["scan"]
        assert not Agreement.objects.exists()


def test_the_cap_is_a_sentence_at_the_doctor(client, clerk, team, person):
    SigningPractice.objects.create(institution=team.institution, cap_doctor=1)
    build.agreement(factories.resident(team.institution), team)
    answer = client.post(page_of(person), typed(team))
    assert answer.status_code == 400
    assert "1" in answer.context["form"].errors["doctor"][0]
    assert Agreement.objects.count() == 1


def test_a_package_for_others_is_refused_at_its_field(client, clerk, team, person):
    answer = client.post(page_of(person), typed(team, versions=[team.paid.uuid]))
    assert answer.context["form"].errors.keys() == {"versions"}


def test_another_team_keeps_the_ticks(client, clerk, team, person):
    other = build.team(team.institution, "二队")
    answer = client.post(page_of(person), typed(team, team=other.uuid, look="team", years=3, versions=[]))
    form = answer.context["form"]
    assert answer.status_code == 200
    assert (form.team, form["years"].value()) == (other, "3")
    assert [ticked for _version, ticked, _why in form.lines] == [False, False]


def test_the_handbook_needs_no_signature(client, clerk, team, person):
    client.post(page_of(person), typed(team, way="handbook", drawing="", read=""))
    assert Agreement.objects.get().state == "deemed"


def test_a_draft_goes_on_and_is_signed_on_the_same_page(client, clerk, team, person):
    client.post(page_of(person), typed(team, state="draft", drawing="", read=""))
    draft = Agreement.objects.get()
    address = reverse("sign-agreement", args=[draft.uuid])
    assert draft.number in client.get(page_of(person)).content.decode()
    assert "胡家园1号" in client.get(address).content.decode()
    post = typed(team, years=2, note="改了")
    assert client.post(address, post).status_code == client.post(address, post).status_code == 302
    draft.refresh_from_db()
    assert (draft.state, draft.years, draft.fee, draft.note) == ("signed", 2, 240, "改了")
    assert Signature.objects.get().uuid == post["key"]


def test_a_draft_whose_signature_is_refused_stays_as_it_was(client, clerk, team, person):
    client.post(page_of(person), typed(team, state="draft"))
    draft = Agreement.objects.get()
    answer = client.post(reverse("sign-agreement", args=[draft.uuid]), typed(team, years=3, drawing=""))
    assert answer.context["form"].errors.keys() == {"drawing"}
    draft.refresh_from_db()
    assert (draft.state, draft.years) == ("draft", 1)


def test_the_same_key_again_changes_the_draft(client, clerk, team, person):
    post = typed(team, state="draft")
    client.post(page_of(person), post)
    client.post(page_of(person), {**post, "years": 3, "state": "pending"})
    made = Agreement.objects.get()
    assert (made.state, made.years) == ("pending", 3)


def test_one_that_waits_is_signed_and_nothing_else_changes(client, clerk, team, person):
    post = typed(team, state="pending", drawing="", read="")
    client.post(page_of(person), post)
    waiting = Agreement.objects.get()
    answer = client.post(
        page_of(person), {**post, "years": 3, "state": "signed", "drawing": INK, "read": "on"}
    )
    address = reverse("sign-agreement", args=[waiting.uuid])
    assert answer.url == address
    assert waiting.number in client.get(page_of(person)).content.decode()
    signing = {"key": uuid.uuid4(), "read": "on", "drawing": INK}
    assert client.post(address, {**signing, "read": ""}).status_code == 400
    assert client.post(address, signing).status_code == client.post(address, signing).status_code == 302
    waiting.refresh_from_db()
    assert (waiting.state, waiting.years, Signature.objects.count()) == ("signed", 1, 1)


PAGES = ("sign-resident", "sign-household")


@pytest.mark.parametrize("name", PAGES)
def test_another_station_sees_nothing(client, team, person, stranger, name):
    client.force_login(stranger)
    assert client.get(page_of(person, name)).status_code == 404
    assert client.post(page_of(person, name), typed(team)).status_code == 404


@pytest.mark.parametrize("role", [Role.ASSISTANT, Role.DISTRICT, Role.AUDITOR])
@pytest.mark.parametrize("name", PAGES)
def test_a_role_without_the_right_is_refused(client, station, person, role, name):
    client.force_login(factories.user(role, station))
    assert client.get(page_of(person, name)).status_code == 403


def test_a_team_elsewhere_cannot_be_posted(client, clerk, team, person, other_station):
    other = build.team(other_station, "别队")
    post = typed(team, team=other.uuid, doctor=build.leader(other).uuid)
    answer = client.post(page_of(person), post)
    assert answer.status_code == 400
    assert "team" in answer.context["form"].errors
    assert not Agreement.objects.exists()


def test_one_of_another_station_is_seen_here_and_not_signed_here(client, clerk, person, other_station):
    waiting = build.agreement(person, build.team(other_station, "别队"), "pending")
    assert client.get(reverse("sign-agreement", args=[waiting.uuid])).status_code == 403
    assert client.get(reverse("agreement-print", args=[waiting.uuid])).status_code == 200
    html = client.get(reverse("resident", args=[person.uuid])).content.decode()
    assert reverse("sign-agreement", args=[waiting.uuid]) not in html


def test_papers_and_pictures_hide_from_another_station(client, clerk, team, person, stranger):
    client.post(page_of(person), typed(team))
    made = Agreement.objects.get()
    picture = reverse("signature-picture", args=[Signature.objects.get().uuid])
    addresses = [
        picture,
        *(reverse(name, args=[made.uuid]) for name in ("agreement-print", "sign-agreement")),
    ]
    seen = client.get(picture)
    assert (seen["Content-Type"], seen["Cache-Control"]) == ("image/png", "no-store")
    client.force_login(stranger)
    assert [client.get(address).status_code for address in addresses] == [404, 404, 404]


def test_on_paper(client, clerk, team, person):
    client.post(page_of(person), typed(team, way="family", representative="王强", relation="spouse"))
    made = Agreement.objects.get()
    html = client.get(reverse("agreement-print", args=[made.uuid])).content.decode()
    for word in (made.number, "李梅", "王强", person.id_number, "随访", "甲方……", "100.00", team.name):
        assert word in html
    assert reverse("signature-picture", args=[Signature.objects.get().uuid]) in html
    assert AuditEntry.objects.filter(act=Act.PRINT, object_id=str(made.uuid)).count() == 1


def test_pages_cost_few_queries(client, clerk, team, family, django_assert_max_num_queries):
    for name in PAGES:
        client.get(page_of(family[0], name))
        with django_assert_max_num_queries(16):
            client.get(page_of(family[0], name))


def test_the_banner_and_the_panel_lead_to_signing(client, clerk, team, person):
    address = reverse("resident", args=[person.uuid])
    html = client.get(address).content.decode()
    assert html.count(page_of(person)) >= 2
    client.post(page_of(person), typed(team, state="draft"))
    draft = Agreement.objects.get()
    assert reverse("sign-agreement", args=[draft.uuid]) in client.get(address).content.decode()
    client.post(page_of(person), typed(team))
    made = Agreement.objects.get(state="signed")
    html = client.get(address).content.decode()
    assert reverse("agreement", args=[made.uuid]) in html
    assert build.leader(team).name in html
    assert page_of(person) not in html


def test_the_banner_tells_doctor_term_and_light(client, clerk, team, person):
    made = build.agreement(person, team, end=timezone.localdate() + timedelta(days=45))
    html = client.get(reverse("resident", args=[person.uuid])).content.decode()
    assert f"{team.name} · {build.leader(team).name} 至 {made.end} · 60 天内到期" in html
