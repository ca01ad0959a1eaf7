"""SMGP as bytes: what the document says a frame looks like, and what strange bytes do."""

import struct
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from messaging.gateways import smgp_frames as smgp
from messaging.gateways.base import GatewayError
from messaging.gateways.smgp_frames import (
    Command,
    Deliver,
    Login,
    LoginResp,
    MessageResp,
    Report,
    SmgpGarbled,
    Submit,
    Tag,
)

WORDS = st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=2)
NUMBER = st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True)
BYTE = st.integers(0, 255)
WHOLE = st.integers(0, 2**32 - 1)
TEN = st.binary(min_size=10, max_size=10)
FIELDS = st.dictionaries(st.integers(1, 0x12), st.binary(max_size=21), max_size=4)
# The content ends in something: eight zeros at its end would be taken for the reserve.
CONTENT = st.binary(max_size=130).map(lambda content: content + b"!")


def zeros(text, width):
    return text.encode() + b"\0" * (width - len(text))


def test_login_of_the_document():
    digest = smgp.authenticator("12345678", "0555", 301000000)
    assert digest.hex() == "822ee093ab34add61d4e217d65015bd5"
    frame = smgp.pack(Command.LOGIN, 1, Login("12345678", digest, 301000000))
    assert frame.hex() == (
        "0000002a" "00000001" "00000001" "3132333435363738" "822ee093ab34add61d4e217d65015bd5" "02" "11f0e540" "30"
    )  # fmt: skip


def test_short_accounts_are_hashed_raw_or_filled():
    raw, padded = (smgp.authenticator("123", "0555", 301000000, padded=padded) for padded in (False, True))
    assert raw != padded
    assert padded == smgp.authenticator("123\0\0\0\0\0", "0555", 301000000, padded=True)


def test_login_answer_is_33_bytes_and_a_refusal_may_be_shorter():
    assert len(smgp.pack(Command.LOGIN | smgp.RESPONSE, 1, LoginResp(0))) == 33
    assert smgp.unpack(Command.LOGIN | smgp.RESPONSE, struct.pack(">I", 21)).status == 21


def test_requests_without_body():
    assert smgp.pack(Command.ACTIVE_TEST, 5).hex() == "0000000c" "00000004" "00000005"  # fmt: skip
    assert smgp.pack(Command.EXIT | smgp.RESPONSE, 6).hex() == "0000000c" "80000006" "00000006"  # fmt: skip


def test_submit_has_the_fields_in_the_documents_order():
    content = "您好".encode("gb18030")
    fields = {Tag.UDHI: b"\1", Tag.PARTS: b"\2", Tag.PART: b"\1"}
    body = Submit("106591234", ("13312345678",), content, fields=fields).pack()
    assert body == b"".join((
        b"\6\1\0", b"\0" * 10, b"00", zeros("0", 6), zeros("0", 6), b"\x0f", b"\0" * 17, b"\0" * 17,
        zeros("106591234", 21), b"\0" * 21, b"\1", zeros("13312345678", 21), b"\4", content, b"\0" * 8,
        bytes.fromhex("0002000101" "0009000102" "000a000101"),
    ))  # fmt: skip


@pytest.mark.parametrize(("numbers", "length"), [(1, 0), (1, 140), (3, 22)])
def test_lengths_of_submit(numbers, length):
    body = Submit("1", ("13312345678",) * numbers, b"x" * length).pack()
    assert 12 + len(body) == 126 + 21 * numbers + length


def test_lengths_of_the_others():
    deliver = Deliver(b"\1" * 10, 0, "13312345678", "10659", b"T" * 9)
    assert len(smgp.pack(Command.DELIVER, 1, deliver)) == 89 + 9
    assert len(smgp.pack(Command.SUBMIT | smgp.RESPONSE, 1, MessageResp(b"\1" * 10, 0))) == 26


REPORT = (
    b"id:\x01\x02 stat:er sub:001 dlvrd:001 submit date:2611230300 done date:2611230301 stat:DELIVRD err:000"
    b" text:006secret           "
)


@pytest.mark.parametrize(
    "content",
    [
        REPORT,
        REPORT.replace(b"submit date", b"submit_date").replace(b"done date", b"done_date"),
        REPORT.replace(b"submit date", b"Submit date").replace(b" err:", b" ERR:"),
        REPORT.replace(b"submit date", b"submitdate").replace(b"done date", b"Done_Date"),
        REPORT[:96],
    ],
    ids=["by the book", "underlined", "capitals", "another length", "cut after err"],
)
def test_report_text_however_spelt(content):
    report = Report.unpack(content)
    assert report.message_id == b"\x01\x02 stat:er"  # raw bytes that look like a label
    assert (report.stat, report.error, report.done) == ("DELIVRD", "000", "2611230301")


def test_report_text_is_122_bytes():
    report = Report(bytes(range(10)), "UNDELIV", "003", "2611230300", "2611230301")
    assert len(report.pack()) == 122
    assert report.pack()[76:88] == b"stat:UNDELIV"
    assert Report.unpack(report.pack() + b"\0" * 8).stat == "UNDELIV"


