"""Calls before the end of an agreement, and why somebody does not sign."""

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clinic import audit
from clinic.codes import Act
from clinic.errors import Conflict, Forbidden, Refused
from clinic.models import Resident
from contracts.codes import ReminderState, WhyNot
from contracts.models import NotSigned, Reminder

NOTE_LIMIT = 200


def called(*, reminder, by, note="", again=False, request=None, now=None):
    """Somebody has called; return the reminder. ``again`` opens it once more. The same a second time changes nothing.

    Refused code: note; Conflict code: done, where a message or the agreement itself has settled it.
    """
    note = _short(note)
    if not by.has_perm("contracts.change_reminder"):
        raise Forbidden(_("Your role does not allow this."))
    with transaction.atomic():
        row = Reminder.objects.visible_to(by).select_for_update(of=("self",)).filter(pk=reminder.pk).first()
        if row is None:
            raise Forbidden(_("This call is another institution's."), code="elsewhere")
        wanted, seen = (
            (ReminderState.OPEN, ReminderState.DONE) if again else (ReminderState.DONE, ReminderState.OPEN)
        )
        if row.state == wanted and (again or row.note == note):
            return row
        if row.state != seen:
            raise Conflict(_("This reminder is settled already."), code="done")
        row.state, row.note = wanted, note
        row.done_by, row.done_at = (None, None) if again else (by, now or timezone.now())
        row.save(update_fields=["state", "note", "done_by", "done_at"])
        audit.record(Act.CHANGE, by=by, request=request, resident=row.agreement.resident, obj=row)
        return row


def not_signed(*, resident, why, by, note="", on=None, request=None):
    """Write down why the resident does not sign; return the row. The same answer on the same day stays one row.

    Refused codes: why, note.
    """
    note = _short(note)
    if why not in WhyNot.values:
        raise Refused(_("Please choose a reason."), code="why", field="why")
    if why == WhyNot.OTHER and not note:
        raise Refused(_("Please say it in words."), code="note", field="note")
    if not by.has_perm("contracts.add_notsigned"):
        raise Forbidden(_("Your role does not allow this."))
    on = on or timezone.localdate()
    with transaction.atomic():
        # The lock makes two clicks one row.
        person = Resident.objects.select_for_update(of=("self",)).get(pk=resident.survivor.pk)
        said = {"resident": person, "why": why, "note": note, "on": on}
        if known := NotSigned.objects.filter(**said).first():
            return known
        row = NotSigned.objects.create(**said, institution=by.institution, by=by)
        audit.record(Act.AGREE, by=by, request=request, resident=person, obj=row, detail={"why": str(why)})
        return row


def _short(note):
    note = note.strip()
    if len(note) > NOTE_LIMIT:
        raise Refused(_("The remark is longer than 200 characters."), code="note", field="note")
    return note
