"""What writing a note costs 填写成本: from the times of its saves, and nothing that anybody has to type for it.

A gap between two saves of the author, at most half a minute of it, is the typing of the fields in the later save,
shared equally; the visit's start counts as the first moment. The signature's own save holds no field and counts for
nothing. What the start of the visit filled in by itself, or a template or an earlier visit and was left so, is nobody's
typing.
"""

from datetime import timedelta

from django.db.models import Exists, OuterRef
from django.utils import timezone

from emr.models import Note, Save, WritingMeasure

CAP = 30.0  # seconds: a longer gap is listening, not typing
STARTING = timedelta(seconds=2)  # the start's own save comes with it
BY_ITSELF = frozenset({"past_history", "visit_kind", "marks"})
BATCH = 200
# Signatures are numbered by their moment; one may be stored a little after a later one.
LOOK_BACK = timedelta(hours=1)
FIELDS = (*Note.TEXT_FIELDS, *Note.LINE_FIELDS, "vitals")
TYPED = frozenset({*FIELDS, "visit_kind"})
# The treatment's box holds the medication lines too: on the page they are one.
BOX = {name: name for name in FIELDS} | {"medications": "treatment"}
TAKEN = frozenset({"carried", "copied"})


def measure_new(limit=BATCH) -> int:
    """Measure signed notes that have none, the oldest first, in batches; return how many.

    Two at once, or one cut off, do no harm: a note has one measure. Reads signed notes by their index, from a
    little before the last one measured.
    """
    done = 0
    while batch := list(unmeasured()[:limit]):
        made = WritingMeasure.objects.bulk_create(measures_of(batch), ignore_conflicts=True)
        done += len(made)
    return done


def unmeasured():
    """Signed notes from the last measured one on, the oldest first. Imported notes bear no signature."""
    measured = WritingMeasure.objects.filter(note=OuterRef("pk"))
    rows = Note.objects.filter(signed_at__isnull=False).filter(~Exists(measured))
    last = WritingMeasure.objects.order_by("-pk").values_list("note__signed_at", flat=True).first()
    if last is not None:
        rows = rows.filter(signed_at__gte=last - LOOK_BACK)
    return rows.select_related("encounter").order_by("signed_at", "pk")


def measures_of(notes) -> list[WritingMeasure]:
    """The measures of these signed notes, not stored yet. One query."""
    saves = {}
    rows = Save.objects.filter(note__in=[note.pk for note in notes], correction=None)
    for row in rows.order_by("note", "version").only("note", "by", "version", "changes", "saved_at"):
        saves.setdefault(row.note_id, []).append(row)
    return [measure(note, saves.get(note.pk, [])) for note in notes]


def measure(note, saves) -> WritingMeasure:
    """One note's measure from its saves in their order. Without saves of its own (a note of another time)
    ``fields`` is empty, and the figures leave it out."""
    saved, seconds = _typing(note, saves)
    typed = {name: spent for name, spent in saved.items() if not _mark(note, name)}
    fields = {
        name: {"s": round(typed.get(name, 0.0), 1), "empty": _is_empty(note, name), "copied": _is_copied(note, name)}
        for name in FIELDS
    }  # fmt: skip
    return WritingMeasure(
        note=note,
        institution_id=note.encounter.institution_id,
        doctor_id=note.author_id or note.signed_by_id,
        visit_kind=note.visit_kind,
        signed_on=timezone.localdate(note.signed_at),
        seconds=round(seconds),
        boxes=len({BOX[name] for name in typed if name in BOX}),
        fields=fields if saved else {},
    )


def _typing(note, saves) -> tuple[dict, float]:
    """{field: seconds} of what the author saved, and the seconds of the whole."""
    typed, whole, started = {}, 0.0, note.encounter.started_at
    before = started
    for save in saves:
        if save.by_id != note.author_id or not isinstance(save.changes, dict):
            continue
        gap = min(max((save.saved_at - before).total_seconds(), 0.0), CAP) if before else 0.0
        before = save.saved_at
        names = TYPED & set(save.changes)
        if not names or _is_the_start(save, started):
            continue
        whole += gap
        for name in names:
            typed[name] = typed.get(name, 0.0) + gap / len(names)
    return typed, whole


def _is_the_start(save, started):
    """Whether it is what a visit's start fills in (emr.drafting.prefill), not what a hand typed."""
    by_itself = set(save.changes) <= BY_ITSELF and started is not None
    return by_itself and abs(save.saved_at - started) < STARTING


def _is_empty(note, name):
    value = getattr(note, name)
    if isinstance(value, str):
        return not value.strip()
    return not (any(value.values()) if isinstance(value, dict) else value)


def _is_copied(note, name):
    return _mark(note, name).get("how") in TAKEN


def _mark(note, name) -> dict:
    """Where the field was taken over from and left as it was; empty where a hand was at it."""
    mark = note.marks.get(name) if isinstance(note.marks, dict) else None
    return mark if isinstance(mark, dict) else {}
