"""Whether a version still answers for its seal, and the words for it when it does not. Used by verify and by the
page of a visit's seals."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from emr.sealing import keys, seal
from emr.sealing.broken import what_changed


@dataclass(frozen=True)
class Fault:
    """``missing_key``: the public key is not at hand, so nothing can be said; no sign of tampering."""

    sentence: str
    missing_key: str = ""


def of(sealed: dict, row, house_keys) -> Fault | None:
    """``sealed`` are the seal's columns, ``row`` is the version (emr.sealing.rows), ``house_keys`` the ids in the anchor
    file, or None where there is no such file."""
    if row.note_id is None or row.visit_id is None:
        return Fault(_("the note was deleted; its seal is there."))
    if sealed["correction_id"] and row.corrects != row.note_id:
        return Fault(_("the correction was deleted or moved; its seal is there."))
    if row.signed_at is None or row.institution_id != sealed["institution_id"] or not _same(sealed, row):
        return Fault(what_changed(row, sealed))
    return _forged(sealed, row, house_keys)


def _same(sealed, row):
    return (
        sealed["format"] == seal.FORMAT and seal.hash_of(row, sealed["institution_code"]) == sealed["sha256"]
    )


def _forged(sealed, row, house_keys):
    key = sealed["key_id"]
    message = seal.statement(sealed["format"], sealed["sha256"], sealed["institution_code"], row.signed_at)
    try:
        if not keys.check(key, message, sealed["signature"]):
            return Fault(_("the signature of its seal is not by the key %(key)s.") % {"key": key})
    except keys.PublicKeyMissing:
        if house_keys is None or key in house_keys:
            return Fault(_("the public key is missing on the server; it cannot be checked."), missing_key=key)
    if house_keys is not None and key not in house_keys:
        return Fault(
            _("its seal was made with the key %(key)s, which is not one of this house.") % {"key": key}
        )
    return None
