"""Signing: the password again, the rules' demands, the server's time. After it nothing of the note changes."""

from axes.utils import reset
from django.contrib.auth import authenticate
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from clinic import audit
from clinic.address import client_address
from clinic.codes import Act, Role
from clinic.errors import Forbidden, Refused
from emr import prescribing, requirements
from emr.actions import drafts, standing
from emr.after_visits import rules
from emr.codes import Certainty, EncounterStatus
from emr.models import Diagnosis, DiagnosisUse, Encounter, Medication, Note, Save
from emr.sealing import seal


class Unconfirmed(Refused):
    """Copied text that nobody touched or confirmed: ``fields`` is a list of {"field", "label"}."""

    status = 422


class Incomplete(Refused):
    """What the charting rules demand is missing: ``missing`` and ``hints`` are lists for the page."""

    status = 422


def confirm_password(*, by, password, request):
    """Ask who is there. Counts towards the lock-out as a sign-in does; always one check of the hash.

    Outside the signing transaction: hashing takes its time, and no row is locked meanwhile.
    """
    found = authenticate(request, username=by.username, password=password)
    if found is not None and found.pk == by.pk:
        reset(username=by.username, ip=client_address(request))
        return
    audit.record(Act.REFUSED, by=by, request=request, reason="password")
    if getattr(request, "axes_locked_out", False):
        raise Forbidden(_("Too many tries. Please wait a quarter of an hour."), code="locked")
    raise Forbidden(_("The password is wrong. The note is not signed yet."), code="password")


@transaction.atomic
def sign(*, encounter, key, version, by, confirmed=False, request=None):
    """Sign the note of the visit with this public id and finish the visit; return the signed note.

    ``confirmed`` says that copied text is meant as it stands. The same key again gives the same note. Raises
    Note.DoesNotExist outside the person's reach; Incomplete; Unconfirmed code "copied"; Conflict code "stale", "signed" or "cancelled"; Forbidden code "author".
    """
    visit = (
        Encounter.objects.visible_to(by)
        .select_for_update(of=("self",))
        .select_related("resident__home", "resident__merged_into")
        .get(uuid=encounter)
    )
    note = Note.objects.visible_to(by).select_for_update(of=("self",)).get(encounter=visit)
    note.encounter = visit
    if note.is_signed and Save.objects.filter(key=key, note=note, by=by, version=note.version).exists():
        return note
    drafts.check_writable(note, by)
    if note.version != version:
        raise drafts.stale(note, version, {})
    missing, hints = requirements.check(note, prescribing.allergies_of(visit.resident))
    if missing:
        raise Incomplete(
            _("Some entries are missing before signing."), code="incomplete", missing=missing, hints=hints
        )
    copied = ask_about_copied(requirements.unconfirmed(note), confirmed)
    _sign(note, visit, key, by)
    audit.record(
        Act.SIGN, by=by, request=request, resident=visit.resident, obj=note,
        detail={"version": note.version, "hints": [hint["field"] for hint in hints], **copied},
    )  # fmt: skip
    return note


def ask_about_copied(fields, confirmed):
    """Refuse once where text of another day stands unread; return what the audit trail tells of it."""
    if fields and confirmed is not True:
        raise Unconfirmed(
            _("Some of the text is copied and nobody has touched it."), code="copied", fields=fields
        )
    return {"copied": [entry["field"] for entry in fields]} if fields else {}


def _sign(note, visit, key, by):
    now = timezone.now()
    put_signature(note, visit, key, by, now)
    visit.status, visit.finished_at = EncounterStatus.FINISHED, now
    visit.save(update_fields=["status", "finished_at"])
    seal.make(note, visit)
    standing.take_over(note, visit, by)
    rules.gather(note, visit, by, now)


def put_signature(note, visit, key, by, now):
    """Lines, signature and all that freezes the locked note or correction."""
    # The signature is the draft's last save, with no change: its key is what makes signing repeatable.
    if not drafts.write(note, {}, by, key).pk:
        raise Refused(_("This key stands for another save."), code="key")
    if not is_void(note):
        _write_lines(note, visit)
        _count_uses(note, by, now)
    note.signed_at, note.signed_by = now, by
    note.signer, note.signer_title, note.signer_licence = by.name, by.title, by.licence
    note.needs_review = _wants_review(note, by)
    note.save(
        update_fields=["signed_at", "signed_by", "signer", "signer_title", "signer_licence", "needs_review"]
    )


def is_void(note):
    """Of a correction that says: signed in error, none of the text holds."""
    return getattr(note, "void", False)


def _wants_review(note, by):
    """What an assistant signs; and the correction of such a note by its writer, who may be a doctor meanwhile:
    nobody reviews their own."""
    first = note.save_place["note"]
    own = first is not note and first.needs_review and first.author_id == by.pk
    return not is_void(note) and (by.role == Role.ASSISTANT or own)


def _write_lines(note, visit):
    primary = note.primary_diagnosis
    Diagnosis.objects.bulk_create(
        Diagnosis(
            **note.save_place,
            resident=visit.resident,
            position=position,
            system=line.get("system", ""),
            release=line.get("release", ""),
            code=line.get("code", ""),
            name=line["name"].strip(),
            certainty=line.get("certainty", Certainty.CONFIRMED),
            primary=line is primary,
        )
        for position, line in enumerate(note.diagnoses, 1)
    )
    Medication.objects.bulk_create(
        Medication(
            **note.save_place,
            resident=visit.resident,
            position=position,
            drug=line["drug"].strip(),
            dose=line["dose"].strip(),
            route=line["route"],
            frequency=line["frequency"],
            days=prescribing.days_of(line),
            reason=line.get("reason", "").strip(),
        )
        for position, line in enumerate(prescribing.filled(note.medications), 1)
    )


def _count_uses(note, by, now):
    """One more use of each coded diagnosis, so that the picker shows the doctor's own first."""
    coded = {
        (line["system"], line["code"], line["name"].strip())
        for line in note.diagnoses
        if line.get("code") and line.get("system")
    }
    for system, code, name in sorted(coded):
        use, _made = DiagnosisUse.objects.get_or_create(user=by, system=system, code=code, name=name)
        DiagnosisUse.objects.filter(pk=use.pk).update(count=F("count") + 1, last_used=now)
