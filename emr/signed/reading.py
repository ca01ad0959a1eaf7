"""A signed note as people read it: the text in force, the original of what was changed, and what comes next."""

from django.utils.translation import gettext as _

from emr import prescribing
from emr.actions.correcting import may_correct
from emr.codes import Certainty
from emr.drafting import fields as draft_fields
from emr.models import Note
from emr.signed import archive, comparing, versions

PLAIN = frozenset(Note.TEXT_FIELDS)


def of(note, user) -> dict:
    """What templates/emr/chart_readonly.html wants of a signed note, whose text in memory becomes the one in
    force. Two queries at any length."""
    found, writing = versions.with_open(note)
    last = found[-1]
    mine = may_correct(note, user) and not last.void
    context = {
        "versions": found,
        "last_version": last,
        "corrected": len(found) - 1,
        "void": last.void,
        "changes": changes(found),
        "archived_since": archive.since(note),
        "may_correct": mine,
        "open_correction": writing if mine else None,
        "reviews": [review for version in reversed(found) for review in version.reviews],
        "waits_for_review": last.text.needs_review and last.review is None,
    }
    versions.put(note, last.text if last.number > 1 else None)
    return context


def changes(found, patience=None) -> dict:
    """{field: runs} of the fields that any version changed; texts in passages, lines line by line."""
    patience = patience or comparing.Patience()
    told = {}
    for name in Note.CONTENT_FIELDS:
        values = [getattr(version.text, name) for version in found]
        if any(value != values[0] for value in values[1:]):
            told[name] = runs(name, values, patience)
    return told


def runs(name, values, patience):
    if name in PLAIN:
        return comparing.of_texts(values, patience)
    return comparing.of_lines([words(name, value) for value in values])


def words(name, value) -> list[str]:
    """Diagnoses, medicines and vital signs as lines for people."""
    if name == "visit_kind":
        return [str(dict(Note._meta.get_field(name).choices).get(value, value))]
    if name == "vitals":
        return [
            f"{label} {typed} {unit}".strip() for label, typed, unit in draft_fields.readable_vitals(value)
        ]
    if name == "medications":
        return [" ".join(str(part) for part in line.values() if part) for line in prescribing.readable(value)]
    return [_diagnosis(line) for line in value]


def _diagnosis(line):
    name = line.get("name", "").strip()
    if line.get("certainty") == Certainty.SUSPECTED:
        name = _("%(diagnosis)s (suspected)") % {"diagnosis": name}
    return "  ".join(filter(None, (name, line.get("code", ""), _("main one") if line.get("primary") else "")))


def story(note) -> list[dict]:
    """Every signed version with what it changed: {"version", "fields": [(label, is it text, runs)]}, the last first."""
    found, patience = versions.of(note), comparing.Patience()
    told = [{"version": found[0], "fields": whole(found[0])}]
    for before, version in zip(found, found[1:], strict=False):
        fields = changes([before, version], patience)
        told.append(
            {
                "version": version,
                "fields": [(_label(name), name in PLAIN, shown) for name, shown in fields.items()],
            }
        )
    return told[::-1]


def whole(version) -> list[tuple]:
    """A version from beginning to end: (label, is it text, runs)."""
    patience = comparing.Patience()
    fields = ((name, getattr(version.text, name)) for name in Note.CONTENT_FIELDS)
    return [(_label(name), name in PLAIN, runs(name, [value], patience)) for name, value in fields if value]


def _label(name):
    return Note._meta.get_field(name).verbose_name
