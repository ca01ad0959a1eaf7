"""Bringing back what a draft once said. Nothing is lost: the present text stays as a version of its own.

Restored fields are marked as copied from that visit until somebody touches or confirms them.
"""

import uuid

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clinic import audit
from clinic.codes import Act
from clinic.errors import Conflict, Forbidden, Refused
from clinic.models import Resident
from emr.actions import corrections, drafts, visits
from emr.codes import ChangeKind, EncounterStatus
from emr.models import Correction, Encounter, Note, Save
from emr.saved import versions as draft_versions
from emr.signed import versions

SPACE = uuid.UUID("0c4c6d0e-92c1-4f0b-8f5d-1f2e6f3a9b44")


def restore(*, save, by, key, reason="", request=None):
    """Put what the draft said after ``save`` into a new draft; return the Note or Correction that has it now.

    An unsigned note gets a further save; a signed one a correction with that text (``reason`` is its reason); a
    cancelled visit's text goes into a new visit of today. The same key gives the same draft. Raises Forbidden code
    "author"; Conflict code "imported"; Refused code "same" where it says this already, "key", and what writing
    and correcting refuse.
    """
    draft = save.correction or save.note
    if draft.author_id != by.pk:
        raise Forbidden(_("Only the doctor who wrote this draft restores it."), code="author")
    note, visit = save.note, save.note.encounter
    if note.imported:
        raise Conflict(_("Visits of the old system are read-only."), code="imported")
    with transaction.atomic():
        if visit.status == EncounterStatus.CANCELLED:
            made = _into_new_visit(save, by, key, request)
        elif note.is_signed:
            made = _into_correction(save, by, key, reason, request)
        else:
            made = _into_draft(Note.objects.visible_to(by), note, save, by, key)
        audit.record(
            Act.RESTORE, by=by, request=request, resident=visit.resident, obj=made,
            detail={"receipt": save.receipt, "version": save.version, "from": str(visit.uuid)},
        )  # fmt: skip
        return made


def _into_draft(rows, draft, save, by, key):
    """One more save of an open draft. Vital signs taken since stay: only what is missing comes back."""
    row = rows.select_for_update(of=("self",), no_key=True).get(pk=draft.pk)
    old = draft_versions.state(save)
    old["vitals"] = {**old["vitals"], **{name: value for name, value in row.vitals.items() if value}}
    if again := Save.objects.filter(key=key).first():
        return _same(again, row, old, by)
    drafts.check_writable(row, by)
    changes = _changes(row, old, save.note.encounter)
    if not changes:
        raise Refused(_("The note says this already; there is nothing to restore."), code="same")
    drafts.write(row, changes, by, key)
    return row


def _same(again, row, old, by):
    """The answer of the first time; a key that stands for another text is refused."""
    here = row.save_place.get("correction")
    said = {name: value for name, value in again.changes.items() if name not in ("marks", "vitals")}
    if (again.note_id, again.correction_id, again.by_id) != (
        row.save_place["note"].pk, here and here.pk, by.pk,
    ) or any(old[name] != value for name, value in said.items()):  # fmt: skip
        raise Refused(_("This key stands for another save."), code="key")
    return row


def _into_correction(save, by, key, reason, request):
    note = save.note
    mine = note.corrections.open().filter(author=by, void=False).exclude(key=key).first()
    if mine is not None:
        return _into_draft(Correction.objects.visible_to(by), mine, save, by, key)
    again = note.corrections.filter(key=key).exists()
    changes = _changes(versions.text_in_force(note), draft_versions.state(save), note.encounter)
    if not changes and not again:
        raise Refused(_("The note says this already; there is nothing to restore."), code="same")
    at = f"{timezone.localtime(save.saved_at):%Y-%m-%d %H:%M:%S}"
    return corrections.open_correction(
        note=note, by=by, reason=reason.strip() or _("Restored: the draft of %(time)s") % {"time": at},
        kind=ChangeKind.CORRECT, key=key, content=changes, request=request,
    )  # fmt: skip


def _into_new_visit(save, by, key, request):
    """Vital signs are of their visit and stay there."""
    old, person = draft_versions.state(save), save.note.encounter.resident
    old.pop("vitals")
    if not any(old[name] for name in Note.MARKED_FIELDS):
        raise Refused(_("This version has no text to restore."), code="same")
    # In the house's order, before anything else is locked: two clicks at once wait for each other here.
    person = Resident.objects.select_for_update(of=("self",), no_key=True).get(pk=person.survivor.pk)
    used = Encounter.objects.filter(key=key, checked_in_by=by, resident__in=person.record_ids()).first()
    visit = used or visits.start_for(resident=person, by=by, key=key, request=request)
    note = Note.objects.visible_to(by).get(encounter=visit)
    own = uuid.uuid5(SPACE, str(key))  # the visit has the key itself
    if again := Save.objects.filter(key=own).first():
        return _same(again, note, old, by)
    note = Note.objects.select_for_update(of=("self",), no_key=True).get(pk=note.pk)
    drafts.check_writable(note, by)
    changes = _changes(note, {**old, "vitals": note.vitals}, save.note.encounter)
    if changes:
        drafts.write(note, changes, by, own)
    return note


def _changes(now, old, visit):
    """What has to be written so that ``now`` says what ``old`` said, with marks that tell where it came from."""
    differing = {name: old[name] for name in Note.CONTENT_FIELDS if old[name] != getattr(now, name)}
    if not differing:
        return {}
    taken = {"how": "copied", "from": str(visit.uuid)}
    marks = {name: mark for name, mark in now.marks.items() if name not in differing}
    marks |= {name: taken for name in Note.MARKED_FIELDS if differing.get(name)}
    return differing | ({"marks": marks} if marks != now.marks else {})
