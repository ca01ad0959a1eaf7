"""The after-visit list as it is read: what is due first stands first, and whether the note was corrected since."""

from django.db.models import Exists, F, OuterRef, Subquery

from emr.after_visits import notifiable
from emr.codes import Prompt
from emr.models import AfterVisitItem, Correction

PAGE = 50
NAMED = (
    "uuid", "prompt", "facts", "made_at", "due_at", "state", "answer", "done_at", "resident__name", "resident__sex",
    "resident__birth_date", "note__encounter__uuid",
)  # fmt: skip


def open_of(user):
    """What is left to do, due soonest first."""
    return _listed(user).open().order_by(F("due_at").asc(nulls_last=True), "made_at", "pk")


def closed_of(user):
    return _listed(user).exclude(state="open").order_by("-done_at", "-pk")


def count_open(user) -> int:
    return (
        AfterVisitItem.objects.visible_to(user).open().count()
        if user.has_perm("emr.view_aftervisititem")
        else 0
    )


def with_correction(rows):
    """``corrected_at`` and ``now_says``: when the note was corrected since, and its diagnoses in force."""
    since = Correction.objects.signed().filter(note=OuterRef("note"), signed_at__gt=OuterRef("made_at"))
    last = since.order_by("-number")
    return rows.annotate(
        corrected_at=Subquery(last.values("signed_at")[:1]),
        now_says=Subquery(last.values("diagnoses")[:1]),
        undone=Exists(since.filter(void=True)),
    )


def _listed(user):
    rows = AfterVisitItem.objects.visible_to(user).select_related("resident", "note__encounter").only(*NAMED)
    return with_correction(rows)


def page(rows, number) -> tuple[list, bool]:
    """Fifty of the list from page ``number`` (0…) on, and whether there are more. One query."""
    found = list(rows[number * PAGE : (number + 1) * PAGE + 1])
    return found[:PAGE], len(found) > PAGE


def tell(items, now):
    """Put what the page says of each onto it: ``overdue``, ``subject``, ``corrected`` and ``gone``."""
    for item in items:
        item.overdue = item.state == "open" and item.due_at is not None and item.due_at < now
        item.subject = str(
            item.facts.get("disease") or item.facts.get("group") or item.facts.get("names") or ""
        )
        item.corrected = item.corrected_at is not None
        item.gone = item.corrected and (item.undone or _is_gone(item))
    return items


def _is_gone(item):
    """Whether the infectious diagnosis that the card is of no longer stands in the note."""
    if item.prompt != Prompt.INFECTIOUS:
        return False
    lines = item.now_says if isinstance(item.now_says, list) else []
    return item.facts.get("disease") not in {found.name for line in lines if (found := notifiable.find(line))}
