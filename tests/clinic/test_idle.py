"""Who is not signed in any more: pages lead to the door, scripts are told, nothing typed goes along."""

import time

import pytest
from django.test import Client
from django.urls import reverse

from clinic.codes import Act
from clinic.models import AuditEntry
from tests.factories import PASSWORD

pytestmark = pytest.mark.django_db


@pytest.fixture
def idle(client, doctor, settings):
    """A browser whose doctor did nothing for too long."""
    client.force_login(doctor)
    session = client.session
    session["active_at"] = int(time.time()) - settings.IDLE_SECONDS - 5
    session.save()
    return client


def test_a_script_is_told_and_not_redirected(idle):
    answer = idle.get(reverse("change-password"), headers={"Accept": "application/json"})
    assert (answer.status_code, answer.json()["error"]) == (401, "signed-out")


def test_a_part_of_a_page_names_the_door_and_the_way_back(idle):
    headers = {"HX-Request": "true", "HX-Current-URL": "http://testserver/account/password?q=张三"}
    answer = idle.get(reverse("change-password"), headers=headers)
    assert answer.status_code == 401
    assert answer["X-Sign-In"] == "/sign-in?next=/account/password"


@pytest.mark.parametrize("address", ["/account/password", "/admin/clinic/resident/"])
def test_the_door_keeps_the_path_and_never_what_was_searched(client, address):
    answer = client.get(address, {"q": "张秀英"})
    assert answer.url == f"/sign-in?next={address}"


def test_after_a_button_the_way_back_is_the_start(client):
    assert client.post(reverse("change-password"), {"old": "x"}).url == reverse("sign-in")


def test_polling_of_an_abandoned_page_ends_the_session_too(idle):
    idle.get(reverse("change-password"), headers={"X-Poll": "1"})
    assert AuditEntry.objects.get(act=Act.SIGN_OUT).reason == "idle"


def test_polls_alone_never_keep_a_session_alive(client, doctor, settings, monkeypatch):
    client.force_login(doctor)
    client.get(reverse("change-password"))
    begin = time.time()
    for minutes in (5, 10, 15, 21):
        monkeypatch.setattr("clinic.middleware.time.time", lambda m=minutes: begin + m * 60)
        answer = client.get(reverse("change-password"), headers={"X-Poll": "1"})
    assert answer.status_code == 302


def test_the_sentence_about_idling_is_said_once(idle, doctor):
    idle.get(reverse("change-password"))
    idle.post(reverse("sign-in"), {"username": doctor.username, "password": PASSWORD})
    idle.post(reverse("sign-out"))
    assert "自动退出" not in idle.get(reverse("sign-in")).content.decode()


def test_signing_in_makes_a_new_session_key(doctor):
    client = Client()
    session = client.session
    session["planted"] = 1
    session.save()
    client.cookies["sessionid"] = planted = session.session_key
    client.post(reverse("sign-in"), {"username": doctor.username, "password": PASSWORD})
    assert client.cookies["sessionid"].value != planted