@pytest.mark.parametrize("content", [b"", b"id:", b"id:123456789", b"\0" * 122])
def test_report_text_without_a_number(content):
    with pytest.raises(SmgpGarbled):
        Report.unpack(content)


def test_reserve_counted_in_or_left_out():
    body = Deliver(b"\1" * 10, 0, "13312345678", "10659", b"TD").pack()
    counted_in = body[:68] + b"\x0a" + body[69:]
    assert smgp.unpack(Command.DELIVER, counted_in).content == b"TD"
    assert smgp.unpack(Command.DELIVER, body[:-8]).content == b"TD"


def test_a_lying_optional_field_takes_nothing_with_it():
    body = Submit("1", ("13312345678",), b"x", fields={Tag.UDHI: b"\1"}).pack() + bytes.fromhex("000affff01")
    assert smgp.unpack(Command.SUBMIT, body).fields == {Tag.UDHI: b"\1"}


def test_a_frame_that_swallowed_the_next_one_is_garbled():
    frame = smgp.pack(Command.DELIVER, 7, Deliver(b"\1" * 10, 0, "13312345678", "10659", b"TD"))
    with pytest.raises(SmgpGarbled):
        smgp.unpack(Command.DELIVER, frame[12:] + frame)


@pytest.mark.parametrize(
    "body",
    [
        Login("123456789", b"\0" * 16, 0),
        Submit("1" * 22, ("13312345678",), b""),
        Submit("1", ("1" * 22,), b""),
        Submit("号", ("13312345678",), b""),
    ],
    ids=["long account", "long access number", "long phone", "not ascii"],
)
def test_what_does_not_fit_is_not_cut(body):
    with pytest.raises(GatewayError):
        body.pack()


SUBMITS = st.builds(
    Submit, source=WORDS, numbers=st.lists(NUMBER, min_size=1, max_size=4).map(tuple), content=CONTENT, format=BYTE,
    service_id=WORDS, fee_type=WORDS, fee_code=WORDS, fixed_fee=WORDS, message_type=BYTE, need_report=BYTE,
    priority=BYTE, valid_time=WORDS, at_time=WORDS, charge_number=WORDS, fields=FIELDS,
)  # fmt: skip
DELIVERS = st.builds(
    Deliver, message_id=TEN, is_report=BYTE, source=NUMBER, target=WORDS, content=CONTENT, format=BYTE,
    received=st.just("20261123030000"), fields=FIELDS,
)  # fmt: skip
BODIES = {
    Command.LOGIN: st.builds(Login, WORDS, st.binary(min_size=16, max_size=16), WHOLE, BYTE, BYTE),
    Command.LOGIN | smgp.RESPONSE: st.builds(LoginResp, WHOLE, st.binary(min_size=16, max_size=16), BYTE),
    Command.SUBMIT: SUBMITS,
    Command.SUBMIT | smgp.RESPONSE: st.builds(MessageResp, TEN, WHOLE),
    Command.DELIVER: DELIVERS,
    Command.DELIVER | smgp.RESPONSE: st.builds(MessageResp, TEN, WHOLE),
}
FRAMES = st.sampled_from(list(BODIES)).flatmap(
    lambda command: BODIES[command].map(lambda body: (command, body))
)


@given(FRAMES, WHOLE)
def test_round_trip(frame, sequence):
    command, body = frame
    assert smgp.split(smgp.pack(command, sequence, body)) == (command, sequence, body.pack())
    assert smgp.unpack(command, body.pack()) == body


@given(
    TEN,
    st.sampled_from(["DELIVRD", "EXPIRED", "ACCEPTD", "MK:0001"]),
    st.from_regex(r"[0-9]{3}", fullmatch=True),
)
def test_reports_with_any_number_round_trip(message_id, stat, error):
    report = Report(message_id, stat, error, "2611230300", "2611230301", b"005hello" + b"\0" * 12)
    assert Report.unpack(report.pack()) == report


@settings(max_examples=300)
@given(st.sampled_from([0, *BODIES, *Command]), st.binary(max_size=300))
def test_garbage_raises_nothing_but_garbled(command, body):
    with suppress(SmgpGarbled):
        smgp.unpack(command, body)


@given(st.binary(max_size=200))
def test_garbage_as_report_raises_nothing_but_garbled(content):
    with suppress(SmgpGarbled):
        Report.unpack(b"id:" + content)


@given(SUBMITS | DELIVERS, st.data())
def test_truncated_contents_are_garbled(body, data):
    command = Command.SUBMIT if isinstance(body, Submit) else Command.DELIVER
    raw = body.pack()
    head = 105 + 21 * len(body.numbers) if command == Command.SUBMIT else 68
    end = data.draw(st.integers(0, head + len(body.content)))
    with pytest.raises(SmgpGarbled):
        smgp.unpack(command, raw[:end])


@pytest.mark.parametrize("frame", [b"", b"\0" * 11, b"\0\0\0\x0d" + b"\0" * 8, b"\xff" * 12, b"\0" * 4097])
def test_frames_that_lie_about_their_length(frame):
    with pytest.raises(SmgpGarbled):
        smgp.split(frame)
