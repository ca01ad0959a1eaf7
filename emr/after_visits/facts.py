"""What the rules of the after-visit list know besides the note: the resident's file, and what a form is prefilled
with."""

from dataclasses import dataclass, field
from datetime import timedelta

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import DateTimeField, Exists, F, JSONField, OuterRef, Q, Subquery
from django.db.models.fields.json import KT
from django.db.models.functions import Cast, Coalesce, JSONObject
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from clinic.models import KeyTag, Resident
from emr.after_visits import notifiable
from emr.codes import Certainty, EncounterStatus, ItemState, Prompt
from emr.models import AfterVisitItem, Correction, Encounter, Note

EDUCATED = timedelta(days=90)
PROPOSED = timedelta(days=180)
BEFORE = 2
# Which parts of the file each rule reads.
ASKS = {
    Prompt.BLOOD_PRESSURE: {"pressure"},
    Prompt.INFECTIOUS: {"items"},
    Prompt.CHRONIC: {"tags", "items"},
    Prompt.EDUCATION: {"items"},
    Prompt.NO_FIRM_DIAGNOSIS: {"before"},
}


@dataclass(frozen=True)
class File:
    """``reported``: [(disease, when)]; ``proposed``: key populations whose management was proposed lately, whatever
    was said to it; ``before``: the diagnoses in force of the last two visits, the last first."""

    pressure_taken: bool = False
    tags: frozenset = frozenset()
    reported: list = field(default_factory=list)
    educated: frozenset = frozenset()
    proposed: frozenset = frozenset()
    before: list = field(default_factory=list)


def of(note, person, now, wanted=tuple(Prompt)) -> File:
    """What the wanted rules ask of the resident's file, absorbed rows included, without the note itself. One query."""
    # A subquery, not a join: an "or" across tables would read all rows.
    rows = Resident.objects.filter(Q(pk=person.pk) | Q(merged_into=person.pk)).values("pk")
    in_file = Q(resident__in=rows)
    parts = {
        "pressure": lambda: Exists(_pressure(note, rows, now)),
        "tags": lambda: ArraySubquery(KeyTag.objects.filter(in_file, until=None).values("tag")),
        "items": lambda: ArraySubquery(_items(note, in_file)),
        "before": lambda: ArraySubquery(_before(note, in_file)),
    }
    asked = {name: parts[name]() for name in set().union(*(ASKS[prompt] for prompt in wanted))}
    row = Resident.objects.filter(pk=person.pk).annotate(**asked).values(*asked).get()
    items = [{**item, "at": parse_datetime(item["at"])} for item in row.get("items", ())]
    given = [item for item in items if item["state"] != ItemState.DISMISSED]
    return File(
        pressure_taken=row.get("pressure", False),
        tags=frozenset(row.get("tags", ())),
        reported=[(item["disease"], item["at"]) for item in items if _counts(item)],
        educated=frozenset(item["group"] for item in given if item["group"] and now - item["at"] < EDUCATED),
        proposed=frozenset(
            tag for item in items if now - item["at"] < PROPOSED for tag in item["tags"] or ()
        ),
        before=[_lines(diagnoses) for diagnoses in row.get("before", ())],
    )


def _counts(item):
    """Whether a card stands for a report; of a lasting disease also one dismissed, for whatever was the reason."""
    if item["prompt"] != Prompt.INFECTIOUS:
        return False
    disease = notifiable.BY_NAME.get(item["disease"])
    return item["state"] != ItemState.DISMISSED or (disease is not None and disease.lasting)


def _pressure(note, rows, now):
    """Notes of this calendar year with both figures, whoever took them."""
    year = timezone.localtime(now).replace(month=1, day=1, hour=0, minute=0, second=0, microsecond=0)
    return (
        Note.objects.filter(
            encounter__resident__in=rows,
            encounter__arrived_at__gte=year,
            vitals__systolic__isnull=False,
            vitals__diastolic__isnull=False,
        )
        .exclude(pk=note.pk)
        .exclude(encounter__status=EncounterStatus.CANCELLED)
        .exclude(vitals__systolic="")
        .exclude(vitals__diastolic="")
    )


def _items(note, in_file):
    """The last cards, lessons and proposals of the file."""
    prompts = [prompt for prompt, parts in ASKS.items() if "items" in parts]
    rows = AfterVisitItem.objects.filter(in_file, prompt__in=prompts).exclude(note=note)
    found = JSONObject(
        prompt="prompt", state="state", disease=KT("facts__disease"), group=KT("facts__group"),
        tags="facts__tags", at=Cast("made_at", DateTimeField()),
    )  # fmt: skip
    return rows.order_by("-made_at").values(found=found)[:50]


def _before(note, in_file):
    """Diagnoses in force of the last finished visits; a note signed in error does not count."""
    last = Correction.objects.signed().filter(note=OuterRef("note__pk")).order_by("-number")
    return (
        Encounter.objects.filter(in_file, status=EncounterStatus.FINISHED, note__signed_at__isnull=False)
        .exclude(pk=note.encounter_id)
        .annotate(void=Coalesce(Subquery(last.values("void")[:1]), False))
        .exclude(void=True)
        .order_by("-arrived_at", "-pk")
        .values(
            found=Coalesce(
                Subquery(last.values("diagnoses")[:1]), F("note__diagnoses"), output_field=JSONField()
            )
        )[:BEFORE]
    )


def _lines(diagnoses):
    return [line for line in diagnoses if isinstance(line, dict)] if isinstance(diagnoses, list) else []


def card(signed, disease, line) -> dict:
    """The report card 传染病报告卡, as far as the file knows it; what it does not know stays empty."""
    person, by = signed.person, signed.by
    return {
        "name": person.name,
        "sex": str(person.get_sex_display()),
        "birth_date": person.birth_date.isoformat(),
        "id_number": person.id_number,
        "phone": person.phone or person.contact_phone,
        "guardian": person.contact_name if signed.age < 14 else "",
        "address": person.address,
        "occupation": str(person.get_occupation_display()) if person.occupation else "",
        "employer": person.employer,
        "disease": disease.name,
        "grade": disease.grade,
        "diagnosis": str(line["name"]).strip(),
        "case": line.get("certainty", Certainty.CONFIRMED),
        "onset_on": "",
        "diagnosed_at": f"{timezone.localtime(signed.now):%Y-%m-%d %H:%M}",
        "doctor": by.name,
        "unit": by.institution.name,
        "unit_phone": by.institution.phone,
    }


def pressure_of(text) -> dict:
    """{"pressure": "150/96"} where the note has it."""
    vitals = text.vitals if isinstance(text.vitals, dict) else {}
    pair = [str(vitals.get(name) or "").strip() for name in ("systolic", "diastolic")]
    return {"pressure": "/".join(pair)} if all(pair) else {}
