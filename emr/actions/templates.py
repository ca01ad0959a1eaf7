"""Templates: made, changed, switched on and off, made of a note."""

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from clinic import audit
from clinic.codes import Act
from clinic.errors import Conflict, Forbidden, Refused
from clinic.models import Institution
from emr.models import Note, NoteTemplate
from emr.templating import listing

NAME_LIMIT = 60


def create(*, key, kind, field, name, content, by, institution=None, department="", request=None):
    """Keep a template: one's own, or shared with an institution (and one department of it). Return the row.

    The same key with the same content gives the same row. Raises Refused code "key", "name", "invalid", "empty",
    "personal", "field"; Forbidden code "share".
    """
    field = "" if kind == "plan" else field
    facts = {
        "kind": kind, "field": field, "name": _name(name), "department": department.strip(),
        "content": listing.check(kind, field, content),
        **_whose(by, institution),
    }  # fmt: skip
    row = NoteTemplate(key=key, made_by=by, **facts)
    return _insert(row, facts, by, request)


def from_note(*, encounter, key, kind, field, name, by, request=None):
    """Make the note's text one's own template, without the resident's personal data. As ``create``.

    Raises Note.DoesNotExist outside the person's reach; Forbidden code "author" for a colleague's note.
    """
    note = (
        Note.objects.visible_to(by)
        .select_related("encounter__resident__merged_into", "encounter__institution")
        .get(encounter__uuid=encounter)
    )
    text = note.corrections.open().filter(author=by).first() or note
    if text.author_id != by.pk:
        raise Forbidden(_("Only the doctor who writes this note may make it a template."), code="author")
    name, content = listing.of_note(text, kind, field, _name(name))
    return create(key=key, kind=kind, field=field, name=name, content=content, by=by, request=request)


@transaction.atomic
def change(*, template, name, content, active, by, institution=None, department="", request=None):
    """Change name, content, switch and, of a shared one, whose it is; return the row."""
    row = _lock(template, by)
    row.name, row.active = _name(name), active
    row.content = listing.check(row.kind, row.field, content)
    if row.owner_id is None:
        row.department = department.strip()
        row.institution = _whose(by, institution or row.institution)["institution"]
    return _save(row, by, request, ["name", "content", "active", "department", "institution"])


@transaction.atomic
def switch(*, template, active, by, request=None):
    """Take it into use or out of it; return the row. What is so already stays so."""
    row = _lock(template, by)
    if row.active == active:
        return row
    row.active = active
    return _save(row, by, request, ["active"])


def _insert(row, facts, by, request):
    try:
        with transaction.atomic():
            earlier = _by_key(row.key, facts, by)
            if earlier is not None:
                return earlier
            row.save()
            audit.record(Act.CREATE, by=by, request=request, obj=row)
            return row
    except IntegrityError as error:
        earlier = _by_key(row.key, facts, by)
        if earlier is not None:
            return earlier
        raise _taken() from error


def _save(row, by, request, fields):
    try:
        with transaction.atomic():
            row.save(update_fields=fields)
    except IntegrityError as error:
        raise _taken() from error
    audit.record(Act.CHANGE, by=by, request=request, obj=row, detail={"fields": fields})
    return row


def _lock(template, by):
    """The locked row. One in sight that is not the person's to change is refused, a hidden one not found."""
    row = NoteTemplate.objects.visible_to(by).select_for_update(of=("self",)).get(uuid=template)
    if not NoteTemplate.objects.editable_by(by).filter(pk=row.pk).exists():
        raise Forbidden(_("Only who keeps this template may change it."), code="keeper")
    return row


def _name(name):
    name = " ".join(name.split())
    if not name:
        raise Refused(_("Give the template a name."), code="name", field="name")
    if len(name) > NAME_LIMIT:
        words = {"limit": NAME_LIMIT, "count": len(name)}
        raise Refused(
            _("At most %(limit)d characters; these are %(count)d.") % words, code="name", field="name"
        )
    return name


def _whose(by, institution):
    if institution is None:
        return {"owner": by, "institution": None}
    shares = by.has_perm("emr.share_notetemplate")
    if not shares or not Institution.objects.under(by.institution).filter(pk=institution.pk).exists():
        raise Forbidden(
            _("You may share templates with your own institution and those below it."), code="share"
        )
    return {"owner": None, "institution": institution}


def _by_key(key, facts, by):
    row = NoteTemplate.objects.filter(key=key).first()
    if row is not None and (
        row.made_by_id != by.pk or any(getattr(row, name) != value for name, value in facts.items())
    ):
        raise Refused(_("This key stands for another template."), code="key")
    return row


def _taken():
    return Conflict(_("You have a template of this name already."), code="name", field="name")
