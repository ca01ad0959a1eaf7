"""The receipt hook: what is signed is kept once; everything else changes nothing."""

import json
import threading
import uuid
from datetime import timedelta

import pytest
from django.db import DatabaseError, connections
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from clinic.codes import Act
from clinic.models import AuditEntry
from messaging import hook, secrets
from messaging.codes import Carrier, Protocol
from messaging.dispatching import inbox
from messaging.gateways import http_wire as wire
from messaging.models import Gateway, HookCall, IncomingMessage, Receipt
from messaging.views import hook as door

SECRET = "the platform's secret"  # noqa: S105
PHONE = "13800138000"
SAID = {
    "reports": [{"message_id": "m1", "phone": PHONE, "status": "DELIVRD"}],
    "incoming": [{"message_id": "m2", "phone": PHONE, "to": "1069", "text": "谢谢"}],
}
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def watch(monkeypatch):
    monkeypatch.setattr(door, "watch", hook.Watch())


@pytest.fixture
def gateway():
    return platform()


def platform(**fields):
    values = {
        "name": f"平台{uuid.uuid4().hex[:6]}", "protocol": Protocol.HTTP, "carrier": Carrier.OTHER, "host": "127.0.0.1",
        "port": 8791, "login": uuid.uuid4().hex[:8], "secret": secrets.store(SECRET),
    }  # fmt: skip
    return Gateway.objects.create(**{**values, **fields})


def call(gateway, said=SAID, *, secret=SECRET, age=0, nonce=None, client=None, **headers):
    """Post what the platform would post; ``headers`` replace its own (None: left out)."""
    body = said if isinstance(said, bytes) else json.dumps(said, ensure_ascii=False).encode()
    stamp, nonce = str(int(timezone.now().timestamp() - age)), nonce or uuid.uuid4().hex
    sent = {
        wire.TIME: stamp, wire.NONCE: nonce, wire.SIGNATURE: wire.signature(secret, stamp, nonce, body),
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }  # fmt: skip
    address = reverse("sms-hook", args=[getattr(gateway, "uuid", gateway)])
    client = client or Client(raise_request_exception=False, enforce_csrf_checks=True)
    kind = sent.pop("Content-Type", "application/json")
    kept = {name: value for name, value in sent.items() if value is not None}
    return client.post(address, body, content_type=kind, headers=kept)


def nothing_changed():
    return not (Receipt.objects.exists() or IncomingMessage.objects.exists() or HookCall.objects.exists())


def refused(answer, status, code):
    """Refused so, in the trail, with nothing changed and nothing told."""
    assert (answer.status_code, answer.json()) == (status, {"error": code})
    entry = AuditEntry.objects.get(act=Act.REFUSED)
    assert entry.detail["status"] == status
    assert PHONE not in f"{entry.detail}{entry.reason}"
    assert SECRET not in f"{entry.detail}{entry.reason}"
    return nothing_changed()


def test_what_is_signed_is_kept(gateway):
    answer = call(gateway)
    assert (answer.status_code, answer.json()) == (200, {"kept": 2})
    receipt = Receipt.objects.get()
    assert (receipt.gateway, receipt.remote_id, receipt.outcome) == (gateway, "m1", "delivered")
    assert IncomingMessage.objects.get().text == "谢谢"
    assert not AuditEntry.objects.filter(act=Act.REFUSED).exists()


def test_the_same_report_in_a_new_call_changes_nothing(gateway):
    assert call(gateway).json() == {"kept": 2}
    assert call(gateway).json() == {"kept": 0}


def test_a_replayed_call_is_refused(gateway):
    assert call(gateway, nonce="n" * 16).status_code == 200
    later = call(gateway, {"reports": [{**SAID["reports"][0], "message_id": "m9"}]}, nonce="n" * 16)
    assert (later.status_code, later.json()) == (409, {"error": "replay"})
    assert Receipt.objects.count() == 1
    assert AuditEntry.objects.get(act=Act.REFUSED).object_id == str(gateway.uuid)


@pytest.mark.parametrize("age", [301, -302], ids=["old", "ahead"])
def test_a_call_of_another_time_is_refused(gateway, age):
    assert refused(call(gateway, age=age), 401, "time")


@pytest.mark.parametrize("age", [290, -290], ids=["late", "ahead"])
def test_clocks_may_differ_a_little(gateway, age):
    assert call(gateway, age=age).status_code == 200


@pytest.mark.parametrize(
    ("headers", "code"),
    [({wire.SIGNATURE: "0" * 64}, "signature"), ({wire.SIGNATURE: ""}, "signature"), ({wire.SIGNATURE: None}, "signature"),
     ({wire.SIGNATURE: "é" * 64}, "signature"), ({wire.TIME: "1" * 12}, "signature"), ({wire.TIME: "now"}, "header"),
     ({wire.TIME: "１７９５４０００００"}, "header"), ({wire.TIME: None}, "header"), ({wire.NONCE: "short"}, "header"),
     ({wire.NONCE: "n" * 65}, "header"), ({wire.NONCE: None}, "header"), ({wire.NONCE: "é" * 16}, "header")],
    ids=range(12),
)  # fmt: skip
def test_a_wrong_signature_is_refused(gateway, headers, code):
    assert refused(
        call(gateway, **{name.replace("-", "_"): value for name, value in headers.items()}), 401, code
    )


