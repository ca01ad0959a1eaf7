"""Pinyin of names and terms, for people who type initials."""

from pypinyin import Style, lazy_pinyin


def spell(text: str) -> tuple[str, str]:
    """("gaoxueya", "gxy") of "高血压". Letters and digits stay, other signs and unknown characters
    drop out. Cut to the columns' widths (200 and 60)."""
    full = _letters(lazy_pinyin(text, errors=_keep))
    initials = _letters(lazy_pinyin(text, style=Style.FIRST_LETTER, errors=_keep))
    return full[:200], initials[:60]


def _keep(text):
    return [sign for sign in text if sign.isascii() and sign.isalnum()]


def _letters(parts):
    return "".join(sign for part in parts for sign in part.lower() if sign.isascii() and sign.isalnum())
