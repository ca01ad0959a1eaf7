"""What the vendor's engineers read of texts that people typed: numbers that may be a person's are covered."""

import re

from clinic.codes import Role

# An identity number, also of the 15 digits of old; a telephone of eleven digits, also grouped; a record number of 17.
NUMBERS = re.compile(
    r"(?<![0-9A-Za-z])(?:[0-9]{17}[0-9Xx]|[0-9]{17}|[0-9]{15}|1[3-9][0-9][ -]?[0-9]{4}[ -]?[0-9]{4})(?![0-9A-Za-z])"
)
COVER = "＊＊＊"


def cover(text: str) -> str:
    return NUMBERS.sub(COVER, text)


def read_by(user, text: str) -> str:
    """The text as this person may read it."""
    return cover(text) if user.role == Role.VENDOR else text
