"""The district platform's JSON as bytes."""

import base64
import json
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from messaging.gateways import http_wire as wire
from messaging.gateways.base import Answer, GatewayError, Outcome, Segment, Verdict
from messaging.gateways.http import retry_after
from messaging.gateways.http_wire import HttpGarbled, Words

ONE, TWO = ("a1", Segment(1, "13800138000", "您好")), ("a2", Segment(2, "13900139000", "再见", 2, 3, 9))


def told(said, **options):
    body = said if isinstance(said, bytes) else json.dumps(said).encode()
    return Words(options).told(body)


def test_the_signature_is_the_one_others_compute():
    """By openssl dgst -sha256 -hmac."""
    made = wire.signature("secret", "1795400000", "0123456789abcdef", b'{"reports":[]}')
    assert made == "29162dfb300495a9e66c8280ea6846db0fb063430f96acd34baf11c535b7e726"


def test_each_field_of_a_signature_counts():
    given = [("s", "1", "2", b"3"), ("t", "1", "2", b"3"), ("s", "12", "", b"3"), ("s", "1", "3", b"2")]
    assert len({wire.signature(*one) for one in given}) == 4


def test_what_is_sent_is_named_as_the_account_says():
    words = Words(
        {"fields": {"messages": "list", "phone": "mobile", "id": "seq"}, "sign": "S1", "constant": {"v": 2}},
        "acc", "secret", "1069",
    )  # fmt: skip
    said = json.loads(words.sending([ONE, TWO]))
    assert said == {
        "v": 2, "account": "acc", "from": "1069",
        "list": [
            {"seq": "a1", "mobile": "13800138000", "text": "您好", "sign": "S1"},
            {"seq": "a2", "mobile": "13900139000", "text": "再见", "sign": "S1", "part": 2, "parts": 3, "reference": 9},
        ],
    }  # fmt: skip


def test_answers_are_read_where_the_account_says_they_stand():
    words = Words(
        {"answer": {"results": "data.list", "id": "seq", "message_id": "msg", "status": "code"},
         "statuses": {"1000": "accepted", "2001": "elsewhere"}},
    )  # fmt: skip
    said = {"data": {"list": [{"seq": "a2", "code": 2001}, {"seq": "a1", "msg": 77, "code": 1000}]}}
    assert words.answers(json.dumps(said).encode(), [ONE, TWO]) == [
        Answer(1, Verdict.ACCEPTED, "77", "1000"),
        Answer(2, Verdict.ELSEWHERE, "", "2001"),
    ]


def test_what_is_not_said_or_not_known_is_in_doubt():
    said = json.dumps({"results": [{"id": "a1", "status": "perhaps"}]}).encode()
    assert [one.verdict for one in Words({}).answers(said, [ONE, TWO])] == [Verdict.IN_DOUBT] * 2
    assert Words({"other": "refused"}).answers(said, [ONE])[0].verdict is Verdict.REFUSED


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b"\xff", b'{"results": {}}', b'{"results": [1]}', b"[" * 100_000,
             b'{"results": [{"id": "a1", "status": {}}]}'],
    ids=range(9),
)  # fmt: skip
def test_answers_that_are_none_are_garbage(body):
    with pytest.raises(HttpGarbled):
        Words({}).answers(body, [ONE])


def test_reports_are_read():
    reports, incoming = told({
        "reports": [
            {"message_id": 12, "phone": "+8613800138000", "status": "UNDELIV", "error": "027",
             "time": "2026-11-23 09:10:00"},
            {"message_id": "13", "phone": 13900139000, "status": "DELIVRD", "time": 1795400000},
        ],
        "incoming": [{"message_id": "m1", "phone": "13800138000", "to": "1069", "text": "退订"}],
    }, stats={"UNDELIV 027": "absent"})  # fmt: skip
    first, second = reports
    assert (first.remote_id, first.phone, first.outcome) == ("12", "13800138000", Outcome.FAILED)
    assert (first.temporary, first.cause) == (True, "absent")
    assert first.done_at == datetime(2026, 11, 23, 1, 10, tzinfo=UTC)
    assert (second.phone, second.outcome) == ("13900139000", Outcome.DELIVERED)
    assert (incoming[0].text, incoming[0].to) == ("退订", "1069")


