"""Texts as short messages: 70 and 67 units, pairs whole, headers read in both forms."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from messaging.gateways.text import PART, SINGLE, Piece, count, decode, encode, encode_part, split, units

writable = st.text(alphabet=st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=400)


@pytest.mark.parametrize(
    ("text", "segments"),
    [
        ("", 1), ("a" * 70, 1), ("a" * 71, 2), ("字" * 134, 2), ("字" * 135, 3), ("字" * 150, 3), ("字" * 201, 3),
        ("字" * 202, 4), ("😀" * 35, 1), ("😀" * 36, 2), ("😀" * 66, 2), ("😀" * 67, 3), ("字" * 66 + "😀" * 10, 2),
    ],
    ids=lambda value: f"{len(value)}-{value[:1].isascii()}-{value[-1:] > chr(65535)}" if isinstance(value, str) else None,
)  # fmt: skip
def test_segments(text, segments):
    assert count(text) == segments
    assert len(split(text)) == segments


@settings(deadline=None)
@given(writable)
def test_parts_are_the_text_and_fit(text):
    parts = split(text)
    assert "".join(parts) == text
    assert count(text) == len(parts)
    assert all(units(part) <= (SINGLE if len(parts) == 1 else PART) for part in parts)


@settings(deadline=None)
@given(writable, st.integers(0, 255))
def test_what_is_sent_is_read_again(text, reference):
    coded = encode(text, reference)
    pieces = [decode(payload, 8, udh) for udh, payload in coded]
    assert "".join(piece.text for piece in pieces) == text
    assert all(len(payload) <= 140 for _, payload in coded)
    if len(pieces) > 1:
        assert [piece.part for piece in pieces] == list(range(1, len(pieces) + 1))
        assert {(piece.parts, piece.reference) for piece in pieces} == {(len(pieces), reference)}


def test_the_header_is_six_bytes():
    assert encode_part("复", 2, 3, 7) == (True, bytes.fromhex("050003070302") + "复".encode("utf-16-be"))
    assert encode_part("复") == (False, b"\x59\x0d")


@pytest.mark.parametrize(
    ("header", "piece"),
    [
        ("050003070302", Piece("T", 2, 3, 7)),
        ("06080401070302", Piece("T", 2, 3, 263)),
        ("0a000307030205041bba1bba", None),
        ("0b05041bba1bba0003070302", Piece("T", 2, 3, 7)),
        ("050003070205", Piece("T")),
        ("050003070000", Piece("T")),
        ("0300030703", None),
        ("00", Piece("T")),
    ],
)
def test_headers_of_incoming_parts(header, piece):
    found = decode(bytes.fromhex(header) + "T".encode("utf-16-be"), 8, True)
    assert piece is None or found == piece


@pytest.mark.parametrize(
    ("payload", "fmt", "text"),
    [
        (b"TD", 0, "TD"),
        ("退订".encode("gb18030"), 15, "退订"),
        ("退订".encode("utf-16-be"), 8, "退订"),
        (b"\x00T\x00", 8, "T"),
        (b"\xd8\x3d", 8, "\ufffd"),
        (b"T\xff", 0, "T\ufffd"),
        (b"\x00T\x00\x00", 8, "T"),
        (b"\x01\x02", 4, "0102"),
        ("退".encode("gb18030"), 99, "退"),
        (b"", 8, ""),
    ],
)
def test_formats_of_incoming_texts(payload, fmt, text):
    assert decode(payload, fmt, False).text == text


@settings(deadline=None)
@given(st.binary(max_size=160), st.integers(0, 255), st.booleans())
def test_strange_bytes_are_read_somehow(payload, fmt, udh):
    piece = decode(payload, fmt, udh)
    assert 1 <= piece.part <= piece.parts <= 255
    assert "\0" not in piece.text
    piece.text.encode()  # no half of a pair, which no database keeps


def test_a_lone_half_of_a_pair_does_not_stop_a_message():
    assert count("\ud83d" * 70) == 1
    assert encode_part("\ud83d")[1] == b"\x00?"
