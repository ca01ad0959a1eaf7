"""The door: who gets in, who is kept out for a while, and what of it stands in the trail."""

import json
import time

import pytest
from django.conf import settings
from django.contrib.auth.hashers import identify_hasher
from django.test import Client
from django.urls import reverse

from clinic import identity
from clinic.codes import Act
from clinic.models import AuditEntry
from tests.factories import PASSWORD

pytestmark = pytest.mark.django_db
WRONG = "Falsch-000"


def sign_in(client, user, password=PASSWORD, **extra):
    return client.post(reverse("sign-in"), {"username": user.username, "password": password}, **extra)


def trail(act):
    return AuditEntry.objects.filter(act=act)


def test_the_right_password_opens_and_is_told(client, doctor):
    assert sign_in(client, doctor).url == reverse("home")
    assert trail(Act.SIGN_IN).get().username == doctor.username


def test_the_wrong_password_is_told_without_the_password(client, doctor):
    answer = sign_in(client, doctor, WRONG)
    assert answer.status_code == 422
    assert "账号或密码不正确" in answer.content.decode()
    entry = trail(Act.SIGN_IN_FAILED).get()
    assert entry.detail == {"account": doctor.username}
    assert WRONG not in str(entry.__dict__)


def test_a_closed_account_gets_the_same_sentence(client, doctor):
    doctor.is_active = False
    doctor.save()
    assert "账号或密码不正确" in sign_in(client, doctor).content.decode()


def test_five_wrong_passwords_lock_the_pair_and_a_colleague_beside_gets_in(client, doctor, colleague):
    for _try in range(settings.AXES_FAILURE_LIMIT):
        answer = sign_in(client, doctor, WRONG)
    assert answer.status_code == 429
    assert "分钟后再试" in answer.content.decode()
    assert sign_in(client, doctor).status_code == 429
    assert sign_in(Client(), colleague).status_code == 302


def test_the_locked_doctor_gets_in_from_another_place(client, doctor):
    for _try in range(settings.AXES_FAILURE_LIMIT):
        sign_in(client, doctor, WRONG)
    assert sign_in(Client(), doctor, REMOTE_ADDR="10.20.30.40").status_code == 302


def test_a_forged_forwarding_does_not_make_another_place(client, doctor):
    for _try in range(settings.AXES_FAILURE_LIMIT):
        sign_in(client, doctor, WRONG)
    assert sign_in(client, doctor, HTTP_X_FORWARDED_FOR="10.20.30.40").status_code == 429


def test_our_own_proxy_is_believed(client, doctor, settings):
    settings.TRUSTED_PROXIES = ["127.0.0.0/8"]
    sign_in(client, doctor, HTTP_X_FORWARDED_FOR="6.6.6.6, 10.20.30.40")
    assert trail(Act.SIGN_IN).get().address == "10.20.30.40"


@pytest.mark.parametrize("name", ["", "x" * 10_000, "𠮷", "'; drop table clinic_user; --", "😀" * 20])
def test_strange_accounts_get_a_sentence(client, name):
    answer = client.post(reverse("sign-in"), {"username": name, "password": "x"})
    assert answer.status_code == 422


@pytest.mark.parametrize("name", ["a\x00b", "a\ud800"])
def test_unstorable_accounts_are_refused(client, name):
    body = b"username=" + name.encode("utf-8", "surrogatepass") + b"&password=x"
    answer = client.post(reverse("sign-in"), body, content_type="application/x-www-form-urlencoded")
    assert answer.status_code in {400, 422}


@pytest.mark.parametrize("wanted", ["https://evil.example/", "//evil.example/", "javascript:alert(1)", ""])
def test_next_leads_nowhere_else(client, doctor, wanted):
    answer = client.post(
        reverse("sign-in"), {"username": doctor.username, "password": PASSWORD, "next": wanted}
    )
    assert answer.url == reverse("home")


