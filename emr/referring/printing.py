"""The two national forms on A4: 双向转诊（转出）单 with its stub, and 双向转诊（回转）单 (国家基本公共卫生服务规范).

The institution's paper is in Chinese, whatever language the page around it speaks. A long text goes on on
the next sheet: nothing is cut.
"""

from dataclasses import dataclass

from django.conf import settings
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from clinic.codes import Sex
from emr import printing
from emr.typesetting import Line, break_lines, measure, paginate, width

PAPER = printing.PAPERS["a4"]
BLANK = "＿＿＿＿＿＿"


@dataclass(frozen=True)
class Form:
    """``pages`` holds (lines, "第 1 页 共 2 页"); titles and facts stand at the head of each."""

    titles: list[str]
    facts: list[str]
    pages: list[tuple[list[Line], str]]


def lay_out(referral) -> Form:
    """The form out, its stub above it."""
    with translation.override(settings.LANGUAGE_CODE):
        sent = timezone.localdate(referral.sent_at)
        stub = [*_head(referral), *_flow(_gone(referral, sent)), *_signed(_("Referring doctor"), sent)]
        sections = (
            (_("First impression"), referral.impression),
            (_("Present illness (reason for referral)"), referral.present_illness),
            (_("Main past history"), referral.past_history),
            (_("Course of treatment"), referral.treatment_course),
        )
        body = [
            *_addressed(referral.to_name),
            *_text(_please(referral)),
            *_sections(sections),
            *_signed(
                _("Referring doctor"), sent, name=referral.doctor_name, phone=referral.doctor_phone,
                place=referral.from_institution.name,
            ),
        ]  # fmt: skip
        return _sheets(referral, referral.from_institution.name, _("Referral form"), stub, body)


def lay_out_return(referral) -> Form:
    """The form back, its stub above it."""
    with translation.override(settings.LANGUAGE_CODE):
        back = timezone.localdate(referral.closed_at)
        stub = [*_head(referral), *_flow(_gone_back(referral, back)), *_signed(_("Returning doctor"), back)]
        sections = (
            (_("Result of diagnosis"), referral.return_diagnosis),
            (_("Inpatient record number"), referral.inpatient_number),
            (_("Main results of examinations"), referral.results),
            (_("Treatment, next steps and rehabilitation advice"), referral.return_course),
        )
        body = [
            *_addressed(referral.from_institution.name),
            *_text(_please_back(referral)),
            *_sections(sections),
            *_signed(
                _("Returning doctor"), back, name=referral.return_doctor, phone=referral.return_phone,
                place=referral.to_name,
            ),
        ]  # fmt: skip
        return _sheets(referral, referral.to_name, _("Return form"), stub, body)


def _sheets(referral, institution, title, stub, body):
    titles = [*break_lines(institution, PAPER.title_room), title]
    name = referral.person["name"]
    facts = [line.text for line in _flow([_said(_("Number"), referral.number), _said(_("Name"), name)])]
    lines = [
        Line(_("Stub"), kind="middle", keep=True), *stub, Line("", kind="cut", keep=True),
        Line(title, kind="middle", keep=True), *body,
    ]  # fmt: skip
    pages = paginate(lines, PAPER.lines(len(titles), len(facts)))
    numbers = [
        _("Page %(number)d of %(total)d") % {"number": number, "total": len(pages)}
        for number in range(1, len(pages) + 1)
    ]
    return Form(titles, facts, list(zip(pages, numbers, strict=True)))


def _head(referral):
    person = referral.person
    return _flow(
        [
            _said(_("Patient"), person["name"]),
            _said(_("Sex"), Sex(person["sex"]).label),
            _said(_("Age"), referral.age_text),
            _said(_("File number"), person["record_number"]),
            _said(_("Home address"), person["address"]),
            _said(_("Phone"), person["phone"]),
        ]
    )


def _gone(referral, day):
    return [
        _("On %(day)s the illness asked for a referral") % {"day": _day(day)},
        _said(_("to the institution"), referral.to_name),
        _said(_("to department"), referral.to_department),
        _said(_("receiving doctor"), referral.to_doctor),
    ]


def _gone_back(referral, day):
    return [
        _("On %(day)s the illness asked for a return") % {"day": _day(day)},
        _said(_("back to the institution"), referral.from_institution.name),
        _said(_("receiving doctor"), referral.doctor_name),
    ]


def _please(referral):
    person = referral.person
    facts = {"name": person["name"], "sex": Sex(person["sex"]).label, "age": referral.age_text}
    return _(
        "The patient %(name)s (%(sex)s, %(age)s) needs to be referred to you because of the illness. "
        "Please receive the patient."
    ) % facts  # fmt: skip


def _please_back(referral):
    return _(
        "The patient %(name)s is referred back to you because of the illness. Please receive the patient."
    ) % {"name": referral.person["name"]}


def _addressed(name):
    return [Line(piece) for piece in break_lines(_("%(name)s:") % {"name": name}, PAPER.room)]


def _sections(sections):
    """Each with its label, an empty one with a line to write on; a little air between."""
    lines = []
    for label, text in sections:
        head = _("%(label)s: %(value)s") % {"label": label, "value": ""}
        lines += _text(text or BLANK, label=head.rstrip(" "))
    return lines


def _text(text, label=""):
    """Paragraphs as typed; the label and the text begin on the same line."""
    lines = []
    for paragraph in printing.paragraphs(text):
        pieces = break_lines(paragraph, PAPER.room, sum(map(width, label)))
        lines += [Line(pieces[0], label=label), *map(Line, pieces[1:])]
        label = ""
    return lines


def _signed(role, day, name="", phone="", place=""):
    """At the right, kept together, with a place for the handwritten signature."""
    said = [_said(role, name)]
    if name:
        said.append(_said(_("Signature by hand"), ""))
    if phone:
        said.append(_said(_("Contact phone"), phone))
    said += [text for text in (place, _day(day)) if text]
    pieces = [piece for text in said for piece in break_lines(text, PAPER.room)]
    return [Line(piece, kind="sign", keep=number < len(pieces)) for number, piece in enumerate(pieces, 1)]


def _said(label, value):
    return _("%(label)s: %(value)s") % {"label": label, "value": value or BLANK}


def _day(day):
    return _("%(year)d-%(month)02d-%(day)02d") % {"year": day.year, "month": day.month, "day": day.day}


def _flow(facts):
    """Facts side by side, each in one piece where it fits on a line."""
    lines = [""]
    for fact in facts:
        gap = "\u3000" if lines[-1] else ""
        if measure(lines[-1] + gap + fact) <= PAPER.room:
            lines[-1] += gap + fact
        else:
            lines.extend(break_lines(fact, PAPER.room))
    return [Line(text) for text in lines if text]
