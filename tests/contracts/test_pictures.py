"""Signatures as pictures: whatever is handed in is a picture afterwards, or a sentence, and costs little."""

import io

import pytest
from PIL import Image

from clinic import pictures as decoding
from clinic.errors import Refused
from contracts import pictures


def encoded(image, form="PNG", **more):
    out = io.BytesIO()
    image.save(out, form, **more)
    return out.getvalue()


BROKEN_EXIF = b"Exif\0\0MM\xff\xff\0\0\0\x08"
NO_PICTURES = {
    "nothing": b"",
    "text": "签名".encode(),
    "svg": b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
    "half": encoded(Image.new("RGB", (400, 400), "red"))[:200],
    "exif": encoded(Image.new("RGB", (40, 40)), exif=BROKEN_EXIF),
    "many pixels": encoded(Image.new("1", (9000, 9000))),
    "webp": encoded(Image.new("RGB", (5000, 5000)), "WEBP"),
    "too large": b"\x89PNG\r\n\x1a\n" + bytes(6_000_000),
}


@pytest.mark.parametrize("case", sorted(NO_PICTURES))
def test_no_picture_is_a_sentence(case):
    with pytest.raises(Refused) as told:
        pictures.scan(NO_PICTURES[case])
    assert told.value.code == "picture"


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16"])
def test_every_kind_of_scan_is_kept_as_a_small_jpeg(mode):
    kept = pictures.scan(encoded(Image.new(mode, (3000, 1000)), "JPEG" if mode == "CMYK" else "PNG"))
    assert (kept.mime, kept.width, kept.height) == ("image/jpeg", 1754, 585)
    assert Image.open(io.BytesIO(kept.data)).mode == "RGB"


def test_what_is_hidden_behind_a_picture_is_not_kept():
    kept = pictures.scan(encoded(Image.new("RGB", (40, 40), "blue")) + b"PK\x03\x04<script>")
    assert b"script" not in kept.data


def test_a_photograph_is_turned_upright():
    turned = Image.Exif()
    turned[0x112] = 6
    kept = pictures.scan(encoded(Image.new("RGB", (80, 40)), "JPEG", exif=turned.tobytes()))
    assert (kept.width, kept.height) == (40, 80)


def test_the_whole_picture_at_full_size_is_never_flattened(monkeypatch):
    """A hundred kilobytes of white paper would take three quarters of a gigabyte."""
    sizes, flatten = [], decoding.on_white
    monkeypatch.setattr(decoding, "on_white", lambda image: sizes.append(image.size) or flatten(image))
    pictures.scan(encoded(Image.new("L", (6000, 6000), "white")))
    assert sizes == [(1754, 1754)]
