"""Signatures as pictures: decoded within bounds and written anew, so that nothing but a picture is kept."""

import hashlib
import io
import warnings
from contextlib import contextmanager
from dataclasses import dataclass

from django.conf import settings
from django.utils.translation import gettext as _
from PIL import Image, ImageOps

from clinic.errors import Refused

# Width times height, looked at before anything is decoded.
DRAWN_PIXELS = 4_000_000
SCAN_PIXELS = 40_000_000
# Whose decoder keeps four pictures of the full size.
WEBP_PIXELS = 16_000_000
# A scan is kept no wider or higher than A4 at 150 dots an inch.
SCAN_SIDE = 1754
SCAN_FORMATS = ("JPEG", "PNG", "WEBP", "TIFF")
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


def drawn(data: bytes) -> Picture:
    """What a signature pad made: a PNG, black on white afterwards. Refused code "picture", also for an empty one."""
    with _readable():
        image = _opened(data, settings.CONTRACTS_DRAWN_BYTES, DRAWN_PIXELS, ("PNG",))
        grey = _on_white(image).convert("L")
    darkest, brightest = grey.getextrema()
    if brightest - darkest < 32:
        raise _refused(_("Nothing is drawn yet."))
    return _kept(grey, "PNG", "image/png", optimize=True)


def scan(data: bytes) -> Picture:
    """A photograph or scan of the signed paper, upright, without what cameras write beside it. Refused code "picture"."""
    with _readable():
        image = _opened(data, settings.CONTRACTS_SCAN_BYTES, SCAN_PIXELS, SCAN_FORMATS)
        # Made small first: every step at full size would take 160 MB, and a hundred kB can ask for that.
        image.draft(None, (SCAN_SIDE, SCAN_SIDE))
        image.load()
        if image.mode not in SMOOTH:
            image = image.convert("L" if image.mode == "1" else "RGBA")
        image.thumbnail((SCAN_SIDE, SCAN_SIDE))
        image = _on_white(ImageOps.exif_transpose(image))
    return _kept(image, "JPEG", "image/jpeg", quality=80)


@contextmanager
def _readable():
    """Whatever a broken picture raises, a dozen kinds by format and in its EXIF too, is one sentence."""
    try:
        with warnings.catch_warnings():
            # Its own warning of a bomb comes at twice our bound.
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            yield
    except Refused:
        raise
    except Exception as error:
        raise _refused(_("This is no picture that can be read.")) from error


def _opened(data, most, pixels, formats):
    """Of the right size, not decoded yet."""
    if not data:
        raise _refused(_("The file is empty."))
    if len(data) > most:
        raise _refused(_("The picture is larger than %(size)d kB.") % {"size": most // 1000})
    image = Image.open(io.BytesIO(data), formats=formats)
    if image.width * image.height > (min(pixels, WEBP_PIXELS) if image.format == "WEBP" else pixels):
        raise _refused(_("The picture has too many pixels."))
    return image


def _on_white(image):
    """Without transparency."""
    image = image.convert("RGBA")
    white = Image.new("RGBA", image.size, "white")
    return Image.alpha_composite(white, image).convert("RGB")


def _kept(image, form, mime, **options):
    out = io.BytesIO()
    image.save(out, form, **options)
    data = out.getvalue()
    return Picture(data, mime, image.width, image.height, hashlib.sha256(data).hexdigest())


def _refused(sentence):
    return Refused(sentence, code="picture", field="signature")
