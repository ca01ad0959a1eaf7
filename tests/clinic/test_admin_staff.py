"""Accounts at the desk: one role opens them, another grants rights, nobody serves oneself."""

import pytest
from axes.models import AccessAttempt
from django.urls import reverse
from django.utils import timezone
from django_otp.plugins.otp_totp.models import TOTPDevice

from clinic.actions import accounts
from clinic.codes import Act, InstitutionKind, Role
from clinic.models import AuditEntry, Community, Institution, User
from tests import factories

pytestmark = pytest.mark.django_db

ADD = "/admin/clinic/user/add/"


@pytest.fixture
def sysadmin(district):
    return factories.user(Role.SYSADMIN, district, name="何平")


@pytest.fixture
def sys_desk(client, sysadmin):
    client.force_login(sysadmin)
    return client


@pytest.fixture
def sec_desk(client, secadmin):
    client.force_login(secadmin)
    return client


def page_of(user, name="change"):
    return reverse(f"admin:clinic_user_{name}", args=[user.uuid])


def facts(station, **fields):
    return {
        "username": "liuyan",
        "name": "刘燕",
        "institution": str(station.uuid),
        "department": "全科",
        **fields,
    }


def test_a_new_account_has_a_password_shown_once_and_no_role(sys_desk, station):
    answer = sys_desk.post(ADD, facts(station))
    made = User.objects.get(username="liuyan")
    password = answer.context["password"]
    assert made.check_password(password)
    assert (made.role, made.must_change_password, made.institution) == ("", True, station)
    assert password not in sys_desk.get(page_of(made)).content.decode()


def test_the_password_page_is_not_cached(sys_desk, station):
    assert "no-store" in sys_desk.post(ADD, facts(station))["Cache-Control"]


def test_first_passwords_have_all_four_classes_and_differ():
    made = {accounts.new_password() for _number in range(50)}
    assert len(made) == 50
    for password in made:
        kinds = [str.islower, str.isupper, str.isdigit, lambda sign: not sign.isalnum()]
        assert all(any(kind(sign) for sign in password) for kind in kinds)


@pytest.mark.parametrize(
    "fields", [{"username": ""}, {"username": "a b"}, {"name": ""}, {"institution": "x"}], ids=str
)
def test_bad_facts_are_told(sys_desk, station, fields):
    answer = sys_desk.post(ADD, facts(station, **fields))
    assert "errorlist" in answer.content.decode()
    assert not User.objects.filter(name="刘燕").exists()


def test_a_taken_name_is_told(sys_desk, station, sysadmin):
    assert "errorlist" in sys_desk.post(ADD, facts(station, username=sysadmin.username)).content.decode()


def test_the_system_administrator_cannot_slip_in_a_role(sys_desk, doctor, station):
    sys_desk.post(page_of(doctor), {**facts(station), "role": Role.SECADMIN, "is_active": "on"})
    doctor.refresh_from_db()
    assert doctor.role == Role.DOCTOR


@pytest.mark.parametrize("act", ["grant", "unlock", "password", "factor"])
def test_the_system_administrator_grants_and_unlocks_nothing(sys_desk, doctor, act):
    assert sys_desk.post(page_of(doctor, act), {"role": Role.MANAGER}).status_code == 403


def test_changing_an_account_is_audited(sys_desk, doctor, other_station):
    data = {**facts(other_station), "name": "王淑珍", "is_active": "on"}
    sys_desk.post(page_of(doctor), data)
    doctor.refresh_from_db()
    assert doctor.institution == other_station
    assert "institution" in AuditEntry.objects.get(act=Act.CHANGE).detail["fields"]


def test_nobody_closes_the_own_account(sys_desk, sysadmin, district):
    sys_desk.post(page_of(sysadmin), facts(district, username=sysadmin.username))
    sysadmin.refresh_from_db()
    assert sysadmin.is_active


def test_accounts_outside_the_reach_are_not_there(client, station, stranger):
    client.force_login(factories.user(Role.SYSADMIN, station))
    assert client.get(page_of(stranger)).status_code == 404


def test_an_account_is_not_moved_out_of_reach(client, station, doctor, other_station):
    client.force_login(factories.user(Role.SYSADMIN, station))
    client.post(page_of(doctor), {**facts(other_station), "is_active": "on"})
    doctor.refresh_from_db()
    assert doctor.institution == station


