"""What a draft's fields may hold. A draft may be half-filled, never misshapen: what does not fit is refused
with a sentence for each field, and nothing is dropped or trimmed. Whether it is enough is asked at signing
(emr.requirements)."""

import re

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic.errors import Refused
from emr.codes import DIAGNOSIS_SYSTEMS, Certainty, Frequency, Route, VisitKind
from emr.models import Note

TEXT_LIMIT = 20_000
UUID_FORM = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
# name, label, unit: in the order in which a nurse takes them
VITALS: tuple[tuple[str, Promise, str], ...] = (
    ("temperature", gettext_lazy("temperature"), "℃"),
    ("pulse", gettext_lazy("pulse"), gettext_lazy("/min")),
    ("respiration", gettext_lazy("respiration"), gettext_lazy("/min")),
    ("systolic", gettext_lazy("systolic pressure"), "mmHg"),
    ("diastolic", gettext_lazy("diastolic pressure"), "mmHg"),
    ("height", gettext_lazy("height"), "cm"),
    ("weight", gettext_lazy("weight"), "kg"),
    ("spo2", gettext_lazy("oxygen saturation"), "%"),
    ("glucose", gettext_lazy("blood glucose"), "mmol/L"),
)
VITAL_NAMES = tuple(name for name, _label, _unit in VITALS)
VITAL_LIMIT = 10
# Lines: name of each part → most characters, or the values allowed.
DIAGNOSIS_PARTS = {
    "system": {"", *DIAGNOSIS_SYSTEMS}, "release": 40, "code": 30, "name": 200,
    "certainty": set(Certainty.values), "primary": bool,
}  # fmt: skip
MEDICATION_PARTS = {
    "drug": 100, "dose": 40, "route": {"", *Route.values}, "frequency": {"", *Frequency.values},
    "days": 4, "reason": 100,
}  # fmt: skip
MARK_HOWS = frozenset({"carried", "copied", "template"})
DIAGNOSES_MOST = 30
MEDICATIONS_MOST = 40


def check(changes) -> dict:
    """Return the changes as they are, or raise Refused(code="invalid") with ``fields``: field → sentence."""
    if not isinstance(changes, dict) or not changes:
        raise Refused(_("There is nothing to save."), code="invalid", fields={})
    fields = {name: sentence for name, value in changes.items() if (sentence := _fault(name, value))}
    if fields:
        raise Refused(_("Some of it cannot be saved as it is."), code="invalid", fields=fields)
    return changes


def _fault(name, value):
    if name in Note.TEXT_FIELDS:
        return _text(value, TEXT_LIMIT)
    if name == "visit_kind":
        return None if isinstance(value, str) and value in VisitKind.values else _no_choice()
    if name == "vitals":
        return _vitals(value)
    if name == "diagnoses":
        return _lines(value, DIAGNOSIS_PARTS, DIAGNOSES_MOST) or _primaries(value)
    if name == "medications":
        return _lines(value, MEDICATION_PARTS, MEDICATIONS_MOST)
    return _marks(value) if name == "marks" else _("This field is unknown.")


def _marks(value):
    if not isinstance(value, dict) or set(value) - set(Note.MARKED_FIELDS):
        return _("These marks are unknown.")
    return None if all(map(_is_mark, value.values())) else _("These marks are unknown.")


def _is_mark(mark):
    """{"how", "from": a visit's public id or empty} and "stale" where it is true; nothing else."""
    if not isinstance(mark, dict) or set(mark) - {"how", "from", "stale"} or "how" not in mark:
        return False
    how, source = mark["how"], mark.get("from", "")
    return (
        isinstance(how, str)
        and how in MARK_HOWS
        and isinstance(source, str)
        and (source == "" or UUID_FORM.fullmatch(source) is not None)
        and mark.get("stale", True) is True
    )


def _text(value, limit):
    if not isinstance(value, str):
        return _("This must be text.")
    if len(value) > limit:
        return _("At most %(limit)d characters; these are %(count)d.") % {"limit": limit, "count": len(value)}
    return None


def _no_choice():
    return _("This is not one of the choices.")


def _vitals(value):
    if not isinstance(value, dict) or set(value) - set(VITAL_NAMES):
        return _("These vital signs are unknown.")
    return next((fault for entry in value.values() if (fault := _text(entry, VITAL_LIMIT))), None)


def _lines(value, parts, most):
    if not isinstance(value, list) or not all(isinstance(line, dict) for line in value):
        return _("This must be a list of lines.")
    if len(value) > most:
        return _("At most %(most)d lines.") % {"most": most}
    return next((fault for line in value if (fault := _line(line, parts))), None)


def _line(line, parts):
    if set(line) - set(parts):
        return _("A line holds an unknown part.")
    return next((fault for name, value in line.items() if (fault := _part(value, parts[name]))), None)


def _part(value, wanted):
    if wanted is bool:
        return None if isinstance(value, bool) else _no_choice()
    if isinstance(wanted, int):
        return _text(value, wanted)
    return None if isinstance(value, str) and value in wanted else _no_choice()


def _primaries(lines):
    return (
        _("Only one diagnosis is the primary one.")
        if sum(line.get("primary", False) for line in lines) > 1
        else None
    )


def readable_vitals(vitals) -> list[tuple]:
    """(label, what was typed, unit) of those taken; both pressures as one, "120/80"."""
    taken = {name: text for name in VITAL_NAMES if (text := vitals.get(name, "")).strip()}
    if "systolic" in taken and "diastolic" in taken:
        taken["systolic"] = f"{taken['systolic']}/{taken.pop('diastolic')}"
        labels = {"systolic": _("blood pressure")}
    else:
        labels = {}
    return [(labels.get(name, label), taken[name], unit) for name, label, unit in VITALS if name in taken]
