"""Agreements at the desk: who sees which, filters and finding, one agreement's page and what is done there."""

import io
import uuid
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone
from openpyxl import load_workbook
from PIL import Image

from clinic.codes import Act, Role
from clinic.models import AuditEntry
from contracts.models import Agreement, NotSigned, SwitchRequest
from tests import factories
from tests.contracts import desk_build as build

pytestmark = pytest.mark.django_db
LIST = "/admin/contracts/agreement/"


def today():
    return timezone.localdate()


def at(row, page="change", *more):
    return reverse(f"admin:contracts_agreement_{page}", args=[row.uuid, *more])


def scan():
    out = io.BytesIO()
    Image.new("RGB", (60, 20), "white").save(out, "PNG")
    return SimpleUploadedFile("scan.png", out.getvalue(), "image/png")


@pytest.fixture
def team(station):
    return build.team(station)


@pytest.fixture
def base(district):
    build.text(district)
    return build.version(district)


@pytest.fixture
def person(station):
    return factories.resident(station, name="王建国")


@pytest.fixture
def signed(person, team):
    return build.agreement(person, team, start=today() - timedelta(days=300))


@pytest.fixture
def desk(client, clerk):
    client.force_login(clerk)
    return client


def rows_of(answer):
    return set(answer.context["cl"].result_list)


def test_the_list_costs_few_queries(desk, team, station, django_assert_max_num_queries):
    for n in range(20):
        build.agreement(factories.resident(station, name=f"人{n}"), team)
    with django_assert_max_num_queries(12):
        answer = desk.get(LIST)
    assert len(rows_of(answer)) == 20


FILTERS = {
    "state": {"state__exact": "signed"}, "light": {"light": "90"}, "place": {"institution": "S0101"},
    "served": {"served": "no"}, "way": {"way__exact": "in_person"}, "source": {"source__exact": "import"},
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(FILTERS))
def test_each_filter_finds_and_leaves_out(desk, signed, team, station, name):
    pending = build.agreement(factories.resident(station), team, "pending", source="page", way="home")
    found = rows_of(desk.get(LIST, FILTERS[name]))
    assert signed in found
    assert (pending in found) is (name == "place")


def test_by_team_doctor_and_package(desk, signed, team, base, station, person):
    other = build.agreement(factories.resident(station), build.team(station, "二队"))
    signed_too = build.agreement(factories.resident(station), team, "draft")
    signed_too.packages.create(version=base, price=1, waiver=0)
    assert rows_of(desk.get(LIST, {"team": team.uuid})) == {signed, signed_too}
    assert rows_of(desk.get(LIST, {"doctor": other.doctor.uuid})) == {other}
    assert rows_of(desk.get(LIST, {"package": base.package.uuid})) == {signed_too}


def test_what_has_lapsed_is_found_until_something_follows(desk, person, team):
    old = build.agreement(person, team, start=today() - timedelta(days=400), end=today() - timedelta(days=36))
    Agreement.objects.filter(pk=old.pk).update(state="expired", ended_on=old.end, ended_at=timezone.now())
    assert rows_of(desk.get(LIST, {"light": "lapsed"})) == {old}
    build.agreement(person, team)
    assert rows_of(desk.get(LIST, {"light": "lapsed"})) == set()


@pytest.mark.parametrize("text", ["王建国", "wjg", "T-"])
def test_finding_by_name_letters_and_number(desk, signed, text):
    answer = desk.post(LIST + "find/", {"q": signed.number if text == "T-" else text})
    assert signed.number in answer.content.decode()


def test_people_of_other_institutions_are_not_found(client, signed, other_station):
    client.force_login(factories.user(Role.CLERK, other_station))
    for text in ("王建国", signed.number):
        assert not client.post(LIST + "find/", {"q": text}).context["rows"]
    assert rows_of(client.get(LIST)) == set()
    assert client.get(at(signed)).status_code == 404
    assert client.post(at(signed, "act", "end"), {}).status_code == 404


def test_the_page_shows_everything_and_leaves_a_trace(desk, signed, base, django_assert_max_num_queries):
    with django_assert_max_num_queries(14):  # two of them keep the session
        text = desk.get(at(signed)).content.decode()
    assert "王建国" in text
    assert AuditEntry.objects.filter(act=Act.VIEW, object_id=str(signed.uuid)).exists()


