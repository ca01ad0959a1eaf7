"""What a note must hold when it is signed, and what is worth a second look.

Source: 病历书写基本规范 (卫医政发〔2010〕11号) art. 13, for first and return visits; rules B1. A demand is an
entry, never a content: "暂无" under examinations is one. Nothing is scored, and no finding is asked for that
a doctor would then invent (rules B1.9).
"""

import re
import unicodedata

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from emr import prescribing
from emr.codes import VisitKind
from emr.drafting.fields import VITALS
from emr.models import Note

# Articles 13 (first, return) and 14 (emergency: as a first visit, its time to the minute comes by itself).
DEMANDED = {
    VisitKind.FIRST: ("chief_complaint", "present_illness", "past_history", "signs", "examinations"),
    VisitKind.RETURN: ("chief_complaint", "present_illness", "signs", "examinations"),
    VisitKind.EMERGENCY: ("chief_complaint", "present_illness", "past_history", "signs", "examinations"),
}
SENTENCES = {
    "chief_complaint": gettext_lazy("The chief complaint is missing."),
    "present_illness": gettext_lazy("The present illness is missing."),
    "past_history": gettext_lazy("The past history is missing."),
    "signs": gettext_lazy("The signs are missing: an entry or vital signs."),
    "examinations": gettext_lazy("Auxiliary examinations are blank; where there are none, write so."),
    "diagnoses": gettext_lazy("The diagnosis is missing."),
    "treatment": gettext_lazy("The treatment is missing: advice or medication."),
}
# A gap that a template left to be filled (emr.models.NoteTemplate).
HOLE = re.compile(r"【[^【】\n]{0,40}】")
HOLE_SENTENCE = gettext_lazy("%(label)s: %(hole)s is still to be filled in.")
WRITTEN_PARTS = {"diagnoses": ("name",), "medications": ("drug", "dose", "days", "reason")}
CHIEF_COMPLAINT_USUAL = 20
# name: what a living resident in a clinic can have; outside is likely a slip of the hand
PLAUSIBLE = {
    "temperature": (34, 42), "pulse": (35, 200), "respiration": (8, 60), "systolic": (60, 240),
    "diastolic": (30, 140), "height": (30, 230), "weight": (1, 250), "spo2": (60, 100), "glucose": (1, 35),
}  # fmt: skip
PULSE_PRESSURE = (15, 100)
DISEASE_NAME = re.compile(r"(病|炎|癌|瘤|症|综合征|高血压|高血脂|感染)$")
DURATION = re.compile(
    r"[0-9一二两三四五六七八九十半数几余]\s*个?(分钟?|小时|时|天|日|周|星期|礼拜|月|年|岁|次)|当天|今|昨|刚"
)


def check(note: Note, allergies=()) -> tuple[list[dict], list[dict]]:
    """(missing, hints). Missing ones forbid signing: {"field", "label", "sentence"} and "line" for lines;
    hints do not: {"field", "sentence"}."""
    return missing(note), hints(note, allergies)


def missing(note) -> list[dict]:
    found = [_gap(name, SENTENCES[name]) for name in DEMANDED[note.visit_kind] if not _is_there(note, name)]
    return found + _diagnosis_gaps(note) + _treatment_gaps(note) + _holes(note)


def _is_there(note, name):
    if name == "signs" and any(value.strip() for value in note.vitals.values()):
        return True
    return bool(getattr(note, name).strip())


def _gap(name, sentence, **more):
    label = Note._meta.get_field(name).verbose_name
    return {"field": name, "label": str(label), "sentence": str(sentence), **more}


def _diagnosis_gaps(note):
    if not note.diagnoses:
        return [_gap("diagnoses", SENTENCES["diagnoses"])]
    return [
        _gap("diagnoses", _("A diagnosis has no name."), line=position)
        for position, line in enumerate(note.diagnoses)
        if not line.get("name", "").strip()
    ]


