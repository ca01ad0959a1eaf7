"""Pictures that people send: decoded within bounds and written anew, so that nothing but a picture is kept."""

import hashlib
import io
import warnings
from contextlib import contextmanager
from dataclasses import dataclass

from django.utils.translation import gettext as _
from PIL import Image, ImageOps

from clinic.errors import Refused

# Width times height, looked at before anything is decoded.
PHOTO_PIXELS = 40_000_000
# Whose decoder keeps four pictures of the full size.
WEBP_PIXELS = 16_000_000
PHOTO_FORMATS = ("JPEG", "PNG", "WEBP", "TIFF")
# Modes that are made small without steps; the others are turned into one of them.
SMOOTH = ("L", "LA", "RGB", "RGBA", "CMYK")


@dataclass(frozen=True)
class Picture:
    """``data`` as kept, width and height in pixels."""

    data: bytes
    mime: str
    width: int
    height: int
    sha256: str


def photo(data: bytes, *, most: int, side: int, quality=80) -> Picture:
    """A photograph, scan or screenshot of at most ``most`` bytes: upright, no side longer than ``side`` pixels, without what
    cameras write beside it. Refused code "picture"."""
    with readable():
        image = opened(data, most, PHOTO_PIXELS, PHOTO_FORMATS)
        # Made small first: every step at full size would take 160 MB, and a hundred kB can ask for that.
        image.draft(None, (side, side))
        image.load()
        if image.mode not in SMOOTH:
            image = image.convert("L" if image.mode == "1" else "RGBA")
        image.thumbnail((side, side))
        image = on_white(ImageOps.exif_transpose(image))
    return kept(image, "JPEG", "image/jpeg", quality=quality)


@contextmanager
def readable():
    """Whatever a broken picture raises, a dozen kinds by format and in its EXIF too, is one sentence."""
    try:
        with warnings.catch_warnings():
            # Its own warning of a bomb comes at twice our bound.
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            yield
    except Refused:
        raise
    except Exception as error:
        raise refused(_("This is no picture that can be read.")) from error


def opened(data, most, pixels, formats):
    """Of the right size, not decoded yet."""
    if not data:
        raise refused(_("The file is empty."))
    if len(data) > most:
        raise refused(_("The picture is larger than %(size)d kB.") % {"size": most // 1000})
    image = Image.open(io.BytesIO(data), formats=formats)
    if image.width * image.height > (min(pixels, WEBP_PIXELS) if image.format == "WEBP" else pixels):
        raise refused(_("The picture has too many pixels."))
    return image


def on_white(image):
    """Without transparency."""
    image = image.convert("RGBA")
    white = Image.new("RGBA", image.size, "white")
    return Image.alpha_composite(white, image).convert("RGB")


def kept(image, form, mime, **options) -> Picture:
    out = io.BytesIO()
    image.save(out, form, **options)
    data = out.getvalue()
    return Picture(data, mime, image.width, image.height, hashlib.sha256(data).hexdigest())


def refused(sentence):
    return Refused(sentence, code="picture", field="picture")
