"""Templates 模板: what their content may be, how they are found, and how a note becomes one."""

import re

from django.db.models import Case, IntegerField, Q, Value, When
from django.db.models.functions import Length
from django.utils import timezone
from django.utils.translation import gettext as _

from clinic.errors import Refused
from emr import prescribing
from emr.codes import TemplateKind
from emr.drafting import fields
from emr.models import Note, NoteTemplate
from emr.templating import anonymising
from emr.terminology import TYPED, normalise

LISTED = 20
PREVIEW = 40
TOKENS = 6
# What a plan of treatment fills. Vital signs are of their day; past history is the resident's own.
PLAN_FIELDS = (
    "chief_complaint", "present_illness", "signs", "examinations", "diagnoses", "treatment", "medications",
)  # fmt: skip
# What a note gives to a plan: the story of the illness and the findings of a day are nobody else's.
FROM_NOTE = ("chief_complaint", "signs", "diagnoses", "treatment", "medications")


def search(user, typed, field="", kind="") -> list[NoteTemplate]:
    """At most 20 that the person may use, their own first. With a field: texts for it, and plans. One query."""
    rows = NoteTemplate.objects.visible_to(user).usable_by(user)
    if field:
        rows = rows.filter(Q(kind=TemplateKind.TEXT, field=field) | Q(kind=TemplateKind.PLAN))
    if kind:
        rows = rows.filter(kind=kind)
    tokens = normalise(typed)[:TYPED].split()[:TOKENS]
    for token in tokens:
        rows = rows.filter(_named(token))
    return list(_ranked(rows, user, "".join(tokens)).select_related("institution")[:LISTED])


def listed(user, typed=""):
    """All in sight for the page where they are kept, those out of use too; one's own first."""
    rows = NoteTemplate.objects.visible_to(user)
    tokens = normalise(typed)[:TYPED].split()[:TOKENS]
    for token in tokens:
        rows = rows.filter(_named(token))
    return _ranked(rows, user, "".join(tokens)).select_related("institution", "owner")


def _named(token):
    found = Q(name__icontains=token)
    letters = re.sub(r"[^a-z0-9]", "", token)
    return found | Q(initials__contains=letters) | Q(pinyin__contains=letters) if letters == token else found


def _ranked(rows, user, whole):
    """Own, then of the institution, then from above; there what begins with the typed words, then short names."""
    mine = When(owner=user, then=0)
    here = When(institution=user.institution_id, then=1)
    begins = Q(name__istartswith=whole) | Q(initials__startswith=whole) | Q(pinyin__startswith=whole)
    order = Case(When(begins, then=0), default=1, output_field=IntegerField()) if whole else Value(0)
    return rows.annotate(
        whose=Case(mine, here, default=2, output_field=IntegerField()), begins=order, length=Length("name")
    ).order_by("whose", "begins", "-kind", "length", "name", "pk")


def scope(template, user) -> str:
    """Whose it is, in a word for the list."""
    if template.owner_id is not None:
        return _("my own")
    return " ".join(filter(None, (template.institution.short_name, template.department)))


def preview(template) -> str:
    """One line of at most 40 characters."""
    told = (in_words(name, template.content[name]) for name in _in_order(template.content))
    words = re.sub(r"\s+", " ", "；".join(filter(None, told))).strip()
    return words if len(words) <= PREVIEW else words[: PREVIEW - 1] + "…"


def box(template) -> str:
    """Where it goes."""
    if template.kind == TemplateKind.PLAN:
        return template.get_kind_display()
    return str(Note._meta.get_field(template.field).verbose_name)


def parts(template) -> list[tuple]:
    """(label, text) of each box for reading."""
    return [
        (Note._meta.get_field(name).verbose_name, _whole(name, template.content[name]))
        for name in _in_order(template.content)
    ]


def _in_order(content):
    """The database keeps no order of a JSON's parts."""
    return [name for name in (*PLAN_FIELDS, "past_history") if name in content]


def _whole(name, value):
    if name == "diagnoses":
        return "\n".join(f"{line.get('name', '')} {line.get('code', '')}".strip() for line in value)
    if name == "medications":
        return "\n".join(
            " ".join(str(part) for part in line.values() if part) for line in prescribing.readable(value)
        )
    return value


def in_words(name, value) -> str:
    if name == "diagnoses":
        return "、".join(line.get("name", "") for line in value)
    if name == "medications":
        return "、".join(line.get("drug", "") for line in value)
    return value if isinstance(value, str) else ""


def check(kind, field, content) -> dict:
    """The content as it is stored, empty parts left out. Raises Refused code "invalid", "empty" or "personal"."""
    if not isinstance(content, dict):
        raise Refused(_("The request does not have the expected form."), code="form")
    allowed = PLAN_FIELDS if kind == TemplateKind.PLAN else (field,)
    if kind not in TemplateKind.values or (kind == TemplateKind.TEXT and field not in Note.TEXT_FIELDS):
        raise Refused(_("Choose the box that the text is for."), code="field", field="field")
    if set(content) - set(allowed):
        raise Refused(_("A template cannot hold this entry."), code="invalid")
    filled = {name: content[name] for name in allowed if is_filled(content.get(name))}
    if not filled:
        raise Refused(_("The template is empty."), code="empty")
    fields.check(filled)
    if anonymising.holds_identity(filled):
        raise Refused(
            _("An identity number stands in the template. Templates hold no personal data."), code="personal"
        )
    return filled


def is_filled(value):
    return bool(value.strip()) if isinstance(value, str) else bool(value)


def of_note(note, kind, field, name) -> tuple[str, dict]:
    """(name, content) from the note's text, without anything personal of its resident. Vital signs and past
    history never go into it."""
    wanted = FROM_NOTE if kind == TemplateKind.PLAN else (field,)
    if kind != TemplateKind.PLAN and (field not in Note.TEXT_FIELDS or field == "past_history"):
        raise Refused(_("This box does not become a template: it is the resident's own."), code="field")
    found = {name: getattr(note, name) for name in wanted if is_filled(getattr(note, name))}
    if "medications" in found:
        found["medications"] = prescribing.filled(found["medications"])
    if "diagnoses" in found:
        found["diagnoses"] = [line for line in found["diagnoses"] if line.get("name", "").strip()]
    person = note.encounter.resident
    clean = anonymising.strip({"name": name, **found}, people(person), days(note.encounter, person))
    return clean.pop("name"), clean


def people(resident):
    return list({row.pk: row for row in (resident, resident.survivor)}.values())


def days(visit, resident):
    """Days that would lead back to the visit or the person."""
    stamps = (visit.arrived_at, visit.started_at, timezone.now())
    return list(dict.fromkeys([*(timezone.localdate(at) for at in stamps if at), resident.birth_date]))