def _treatment_gaps(note):
    if not note.treatment.strip() and not prescribing.filled(note.medications):
        return [_gap("treatment", SENTENCES["treatment"])]
    return [
        _gap("medications", fault, line=position)
        for position, line in enumerate(note.medications)
        if prescribing.is_filled(line)
        for fault in prescribing.line_faults(line)
    ]


def _holes(note):
    """One entry for each field with a gap of a template that nobody filled."""
    found = []
    for name in Note.MARKED_FIELDS:
        hole = next((hole for text in _texts(note, name) for hole in HOLE.findall(text)), None)
        if hole is not None:
            label = Note._meta.get_field(name).verbose_name
            found.append(_gap(name, HOLE_SENTENCE % {"label": label, "hole": hole}))
    return found


def _texts(note, name):
    if name in Note.TEXT_FIELDS:
        return [getattr(note, name)]
    return [line.get(part) or "" for line in getattr(note, name) for part in WRITTEN_PARTS[name]]


def unconfirmed(note, before=None) -> list[dict]:
    """Text of another day that nobody touched or confirmed: {"field", "label"}. Signing asks about it once.

    ``before`` is the version that a correction starts from: what it held was asked about then.
    """
    return [
        {"field": name, "label": str(Note._meta.get_field(name).verbose_name)}
        for name in Note.MARKED_FIELDS
        if (mark := note.marks.get(name))
        and (mark["how"] == "copied" or mark.get("stale"))
        and getattr(note, name)
        and not (before is not None and before.marks.get(name) == mark)
    ]


def hints(note, allergies=()) -> list[dict]:
    return [
        *_complaint_hints(note),
        *vitals_hints(note.vitals),
        *prescribing.allergy_hints(note.medications, allergies),
    ]


def _complaint_hints(note):
    """主诉 is symptom and duration, usually within 20 characters, not a diagnosis (rules B1.5)."""
    text = note.chief_complaint.strip()
    if len(text) > CHIEF_COMPLAINT_USUAL:
        yield {
            "field": "chief_complaint",
            "sentence": _("The chief complaint is longer than %(n)d characters.")
            % {"n": CHIEF_COMPLAINT_USUAL},
        }
    names = {line.get("name", "").strip() for line in note.diagnoses}
    if text and (text in names or (DISEASE_NAME.search(text) and not DURATION.search(text))):
        yield {
            "field": "chief_complaint",
            "sentence": _("The chief complaint looks like a diagnosis; it is a symptom and how long."),
        }


def vitals_hints(vitals) -> list[dict]:
    """Vital signs that cannot be meant: 43 ℃, or 200 over 50."""
    found, numbers = [], {}
    for name, label, unit in VITALS:
        typed = vitals.get(name, "").strip()
        if not typed:
            continue
        numbers[name] = number = as_number(typed)
        low, high = PLAUSIBLE[name]
        if number is None:
            found.append(_hint(_("%(label)s: “%(typed)s” is no number.") % {"label": label, "typed": typed}))
        elif not low <= number <= high:
            words = {"label": label, "typed": typed, "unit": unit}
            found.append(_hint(_("%(label)s %(typed)s %(unit)s: please check.") % words))
    return found + _pressure_hints(numbers.get("systolic"), numbers.get("diastolic"))


def _pressure_hints(systolic, diastolic):
    if systolic is None or diastolic is None:
        return []
    low, high = PULSE_PRESSURE
    if low <= systolic - diastolic <= high:
        return []
    words = {"systolic": f"{systolic:g}", "diastolic": f"{diastolic:g}"}
    return [_hint(_("Blood pressure %(systolic)s/%(diastolic)s: please check.") % words)]


def _hint(sentence):
    return {"field": "vitals", "sentence": sentence}


def as_number(typed: str) -> float | None:
    """A plain decimal number, full-width digits too."""
    plain = unicodedata.normalize("NFKC", typed).strip().replace("。", ".")
    return float(plain) if re.fullmatch(r"[0-9]{1,4}(\.[0-9]{1,2})?", plain, re.ASCII) else None