@pytest.mark.parametrize("role", [Role.CENTRE_IT, Role.AUDITOR, Role.SYSADMIN])
def test_roles_without_the_right_see_nothing(client, signed, station, role):
    client.force_login(factories.user(role, station))
    assert client.get(LIST).status_code == 403
    assert client.post(LIST + "find/", {"q": "王建国"}).status_code == 403
    assert client.get(LIST + "export/xlsx/").status_code == 403
    assert client.get(LIST + "import/").status_code == 403


def test_nothing_is_written_by_the_stock_form(desk, signed):
    assert desk.post(at(signed), {"state": "expired"}).status_code == 403


def sign_facts(person, team, base, **given):
    return {
        "key": str(uuid.uuid4()), "resident": str(person.uuid), "team": str(team.uuid),
        "doctor": str(build.leader(team).uuid), "start": today().isoformat(), "years": "1",
        "versions": [str(base.uuid)], "way": "in_person", "state": "pending", "signer": person.name, "read": "on", **given,
    }  # fmt: skip


def test_signing_asks_for_the_resident_first(desk, person, team, base):
    assert person.name in desk.post(LIST + "add/people/", {"q": "wjg"}).content.decode()
    page = desk.get(LIST + "add/", {"resident": person.uuid}).content.decode()
    assert "包BASE" in page


def test_a_form_makes_an_agreement_once(desk, person, team, base):
    given = sign_facts(person, team, base)
    assert [desk.post(LIST + "add/", given).status_code for _click in range(2)] == [302, 302]
    made = Agreement.objects.get()
    assert (made.state, made.resident, made.team, made.packages.get().version) == (
        "pending",
        person,
        team,
        base,
    )


def test_signed_at_once_with_the_scan(desk, person, team, base):
    desk.post(LIST + "add/", sign_facts(person, team, base, state="signed", scan=scan()))
    made = Agreement.objects.get()
    assert (made.state, made.signatures.get().kind) == ("signed", "scan")
    picture = desk.get(at(made, "signature", made.signatures.get().uuid))
    assert picture["Content-Type"] == "image/jpeg"


def test_no_picture_is_a_sentence_and_nothing_is_written(desk, person, team, base):
    bad = SimpleUploadedFile("scan.png", b"no picture", "image/png")
    answer = desk.post(LIST + "add/", sign_facts(person, team, base, state="signed", scan=bad))
    assert answer.status_code == 400
    assert not Agreement.objects.exists()


def test_a_second_agreement_is_refused_on_the_form(desk, signed, person, team, base):
    answer = desk.post(LIST + "add/", sign_facts(person, team, base))
    assert answer.status_code == 400
    assert Agreement.objects.get() == signed


def test_the_waiting_one_is_signed_with_a_scan(desk, person, team, base):
    desk.post(LIST + "add/", sign_facts(person, team, base))
    row = Agreement.objects.get()
    given = {"key": uuid.uuid4(), "signer": "王建国", "read": "on", "scan": scan()}
    desk.post(at(row, "act", "sign"), given)
    row.refresh_from_db()
    assert (row.state, row.signatures.count()) == ("signed", 1)


def test_who_does_not_sign_says_why(desk, person, team, base):
    desk.post(LIST + "add/", sign_facts(person, team, base))
    row = Agreement.objects.get()
    desk.post(at(row, "act", "refuse"), {"key": uuid.uuid4(), "why": "price"})
    row.refresh_from_db()
    assert (row.state, NotSigned.objects.get().why) == ("refused", "price")
    assert "王建国" in desk.get("/admin/contracts/notsigned/").content.decode()


def test_ending_asks_for_a_reason(desk, signed):
    assert desk.post(at(signed, "act", "end"), {"key": uuid.uuid4(), "reason": "other"}).status_code == 400
    desk.post(at(signed, "act", "end"), {"key": uuid.uuid4(), "reason": "moved"})
    signed.refresh_from_db()
    assert (signed.state, signed.end_reason) == ("terminated", "moved")


