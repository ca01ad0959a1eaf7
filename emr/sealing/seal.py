"""The seal of what is signed: canonical text, hash, Ed25519 signature. Format: docs/seal.md.

A seal is made in the transaction of its signature. It queues on nothing: one SELECT and one INSERT. The chain
over an institution's seals follows within a minute (emr.sealing.chain).
"""

import hashlib
import json

from emr.models import Correction, Seal
from emr.sealing import keys
from emr.sealing import rows as seal_rows

FORMAT = 1


def make(note, visit):
    """Seal a signed note or correction, in the transaction of its signature; return the Seal.

    Raises keys.KeyUnusable: without a key nothing is signed.
    """
    correction = note.pk if isinstance(note, Correction) else None
    row, code = seal_rows.of(note.note_id if correction else note.pk, correction)
    sealed = build(row, code)
    sealed.save(force_insert=True)
    return sealed


def build(row: seal_rows.Sealed, code: str, **facts) -> Seal:
    """The Seal of this version, not stored yet. ``code`` is the institution's."""
    digest = hash_of(row, code)
    key_id, signature = keys.sign(statement(FORMAT, digest, code, row.signed_at))
    return Seal(
        note_id=row.note_id, correction_id=row.correction_id, institution_id=row.institution_id,
        institution_code=code, format=FORMAT, sha256=digest, key_id=key_id, signature=signature, **facts,
    )  # fmt: skip


def hash_of(row: seal_rows.Sealed, code: str) -> str:
    return hashlib.sha256(canonical(content(row, code))).hexdigest()


def canonical(sealed: dict) -> bytes:
    """The text that is hashed: JSON with sorted keys, no blanks, UTF-8."""
    text = json.dumps(sealed, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8")


def statement(number: int, digest: str, code: str, signed_at) -> bytes:
    """What the key signs."""
    return f"sheyi seal\n{number}\n{digest}\n{code}\n{seal_rows.moment(signed_at)}\n".encode()


def content(row: seal_rows.Sealed, code: str) -> dict:
    """What format 1 covers. These keys never change; a further format would get its own function."""
    return {
        "format": 1,
        "note": row.note,
        "visit": row.visit,
        "version": row.version,
        "kind": row.kind or "note",
        "void": bool(row.void),
        "reason": row.reason or "",
        "resident": row.resident,
        "institution": code,
        "doctor": row.doctor,
        "department": row.department,
        "status": row.status,
        "arrived_at": seal_rows.moment(row.arrived_at),
        "started_at": seal_rows.moment(row.started_at),
        "finished_at": seal_rows.moment(row.finished_at),
        "visit_kind": row.visit_kind,
        "chief_complaint": row.chief_complaint,
        "present_illness": row.present_illness,
        "past_history": row.past_history,
        "signs": row.signs,
        "examinations": row.examinations,
        "treatment": row.treatment,
        "vitals": json.loads(row.vitals),
        "diagnoses": json.loads(row.diagnoses),
        "medications": json.loads(row.medications),
        "marks": json.loads(row.marks),
        "signed_diagnoses": _lines(row.diagnosis_rows, seal_rows.DIAGNOSIS),
        "signed_medications": _lines(row.medication_rows, seal_rows.MEDICATION),
        "signed_by": row.signed_by,
        "signer": row.signer,
        "signer_title": row.signer_title,
        "signer_licence": row.signer_licence,
        "signed_at": seal_rows.moment(row.signed_at),
        "needs_review": row.needs_review,
        "imported": row.imported,
    }


def _lines(text, names):
    return [dict(zip(names, line, strict=True)) for line in json.loads(text)] if text else []


def covered(seals) -> dict[int, dict]:
    """{number of the seal: what it covers} for copies that prove themselves (docs/seal.md). One query."""
    seals = list(seals)
    rows = seal_rows.of_all([(made.note_id, made.correction_id) for made in seals]) if seals else []
    return {
        made.pk: content(row, made.institution_code) for made, (row, _code) in zip(seals, rows, strict=True)
    }
