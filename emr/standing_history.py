"""What stays true of a resident, as it is shown: four lines, each with who confirmed it when (rules B1.3).

The text of the allergies is that of the ground floor's rows (clinic.models.Allergy); the standing row of that kind
says only who confirmed them.
"""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic.models import Allergy, Resident
from emr.codes import Frequency, StandingKind
from emr.models import StandingHistory

TEXT_LIMIT = 20_000  # as the note's past history, which it takes over
LONG_TERM_DAYS = 28  # 长期处方: four weeks and more (rules B5.5)
# Without one word on allergies nothing was asked yet, and there is nothing to confirm.
NONE_KNOWN = gettext_lazy("No known allergies")


@dataclass(frozen=True)
class Line:
    """One kind. ``version`` is 0 while nobody wrote or confirmed it."""

    kind: str
    label: str
    text: str = ""
    version: int = 0
    confirmed_by: str = ""
    confirmed_at: datetime | None = None
    stale: bool = False
    proposal: str = ""

    @property
    def editable(self):
        return self.kind != StandingKind.ALLERGY

    def as_facts(self) -> dict:
        """What the chart's script reads of it (static/js/chart/standing.js)."""
        day = date_format(timezone.localtime(self.confirmed_at), "Y-m-d") if self.confirmed_at else ""
        return {
            "kind": self.kind, "label": self.label, "text": self.text, "version": self.version, "stale": self.stale,
            "by": self.confirmed_by, "on": day, "proposal": self.proposal, "editable": self.editable,
        }  # fmt: skip


SHOWN = ("resident", "kind", "text", "version", "confirmed_at", "confirmed_by__name")


def lines(person, user, allergies, *, previous=(), now=None) -> list[Line]:
    """The four lines of the file, in the order of StandingKind. One query.

    ``allergies`` are the banner's rows (clinic.banner); ``previous`` the visits of emr.previous_visits.page, from
    which long-term medication is proposed.
    """
    now = now or timezone.now()
    rows = {}
    # The person came through the gate already; only the role is asked here, for the chart's speed.
    if user.is_clinical and user.has_perm("emr.view_note"):
        for row in StandingHistory.objects.of_file(person).select_related("confirmed_by").only(*SHOWN):
            rows.setdefault(row.kind, row)
    said = allergy_text(person, allergies)
    return [_line(kind, rows.get(kind), said, previous, now) for kind in StandingKind]


def _line(kind, row, said, previous, now):
    text = said if kind == StandingKind.ALLERGY else row.text if row else ""
    proposal = propose_medication(previous) if kind == StandingKind.MEDICATION else ""
    label = str(kind.label)
    proposal = "" if proposal == text else proposal
    if row is None:
        return Line(kind.value, label, text, proposal=proposal)
    by = row.confirmed_by.name if row.confirmed_by else ""
    return Line(
        kind.value, label, text, row.version, by, row.confirmed_at, bool(text) and row.is_stale(now), proposal
    )


def allergy_text(person, allergies) -> str:
    """The banner's allergies as one line, "青霉素（皮疹）、磺胺"; the sentence for none known; or empty: not asked."""
    named = [f"{row.substance}（{row.reaction}）" if row.reaction else row.substance for row in allergies]
    if named:
        return "、".join(named)
    return str(NONE_KNOWN) if person.no_known_allergies_on else ""


def allergies_of_file(person) -> list[Allergy]:
    """As the banner has them: of two rows that say the same, the first."""
    file = Resident.objects.filter(Q(pk=person.pk) | Q(merged_into=person.pk)).values("pk")
    rows = Allergy.objects.filter(resident__in=file, refuted_on=None)
    return list({row.substance: row for row in reversed(list(rows))}.values())[::-1]


def propose_medication(previous) -> str:
    """Drugs of signed visits that look long-term: prescribed for four weeks or more, or in both of the last two
    visits. One a line with dose and frequency as last prescribed, the newest first; empty where there are none."""
    seen, chosen = {}, {}
    for place, visit in enumerate(previous):
        if getattr(visit.note, "void", False):
            continue
        for line in _medications(visit.note):
            name = line["drug"].strip()
            seen.setdefault(name, line)
            if _days(line) >= LONG_TERM_DAYS or (place == 1 and _in(previous[0], name)):
                chosen.setdefault(name, None)
    return "\n".join(_drug_line(seen[name]) for name in seen if name in chosen)


def _medications(note):
    rows = note.medications if isinstance(note.medications, list) else []
    return [row for row in rows if isinstance(row, dict) and str(row.get("drug") or "").strip()]


def _in(visit, name):
    return any(line["drug"].strip() == name for line in _medications(visit.note))


def _days(line):
    digits = "".join(char for char in str(line.get("days") or "") if char.isdecimal())
    return int(digits) if digits else 0


def _drug_line(line):
    often = str(dict(Frequency.choices).get(line.get("frequency"), ""))
    parts = (line["drug"].strip(), str(line.get("dose") or "").strip(), often)
    return " ".join(part for part in parts if part)


def block(person, user, allergies, *, previous=(), may_write=False) -> dict:
    """What templates/emr/_standing.html shows; ``data`` is there for those who may write."""
    shown = lines(person, user, allergies, previous=previous)
    if not may_write:
        return {"lines": shown}
    data = {
        "lines": [line.as_facts() for line in shown],
        "urls": {
            "save": reverse("standing-save", args=[person.uuid]),
            "confirm": reverse("standing-confirm", args=[person.uuid]),
        },
        "limit": TEXT_LIMIT,
        "texts": texts(),
    }
    return {"lines": shown, "data": data}


def texts() -> dict:
    return {
        "confirmed": _("confirmed by {by}, {on}"),
        "never": _("not confirmed yet"),
        "empty": _("not asked yet"),
        "stale": _("please check again"),
        "done": _("Still correct: {n} entries are confirmed."),
        "nothing": _("There is nothing to confirm yet."),
        "conflict": _("{by} changed this meanwhile. It says now: {text}"),
        "again": _("Somebody changed this meanwhile. Please look at it once more."),
        "long": _("At most {n} characters."),
        "offline": _("The server does not answer. Please try again in a moment."),
        "proposal": _("From prescriptions"),
        "saved": _("The standing history is saved."),
    }
