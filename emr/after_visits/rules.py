"""The quiet visit 安静接诊: what a signed note asks for is gathered for afterwards, not asked in front of the patient.

Each rule is a function of what was signed: it returns what to prefill, or None. Rules look at the note first and
ask the database only when the note gives them reason to, all of them with one query.
"""

import logging
import re
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from django.db import models
from django.utils import timezone

from clinic.codes import KeyPopulation
from emr import practice, requirements
from emr.after_visits import education, notifiable
from emr.after_visits import facts as after_visit_facts
from emr.codes import Certainty, Prompt, VisitKind
from emr.models import AfterVisitItem

log = logging.getLogger(__name__)

PRESSURE_AGE = (
    35  # 35岁及以上首诊测血压, National Essential Public Health Services (3rd edition, hypertension)
)
VISITS_WITHOUT_FIRM = 3  # rules B1.6
# Chronic diseases that the centre manages (rules B4.5): beginnings of codes, and words where there is no code.
MANAGED = (
    (KeyPopulation.HYPERTENSION, ("I10", "I11", "I12", "I13", "I15"), r"(?<!肺动脉)(?<!门脉)(?<!妊娠期)高血压(?!病?史|前期)"),
    (KeyPopulation.DIABETES, ("E11", "E14"), r"(?<!1型)(?<!妊娠期)(?<!妊娠)糖尿病(?!病?史|前期)"),
)  # fmt: skip


@dataclass
class Signed:
    """What was signed, for the rules. ``file`` is asked of the database when a rule first wants it."""

    text: models.Model
    note: models.Model
    visit: models.Model
    by: models.Model
    now: datetime
    wanted: list

    @cached_property
    def person(self):
        return self.visit.resident.survivor

    @cached_property
    def age(self):
        return self.person.age_on(timezone.localdate(self.now))

    @cached_property
    def diagnoses(self) -> list[dict]:
        rows = self.text.diagnoses if isinstance(self.text.diagnoses, list) else []
        return [row for row in rows if isinstance(row, dict) and str(row.get("name") or "").strip()]

    @cached_property
    def file(self):
        return after_visit_facts.of(self.note, self.person, self.now, self.wanted)


def gather(note, visit, by, now):
    """Put what the signed note asks for on its doctor's after-visit list; return the new items.

    ``note`` is a Note or a signed Correction. In the signature's transaction: nothing at all for most notes, else
    the institution's practice, one question about the file and one insert. What a rule cannot read it leaves.
    """
    signed = Signed(note, note.save_place["note"], visit, by, now, [])
    if not (reasons := [prompt for prompt in RULES if _try(RULES[prompt][0], signed, prompt)]):
        return []
    home = by.institution if visit.institution_id == by.institution_id else visit.institution
    switches = practice.of(home).prompts
    signed.wanted = [prompt for prompt in reasons if switches.get(prompt.value, True)]
    items = [
        _item(signed, prompt, facts)
        for prompt in signed.wanted
        if (facts := _try(RULES[prompt][1], signed, prompt))
    ]
    return AfterVisitItem.objects.bulk_create(items, ignore_conflicts=True) if items else []


def _try(rule, signed, prompt):
    """A rule's answer; a note that it cannot read is signed all the same."""
    try:
        return rule(signed)
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError) as error:
        log.warning("after-visit rule %s failed: %s", prompt.value, type(error).__name__)
        return None


def _item(signed, prompt, facts):
    term = facts.pop("term", None)
    return AfterVisitItem(
        note=signed.note,
        resident=signed.person,
        doctor=signed.by,
        institution_id=signed.visit.institution_id,
        prompt=prompt,
        facts=facts,
        made_at=signed.now,
        due_at=signed.now + term if term else None,
    )


# The rules: first whether the note gives reason, without a query; then what is prefilled, or None --------------


def wants_pressure(signed):
    return (
        signed.text.visit_kind == VisitKind.FIRST
        and signed.age >= PRESSURE_AGE
        and not _pressure_taken(signed.text.vitals)
    )


def pressure(signed):
    return None if signed.file.pressure_taken else {"age": signed.age}


def _pressure_taken(vitals):
    taken = vitals if isinstance(vitals, dict) else {}
    return all(requirements.as_number(str(taken.get(name) or "")) for name in ("systolic", "diastolic"))


def names_infection(signed):
    return [line for line in signed.diagnoses if notifiable.find(line)]


def infection(signed):
    """One card a note, of the disease that is due first; a second one is named on it."""
    found = [(notifiable.find(line), line) for line in names_infection(signed)]
    new = [pair for pair in found if notifiable.is_new_case(pair[0], signed.file.reported, signed.now)]
    if not new:
        return None
    disease, line = min(new, key=lambda pair: pair[0].term)
    others = dict.fromkeys(other.name for other, _line in new if other is not disease)
    return {
        **after_visit_facts.card(signed, disease, line),
        "others": "、".join(others),
        "term": disease.term,
    }


def names_chronic(signed):
    return _chronic(signed)


def chronic(signed):
    """The managed diseases that were diagnosed for certain and that the file is not tagged with; once in half a year."""
    new = {
        tag: name
        for tag, name in _chronic(signed).items()
        if tag not in signed.file.tags | signed.file.proposed
    }
    if not new:
        return None
    return {
        "tags": list(new),
        "disease": "、".join(new.values()),
        **after_visit_facts.pressure_of(signed.text),
    }


def _chronic(signed) -> dict:
    """{key population: name as diagnosed}."""
    found = {}
    for line in signed.diagnoses:
        if line.get("certainty", Certainty.CONFIRMED) != Certainty.CONFIRMED:
            continue
        code, name = str(line.get("code") or "").upper(), str(line["name"])
        for tag, codes, words in MANAGED:
            if code.startswith(codes) if code else re.search(words, name):
                found.setdefault(tag.value, name.strip())
    return found


def has_lesson(signed):
    return [lesson for line in signed.diagnoses if (lesson := education.find(line))]


def lesson(signed):
    """One text a note: of the first diagnosis that has one the resident was not given lately."""
    new = [row for row in has_lesson(signed) if row.group not in signed.file.educated]
    return {"group": new[0].group, "text": new[0].text} if new else None


def is_unsure(signed):
    return _only_suspected(signed.diagnoses)


def no_firm(signed):
    """The last three visits of the file, this one among them, ended with suspected diagnoses alone."""
    before = signed.file.before[: VISITS_WITHOUT_FIRM - 1]
    if len(before) < VISITS_WITHOUT_FIRM - 1 or not all(map(_only_suspected, before)):
        return None
    return {"names": "、".join(dict.fromkeys(str(line["name"]).strip() for line in signed.diagnoses))}


def _only_suspected(lines):
    return bool(lines) and all(line.get("certainty") == Certainty.SUSPECTED for line in lines)


RULES = {
    Prompt.BLOOD_PRESSURE: (wants_pressure, pressure),
    Prompt.INFECTIOUS: (names_infection, infection),
    Prompt.CHRONIC: (names_chronic, chronic),
    Prompt.EDUCATION: (has_lesson, lesson),
    Prompt.NO_FIRM_DIAGNOSIS: (is_unsure, no_firm),
}
