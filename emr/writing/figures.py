"""The figures of the cost of writing: medians by the database, and what they suggest for each field."""

from dataclasses import dataclass
from datetime import timedelta

from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from emr.codes import VisitKind
from emr.models import Note, WritingMeasure
from emr.writing.cost import FIELDS

PERIODS = (30, 90, 365)
GOAL_SECONDS, GOAL_BOXES = 90, 3
ENOUGH = 20  # notes; below that a figure is chance
OFTEN_EMPTY, OFTEN_COPIED, OFTEN_FILLED = 0.8, 0.5, 0.5
LONG = 20.0  # seconds of typing one field
RULES = (
    gettext_lazy("Empty in 80 of 100 notes or more: fold it."),
    gettext_lazy("Copied unchanged in 50 of 100 notes or more: prefill it."),
    gettext_lazy("Typed for 20 seconds or more (median) and filled in 50 of 100 notes or more: prefill it from a template."),
    gettext_lazy("Else: leave it as it is. Below 20 notes nothing is proposed."),
)  # fmt: skip

WHOLE = """
SELECT count(*), percentile_cont(0.5) WITHIN GROUP (ORDER BY m.seconds),
       percentile_cont(0.5) WITHIN GROUP (ORDER BY m.boxes)
FROM ({rows}) m
"""
EACH = """
SELECT f.key, count(*),
       percentile_cont(0.5) WITHIN GROUP (ORDER BY (f.value->>'s')::float)
           FILTER (WHERE (f.value->>'s')::float > 0),
       avg((f.value->>'empty')::boolean::int)::float, avg((f.value->>'copied')::boolean::int)::float
FROM ({rows}) m CROSS JOIN LATERAL jsonb_each(m.fields) f
GROUP BY f.key
"""


@dataclass(frozen=True)
class Figure:
    """One field: ``seconds`` is the median of the notes in which it was typed, None where it never was; ``empty``
    and ``copied`` are parts of one."""

    name: str
    label: str
    notes: int
    seconds: float | None
    empty: float
    copied: float
    proposal: str
    advice: str

    @property
    def empty_percent(self):
        return round(self.empty * 100)

    @property
    def copied_percent(self):
        return round(self.copied * 100)


@dataclass(frozen=True)
class Whole:
    """All notes chosen: how many, median seconds of writing, median boxes touched."""

    notes: int
    seconds: float | None
    boxes: float | None

    @property
    def met(self):
        return self.notes > 0 and self.seconds <= GOAL_SECONDS and self.boxes <= GOAL_BOXES


def chosen(user, place, days, kind, now=None):
    """The measures of an institution and all below it, within the user's reach."""
    since = timezone.localdate(now or timezone.now()) - timedelta(days=days)
    rows = WritingMeasure.objects.visible_to(user).filter(
        institution__path__startswith=place.path, signed_on__gt=since
    )
    rows = rows.exclude(fields={})
    return rows.filter(visit_kind=kind) if kind else rows


def whole(rows) -> Whole:
    return Whole(*_ask(WHOLE, rows)[0])


def goal(user, place, days, now=None) -> Whole:
    """Of return visits, whatever kind is looked at: that is where the goal stands."""
    return whole(chosen(user, place, days, VisitKind.RETURN, now))


def figures(rows) -> list[Figure]:
    """One for each field of the note, in the order of the page."""
    found = {row[0]: row[1:] for row in _ask(EACH, rows)}
    return [_figure(name, *found[name]) for name in FIELDS if name in found]


def _figure(name, notes, seconds, empty, copied):
    proposal = propose(notes, seconds, empty, copied)
    label = str(Note._meta.get_field(name).verbose_name)
    return Figure(name, label, notes, seconds, empty, copied, proposal, advice(proposal))


def propose(notes, seconds, empty, copied) -> str:
    """ "fold", "prefill", "template", "leave" or "few" (RULES)."""
    if notes < ENOUGH:
        return "few"
    if empty >= OFTEN_EMPTY:
        return "fold"
    if copied >= OFTEN_COPIED:
        return "prefill"
    if seconds is not None and seconds >= LONG and 1 - empty >= OFTEN_FILLED:
        return "template"
    return "leave"


def advice(proposal) -> str:
    return {
        "few": _("Too few notes to say."),
        "fold": _("Fold it: it is mostly empty."),
        "prefill": _("Prefill it: it is mostly taken over unchanged."),
        "template": _("Prefill it from a template: typing it takes long."),
        "leave": _("Leave it as it is."),
    }[proposal]


def _ask(sql, rows):
    """The statement over these measures; the gate and the choice stay the queryset's."""
    inner, params = rows.order_by().values("seconds", "boxes", "fields").query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(sql.format(rows=inner), params)
        return cursor.fetchall()
