"""A signed note on paper: what is printed, in which order, on pages of A5 or A4.

The paper is the institution's, so it is always in Chinese, whatever language the page around it speaks. Where a
note was corrected, both texts are printed: emr.printed_versions.
"""

import re
from dataclasses import dataclass, replace
from math import floor

from django.conf import settings
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from clinic import identifiers
from emr.codes import Certainty, Frequency, ReviewDecision, Route, System
from emr.printed_versions import Passages
from emr.signed import versions
from emr.typesetting import Line, break_lines, break_runs, measure, paginate, struck_line, width


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


def lay_out(note, paper: Paper, found=None) -> Printout:
    """The pages of a note whose visit, resident and institution are at hand. ``found``: its versions
    (emr.signed.versions.of), where the caller has them."""
    found = found or versions.of(note)
    with translation.override(settings.LANGUAGE_CODE):
        title = _("Outpatient record (void)") if found[-1].void else _("Outpatient record")
        titles = [*break_lines(note.encounter.institution.name, paper.title_room), title]
        facts = _flow(_facts(note.encounter, found[-1].text), paper.room)
        signatures = [line for version in found for line in _signature(version, found[-1], paper.room)]
        pages = paginate([*_body(found, paper.room), *signatures], paper.lines(len(titles), len(facts)))
        numbers = [
            _("Page %(number)d of %(total)d") % {"number": number, "total": len(pages)}
            for number in range(1, len(pages) + 1)
        ]
        return Printout(paper, titles, facts, list(zip(pages, numbers, strict=True)))


def _with_label(label, value):
    return _("%(label)s: %(value)s") % {"label": label, "value": value}


def _moment(at):
    return f"{timezone.localtime(at):%Y-%m-%d %H:%M}"


def _facts(visit, text):
    resident, at = visit.resident, visit.started_at or visit.arrived_at
    age = identifiers.age_text(resident.birth_date, timezone.localdate(at))
    facts = (
        (_("Name"), resident.name),
        (_("Sex"), resident.get_sex_display()),
        (_("Age"), age),
        (_("Department"), visit.department),
        (pgettext("printed head", "Kind"), text.get_visit_kind_display()),
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


def _body(found, room):
    """All sections; what a correction took out is struck and stands before what it put in."""
    passages = Passages(found)
    kinds = passages.of_lines([str(version.text.get_visit_kind_display())] for version in found)
    lines = _text(pgettext("printed head", "Kind"), kinds, room) if len(kinds) > 1 else []
    for field, label in SECTIONS:
        values = [getattr(version.text, field) for version in found]
        if field == "vitals":
            lines += _text(label, passages.of(map(_vitals, values)), room)
        elif field == "diagnoses":
            lines += _diagnoses(values, passages, room)
        elif field == "medications":
            lines += _list(
                label, passages.of_lines([_medication(line) for line in value] for value in values), room
            )
        else:
            lines += _text(label, passages.of(NEW_LINE.sub("\n", value) for value in values), room)
    return lines


def paragraphs(text: str) -> list[str]:
    """The lines as typed. Several empty ones shrink to one, those around the text fall away."""
    return ["".join(text for text, _struck in runs) for runs in run_paragraphs([(text, False)])]


def run_paragraphs(runs) -> list[list[tuple]]:
    """The same for passages, (text, struck), that make up the text."""
    typed = [[]]
    for text, struck in runs:
        for number, piece in enumerate(NEW_LINE.split(text)):
            if number:
                typed.append([])
            if piece:
                typed[-1].append((piece, struck))
    kept = []
    for paragraph in typed:
        said = any(text.strip() for text, _struck in paragraph)
        if said or (kept and kept[-1]):
            kept.append(paragraph if said else [])
    return kept[:-1] if kept and not kept[-1] else kept


def _text(label, runs, room):
    """A section whose label and text begin on the same line; nothing where there is no text."""
    head = _with_label(label, "").rstrip(" ")
    lines = []
    for number, paragraph in enumerate(run_paragraphs(runs)):
        label = head if number == 0 else ""
        pieces = break_runs(paragraph, room, sum(map(width, label)))
        lines.append(struck_line(pieces[0], label=label))
        lines += [struck_line(piece) for piece in pieces[1:]]
    return lines


def _list(label, entries, room):
    """A label, then numbered entries below it, a little indented; struck ones keep their place unnumbered."""
    entries = [(text, struck) for text, struck in entries if text]
    if not entries:
        return []
    lines, number = [Line("", label=_with_label(label, "").rstrip(" "), keep=True)], 0
    for text, struck in entries:
        number += not struck
        whole = " ".join((text if struck else f"{number}. {text}").split("\n"))
        lines += [struck_line(piece, kind="entry") for piece in break_runs([(whole, struck)], room - 1)]
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


def _diagnoses(values, passages, room):
    western = [[_diagnosis(line) for line in lines if line.get("system") not in TCM] for lines in values]
    chinese = [[_diagnosis(line) for line in lines if line.get("system") in TCM] for lines in values]
    return [
        *_list(_("Diagnosis"), passages.of_lines(western), room),
        *_list(_("TCM diagnosis"), passages.of_lines(chinese), room),
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


def _signature(version, last, room):
    """Kept together and at the right, with a place for the handwritten signature; a correction's with its
    number and its reason before. The next one may stand on another page."""
    if version.signed_at is None:
        said = [_("From the old system; no signature of this one.")]
        if version.text.imported_doctor:
            said.append(_with_label(_("Doctor"), version.text.imported_doctor))
    else:
        name = f"{version.signer} {version.signer_title}".strip()
        said = [_with_label(_("Doctor"), name), _with_label(_("Signed at"), _moment(version.signed_at))]
        said += _review(version, last)
    said.append(_with_label(_("Signature by hand"), "＿＿＿＿＿＿＿＿"))
    pieces = [piece for sentence in said for piece in break_lines(sentence, room)]
    return [
        Line("", keep=True),
        *_reason(version, room),
        *(Line(piece, kind="sign", keep=True) for piece in pieces[:-1]),
        Line(pieces[-1], kind="sign"),
    ]


def _reason(version, room):
    if version.kind is None:
        return []
    return [replace(line, keep=True) for line in _text(version.title, [(version.reason, False)], room)]


def _review(version, last):
    """A doctor's word on what an assistant signed, or that it is still awaited."""
    if version.review is None:
        return (
            [_("Awaiting a senior doctor's review")] if version.text.needs_review and version is last else []
        )
    facts = {"name": version.review.reviewer_name, "at": _moment(version.review.at)}
    if version.review.decision == ReviewDecision.APPROVED:
        return [_("Reviewed by %(name)s, %(at)s") % facts]
    if version is last:
        return [_("Returned by %(name)s, %(at)s; awaiting another review") % facts]
    return [_("Returned by %(name)s, %(at)s") % facts]