def test_reports_of_china_mobiles_platform_are_read():
    rows = [{"mobile": "13800138000", "msgGroup": "0924", "reportStatus": "CM:0000", "errorCode": "DELIVRD",
             "receiveDate": "20261123091000", "submitDate": "20261123090900"}]  # fmt: skip
    for said in (rows, rows[0]):
        (report,), _ = told(said, preset="mas")
        assert (report.remote_id, report.outcome) == ("0924:13800138000", Outcome.DELIVERED)
        assert report.done_at == datetime(2026, 11, 23, 1, 10, tzinfo=UTC)


GOOD = {"message_id": "1", "phone": "13800138000", "status": "DELIVRD"}


@pytest.mark.parametrize(
    "said",
    [{}, [], {"reports": []}, {"reports": GOOD}, {"reports": [GOOD, 3]}, {"reports": [{**GOOD, "phone": "12a"}]},
     {"reports": [{**GOOD, "phone": "1" * 21}]}, {"reports": [{**GOOD, "phone": "１３８"}]},
     {"reports": [{**GOOD, "message_id": ""}]}, {"reports": [{**GOOD, "message_id": "1" * 66}]},
     {"reports": [{**GOOD, "status": ["x"]}]}, {"reports": [{**GOOD, "status": "a\0b"}]},
     {"reports": [{**GOOD, "note": "a\0b"}]}, {"reports": [{**GOOD, "note": "\ud800"}]},
     {"reports": [GOOD] * 1001}, {"incoming": [{"message_id": "1", "phone": "13800138000"}]},
     {"incoming": [{"message_id": "1", "phone": "13800138000", "text": "x" * 2001}]},
     {"messages": [{"id": "1", "phone": "13800138000", "text": "a request of our own"}]}],
    ids=range(18),
)  # fmt: skip
def test_calls_that_say_nothing_are_garbage(said):
    with pytest.raises(HttpGarbled):
        told(said)


@pytest.mark.parametrize(
    "value", [None, "", "x", "99999999999999", 10**400, -(10**20), float("nan"), float("inf"), True, [], "0" * 12, "²" * 14],
    ids=range(12),
)  # fmt: skip
def test_times_that_are_none_are_none(value):
    assert wire.moment(value) is None


@pytest.mark.parametrize(
    ("said", "wanted"),
    [("7", 7), ("", 0), ("-3", 0), ("1e9", 0), ("9" * 40, 86400), ("soon", 0), ("Mon, 01 Jan 2001 00:00:00 GMT", 0)],
    ids=range(7),
)  # fmt: skip
def test_retry_after_is_bounded(said, wanted):
    assert retry_after(said) == wanted


def test_the_mac_of_china_mobiles_platform():
    words = Words(
        {"preset": "mas", "constant": {"ecName": "政企分公司测试"}, "sign": "DWItALe3A"},
        "demo0",
        "123qwe",
        "",
    )
    said = json.loads(base64.b64decode(words.sending([("1", Segment(1, "18137282928", "移动改变生活。"))])))
    assert said["mac"] == "69417d814f75b3de87492aade2c54166"
    assert (said["apId"], said["mobiles"], said["addSerial"]) == ("demo0", "18137282928", "")
    assert "secretKey" not in said


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["reports", "incoming", *GOOD, "text", "time", "error"]), inner, max_size=6
        )
    ),
    max_leaves=20,
)


@settings(max_examples=150, deadline=None)
@given(JSON | st.binary(max_size=60))
def test_garbage_is_a_fault_and_no_crash(said):
    body = said if isinstance(said, bytes) else json.dumps(said).encode()
    for words in (Words({}), Words({"preset": "mas"})):
        with suppress(GatewayError):
            words.told(body)
        with suppress(GatewayError):
            words.answers(body, [ONE])
        with suppress(GatewayError):
            words.found(body, "a1", "13800138000")


@pytest.mark.parametrize(
    "options", [{"report": {"reports": 5}}, {"answer": {"id": []}}, {"fields": {"id": None}}]
)
def test_a_name_that_is_no_text_is_the_accounts_fault(options):
    with pytest.raises(wire.HttpError) as fault:
        wire.Words(options)
    assert fault.value.code == "settings"