def test_renewing_from_its_page(desk, signed, base):
    signed.packages.create(version=base, price=1, waiver=0)
    page = desk.get(at(signed, "act", "renew"))
    text = page.context["form"].fields["text"].queryset.get()
    given = {
        "key": uuid.uuid4(),
        "years": "2",
        "text": text.uuid,
        "read": "on",
        "scan": scan(),
        "signer": "王建国",
    }
    desk.post(at(signed, "act", "renew"), given)
    made = Agreement.objects.get(follows=signed)
    assert (made.start, made.years) == (signed.end + timedelta(days=1), 2)


def test_another_institution_may_look_and_not_touch(client, signed, other_station, person):
    """The resident moved: the new station sees the agreement, the old one's is not its to end."""
    person.home = other_station
    person.save()
    client.force_login(factories.user(Role.CLERK, other_station))
    page = client.get(at(signed))
    assert page.status_code == 200
    assert {act.name for act in page.context["acts"]} <= {"switch", "print"}
    client.post(at(signed, "act", "end"), {"key": uuid.uuid4(), "reason": "moved"})
    signed.refresh_from_db()
    assert signed.state == "signed"


def test_the_export_is_what_the_filter_shows(desk, signed, station, team):
    signed_too = build.agreement(factories.resident(station), team, "draft", note="=cmd()")
    answer = desk.get(LIST + "export/xlsx/", {"state__exact": "draft"})
    rows = list(load_workbook(io.BytesIO(answer.content)).active.iter_rows(values_only=True))
    assert [row[0] for row in rows[1:]] == [signed_too.number]
    assert rows[1][-1] == "'=cmd()"
    assert AuditEntry.objects.get(act=Act.EXPORT).detail["rows"] == 1


# Changes of team -----------------------------------------------------------------------------------


@pytest.fixture
def asked(desk, signed, station, base):
    """The clerk asks for a change to another team of the station."""
    signed.packages.create(version=base, price=1, waiver=0)
    other = build.team(station, "二队")
    to = f"{other.uuid} {build.leader(other).uuid}"
    desk.post(at(signed, "act", "switch"), {"key": uuid.uuid4(), "to": to, "reason": "离家近"})
    return SwitchRequest.objects.get()


def decide(client, switch, name, **given):
    address = reverse("admin:contracts_switchrequest_act", args=[switch.uuid, name])
    return client.post(
        address, {f"{name}-{key}": value for key, value in {"key": uuid.uuid4(), **given}.items()}
    )


def test_agreed_by_the_manager_one_ends_and_the_other_begins(client, asked, signed, station):
    client.force_login(factories.user(Role.MANAGER, station))
    assert (
        "离家近"
        in client.get(reverse("admin:contracts_switchrequest_change", args=[asked.uuid])).content.decode()
    )
    decide(client, asked, "agree", scan=scan(), signer="王建国")
    signed.refresh_from_db()
    asked.refresh_from_db()
    assert (signed.state, asked.state, asked.made.state) == ("switched", "agreed", "signed")
    assert asked.made.start == signed.ended_on + timedelta(days=1)


def test_refused_with_a_reason(client, asked, station):
    client.force_login(factories.user(Role.MANAGER, station))
    assert decide(client, asked, "refuse", reason="").status_code == 400
    decide(client, asked, "refuse", reason="服务未完成")
    asked.refresh_from_db()
    assert (asked.state, asked.decision_reason) == ("refused", "服务未完成")


def test_who_asks_may_withdraw_and_not_decide(desk, asked):
    assert decide(desk, asked, "agree").status_code == 403
    decide(desk, asked, "withdraw")
    asked.refresh_from_db()
    assert asked.state == "withdrawn"


def test_a_change_of_team_of_others_is_not_there(client, asked, other_station):
    client.force_login(factories.user(Role.MANAGER, other_station))
    assert client.get(reverse("admin:contracts_switchrequest_change", args=[asked.uuid])).status_code == 404
    assert decide(client, asked, "agree").status_code == 404


def test_every_page_that_names_the_resident_stands_in_the_trail(desk, signed, person):
    desk.get(at(signed, "act", "end"))
    desk.get(reverse("admin:contracts_agreement_add") + f"?resident={person.uuid}")
    read = AuditEntry.objects.filter(act=Act.VIEW, resident=str(person.uuid)).order_by("pk")
    assert [entry.detail["page"] for entry in read] == ["end", "sign"]
