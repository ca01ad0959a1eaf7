"""Saving a draft field by field, as the doctor types. The busiest write of the house: three statements."""

import hashlib
import json

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clinic.errors import Conflict, Forbidden, Refused
from emr.codes import EncounterStatus
from emr.drafting import fields as draft_fields
from emr.models import Note, Save


def save_draft(*, encounter, key, version, changes, by, fields=Note.DRAFT_FIELDS):
    """Store the changed fields of the note of the visit with this public id; return the Save.

    The same key again gives the first answer and changes nothing. Raises Note.DoesNotExist outside the
    person's reach; Conflict code "stale" (with both texts), "signed" or "cancelled"; Refused code "key"
    when the key belongs to another save, "invalid" with a sentence per field. ``fields`` are those the
    caller may write: a nurse writes ``vitals`` alone and needs not be the author.
    """
    try:
        with transaction.atomic():
            note = lock(encounter, by)
            return store(note, key, version, changes, by, fields)
    except IntegrityError as error:
        # The visit was cancelled between reading and writing; the database's trigger is the last word.
        raise Conflict(_("This visit was cancelled."), code="cancelled") from error


def store(note, key, version, changes, by, fields=Note.DRAFT_FIELDS):
    """The same for a locked note or correction."""
    earlier = None if note.version == version else _earlier(key)
    if earlier is not None:
        return _same(earlier, note, changes, by)
    check_writable(note, by, fields)
    draft_fields.check(changes)
    if set(changes) - set(fields):
        raise Forbidden(_("Only the vital signs are yours to write."), code="fields")
    if note.version != version:
        raise stale(note, version, changes)
    saved = write(note, changes, by, key)
    return saved if saved.pk else _same(_earlier(key), note, changes, by)


def lock(encounter, by):
    return (
        Note.objects.visible_to(by)
        .select_related("encounter")
        .select_for_update(of=("self",))
        .get(encounter__uuid=encounter)
    )


def check_writable(note, by, fields=Note.DRAFT_FIELDS):
    if note.is_signed:
        raise Conflict(
            _("This note was signed by %(name)s and can no longer be changed.") % {"name": note.signer},
            code="signed",
        )
    if getattr(note, "withdrawn_at", None):
        raise Conflict(_("This correction was withdrawn."), code="withdrawn")
    if getattr(note, "imported", False):
        raise Conflict(_("Visits of the old system are read-only."), code="signed")
    if note.encounter.status == EncounterStatus.CANCELLED:
        raise Conflict(_("This visit was cancelled."), code="cancelled")
    if note.author_id != by.pk and tuple(fields) != ("vitals",):
        raise Forbidden(_("Only the doctor who writes this note may change it."), code="author")


def write(note, changes, by, key):
    """Insert the save and put its fields on the locked note or correction. Without a pk the key was used before."""
    saved = Save(
        key=key,
        **note.save_place,
        by=by,
        version=note.version + 1,
        changes=changes,
        characters=count_characters(changes),
        sha256=fingerprint(changes),
        saved_at=timezone.now(),
    )
    if Save.objects.insert_once(saved):
        # No history row for a keystroke (rule 5): the saves are the draft's history.
        type(note).objects.filter(pk=note.pk).update(
            **changes, version=saved.version, saved_at=saved.saved_at
        )
        for name, value in {**changes, "version": saved.version, "saved_at": saved.saved_at}.items():
            setattr(note, name, value)
    return saved


def fingerprint(changes) -> str:
    """sha256 over the canonical JSON: sorted keys, no blanks, UTF-8."""
    canonical = json.dumps(changes, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def count_characters(value) -> int:
    """Characters of all the text in the changes; names of fields and where a text came from left out."""
    if isinstance(value, str):
        return len(value)
    if isinstance(value, dict):
        return sum(count_characters(part) for name, part in value.items() if name != "marks")
    return sum(map(count_characters, value)) if isinstance(value, list) else 0


def stale(note, version, changes):
    """Somebody saved since: the server's text of the fields at stake, and of others that changed."""
    newer = (
        Save.objects.filter(**note.save_place, version__gt=version).select_related("by").order_by("version")
    )
    newer = list(newer)
    touched = {name for save in newer for name in save.changes}
    at = newer[-1].saved_at if newer else note.saved_at
    return Conflict(
        _("This note was changed in another window. Please compare both texts."),
        code="stale",
        version=note.version,
        theirs={name: getattr(note, name) for name in changes},
        changed={name: getattr(note, name) for name in sorted(touched - set(changes))},
        by=str(newer[-1].by) if newer else "",
        at=f"{timezone.localtime(at):%H:%M:%S}" if at else "",
    )


def _earlier(key):
    return Save.objects.filter(key=key).first()


def _same(earlier, note, changes, by):
    """The answer of the first time; a key that stands for something else is refused."""
    there = {name: getattr(earlier, name) for name in ("note_id", "correction_id")}
    here = {f"{name}_id": row.pk for name, row in note.save_place.items()}
    if there != {"correction_id": None, **here} or (earlier.by_id, earlier.sha256) != (
        by.pk,
        fingerprint(changes),
    ):
        raise Refused(_("This key stands for another save."), code="key")
    return earlier
