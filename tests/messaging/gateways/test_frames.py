"""Frames out of a stream of bytes."""

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from messaging.gateways.frames import Frames, Unfit, digits, fixed, loose


def framed(body):
    return struct.pack("!I", len(body) + 4) + body


bodies = st.lists(st.binary(min_size=8, max_size=60), max_size=8)


@settings(deadline=None)
@given(bodies, st.lists(st.integers(0, 400), max_size=10))
def test_frames_come_out_whole_however_they_are_cut(contents, cuts):
    stream = b"".join(map(framed, contents))
    places = sorted({0, len(stream), *(cut for cut in cuts if cut < len(stream))})
    frames, out = Frames(12, 4096), []
    for begin, end in zip(places, places[1:], strict=False):
        out += frames.feed(stream[begin:end])
    assert out == [framed(body) for body in contents]
    assert frames.waiting == 0
    assert frames.broken is None


@settings(deadline=None)
@given(st.binary(max_size=300), st.integers(1, 20))
def test_garbage_never_crashes(junk, step):
    frames = Frames(12, 4096)
    for at in range(0, len(junk), step):
        for frame in frames.feed(junk[at : at + step]):
            assert 12 <= len(frame) <= 4096
    assert frames.waiting <= 4096


@pytest.mark.parametrize("length", [0, 1, 11, 4097, 0x7FFFFFFF, 0xFFFFFFFF])
def test_a_lying_length_breaks_the_stream_after_what_was_good(length):
    frames, good = Frames(12, 4096), framed(b"x" * 8)
    assert frames.feed(good + struct.pack("!I", length) + b"y" * 40) == [good]
    assert frames.broken.code == "length"
    assert frames.feed(good) == []


def test_a_frame_that_never_ends_is_only_waited_for():
    frames = Frames(12, 4096)
    assert frames.feed(framed(b"x" * 100)[:-1]) == []
    assert frames.waiting == 103


def test_fixed_fields():
    assert fixed("106", 5) == b"106\0\0"
    assert loose(b" 106\0\0rest") == "106"
    assert loose(b"\xff\xfe1") == "\ufffd\ufffd1"
    assert loose(b"") == ""


@pytest.mark.parametrize("value", ["1234567", "１２", "卡"], ids=["long", "wide", "word"])
def test_what_does_not_fit_is_refused_by_name(value):
    with pytest.raises(Unfit) as raised:
        fixed(value, 6, "Src_Id")
    assert raised.value.code == "field Src_Id"
    assert value not in str(raised.value)


@pytest.mark.parametrize(
    ("number", "stored"),
    [
        ("13800138000", "13800138000"),
        ("8613800138000", "13800138000"),
        ("+8613800138000", "13800138000"),
        ("008613800138000", "13800138000"),
        (" 13800138000 ", "13800138000"),
        ("86138", "86138"),
        ("10086", "10086"),
        ("", ""),
    ],
)
def test_phones_lose_the_country(number, stored):
    assert digits(number) == stored
