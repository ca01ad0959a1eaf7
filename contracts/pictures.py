"""Signatures as pictures."""

from django.conf import settings
from django.utils.translation import gettext as _

from clinic import pictures
from clinic.pictures import Picture

# Width times height, looked at before anything is decoded.
DRAWN_PIXELS = 4_000_000
# A scan is kept no wider or higher than A4 at 150 dots an inch.
SCAN_SIDE = 1754


def drawn(data: bytes) -> Picture:
    """What a signature pad made: a PNG, black on white afterwards. Refused code "picture", also for an empty one."""
    with pictures.readable():
        image = pictures.opened(data, settings.CONTRACTS_DRAWN_BYTES, DRAWN_PIXELS, ("PNG",))
        grey = pictures.on_white(image).convert("L")
    darkest, brightest = grey.getextrema()
    if brightest - darkest < 32:
        raise pictures.refused(_("Nothing is drawn yet."))
    return pictures.kept(grey, "PNG", "image/png", optimize=True)


def scan(data: bytes) -> Picture:
    """A photograph or scan of the signed paper. Refused code "picture"."""
    return pictures.photo(data, most=settings.CONTRACTS_SCAN_BYTES, side=SCAN_SIDE)
