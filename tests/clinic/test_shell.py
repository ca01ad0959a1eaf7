"""The shell around every page: sentences for what went wrong, one language switch, no foreign script."""

import re

import pytest
from django.db import OperationalError
from django.test import Client
from django.urls import reverse

from clinic.codes import Act
from clinic.models import AuditEntry

pytestmark = pytest.mark.django_db


@pytest.fixture
def inside(client, doctor):
    client.force_login(doctor)
    return client


def words(answer):
    return answer.content.decode()


def test_the_page_is_chinese_whatever_the_browser_prefers(client):
    answer = client.get(reverse("sign-in"), headers={"Accept-Language": "en-US,en"})
    assert 'lang="zh-hans"' in words(answer)
    assert "登录" in words(answer)


def test_english_is_one_click_away(client):
    client.post(reverse("set_language"), {"language": "en", "next": reverse("sign-in")})
    assert "Sign in" in words(client.get(reverse("sign-in")))


def test_an_unknown_page_says_so_kindly(inside):
    answer = inside.get("/no/such/page")
    assert answer.status_code == 404
    assert "此处没有内容，或您无权查看" in words(answer)


def test_a_forbidden_page_says_so_and_stands_in_the_trail(inside):
    answer = inside.get(reverse("admin:index"))
    assert answer.status_code == 403
    assert AuditEntry.objects.get(act=Act.DENIED).detail["path"] == reverse("admin:index")


def test_a_failure_asks_nothing_of_the_database(doctor, monkeypatch):
    def fail(*_args, **_kwargs):
        raise RuntimeError("张秀英")

    monkeypatch.setattr("clinic.views.account.PasswordForm", fail)
    client = Client(raise_request_exception=False)
    client.force_login(doctor)
    answer = client.get(reverse("change-password"))
    assert answer.status_code == 500
    assert "系统出现故障" in words(answer)
    assert "张秀英" not in words(answer)


def test_a_stale_form_gets_a_sentence(doctor):
    client = Client(enforce_csrf_checks=True)
    client.force_login(doctor)
    answer = client.post(reverse("sign-out"))
    assert answer.status_code == 403
    assert "页面已过期" in words(answer)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"\xff\xfe\x00", "multipart/form-data; boundary=x"),
        (b"--x\r\nContent-Disposition: form-data; name=", "multipart/form-data; boundary=x"),
        (b"a=%ff%fe&b=%00", "application/x-www-form-urlencoded"),
        (b"&".join(b"f%d=1" % n for n in range(1500)), "application/x-www-form-urlencoded"),
        (b"a=" + b"x" * (6 * 1024 * 1024), "application/x-www-form-urlencoded"),
        (b"x", "multipart/form-data"),
    ],
)
def test_broken_bodies_are_refused_never_a_failure(inside, body, kind):
    answer = inside.generic("POST", reverse("change-password"), body, content_type=kind)
    assert 400 <= answer.status_code < 500


@pytest.mark.parametrize("query", ["?q=%00", "?q=%ED%A0%80"])
def test_unstorable_addresses_are_refused(inside, query):
    assert inside.get(reverse("change-password") + query).status_code == 400


@pytest.mark.parametrize("name", ["sign-in", "change-password", "set-up-factor"])
def test_no_page_carries_inline_script_or_style(inside, name):
    page = words(inside.get(reverse(name), follow=True))
    assert not re.search(r"<script(?![^>]*\bsrc=)[^>]*>|<style|\sstyle=|\son\w+=", page)


def test_the_request_has_a_number_to_name(client):
    assert re.fullmatch(r"[0-9a-f]{32}", client.get(reverse("sign-in"))["X-Request-ID"])


def test_too_much_at_once_gets_its_own_sentence(inside):
    answer = inside.post(reverse("change-password"), {"old": "x" * 6_000_000})
    body = b"old=" + b"x" * 6_000_000
    kind = "application/x-www-form-urlencoded"
    typed = inside.generic("POST", reverse("change-password"), body, content_type=kind)
    for refused in (answer, typed):
        assert refused.status_code == 413
        assert "一次提交的内容过大" in words(refused)


@pytest.mark.parametrize("body", [b"username=%ff%fe", b"username=%ed%a0%80", b"username=\xff"])
def test_text_that_is_no_utf8_is_refused_not_altered(client, body):
    kind = "application/x-www-form-urlencoded"
    assert client.generic("POST", reverse("sign-in"), body, content_type=kind).status_code == 400


def test_a_button_s_address_opened_by_hand_gets_a_sentence(inside):
    answer = inside.get(reverse("sign-out"))
    assert (answer.status_code, answer["Allow"]) == (405, "POST")
    assert "不能直接打开" in words(answer)


def test_a_stale_door_is_shown_again(client):
    strict = Client(enforce_csrf_checks=True)
    answer = strict.post(reverse("sign-in"), {"username": "a", "password": "b"})
    assert answer.status_code == 403
    assert "请重新登录" in words(answer)
    assert 'name="password"' in words(answer)


def test_with_the_database_down_the_page_still_says_what_happened(doctor, monkeypatch):
    client = Client(raise_request_exception=False)
    client.force_login(doctor)

    def down(*_args, **_kwargs):
        raise OperationalError("server closed the connection")

    monkeypatch.setattr("django.db.backends.utils.CursorWrapper.execute", down)
    answer = client.get("/")
    assert answer.status_code == 500
    assert "系统出现故障" in words(answer)


def test_the_language_switch_on_the_door_keeps_the_way_back(client):
    page = words(client.get(reverse("sign-in"), {"next": "/account/password"}))
    assert 'value="/sign-in?next=%2Faccount%2Fpassword"' in page
