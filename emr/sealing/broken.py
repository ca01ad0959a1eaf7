"""What ``manage.py verify`` says of broken seals: dates, institutions and public ids, never what a note says."""

import json
from collections import Counter

from django.utils import timezone
from django.utils.translation import gettext as _

from clinic.models import Institution
from emr import prescribing
from emr.codes import Certainty
from emr.models import Correction, Encounter, Note
from emr.sealing import rows, seal

MOST = 20


class Broken:
    """Gathers sentences: the first twenty are kept, all are counted. Missing keys are kept apart: what they
    signed cannot be checked, which is not to say that it was tampered with."""

    def __init__(self):
        self.sentences, self.count = [], 0
        self.missing_keys = Counter()
        self._places = {place.pk: place for place in Institution.objects.all()}

    def add(self, sentence):
        self.count += 1
        if len(self.sentences) < MOST:
            self.sentences.append(sentence)

    def place(self, pk):
        place = self._places.get(pk)
        return f"{place.name} ({place.code})" if place else _("institution %(number)s") % {"number": pk}

    def version(self, row, found):
        """Name the version of the note and what became of it."""
        where = {
            "date": f"{timezone.localtime(row.started_at or row.arrived_at):%Y-%m-%d}" if row.arrived_at else "—",
            "institution": self.place(row.institution_id),
            "note": row.note or row.note_id,
            "version": row.version,
            "found": found,
        }  # fmt: skip
        self.add(_("%(date)s, %(institution)s, note %(note)s, version %(version)d: %(found)s") % where)

    def text(self) -> str:
        lines = list(self.sentences)
        if self.count > len(lines):
            lines.append(_("… and %(count)d more.") % {"count": self.count - len(lines)})
        for key, count in sorted(self.missing_keys.items()):
            lines.append(
                _(
                    "The public key %(key)s is missing in the folder of keys: %(count)d seals cannot be checked."
                    " This is no sign of tampering; please bring the file back."
                )
                % {"key": key, "count": count}
            )
        if self.count:
            lines.insert(0, _("Seals: %(count)d broken.") % {"count": self.count})
        return "\n".join(lines)

    def __bool__(self):
        return bool(self.count or self.missing_keys)


def what_changed(row: rows.Sealed, sealed) -> str:
    """Which part of the version no longer answers for its seal, as far as it can be told."""
    if _lines_differ(row, sealed):
        return _("a line of its diagnoses or medication was changed, added or removed.")
    if fields := sorted(_changed(row)):
        return _("it was changed after the signature (%(fields)s).") % {"fields": ", ".join(fields)}
    return _("its text, its signature or its visit was changed after the signature.")


def _lines_differ(row, sealed):
    """Whether the version would answer for its seal if its rows said what its own lines say."""
    try:
        return seal.hash_of(as_signed(row), sealed["institution_code"]) == sealed["sha256"]
    except (ValueError, TypeError, KeyError, AttributeError):
        return False


def _changed(row):
    """Names of fields that differ from the row's own history, which signing wrote."""
    model, pk = (Correction, row.correction_id) if row.correction_id else (Note, row.note_id)
    fields = {
        str(model._meta.get_field(name).verbose_name)
        for name in _differing(model, pk, (*rows.TEXT, "signed_by_id"))
    }
    visit = (
        "resident_id", "institution_id", "doctor_id", "department", "status", "arrived_at", "started_at", "finished_at",
    )  # fmt: skip
    return fields | {
        str(Encounter._meta.get_field(name).verbose_name)
        for name in _differing(Encounter, row.visit_id, visit)
    }


def _differing(model, pk, names):
    current = model.objects.filter(pk=pk).values(*names).first()
    before = model.history.filter(id=pk).order_by("-history_date", "-history_id").values(*names).first()
    if not current or not before:
        return []
    return [name for name in names if current[name] != before[name]]


def as_signed(row: rows.Sealed) -> rows.Sealed:
    """The version with the diagnosis and medication rows that its own lines ask for (emr.actions.signing)."""
    lines = json.loads(row.diagnoses)
    primary = next((line for line in lines if line.get("primary")), next(iter(lines), None))
    diagnoses = [
        [
            position, line.get("system", ""), line.get("release", ""), line.get("code", ""),
            line.get("name", "").strip(), line.get("certainty", Certainty.CONFIRMED), line is primary,
        ]
        for position, line in enumerate(lines, 1)
    ]  # fmt: skip
    medications = [
        [
            position, line["drug"].strip(), line["dose"].strip(), line["route"], line["frequency"],
            prescribing.days_of(line), line.get("reason", "").strip(),
        ]
        for position, line in enumerate(prescribing.filled(json.loads(row.medications)), 1)
    ]  # fmt: skip
    return row._replace(diagnosis_rows=json.dumps(diagnoses), medication_rows=json.dumps(medications))
