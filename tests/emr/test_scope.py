"""Who gets what from every address of the record: role × address × answer."""

import uuid

import pytest

from clinic.codes import Act, Role
from clinic.models import AuditEntry
from tests import factories

pytestmark = pytest.mark.django_db

JSON = {"content_type": "application/json"}
BODY = {"key": str(uuid.uuid4()), "version": 0, "changes": {"treatment": "甲"}, "password": "x"}
# address: (method, owner, colleague, stranger, assistant, nurse, manager, clerk, vendor)
WHO = ("doctor", "colleague", "stranger", "assistant", "nurse", "manager", "clerk", "vendor")
TABLE = {
    "/visits/{visit}/": ("get", 200, 200, 404, 200, 200, 200, 403, 403),
    "/visits/{visit}/previous": ("get", 200, 200, 404, 200, 200, 200, 403, 403),
    "/visits/{visit}/save": ("json", 200, 403, 404, 403, 403, 403, 403, 403),
    "/visits/{visit}/sign": ("json", 403, 403, 404, 403, 403, 403, 403, 403),
    "/visits/{visit}/start": ("post", 302, 302, 404, 302, 403, 403, 403, 403),
    "/visits/{visit}/hold": ("post", 302, 302, 404, 302, 403, 403, 403, 403),
    "/visits/{visit}/resume": ("post", 302, 302, 404, 302, 403, 403, 403, 403),
    "/visits/{visit}/cancel": ("post", 400, 400, 404, 400, 400, 403, 400, 403),
    "/visits/{visit}/vitals": ("get", 200, 200, 404, 200, 200, 403, 403, 403),
    "/residents/{resident}/visit": ("post", 302, 302, 404, 302, 403, 403, 403, 403),
    "/residents/{resident}/check-in": ("post", 302, 302, 404, 302, 302, 403, 302, 403),
    "/reviews": ("get", 200, 200, 200, 403, 403, 403, 403, 403),
    "/reviews/{note}": ("get", 404, 404, 404, 403, 403, 403, 403, 403),
    "/": ("get", 200, 200, 200, 200, 200, 302, 302, 302),
    "/waiting": ("get", 200, 200, 200, 200, 200, 286, 286, 286),
}
CASES = [
    pytest.param(address, row[0], who, code, id=f"{who} {address}")
    for address, row in TABLE.items()
    for who, code in zip(WHO, row[1:], strict=True)
]


@pytest.fixture
def vendor(district):
    return factories.user(Role.VENDOR, district)


def ask(client, method, address, encounter):
    where = address.format(visit=encounter.uuid, resident=encounter.resident.uuid, note=encounter.note.uuid)
    if method == "json":
        return client.post(where, BODY, **JSON)
    return getattr(client, method)(where)


@pytest.mark.parametrize(("address", "method", "who", "code"), CASES)
def test_table(client, request, encounter, address, method, who, code):
    client.force_login(request.getfixturevalue(who))
    assert ask(client, method, address, encounter).status_code == code


@pytest.mark.parametrize("address", TABLE)
def test_nobody_signed_in_gets_no_word_of_a_patient(client, encounter, address):
    answer = ask(client, TABLE[address][0], address, encounter)
    assert answer.status_code in {302, 286, 401}
    assert encounter.resident.name not in answer.content.decode()


@pytest.mark.parametrize("address", [where for where in TABLE if "{" in where])
def test_what_does_not_exist_is_404(client, doctor, address):
    client.force_login(doctor)
    where = address.format(visit=uuid.uuid4(), resident=uuid.uuid4(), note=uuid.uuid4())
    method = TABLE[address][0]
    answer = client.post(where, BODY, **JSON) if method == "json" else getattr(client, method)(where)
    assert answer.status_code == 404


@pytest.mark.parametrize("who", ["colleague", "nurse", "manager"])
def test_who_only_reads_gets_no_key_and_no_script_data(client, request, encounter, who):
    client.force_login(request.getfixturevalue(who))
    page = client.get(f"/visits/{encounter.uuid}/").content.decode()
    assert "draft_key" not in page


def test_reading_a_chart_stands_in_the_trail(client, colleague, encounter):
    client.force_login(colleague)
    client.get(f"/visits/{encounter.uuid}/")
    entry = AuditEntry.objects.get(act="view")
    assert (entry.person, entry.resident) == (colleague.name, str(encounter.resident.uuid))


def test_a_refused_page_stands_in_the_trail(client, clerk, encounter):
    client.force_login(clerk)
    client.get(f"/visits/{encounter.uuid}/")
    assert AuditEntry.objects.filter(act="denied", person=clerk.name).exists()


def test_patient_pages_are_not_kept_by_the_browser(client, doctor, encounter):
    client.force_login(doctor)
    for where in ("/", f"/visits/{encounter.uuid}/"):
        assert client.get(where).headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("page", ["vitals", "previous"])
def test_looking_at_vitals_and_previous_visits_stands_in_the_trail(client, nurse, encounter, page):
    client.force_login(nurse)
    client.get(f"/visits/{encounter.uuid}/{page}")
    entry = AuditEntry.objects.get(act=Act.VIEW, username=nurse.username)
    assert entry.resident == str(encounter.resident.uuid)


def test_a_refusal_told_on_the_next_page_stands_in_the_trail_too(client, colleague, encounter):
    client.force_login(colleague)
    client.post(f"/visits/{encounter.uuid}/hold", {"reason": "去做心电图"}, follow=True)
    assert AuditEntry.objects.filter(act=Act.DENIED, username=colleague.username).exists()