def test_another_accounts_signature_is_refused(gateway):
    assert refused(call(gateway, secret="another"), 401, "signature")


def test_a_changed_body_is_refused(gateway):
    stamp, nonce = str(int(timezone.now().timestamp())), "n" * 32
    made = wire.signature(SECRET, stamp, nonce, b'{"reports":[]}')
    assert refused(call(gateway, nonce=nonce, X_Sms_Time=stamp, X_Sms_Signature=made), 401, "signature")


def test_our_own_request_cannot_be_turned_against_us(gateway):
    said = wire.Words({}, "a", SECRET).sending(
        [("1", type("S", (), {"phone": PHONE, "text": "TD", "parts": 1}))]
    )
    assert refused(call(gateway, said), 400, "rows")


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [({"active": False}, 404, "gateway"), ({"protocol": Protocol.CMPP2}, 404, "gateway"), ({"secret": ""}, 503, "secret"),
     ({"secret": "env:SMS_NOT_SET"}, 503, "secret"), ({"options": {"report": 3}}, 503, "settings")],
    ids=["inactive", "protocol", "no-secret", "variable", "options"],
)  # fmt: skip
def test_a_gateway_that_takes_none_says_so(fields, status, code):
    secret = "" if fields.get("secret") == "" else SECRET
    assert refused(call(platform(**fields), secret=secret), status, code)


def test_an_unknown_gateway_is_not_found():
    assert refused(call(uuid.uuid4()), 404, "gateway")


@pytest.mark.parametrize(
    "said", [b"", b"{", b"\xff\xfe", b"[" * 50_000, b"[]", b'{"reports":[{}]}'], ids=range(6)
)
def test_garbage_is_refused(gateway, said):
    answer = call(gateway, said)
    assert refused(answer, 400, answer.json()["error"])


@pytest.mark.parametrize("text", ["a\0b", "\ud800"], ids=["nul", "half"])
def test_text_that_cannot_be_kept_is_refused(gateway, text):
    said = json.dumps({"incoming": [{**SAID["incoming"][0], "text": text}]}).encode()
    assert refused(call(gateway, said), 400, "json")


def test_an_oversized_call_is_refused(gateway):
    assert refused(call(gateway, b" " * (hook.LIMIT + 1)), 413, "size")


@pytest.mark.parametrize(
    "kind", ["text/plain", "multipart/form-data; boundary=x", "application/x-www-form-urlencoded"]
)
def test_a_form_is_no_call(gateway, kind):
    assert refused(call(gateway, Content_Type=kind), 400, "type")


def test_other_ways_to_ask_are_refused(gateway, client):
    assert client.get(reverse("sms-hook", args=[gateway.uuid])).status_code == 405


def test_what_cannot_be_kept_leaves_its_nonce_free(gateway, monkeypatch):
    def broken(*_):
        raise DatabaseError

    monkeypatch.setattr(inbox, "keep_incoming", broken)
    assert call(gateway, nonce="n" * 16).status_code == 500
    assert nothing_changed()
    monkeypatch.undo()
    monkeypatch.setattr(door, "watch", hook.Watch())
    assert call(gateway, nonce="n" * 16).status_code == 200


def test_hammering_at_the_door_does_not_fill_the_trail(gateway):
    for _ in range(5):
        call(gateway, secret="another")
    assert AuditEntry.objects.filter(act=Act.REFUSED).count() == 1


def test_what_was_left_out_of_the_trail_is_counted():
    now = [0.0]
    watch = hook.Watch(lambda: now[0])
    refusal = hook.Refusal(401, "signature")
    assert [watch.says(refusal, "10.0.0.1") for _ in range(3)] == [0, None, None]
    assert watch.says(refusal, "10.0.0.2") == 0
    now[0] = 61.0
    assert watch.says(refusal, "10.0.0.1") == 2


def test_old_calls_are_forgotten_no_sooner_than_their_time(gateway, settings):
    now = timezone.now()
    ages = {"young" * 4: 2 * settings.SMS_HOOK_SECONDS, "older" * 4: 2 * settings.SMS_HOOK_SECONDS + 3601}
    for nonce, age in ages.items():
        HookCall.objects.create(gateway=gateway, nonce=nonce, at=now - timedelta(seconds=age))
    assert hook.forget(now) == 1
    assert HookCall.objects.get().nonce == "young" * 4


@pytest.mark.django_db(transaction=True)
def test_two_calls_at_once_are_one(gateway):
    statuses = []

    def post():
        statuses.append(call(gateway, nonce="n" * 16).status_code)
        connections.close_all()

    racers = [threading.Thread(target=post) for _ in range(4)]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join()
    assert sorted(statuses) == [200, 409, 409, 409]
    assert Receipt.objects.count() == 1
