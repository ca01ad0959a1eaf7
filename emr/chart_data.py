"""What the chart's script works with (json_script "chart-data" of templates/emr/chart.html)."""

from uuid import UUID

from django.conf import settings
from django.urls import reverse

from emr import prescribing, requirements
from emr.chart_texts import TEXTS
from emr.codes import Certainty, EncounterStatus, Frequency, Route, System, VisitKind
from emr.drafting import fields, key
from emr.models import Correction, Note

ADDRESSES = {
    "save": "save-draft", "check": "check-note", "sign": "sign", "hold": "hold", "cancel": "cancel-visit", "resume": "resume",
    "print": "print-note", "previous": "previous", "chart": "chart", "faults": "save-faults",
    "note_template": "note-template",
}  # fmt: skip
# A correction is written on the same page and goes to addresses of its own.
OF_CORRECTION = {"save": "save-correction", "check": "check-correction", "sign": "sign-correction"}
HOLE = UUID(int=0)  # in an address, for the script to put another in its place
FIXED = {"template_search": "template-search", "terms": "terms", "sign_in": "sign-in-again", "home": "home"}


def of(note, allergies, user) -> dict:
    """The draft, where it is saved to, the key for this browser, and the tables behind the boxes."""
    visit = note.encounter
    return {
        "note": {name: getattr(note, name) for name in Note.DRAFT_FIELDS},
        "version": note.version,
        "unfolded": getattr(note, "unfolded", None) or [],
        "on_hold": visit.status == EncounterStatus.ON_HOLD,
        "encounter": visit.uuid,
        "store": store(note),
        "user": user.uuid,
        "username": user.username,
        "draft_key": key.of(user),
        "urls": {
            **addresses(note),
            **{name: reverse(address) for name, address in FIXED.items()},
            "template_content": reverse("template-content", args=[HOLE]),
            "template_hole": HOLE,
        },
        "allergies": allergies,
        "watch": prescribing.watch(allergies),
        **tables(),
        "texts": TEXTS,
    }


def addresses(draft) -> dict:
    found = {name: reverse(address, args=[draft.encounter.uuid]) for name, address in ADDRESSES.items()}
    if isinstance(draft, Correction):
        found |= {name: reverse(address, args=[draft.uuid]) for name, address in OF_CORRECTION.items()}
    return found


def store(draft):
    """Under which name this browser keeps unsaved text: a correction's never mixes with its note's."""
    return draft.uuid if isinstance(draft, Correction) else draft.encounter.uuid


def kept(note, user, found=()) -> dict:
    """What it takes to find text of the writer that this browser kept of a note now closed, and of its signed
    versions ``found`` (emr.signed.versions)."""
    return {
        "stores": [
            store(note),
            *(version.text.uuid for version in found[1:] if version.text.author_id == user.pk),
        ],
        "user": user.uuid,
        "draft_key": key.of(user),
        "labels": labels(),
    }


def labels() -> dict:
    return {name: Note._meta.get_field(name).verbose_name for name in Note.DRAFT_FIELDS}


def tables() -> dict:
    """The same for every note: choices, labels, limits, and what signing will demand."""
    return {
        "visit_kinds": VisitKind.choices,
        "systems": System.choices,
        "certainties": Certainty.choices,
        "routes": Route.choices,
        "frequencies": Frequency.choices,
        "vitals_fields": fields.VITALS,
        "labels": labels(),
        "demands": {kind.value: names for kind, names in requirements.DEMANDED.items()},
        "missing": requirements.SENTENCES,
        "days": {"ordinary": settings.ORDINARY_PRESCRIPTION_DAYS, "most": settings.LONG_PRESCRIPTION_DAYS},
        "limits": {
            "text": fields.TEXT_LIMIT,
            "vital": fields.VITAL_LIMIT,
            "diagnoses": fields.DIAGNOSES_MOST,
            "medications": fields.MEDICATIONS_MOST,
        },
    }
