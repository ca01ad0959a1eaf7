"""Who may open which page of the station desk, and what it tells about others."""

import re
import uuid

import pytest
from django.urls import reverse

from clinic import audit
from clinic.codes import Act, Role
from clinic.models import AuditEntry, Resident
from clinic.permissions import ADMIN_ROLES
from tests import factories

pytestmark = pytest.mark.django_db

# What the medical administration alone reads at the desk.
ADMINISTRATION = ("emr_note", "emr_changerequest", "emr_correction", "emr_copyissue", "emr_sealedcopy")
R, S, N, A, E, T = (
    "clinic_resident", "clinic_user", "clinic_institution", "clinic_auditentry", "emr_encounter", "emr_term",
)  # fmt: skip
# Role: the lists it may open; all others are 403.
LISTS = {
    Role.CLERK: {R, S, N, E},
    Role.MANAGER: {R, S, N, A, E, T, *ADMINISTRATION},
    Role.CENTRE_IT: {S, N},
    Role.DISTRICT: {S, N, T},
    Role.DISTRICT_IT: {S, N, T},
    Role.AUDITOR: {S, N, A},
    Role.SYSADMIN: {S, N},
    Role.SECADMIN: {S, N},
}
ADDS = {
    Role.CLERK: {R},
    Role.SYSADMIN: {S, N},
    Role.DISTRICT: {N},
}


@pytest.fixture
def signed_in(client, station):
    def enter(role, where=None):
        user = factories.user(role, where or station)
        client.force_login(user)
        return client

    return enter


@pytest.mark.parametrize("role", list(Role))
def test_who_enters_the_desk(role, signed_in):
    answer = signed_in(role).get("/admin/")
    assert answer.status_code == (200 if role in ADMIN_ROLES else 403)


def test_a_doctor_is_told_in_chinese(signed_in):
    answer = signed_in(Role.DOCTOR).get("/admin/")
    assert "您的角色" in answer.content.decode() or "角色" in answer.content.decode()


@pytest.mark.parametrize("role", sorted(ADMIN_ROLES))
@pytest.mark.parametrize("model", [R, S, N, A, E, T, *ADMINISTRATION])
def test_lists_by_role(role, model, signed_in):
    answer = signed_in(role).get(reverse(f"admin:{model}_changelist"))
    assert answer.status_code == (200 if model in LISTS[role] else 403)


@pytest.mark.parametrize("role", sorted(ADMIN_ROLES))
@pytest.mark.parametrize("model", [R, S, N])
def test_adding_by_role(role, model, signed_in):
    answer = signed_in(role).get(reverse(f"admin:{model}_add"))
    assert answer.status_code == (200 if model in ADDS.get(role, ()) else 403)


def test_nobody_signed_in_goes_to_the_one_door(client, db):
    answer = client.get("/admin/clinic/resident/")
    assert answer.status_code == 302
    assert reverse("sign-in") in answer.url or "/admin/login" in answer.url


@pytest.mark.parametrize("name", ["change", "history"])
def test_a_resident_of_another_station_is_not_there(name, signed_in, other_station):
    stranger = factories.resident(other_station)
    answer = signed_in(Role.CLERK).get(reverse(f"admin:clinic_resident_{name}", args=[stranger.uuid]))
    assert answer.status_code == 404


@pytest.mark.parametrize("name", ["change", "history", "delete"])
def test_row_numbers_lead_nowhere(name, signed_in, resident):
    answer = signed_in(Role.CLERK).get(f"/admin/clinic/resident/{resident.pk}/{name}/")
    assert answer.status_code == 404


def test_nothing_is_deleted(signed_in, resident):
    client = signed_in(Role.CLERK)
    answer = client.post(f"/admin/clinic/resident/{resident.uuid}/delete/", {"post": "yes"})
    assert answer.status_code in (403, 404)
    assert Resident.objects.filter(pk=resident.pk).exists()


def test_no_delete_among_the_actions(signed_in, resident):
    page = signed_in(Role.CLERK).get(reverse("admin:clinic_resident_changelist")).content.decode()
    assert "delete_selected" not in page


def test_a_forged_selection_is_404(signed_in, resident, other_station):
    stranger = factories.resident(other_station)
    chosen = [str(resident.uuid), str(stranger.uuid)]
    data = {"action": "merge_selected", "_selected_action": chosen, "index": 0}
    answer = signed_in(Role.CLERK).post(reverse("admin:clinic_resident_changelist"), data)
    assert answer.status_code == 404


def test_autocomplete_tells_nothing(signed_in):
    query = {"app_label": "clinic", "model_name": "resident", "field_name": "home", "term": "张"}
    assert signed_in(Role.CLERK).get("/admin/autocomplete/", query).status_code == 404


