"""A signed note on paper: what is printed, in which order, on pages of A5 or A4.

The paper is the institution's, so it is always in Chinese, whatever language the page around it speaks.
"""

import re
from dataclasses import dataclass
from math import floor

from django.conf import settings
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from clinic import identifiers
from emr.codes import Certainty, Frequency, ReviewDecision, Route, System
from emr.typesetting import Line, break_lines, measure, paginate, width


@dataclass(frozen=True)
class Paper:
    """Millimetres, the same as in static/css/print_<code>.css."""

    code: str
    text_width: float
    text_height: float  # without the foot
    font: float
    line: float
    title_font: float
    title_line: float
    rule: float = 4.0

    @property
    def room(self):
        """Em on a line, half an em left for the printer's rounding."""
        return self.text_width / self.font - 0.5

    @property
    def title_room(self):
        return self.text_width / self.title_font - 0.5

    def lines(self, titles, facts):
        """Body lines on a page under a header of so many title and fact lines."""
        taken = titles * self.title_line + facts * self.line + self.rule
        return max(5, floor((self.text_height - taken) / self.line))


PAPERS = {
    "a5": Paper("a5", 124, 184, 3.7, 5.6, 4.4, 6.6),
    "a4": Paper("a4", 174, 258, 4.2, 6.6, 5.2, 8.0),
}
SECTIONS = (
    ("chief_complaint", gettext_lazy("Chief complaint")),
    ("present_illness", gettext_lazy("Present illness")),
    ("past_history", gettext_lazy("Past history")),
    ("vitals", gettext_lazy("Vital signs")),
    ("signs", gettext_lazy("Signs")),
    ("examinations", gettext_lazy("Auxiliary examinations")),
    ("diagnoses", ""),
    ("treatment", gettext_lazy("Treatment")),
    ("medications", gettext_lazy("Medication")),
)
VITALS = (
    ("temperature", gettext_lazy("temperature"), "℃"),
    ("pulse", gettext_lazy("pulse"), "次/分"),
    ("respiration", gettext_lazy("respiration"), "次/分"),
    ("pressure", gettext_lazy("blood pressure"), "mmHg"),
    ("height", gettext_lazy("height"), "cm"),
    ("weight", gettext_lazy("weight"), "kg"),
    ("spo2", gettext_lazy("oxygen saturation"), "%"),
    ("glucose", gettext_lazy("blood glucose"), "mmol/L"),
)
TCM = (System.TCM_DISEASE, System.TCM_SYNDROME)
NEW_LINE = re.compile("\r\n|[\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029]")


@dataclass(frozen=True)
class Printout:
    """``pages`` holds (lines, "第 1 页 共 2 页"); titles and facts stand at the head of each."""

    paper: Paper
    titles: list[str]
    facts: list[str]
    pages: list[tuple[list[Line], str]]


def may_print(note) -> bool:
    """Signed and imported notes only: a draft on paper would pass for a record."""
    return note.is_signed or note.imported


def lay_out(note, paper: Paper) -> Printout:
    """The pages of a note whose visit, resident and institution are at hand."""
    with translation.override(settings.LANGUAGE_CODE):
        titles = [*break_lines(note.encounter.institution.name, paper.title_room), _("Outpatient record")]
        facts = _flow(_facts(note), paper.room)
        body = [*_body(note, paper.room), *_signature(note, paper.room)]
        pages = paginate(body, paper.lines(len(titles), len(facts)))
        numbers = [
            _("Page %(number)d of %(total)d") % {"number": number, "total": len(pages)}
            for number in range(1, len(pages) + 1)
        ]
        return Printout(paper, titles, facts, list(zip(pages, numbers, strict=True)))


def _with_label(label, value):
    return _("%(label)s: %(value)s") % {"label": label, "value": value}


def _moment(at):
    return f"{timezone.localtime(at):%Y-%m-%d %H:%M}"


def _facts(note):
    visit = note.encounter
    resident, at = visit.resident, visit.started_at or visit.arrived_at
    age = identifiers.age_text(resident.birth_date, timezone.localdate(at))
    facts = (
        (_("Name"), resident.name),
        (_("Sex"), resident.get_sex_display()),
        (_("Age"), age),
        (_("Department"), visit.department),
        (pgettext("printed head", "Kind"), note.get_visit_kind_display()),
        (pgettext("printed head", "Record number"), resident.record_number),
        (_("Visit time"), _moment(at)),
    )
    return [_with_label(label, value) for label, value in facts if value]


def _flow(facts, room):
    """Facts side by side, each in one piece where it fits on a line."""
    lines = [""]
    for fact in facts:
        gap = "\u3000" if lines[-1] else ""
        if measure(lines[-1] + gap + fact) <= room:
            lines[-1] += gap + fact
        else:
            lines.extend(break_lines(fact, room))
    return [line for line in lines if line]


