"""The text of an earlier visit for the writer of a new note to copy, by section or whole."""

from django.http import Http404
from django.utils import timezone

from emr import prescribing
from emr.codes import EncounterStatus
from emr.drafting import fields as draft_fields
from emr.models import Encounter, Note
from emr.signed import versions

# Findings of another day are copied one by one and on purpose, never with the rest (rules B1.3, B1.9).
OF_THEIR_DAY = ("signs", "examinations")


def of(note, earlier, user) -> dict:
    """{"from", "day", "fields", "whole"}: the text in force of the visit with the public id ``earlier``.

    It belongs to the same person's file as the note's visit and is finished; else Http404. A void one has no text.
    """
    ids = note.encounter.resident.survivor.record_ids()
    visit = (
        Encounter.objects.visible_to(user)
        .filter(resident__in=ids, status=EncounterStatus.FINISHED, note__isnull=False)
        .exclude(pk=note.encounter.pk)
        .select_related("note")
        .filter(uuid=earlier)
        .first()
    )
    if visit is None:
        raise Http404
    text = versions.overlay([visit.note])[0]
    fields = {} if text.void else fields_of(text)
    return {
        "from": str(visit.uuid),
        "day": f"{timezone.localtime(visit.arrived_at):%Y-%m-%d}",
        "fields": fields,
        "whole": [name for name in fields if name not in OF_THEIR_DAY],
    }


def fields_of(text) -> dict:
    """What can be copied and is there. Lines of the old system are brought into the draft's form."""
    found = {name: getattr(text, name) for name in Note.TEXT_FIELDS if getattr(text, name).strip()}
    diagnoses = [_line(line, draft_fields.DIAGNOSIS_PARTS) for line in text.diagnoses if line.get("name")]
    medications = [
        _line(line, draft_fields.MEDICATION_PARTS) for line in prescribing.filled(text.medications)
    ]
    return found | {
        name: lines for name, lines in (("diagnoses", diagnoses), ("medications", medications)) if lines
    }


def _line(line, parts):
    """Only what a draft's line may hold."""
    fit = {}
    for name, wanted in parts.items():
        value = line.get(name)
        if wanted is bool:
            fit[name] = value is True
        elif isinstance(wanted, int):
            fit[name] = str(value if value is not None else "")[:wanted]
        else:
            fit[name] = value if isinstance(value, str) and value in wanted else ""
    return fit | ({"certainty": fit["certainty"] or "confirmed"} if "certainty" in fit else {})