def test_the_shortcut_by_row_number_is_gone(signed_in, resident):
    assert signed_in(Role.CLERK).get(f"/admin/r/1/{resident.pk}/").status_code == 404


def test_columns_that_are_no_filter_cannot_be_probed(signed_in, station):
    factories.user(Role.DOCTOR, station)
    answer = signed_in(Role.SYSADMIN).get("/admin/clinic/user/?password__startswith=argon2")
    assert answer.status_code == 400


PAGES = [
    (Role.CLERK, "/admin/"), (Role.CLERK, "/admin/clinic/resident/"), (Role.CLERK, "/admin/clinic/resident/add/"),
    (Role.CLERK, "/admin/emr/encounter/"), (Role.SYSADMIN, "/admin/clinic/user/"),
    (Role.SYSADMIN, "/admin/clinic/institution/"), (Role.AUDITOR, "/admin/clinic/auditentry/"),
    (Role.DISTRICT, "/admin/clinic/community/"), (Role.DISTRICT, "/admin/emr/term/"),
    (Role.DISTRICT, "/admin/emr/termrelease/"),
]  # fmt: skip


@pytest.mark.parametrize(("role", "where"), PAGES)
def test_no_row_number_in_any_address(role, where, signed_in, encounter, district):
    place = None if role == Role.CLERK else district
    html = signed_in(role, place).get(where).content.decode()
    for address in re.findall(r'(?:href|action|formaction|hx-post)="([^"]+)"', html):
        assert not re.search(r"/\d+/|(?<![?&][op])(?<!active__exact)=\d{1,9}(?:&|$)", address), address


def test_no_row_number_on_a_resident_s_page(signed_in, resident):
    html = signed_in(Role.CLERK).get(f"/admin/clinic/resident/{resident.uuid}/change/").content.decode()
    assert not [a for a in re.findall(r'(?:href|action)="([^"]+)"', html) if re.search(r"/\d+/", a)]


@pytest.mark.parametrize("kind", ["user", "encounter", "institution"])
def test_no_row_number_where_a_page_names_other_rows(
    kind, client, secadmin, clerk, doctor, encounter, station
):
    client.force_login(clerk if kind == "encounter" else secadmin)
    row = {"user": doctor, "encounter": encounter, "institution": station}[kind]
    html = client.get(reverse(f"admin:{row._meta.app_label}_{kind}_change", args=[row.uuid])).content.decode()
    assert not re.findall(r'href="[^"]*/\d+/[^"]*"', html)


def test_opening_a_resident_stands_in_the_trail(signed_in, resident):
    signed_in(Role.CLERK).get(reverse("admin:clinic_resident_change", args=[resident.uuid]))
    entry = AuditEntry.objects.get(act=Act.VIEW)
    assert entry.resident == str(resident.uuid)


def test_a_refused_page_stands_in_the_trail(signed_in):
    signed_in(Role.CENTRE_IT).get("/admin/clinic/resident/")
    assert AuditEntry.objects.get(act=Act.DENIED).detail["path"] == "/admin/clinic/resident/"


SECRET = "咳嗽三天伴发热"


@pytest.mark.parametrize("role", [Role.CLERK, Role.CENTRE_IT, Role.SYSADMIN, Role.SECADMIN, Role.DISTRICT_IT])
def test_no_clinical_text_at_the_desk(role, signed_in, doctor, resident):
    visit = factories.encounter(resident, doctor, chief_complaint=SECRET)
    client = signed_in(role)
    addresses = ["/admin/", "/admin/emr/encounter/", f"/admin/emr/encounter/{visit.uuid}/change/",
                 f"/admin/emr/encounter/{visit.uuid}/history/", "/admin/emr/note/"]  # fmt: skip
    assert not [a for a in addresses if SECRET in client.get(a).content.decode()]


def test_unknown_ids_are_404(signed_in):
    for bad in (uuid.uuid4(), "x", "0", "%20"):
        assert signed_in(Role.CLERK).get(f"/admin/clinic/resident/{bad}/change/").status_code == 404


def test_managers_see_their_own_trail_only(client, manager, clerk, other_station, resident):
    foreign = factories.user(Role.DOCTOR, other_station, name="外站医生")
    audit.record(Act.VIEW, by=foreign, resident=resident)
    audit.record(Act.VIEW, by=foreign, resident=factories.resident(other_station, name="别站居民"))
    client.force_login(manager)
    html = client.get("/admin/clinic/auditentry/").content.decode()
    assert "外站医生" in html
    assert "别站居民" not in html
