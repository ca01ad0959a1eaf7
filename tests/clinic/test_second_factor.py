"""The second factor: outside a test's own transaction, once a session, and for whom the setting names."""

import json

import pytest
from django.test import Client
from django.urls import reverse
from django_otp.oath import totp
from django_otp.plugins.otp_totp.models import TOTPDevice

from clinic.actions import staff
from clinic.codes import Act, Role
from clinic.models import AuditEntry
from tests.factories import PASSWORD

pytestmark = pytest.mark.django_db


@pytest.fixture
def device(doctor):
    return TOTPDevice.objects.create(user=doctor, confirmed=True)


def digits(device):
    return f"{totp(device.bin_key):06d}"


def show(client, device, code=None):
    return client.post(reverse("second-factor"), {"code": code or digits(device)})


@pytest.mark.django_db(transaction=True)
def test_digits_are_checked_under_a_lock(client, doctor, device):
    client.force_login(doctor)
    assert show(client, device).status_code == 302


def test_digits_count_once(client, doctor, device):
    # The same digits: half a minute may end between the two.
    code = digits(device)
    client.force_login(doctor)
    show(client, device, code)
    other = Client()
    other.force_login(doctor)
    assert show(other, device, code).status_code == 422
    assert other.get("/").url == reverse("second-factor")


def test_wrong_digits_stand_in_the_trail(client, doctor, device):
    client.force_login(doctor)
    client.post(reverse("second-factor"), {"code": "000000"})
    assert AuditEntry.objects.get(act=Act.SIGN_IN_FAILED).reason == "second factor"


@pytest.mark.parametrize("code", ["", "12345", "abcdef", "１２３４５６", "1" * 10_000, "12345𠮷"])
def test_what_is_not_six_digits_gets_a_sentence(client, doctor, device, code):
    client.force_login(doctor)
    assert client.post(reverse("second-factor"), {"code": code}).status_code == 422


def test_signing_in_in_place_says_that_digits_are_still_owed(client, doctor, device):
    body = json.dumps({"username": doctor.username, "password": PASSWORD})
    answer = client.post(reverse("sign-in-again"), body, content_type="application/json")
    assert answer.json()["duty"] == "second-factor"
    assert client.get("/").url == reverse("second-factor")


def test_a_role_that_demands_it_asks_even_in_the_middle_of_a_session(client, doctor, secadmin, settings):
    settings.TOTP_REQUIRED_ROLES = [Role.SYSADMIN]
    client.force_login(doctor)
    assert client.get("/").status_code == 200
    staff.grant_role(user=doctor, role=Role.SYSADMIN, by=secadmin)
    assert client.get("/").url == reverse("set-up-factor")


def test_somebody_with_one_cannot_set_up_another_to_get_round_it(client, doctor, device):
    client.force_login(doctor)
    client.get(reverse("set-up-factor"))
    assert TOTPDevice.objects.filter(user=doctor).count() == 1
