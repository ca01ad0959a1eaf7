"""What the page of one save tells: the receipt, whether the hash holds, the whole note then, and what it changed."""

from emr.models import Note, Save
from emr.saved import versions, words
from emr.signed import comparing, reading

FIELDS = ("by", "correction__note", "correction__author", "note__author", *(
    f"note__encounter__{name}" for name in ("resident__home", "resident__merged_into__home", "institution", "doctor")
))  # fmt: skip


def fetch(user):
    return Save.objects.visible_to(user).select_related(*FIELDS)


def of(save) -> dict:
    """The names that templates/emr/saves/_save.html reads. At most five queries."""
    after = versions.state(save)
    begin = versions.before(save)
    patience = comparing.Patience()
    fields = [
        {
            "label": Note._meta.get_field(name).verbose_name,
            "is_text": name in reading.PLAIN,
            "changed": begin[name] != after[name],
            "runs": reading.runs(name, [begin[name], after[name]], patience),
        }
        for name in Note.CONTENT_FIELDS
        if after[name] or begin[name]
    ]
    return {
        "save": save,
        "draft": save.correction or save.note,
        "encounter": save.note.encounter,
        "resident": save.note.encounter.resident.survivor,
        "fields": fields,
        "is_signature": not save.changes and not save.thinned_at and save.characters == 0,
        "check": versions.check(save),
        "names": words.fields(save.changes),
    }  # fmt: skip
