"""The sheets of a copy for the patient and of a sealing certificate 封存单. Always in the clinic's language."""

from dataclasses import dataclass

from django.conf import settings
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from emr import printing
from emr.printing import PAPERS
from emr.signed import versions
from emr.typesetting import Line, break_lines, paginate

BLANK = "＿＿＿＿＿＿＿＿＿＿"
DATE = "＿＿＿＿年＿＿月＿＿日"


@dataclass(frozen=True)
class Sheet:
    """One side of paper: head, body lines, foot."""

    titles: list[str]
    facts: list[str]
    lines: list[Line]
    foot: str


def of_copy(copy, visits) -> list[Sheet]:
    """Cover and notes, oldest visit first. Their number is the number of pages in the register.

    ``copy`` need not be stored yet; ``visits`` come with resident, institution and note.
    """
    paper = PAPERS[copy.paper]
    ordered = sorted(visits, key=lambda visit: (visit.arrived_at, visit.pk))
    with translation.override(settings.LANGUAGE_CODE):
        found = versions.of_all(visit.note for visit in ordered)
        notes = [(visit, printing.lay_out(_note(visit), paper, found[visit.note.pk])) for visit in ordered]
        inside = [(out, lines) for _visit, out in notes for lines, _number in out.pages]
        counts = [len(out.pages) for _visit, out in notes]
        # The cover names the total, and is part of it; the figure itself moves no line.
        total = len(inside) + len(_cover(copy, ordered, counts, paper, len(inside)))
        cover = _cover(copy, ordered, counts, paper, total)
        sheets = [(titles, facts, lines) for titles, facts, lines in cover]
        sheets += [(out.titles, out.facts, lines) for out, lines in inside]
        return [
            Sheet(titles, facts, lines, _foot(copy.number, number, total))
            for number, (titles, facts, lines) in enumerate(sheets, start=1)
        ]


def of_certificate(sealed) -> list[Sheet]:
    """封存单 on A4: what was sealed, its hash, and the lines where both parties sign."""
    paper = PAPERS["a4"]
    with translation.override(settings.LANGUAGE_CODE):
        titles = [*break_lines(sealed.institution.name, paper.title_room), _("Certificate of sealing")]
        body = [*_sealing(sealed, paper.room), *_unsealing(sealed, paper.room), *_hands(sealed, paper.room)]
        pages = paginate(body, paper.lines(len(titles), 0))
        return [
            Sheet(titles, [], lines, _foot(sealed.number, number, len(pages)))
            for number, lines in enumerate(pages, start=1)
        ]


def _note(visit):
    """The note with its visit at hand, so that laying it out asks for neither."""
    visit.note.encounter = visit
    return visit.note


def _foot(number, page, total):
    return _("%(number)s · page %(page)d of %(total)d") % {"number": number, "page": page, "total": total}


def _cover(copy, visits, counts, paper, total):
    """(titles, facts, lines) of each sheet of the cover."""
    titles = [*break_lines(copy.institution.name, paper.title_room), _("Copy of a medical record")]
    said = [
        (_("Number"), copy.number),
        (pgettext("printed head", "Patient"), _patient(copy.resident)),
        (_("Applicant"), copy.applicant),
        (_("Relation to the patient"), str(copy.get_relation_display())),
        (_("Papers shown"), f"{copy.get_id_type_display()} {copy.id_number}".strip()),
        (_("Purpose"), copy.purpose),
        (_("Scope"), copy.scope),
        (_("Pages"), _("%(n)d with this cover") % {"n": total}),
        (_("Copied by"), f"{copy.issued_by.name}  {_moment(copy.issued_at)}"),
    ]
    lines = _facts(said, paper.room)
    lines.append(Line("", label=_("Contents"), keep=True))
    for number, (visit, pages) in enumerate(zip(visits, counts, strict=True), start=1):
        words = {
            "number": number, "at": _moment(visit.arrived_at), "place": visit.institution.short_name, "pages": pages,
        }  # fmt: skip
        entry = _("%(number)d. %(at)s  %(place)s  %(pages)d pages") % words
        lines += [Line(piece, kind="entry") for piece in break_lines(entry, paper.room - 1)]
    stamp = [
        _("This copy agrees with the original."),
        _("Stamped by: %(name)s") % {"name": copy.stamped_by or BLANK},
        _("Stamp for medical records:"), "", "", "", DATE,
    ]  # fmt: skip
    lines += [
        Line("", keep=True),
        *(Line(piece, kind="sign", keep=True) for text in stamp for piece in break_lines(text, paper.room)),
    ]
    return [(titles, [], page) for page in paginate(lines, paper.lines(len(titles), 0))]