def _body(note, room):
    lines = []
    for field, label in SECTIONS:
        if field == "vitals":
            lines += _text(label, _vitals(note.vitals), room)
        elif field == "diagnoses":
            lines += _diagnoses(note.diagnoses, room)
        elif field == "medications":
            lines += _list(label, [_medication(line) for line in note.medications], room)
        else:
            lines += _text(label, getattr(note, field), room)
    return lines


def paragraphs(text: str) -> list[str]:
    """The lines as typed. Several empty ones shrink to one, those around the text fall away."""
    kept = []
    for paragraph in NEW_LINE.split(text):
        if paragraph.strip() or (kept and kept[-1]):
            kept.append(paragraph if paragraph.strip() else "")
    return kept[:-1] if kept and not kept[-1] else kept


def _text(label, text, room):
    """A section whose label and text begin on the same line; nothing where there is no text."""
    head = _with_label(label, "").rstrip(" ")
    lines = []
    for number, paragraph in enumerate(paragraphs(text)):
        label = head if number == 0 else ""
        pieces = break_lines(paragraph, room, sum(map(width, label)))
        lines.append(Line(pieces[0], label=label))
        lines += [Line(piece) for piece in pieces[1:]]
    return lines


def _list(label, entries, room):
    """A label, then numbered entries below it, a little indented."""
    entries = [entry for entry in entries if entry]
    if not entries:
        return []
    lines = [Line("", label=_with_label(label, "").rstrip(" "), keep=True)]
    for number, entry in enumerate(entries, start=1):
        text = " ".join(f"{number}. {entry}".split("\n"))
        lines += [Line(piece, kind="entry") for piece in break_lines(text, room - 1)]
    return lines


def _vitals(vitals):
    systolic, diastolic = vitals.get("systolic", "").strip(), vitals.get("diastolic", "").strip()
    values = {**vitals, "pressure": f"{systolic}/{diastolic}" if systolic or diastolic else ""}
    return "  ".join(
        f"{label} {_with_unit(values[name].strip(), unit)}"
        for name, label, unit in VITALS
        if values.get(name, "").strip()
    )


def _with_unit(typed, unit):
    """A number gets its unit; what was typed with one stays as it is."""
    return f"{typed}{unit}" if typed[-1].isdigit() or typed[-1] == "/" else typed


def _diagnoses(lines, room):
    western = [_diagnosis(line) for line in lines if line.get("system") not in TCM]
    chinese = [_diagnosis(line) for line in lines if line.get("system") in TCM]
    return [
        *_list(_("Diagnosis"), western, room),
        *_list(_("TCM diagnosis"), chinese, room),
    ]


def _diagnosis(line):
    name, code = line.get("name", "").strip(), line.get("code", "").strip()
    if name and line.get("certainty") == Certainty.SUSPECTED:
        name = _("%(diagnosis)s (suspected)") % {"diagnosis": name}
    return "  ".join(part for part in (name, code) if part)


def _medication(line):
    days = line.get("days", "").strip()
    parts = (
        line.get("drug", ""),
        line.get("dose", ""),
        _label(Route, line.get("route", "")),
        _label(Frequency, line.get("frequency", "")),
        _("%(days)s days") % {"days": days} if days else "",
        line.get("reason", ""),
    )
    return "  ".join(part.strip() for part in parts if part.strip())


def _label(choices, code):
    return str(choices(code).label) if code in choices.values else code


def _signature(note, room):
    """Kept together and at the right, with a place for the handwritten signature."""
    if note.imported:
        said = [_("From the old system; no signature of this one.")]
        if note.imported_doctor:
            said.append(_with_label(_("Doctor"), note.imported_doctor))
    else:
        name = f"{note.signer} {note.signer_title}".strip()
        said = [_with_label(_("Doctor"), name), _with_label(_("Signed at"), _moment(note.signed_at))]
        said += _review(note)
    said.append(_with_label(_("Signature by hand"), "＿＿＿＿＿＿＿＿"))
    pieces = [piece for sentence in said for piece in break_lines(sentence, room)]
    return [Line("", keep=True), *(Line(piece, kind="sign", keep=True) for piece in pieces)]


def _review(note):
    """A doctor's word on an assistant's note, or that it is still awaited."""
    if not note.needs_review:
        return []
    last = note.reviews.order_by("-at", "-pk").first()
    if last is None:
        return [_("Awaiting a senior doctor's review")]
    facts = {"name": last.reviewer_name, "at": _moment(last.at)}
    if last.decision == ReviewDecision.APPROVED:
        return [_("Reviewed by %(name)s, %(at)s") % facts]
    return [_("Returned by %(name)s, %(at)s; awaiting another review") % facts]