def test_passwords_cost_what_old_servers_can_pay(doctor):
    assert identify_hasher(doctor.password).decode(doctor.password)["memory_cost"] == 19 * 1024
    assert identify_hasher(doctor.password).decode(doctor.password)["time_cost"] == 2


class TestSigningInAgainInPlace:
    def again(self, client, username, password):
        body = json.dumps({"username": username, "password": password})
        return client.post(reverse("sign-in-again"), body, content_type="application/json")

    def test_tells_who_it_is_and_the_new_token(self, client, doctor):
        answer = self.again(client, doctor.username, PASSWORD).json()
        assert answer["user"] == str(doctor.uuid)
        assert answer["csrf"]

    def test_counts_failures_like_the_door(self, client, doctor):
        for _try in range(settings.AXES_FAILURE_LIMIT):
            answer = self.again(client, doctor.username, WRONG)
        assert answer.status_code == 429
        assert sign_in(client, doctor).status_code == 429

    @pytest.mark.parametrize(
        "body", ["", "[]", '{"username": 1}', '{"username": "a\\u0000", "password": "x"}']
    )
    def test_nonsense_gets_a_sentence(self, client, body):
        answer = client.post(reverse("sign-in-again"), body, content_type="application/json")
        assert answer.status_code == 400
        assert answer.json()["message"]


class TestIdle:
    def test_after_the_idle_time_the_next_page_is_the_door(self, client, doctor, settings):
        client.force_login(doctor)
        self.idle_for(client, settings.IDLE_SECONDS + 5)
        assert client.get(reverse("change-password")).url.startswith(reverse("sign-in"))
        assert trail(Act.SIGN_OUT).get().reason == "idle"
        assert "自动退出" in client.get(reverse("sign-in")).content.decode()

    def test_work_moves_the_clock(self, client, doctor, settings):
        client.force_login(doctor)
        self.idle_for(client, settings.IDLE_WRITE_SECONDS + 5)
        client.get(reverse("change-password"))
        assert time.time() - client.session["active_at"] < 5

    def test_polling_does_not(self, client, doctor, settings):
        client.force_login(doctor)
        before = self.idle_for(client, settings.IDLE_WRITE_SECONDS + 5)
        client.get(reverse("change-password"), headers={"X-Poll": "1"})
        assert client.session["active_at"] == before

    def idle_for(self, client, seconds):
        session = client.session
        session["active_at"] = int(time.time()) - seconds
        session.save()
        return session["active_at"]


def test_signing_out_is_told_and_leaves_drafts_alone(client, doctor):
    client.force_login(doctor)
    answer = client.post(reverse("sign-out"))
    assert answer["Clear-Site-Data"] == '"cache"'
    assert trail(Act.SIGN_OUT).count() == 1
    assert client.get(reverse("change-password")).status_code == 302


def test_pages_of_the_signed_in_are_not_stored(client, doctor):
    client.force_login(doctor)
    answer = client.get(reverse("change-password"))
    assert answer["Cache-Control"] == "no-store"
    assert answer["Referrer-Policy"] == "same-origin"
    assert "unsafe" not in answer["Content-Security-Policy"]


def test_next_keeps_no_query(rf):
    assert identity.next_page(rf.get("/sign-in", {"next": "/visits/1/?q=张三"})) == "/visits/1/"


def test_next_that_is_no_address_leads_home(client):
    assert client.get(reverse("sign-in"), {"next": "//["}).status_code == 200


def test_a_form_sent_to_the_dialog_is_refused(client):
    assert client.post(reverse("sign-in-again"), {"username": "doctor"}).status_code == 400


def test_a_session_cookie_with_nul_counts_as_none(client):
    answer = client.get(reverse("sign-in"), headers={"cookie": 'sessionid="aaaaaaaaaa\\000bb"'})
    assert answer.status_code == 200


def test_a_page_that_names_no_address_is_shown_the_door(client):
    headers = {"HX-Request": "true", "HX-Current-URL": "http://["}
    assert client.post(reverse("resident-search"), headers=headers).status_code == 401