def test_the_security_administrator_grants_a_role(sec_desk, doctor):
    sec_desk.post(page_of(doctor, "grant"), {"role": Role.MANAGER, "reason": "任命"})
    doctor.refresh_from_db()
    assert doctor.role == Role.MANAGER
    assert AuditEntry.objects.get(act=Act.ROLE).detail["after"] == "manager"


@pytest.mark.parametrize("role", ["", "root", "x" * 500])
def test_unknown_roles_are_refused(sec_desk, doctor, role):
    sec_desk.post(page_of(doctor, "grant"), {"role": role})
    doctor.refresh_from_db()
    assert doctor.role == Role.DOCTOR


def test_nobody_grants_a_role_to_oneself(sec_desk, secadmin):
    sec_desk.post(page_of(secadmin, "grant"), {"role": Role.DOCTOR})
    secadmin.refresh_from_db()
    assert secadmin.role == Role.SECADMIN


def test_names_are_not_the_security_administrator_s(sec_desk, doctor, station):
    assert sec_desk.post(page_of(doctor), facts(station)).status_code == 403


def test_a_lock_out_is_seen_and_ended(sec_desk, doctor):
    AccessAttempt.objects.create(
        username=doctor.username, ip_address="10.0.0.1", failures_since_start=5, attempt_time=timezone.now()
    )
    assert doctor.name in sec_desk.get("/admin/clinic/user/", {"locked": "yes"}).content.decode()
    sec_desk.post(page_of(doctor, "unlock"))
    assert not AccessAttempt.objects.exists()
    assert doctor.name not in sec_desk.get("/admin/clinic/user/", {"locked": "yes"}).content.decode()


def test_a_new_first_password_must_be_changed(sec_desk, doctor):
    answer = sec_desk.post(page_of(doctor, "password"))
    doctor.refresh_from_db()
    assert doctor.check_password(answer.context["password"])
    assert doctor.must_change_password


def test_a_lost_second_factor_is_removed(sec_desk, doctor):
    TOTPDevice.objects.create(user=doctor, name="x", confirmed=True)
    sec_desk.post(page_of(doctor, "factor"))
    assert not TOTPDevice.objects.filter(user=doctor).exists()


@pytest.mark.parametrize("act", ["grant", "unlock", "password", "factor"])
def test_buttons_want_a_click(sec_desk, doctor, act):
    assert sec_desk.get(page_of(doctor, act)).status_code == 403


def test_a_station_is_added_below_its_centre(sys_desk, centre):
    data = {
        "kind": "station",
        "parent": str(centre.uuid),
        "code": "S0199",
        "name": "新站",
        "short_name": "新站",
        "active": "on",
    }
    sys_desk.post("/admin/clinic/institution/add/", data)
    assert Institution.objects.get(code="S0199").path == f"{centre.path}S0199/"


@pytest.mark.parametrize(
    "fields", [{"kind": "centre"}, {"code": "a/b"}, {"parent": ""}, {"kind": "district"}], ids=str
)
def test_a_misplaced_institution_is_refused(sys_desk, centre, fields):
    data = {
        "kind": "station",
        "parent": str(centre.uuid),
        "code": "S0199",
        "name": "新站",
        "short_name": "新站",
    }
    answer = sys_desk.post("/admin/clinic/institution/add/", {**data, **fields})
    assert "errorlist" in answer.content.decode()
    assert not Institution.objects.filter(name="新站").exists()


def test_a_code_never_changes(sys_desk, station):
    page = reverse("admin:clinic_institution_change", args=[station.uuid])
    sys_desk.post(page, {"code": "X", "kind": "centre", "name": "改名", "short_name": "改名", "active": "on"})
    station.refresh_from_db()
    assert (station.code, station.kind, station.name) == ("S0101", InstitutionKind.STATION, "改名")


def test_the_district_adds_a_neighbourhood(client, district, station):
    client.force_login(factories.user(Role.DISTRICT, district))
    data = {
        "code": "110101001001",
        "street": "东直门街道",
        "name": "胡家园社区",
        "institution": str(station.uuid),
    }
    client.post("/admin/clinic/community/add/", data)
    assert Community.objects.get().institution == station


@pytest.mark.parametrize("code", ["1", "11010100100a", "１１０１０１００１００１"])
def test_a_neighbourhood_s_code_has_twelve_digits(client, district, code):
    client.force_login(factories.user(Role.DISTRICT, district))
    client.post("/admin/clinic/community/add/", {"code": code, "street": "x", "name": "y"})
    assert not Community.objects.exists()
