"""SGIP as bytes: what the document says a frame looks like, and what strange bytes do."""

import struct
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from messaging.gateways import sgip_frames as sgip
from messaging.gateways.base import GatewayError
from messaging.gateways.sgip_frames import Bind, Command, Deliver, Report, Result, SgipGarbled, Submit

SEQUENCE = bytes.fromhex("b2d0b6c1" "43c6ae4c" "00000007")  # fmt: skip
WORDS = st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=5)
NUMBER = st.from_regex(r"861[3-9][0-9]{9}", fullmatch=True)
BYTE = st.integers(0, 255)


def zeros(text, width):
    return text.encode() + b"\0" * (width - len(text))


def test_header_repeats_the_documents_order():
    frame = sgip.pack(Command.UNBIND, SEQUENCE)
    assert frame.hex() == "00000014" + "00000002" + "b2d0b6c143c6ae4c00000007"
    assert sgip.split(frame) == (2, SEQUENCE, b"")


def test_bind_is_61_bytes():
    frame = sgip.pack(Command.BIND, SEQUENCE, Bind(1, "sheyi", "pass"))
    assert len(frame) == 61
    assert frame[20:] == b"\1" + zeros("sheyi", 16) + zeros("pass", 16) + b"\0" * 8


def test_submit_has_the_fields_in_the_documents_order():
    content = "您好".encode("utf-16-be")
    frame = sgip.pack(
        Command.SUBMIT, SEQUENCE, Submit("1065512345", ("8613012345678",), content, corp_id="12345")
    )
    assert frame[20:] == b"".join((
        zeros("1065512345", 21), b"0" * 21, b"\1", zeros("8613012345678", 21), b"12345", b"\0" * 10, b"\1",
        zeros("0", 6), zeros("0", 6), b"\0", b"\2", b"\0", b"\0" * 16, b"\0" * 16, b"\1", b"\0", b"\0", b"\x08",
        b"\0", struct.pack(">I", 4), content, b"\0" * 8,
    ))  # fmt: skip


def test_a_submit_that_another_implementation_wrote():
    """Lengths, order and padding as a Java gateway has them; read and written again it is the same."""
    frame = bytes.fromhex(
        "000000a8" "00000003" "0000000011f333f26ebb10dd" + "313036353539313235303238".ljust(42, "0") + "00" * 21
        + "01" + "38363133303132333435363738".ljust(42, "0") + "3631313138" + "00" * 10 + "02" + "00" * 14 + "09"
        + "00" * 32 + "0100000000" + "00000004" + "32333361" + "00" * 8
    )  # fmt: skip
    command, sequence, body = sgip.split(frame)
    submit = sgip.unpack(command, body)
    assert (submit.sp_number, submit.numbers, submit.corp_id) == ("106559125028", ("8613012345678",), "61118")
    assert (submit.fee_type, submit.priority, submit.content) == (2, 9, b"233a")
    assert sgip.pack(command, sequence, submit) == frame


@pytest.mark.parametrize(("numbers", "length"), [(1, 0), (1, 140), (3, 22)])
def test_lengths_of_submit(numbers, length):
    body = Submit("1", ("8613012345678",) * numbers, b"x" * length).pack()
    assert 20 + len(body) == 143 + 21 * numbers + length


def test_lengths_of_the_others():
    deliver = Deliver("8613012345678", "1065512345", b"T" * 9)
    report = Report(SEQUENCE, "8613012345678", 2, 26)
    assert len(sgip.pack(Command.DELIVER, SEQUENCE, deliver)) == 77 + 9
    assert len(sgip.pack(Command.REPORT, SEQUENCE, report)) == 64
    assert len(sgip.answer(Command.SUBMIT, SEQUENCE)) == 29
    assert len(sgip.answer(Command.UNBIND, SEQUENCE)) == 20


