"""Templates: found and taken while charting, made of a note, and kept on pages of their own."""

import uuid

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from clinic import audit, payload
from clinic.codes import Act
from clinic.errors import Refused
from clinic.permissions import needs
from emr.actions import templates as actions
from emr.codes import TemplateKind
from emr.drafting import earlier_text
from emr.models import Note, NoteTemplate
from emr.templating import listing
from emr.templating.form import TemplateForm
from emr.views.answers import back_to, for_script
from emr.views.draft import key_of

PAGE = 30
PLAIN = {"ensure_ascii": False}  # Chinese as it is: half the bytes of its escapes


@require_POST
@for_script("emr.view_notetemplate")
def search(request):
    """JSON {"q", "field", "kind"} → {"items"}: at most 20, one's own first."""
    body = payload.read(request)
    asked = {name: text_of(body, name) for name in ("q", "field", "kind")}
    found = listing.search(request.user, asked["q"], asked["field"], asked["kind"])
    items = [
        {
            "uuid": row.uuid, "name": row.name, "kind": row.kind, "kind_label": row.get_kind_display(),
            "scope": listing.scope(row, request.user), "preview": listing.preview(row),
        }
        for row in found
    ]  # fmt: skip
    return JsonResponse({"items": items}, json_dumps_params=PLAIN)


@require_POST
@for_script("emr.view_notetemplate")
def content(request, template):
    """The whole content of one, to be put into the note."""
    row = NoteTemplate.objects.visible_to(request.user).usable_by(request.user).get(uuid=template)
    return JsonResponse({"name": row.name, "kind": row.kind, "content": row.content}, json_dumps_params=PLAIN)


@require_POST
@for_script("emr.add_notetemplate", "emr.write_note")
def from_note(request, encounter):
    """JSON {"key", "kind", "field", "name"} → {"name", "gaps"}: the note as a template without personal data."""
    body = payload.read(request)
    row = actions.from_note(
        encounter=encounter, key=key_of(body), kind=text_of(body, "kind"), field=text_of(body, "field"),
        name=text_of(body, "name"), by=request.user, request=request,
    )  # fmt: skip
    return JsonResponse({"name": row.name, "uuid": row.uuid}, json_dumps_params=PLAIN)


@needs("emr.view_notetemplate")
@require_http_methods(["GET", "POST"])
def templates(request):
    """One's own and the shared ones in reach; a POST searches, so that nothing typed stands in a log."""
    typed = request.POST.get("q", "").strip()
    rows = listing.listed(request.user, typed)
    page = Paginator(rows, PAGE).get_page(request.POST.get("page") or request.GET.get("page"))
    editable = set(
        NoteTemplate.objects.visible_to(request.user)
        .editable_by(request.user)
        .filter(pk__in=[row.pk for row in page])
        .values_list("pk", flat=True)
    )
    for row in page:
        row.mine, row.scope = row.pk in editable, listing.scope(row, request.user)
        row.preview, row.box = listing.preview(row), listing.box(row)
    return render(request, "emr/templates/list.html", {"page": page, "q": typed})


@needs("emr.add_notetemplate")
@require_http_methods(["GET", "POST"])
def new(request):
    """A new one: the kind is chosen first (?kind=), then the boxes of that kind are there."""
    kind = TemplateKind.PLAN if request.GET.get("kind") == TemplateKind.PLAN else TemplateKind.TEXT
    form = TemplateForm(request.POST or None, kind=kind, by=request.user, initial={"key": uuid.uuid4()})
    if request.method == "POST" and form.is_valid():
        try:
            row = actions.create(kind=kind, by=request.user, request=request, **form.made())
        except Refused as refusal:
            form.refuse(refusal)
        else:
            return _kept(request, row)
    return _form(request, form)


@needs("emr.view_notetemplate")
@require_http_methods(["GET", "POST"])
def template(request, template):
    """One of them: to change, or to read where it is somebody else's."""
    row = get_object_or_404(
        NoteTemplate.objects.visible_to(request.user).select_related("institution"), uuid=template
    )
    may = NoteTemplate.objects.visible_to(request.user).editable_by(request.user).filter(pk=row.pk).exists()
    if not may and request.method == "GET":
        return render(request, "emr/templates/read.html", {"template": row, "parts": listing.parts(row)})
    if not may:
        raise PermissionDenied
    form = TemplateForm(request.POST or None, kind=row.kind, by=request.user, template=row)
    if request.method == "POST" and form.is_valid():
        try:
            row = actions.change(template=row.uuid, by=request.user, request=request, **form.changed())
        except Refused as refusal:
            form.refuse(refusal)
        else:
            return _kept(request, row)
    return _form(request, form, row)


@require_POST
@needs("emr.change_notetemplate")
@back_to("templates")
def switch(request, template):
    """In use or not."""
    get_object_or_404(NoteTemplate.objects.visible_to(request.user), uuid=template)
    row = actions.switch(
        template=template, active=request.POST.get("active") == "1", by=request.user, request=request
    )
    words = _("“%(name)s” is in use.") if row.active else _("“%(name)s” is out of use.")
    messages.success(request, words % {"name": row.name})
    return redirect("templates")


@require_POST
@for_script("emr.view_note", "emr.write_note")
def earlier(request, encounter, earlier):
    """The text of an earlier visit of the same person, to be copied into one's note."""
    note = (
        Note.objects.visible_to(request.user)
        .select_related("encounter__resident__home", "encounter__resident__merged_into__home")
        .get(encounter__uuid=encounter)
    )
    found = earlier_text.of(note, earlier, request.user)
    audit.record(
        Act.VIEW, request=request, resident=note.encounter.resident.survivor, obj=note,
        detail={"page": "copy", "from": found["from"]},
    )  # fmt: skip
    return JsonResponse(found, json_dumps_params=PLAIN)


def text_of(body, name):
    value = body.get(name, "")
    if not isinstance(value, str):
        raise Refused(_("The request does not have the expected form."), code="form")
    return value


def _form(request, form, row=None):
    status = 400 if form.errors else 200
    return render(request, "emr/templates/form.html", {"form": form, "template": row}, status=status)


def _kept(request, row):
    messages.success(request, _("Template “%(name)s” is kept.") % {"name": row.name})
    return redirect("templates")
