"""How the demo's notes were typed: field by field, at the pace of a hand, each step a save with its receipt."""

import uuid
from datetime import timedelta

from emr.actions import drafts
from emr.models import Save
from emr.models.note_text import MARKED_FIELDS

# Seconds of typing as they come from autosave: field → (chance of being typed, seconds). What is not typed came
# from a template.
TYPING = {
    "chief_complaint": (1.0, 9), "present_illness": (0.6, 24), "signs": (0.5, 11), "examinations": (0.3, 5),
    "diagnoses": (1.0, 6), "treatment": (0.9, 15), "medications": (0.7, 18),
}  # fmt: skip
CARRIED = ("visit_kind", "past_history", "marks")


def steps(fields, rng, began) -> list[tuple]:
    """(changes, when) that add up to the fields. What nobody typed gets its mark in ``fields["marks"]``, where
    there are marks."""
    typed = {
        name: seconds * rng.uniform(0.6, 1.5)
        for name, (chance, seconds) in TYPING.items()
        if fields.get(name) and rng.random() < chance
    }
    there = {name: value for name, value in fields.items() if value and name not in typed}
    if "marks" in fields:
        fields["marks"] |= {name: {"how": "template", "from": ""} for name in MARKED_FIELDS if name in there}
        there["marks"] = fields["marks"] | {"past_history": {"how": "carried", "from": ""}}
        fields["marks"] = there["marks"]
    carried = {name: there.pop(name) for name in CARRIED if name in there}
    found = [(carried, began), (there, began + timedelta(seconds=4))]
    for name, seconds in typed.items():
        found.append(({name: fields[name]}, found[-1][1] + timedelta(seconds=seconds)))
    return [(changes, at) for changes, at in found if changes]


def keep(note, made):
    """Store the steps as the note's saves, versions from 1."""
    Save.objects.bulk_create(
        Save(
            key=uuid.uuid4(),
            note=note,
            by=note.author,
            version=version,
            changes=changes,
            characters=drafts.count_characters(changes),
            sha256=drafts.fingerprint(changes),
            saved_at=at,
        )  # fmt: skip
        for version, (changes, at) in enumerate(made, 1)
    )
