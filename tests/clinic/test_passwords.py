"""Passwords and second factors: what they must be, whose they are."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_otp.oath import totp
from django_otp.plugins.otp_totp.models import TOTPDevice

from clinic.actions import staff
from clinic.codes import Act, Role
from clinic.errors import Forbidden, Refused
from clinic.models import AuditEntry
from tests.factories import PASSWORD

pytestmark = pytest.mark.django_db
NEW = "Another-1-word"


def change(client, old=PASSWORD, new=NEW, again=None):
    return client.post(reverse("change-password"), {"old": old, "new": new, "again": again or new})


@pytest.fixture
def mine(client, doctor):
    client.force_login(doctor)
    return client


def test_a_good_password_is_taken_and_this_session_stays(mine, doctor):
    assert change(mine).url == reverse("home")
    doctor.refresh_from_db()
    assert doctor.check_password(NEW)
    assert mine.get(reverse("change-password")).status_code == 200


def test_other_sessions_end(mine, doctor):
    other = Client()
    other.force_login(doctor)
    change(mine)
    assert other.get(reverse("change-password")).status_code == 302


@pytest.mark.parametrize("new", ["short-1A", "alllowercase", "12345678", "abcdefgh1"][1:])
def test_weak_passwords_are_refused_with_the_rule(mine, doctor, new):
    answer = change(mine, new=new)
    assert answer.status_code == 422
    doctor.refresh_from_db()
    assert doctor.check_password(PASSWORD)


def test_the_present_password_is_asked(mine):
    answer = change(mine, old="wrong-One-1")
    assert "当前密码不正确" in answer.content.decode()


def test_a_differing_repetition_is_told(mine):
    assert "不一致" in change(mine, again="Another-2-word").content.decode()


def test_the_last_five_are_not_used_again(mine):
    words = [PASSWORD, *(f"Another-{n}-word" for n in range(4))]
    for old, new in zip(words, words[1:], strict=False):
        assert change(mine, old, new).status_code == 302
    assert change(mine, words[-1], PASSWORD).status_code == 422


def test_first_sign_in_leads_to_a_password_of_ones_own(client, doctor):
    doctor.must_change_password = True
    doctor.save()
    client.force_login(doctor)
    assert client.get("/").url == reverse("change-password")


def test_after_ninety_days_too(client, doctor):
    doctor.password_changed_at = timezone.now() - timedelta(days=90)
    doctor.save()
    client.force_login(doctor)
    assert client.get("/").url == reverse("change-password")


class TestSecurityAdministrator:
    def test_grants_a_role_with_a_trace(self, secadmin, clerk):
        staff.grant_role(user=clerk, role=Role.NURSE, by=secadmin)
        clerk.refresh_from_db()
        assert clerk.role == Role.NURSE
        assert [group.name for group in clerk.groups.all()] == [Role.NURSE]
        assert AuditEntry.objects.get(act=Act.ROLE).detail == {"before": "clerk", "after": "nurse"}

    def test_not_to_oneself(self, secadmin):
        with pytest.raises(Forbidden):
            staff.grant_role(user=secadmin, role=Role.DOCTOR, by=secadmin)

    def test_not_a_role_that_does_not_exist(self, secadmin, clerk):
        with pytest.raises(Refused):
            staff.grant_role(user=clerk, role="king", by=secadmin)

    def test_unlocks(self, client, secadmin, doctor):
        for _try in range(5):
            client.post(reverse("sign-in"), {"username": doctor.username, "password": "Falsch-000"})
        staff.unlock(user=doctor, by=secadmin)
        answer = client.post(reverse("sign-in"), {"username": doctor.username, "password": PASSWORD})
        assert answer.status_code == 302

    def test_a_set_password_must_be_changed(self, secadmin, doctor):
        staff.set_password(user=doctor, password=NEW, by=secadmin)
        doctor.refresh_from_db()
        assert doctor.must_change_password


class TestSecondFactor:
    def code(self, device):
        return f"{totp(device.bin_key):06d}"

    def test_is_set_up_with_the_first_digits(self, mine, doctor):
        assert b"data:image/svg" in mine.get(reverse("set-up-factor")).content
        device = TOTPDevice.objects.get(user=doctor)
        assert mine.post(reverse("set-up-factor"), {"code": self.code(device)}).status_code == 302
        device.refresh_from_db()
        assert device.confirmed

    def test_is_asked_at_the_next_sign_in(self, client, doctor):
        device = TOTPDevice.objects.create(user=doctor, confirmed=True)
        client.force_login(doctor)
        assert client.get("/").url == reverse("second-factor")
        assert client.post(reverse("second-factor"), {"code": "000000"}).status_code == 422
        device.throttle_reset()
        assert client.post(reverse("second-factor"), {"code": self.code(device)}).status_code == 302
        assert client.get("/").status_code == 200

    def test_is_required_of_administrators_by_setting(self, client, secadmin, settings):
        settings.TOTP_REQUIRED_ROLES = ["secadmin"]
        client.force_login(secadmin)
        assert client.get("/").url == reverse("set-up-factor")

    def test_a_lost_one_is_taken_away(self, client, secadmin, doctor):
        TOTPDevice.objects.create(user=doctor, confirmed=True)
        staff.remove_second_factor(user=doctor, by=secadmin)
        client.force_login(doctor)
        assert client.get("/").status_code == 200


def test_guessing_at_the_present_password_locks(client, doctor):
    client.force_login(doctor)
    guess = {"old": "wrong-1", "new": "Neu-2026-abc", "again": "Neu-2026-abc"}
    answers = [client.post("/account/password", guess).status_code for _try in range(6)]
    assert answers[0] == 422
    assert answers[-1] == 429