def test_report_names_the_submit():
    body = SEQUENCE + b"\0" + zeros("8613012345678", 21) + b"\2" + b"\x1a" + b"\0" * 8
    assert sgip.unpack(Command.REPORT, body) == Report(SEQUENCE, "8613012345678", 2, 26)


def test_answer_without_reserve_is_an_answer():
    short = sgip.pack(Command.BIND | sgip.RESPONSE, SEQUENCE, b"\0")
    assert len(short) == 21
    assert sgip.unpack(*sgip.split(short)[::2]) == Result(0)


def test_password_stays_out_of_logs():
    assert "geheim" not in repr(Bind(1, "sheyi", "geheim"))


@pytest.mark.parametrize(
    "body",
    [
        Bind(1, "n" * 17, "p"),
        Bind(1, "社医", "p"),
        Submit("1" * 22, ("8613012345678",), b""),
        Submit("1", ("8" * 22,), b""),
    ],
    ids=["long name", "not ascii", "long access number", "long phone"],
)
def test_what_does_not_fit_is_not_cut(body):
    with pytest.raises(GatewayError):
        body.pack()


SUBMITS = st.builds(
    Submit, sp_number=WORDS, numbers=st.lists(NUMBER, min_size=1, max_size=4).map(tuple),
    content=st.binary(max_size=200), coding=BYTE, udhi=BYTE, corp_id=WORDS, service_type=WORDS, charge_number=WORDS,
    fee_type=BYTE, fee_value=WORDS, given_value=WORDS, agent_flag=BYTE, caused_by=BYTE, priority=BYTE,
    expire_time=WORDS, schedule_time=WORDS, report_flag=BYTE, pid=BYTE, message_type=BYTE,
)  # fmt: skip
BODIES = {
    Command.BIND: st.builds(Bind, BYTE, WORDS, WORDS),
    Command.SUBMIT: SUBMITS,
    Command.DELIVER: st.builds(Deliver, NUMBER, WORDS, st.binary(max_size=200), BYTE, BYTE, BYTE),
    Command.REPORT: st.builds(Report, st.binary(min_size=12, max_size=12), NUMBER, BYTE, BYTE, BYTE),
    Command.SUBMIT | sgip.RESPONSE: st.builds(Result, BYTE),
}
FRAMES = st.sampled_from(list(BODIES)).flatmap(
    lambda command: BODIES[command].map(lambda body: (command, body))
)


@given(FRAMES, st.binary(min_size=12, max_size=12))
def test_round_trip(frame, sequence):
    command, body = frame
    assert sgip.split(sgip.pack(command, sequence, body)) == (command, sequence, body.pack())
    assert sgip.unpack(command, body.pack()) == body


@given(FRAMES, st.data())
def test_truncated_bodies_are_garbled_or_lack_the_reserve(frame, data):
    command, body = frame
    raw = body.pack()
    end = data.draw(st.integers(0, len(raw)))
    if len(raw) - end > 8:
        with pytest.raises(SgipGarbled):
            sgip.unpack(command, raw[:end])
    else:
        assert sgip.unpack(command, raw[:end]) == body


@settings(max_examples=300)
@given(st.sampled_from([0, *Command, *(one | sgip.RESPONSE for one in Command)]), st.binary(max_size=300))
def test_garbage_raises_nothing_but_garbled(command, body):
    with suppress(SgipGarbled):
        sgip.unpack(command, body)


@pytest.mark.parametrize("frame", [b"", b"\0" * 19, b"\0\0\0\x15" + b"\0" * 16, b"\xff" * 20, b"\0" * 2049])
def test_frames_that_lie_about_their_length(frame):
    with pytest.raises(SgipGarbled):
        sgip.split(frame)


def test_length_of_a_content_that_is_not_there():
    body = Deliver("8613012345678", "10655", b"T").pack()
    lying = body[:45] + struct.pack(">I", 0xFFFFFFFF) + body[49:]
    with pytest.raises(SgipGarbled):
        sgip.unpack(Command.DELIVER, lying)