def _sealing(sealed, room):
    said = [
        (_("Number"), sealed.number),
        (pgettext("printed head", "Patient"), _patient(sealed.resident)),
        (pgettext("copy", "Sealed at"), f"{_moment(sealed.sealed_at)}  {sealed.sealed_by.name}"),
        (_("Reason"), sealed.reason),
        (_("Medium"), sealed.medium),
        (_("Kept at"), sealed.location),
    ]
    lines = _facts(said, room)
    lines.append(
        Line("", label=_("%(label)s: %(value)s") % {"label": _("Sealed are"), "value": ""}, keep=True)
    )
    for number, item in enumerate(sealed.items, start=1):
        text = _("%(number)d. Visit of %(at)s, %(state)s, %(n)d versions") % {
            "number": number, "at": item["at"][:16].replace("T", " "), "state": state_label(item["state"]),
            "n": item["versions"],
        }  # fmt: skip
        lines += [Line(piece, kind="entry") for piece in break_lines(text, room - 1)]
    said = [
        (_("SHA-256"), sealed.sha256),
        (_("Signature (Ed25519)"), sealed.signature),
        (_("Key"), sealed.key_id),
    ]
    note = _("The copy does not change any more. The original may go on.")
    return [*lines, *_facts(said, room), *(Line(piece) for piece in break_lines(note, room))]


def _unsealing(sealed, room):
    if sealed.is_sealed:
        return []
    said = [
        (_("Unsealed at"), f"{_moment(sealed.unsealed_at)}  {sealed.unsealed_by.name}"),
        (_("Reason for unsealing"), sealed.unseal_reason),
        (_("Present for the institution"), sealed.unseal_hospital_party),
        (_("Present for the patient"), sealed.unseal_patient_party),
    ]
    return [Line(""), *_facts(said, room)]


def _hands(sealed, room):
    papers = f"{sealed.get_id_type_display()} {sealed.id_number}".strip()
    said = [
        "",
        _("Present for the institution: %(name)s") % {"name": sealed.hospital_party},
        _("Signature: %(line)s") % {"line": f"{BLANK}  {DATE}"},
        "",
        _("Present for the patient: %(name)s (%(relation)s)")
        % {"name": sealed.patient_party, "relation": sealed.get_relation_display()},
        papers,
        _("Signature: %(line)s") % {"line": f"{BLANK}  {DATE}"},
    ]
    return [Line(piece, keep=True) for text in said for piece in break_lines(text, room)]


def state_label(state):
    """What stood there when it was copied, in words."""
    return {
        "signed": _("signed"),
        "imported": _("from the old system"),
        "draft": _("unfinished, as it stood"),
        "open": _("signed, a correction unfinished"),
    }.get(state, state)


def _patient(resident):
    facts = (
        resident.name,
        resident.get_sex_display(),
        resident.birth_date.isoformat(),
        resident.record_number,
    )
    return "  ".join(str(fact) for fact in facts if fact)


def _facts(said, room):
    lines = []
    for label, value in said:
        head = f"{label}："
        pieces = break_lines(value, room, len(head))
        lines.append(Line(pieces[0], label=head))
        lines += [Line(piece) for piece in pieces[1:]]
    return lines


def _moment(at):
    return f"{timezone.localtime(at):%Y-%m-%d %H:%M}"
