"""A note on paper."""

from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from clinic import audit
from clinic.codes import Act
from clinic.permissions import needs
from emr import printing
from emr.models import Note
from emr.signed import versions


@needs("emr.print_note")
@require_GET
def print_note(request, encounter):
    """The pages as they will be printed. Seeing them counts as printing: nobody can tell it from outside."""
    note = get_object_or_404(
        Note.objects.visible_to(request.user).select_related(
            "encounter__resident__home", "encounter__institution"
        ),
        encounter__uuid=encounter,
    )
    paper = printing.PAPERS.get(request.GET.get("format", "a5"))
    if paper is None:
        return _refuse(request, _("There is A5 and A4 paper only."), 400)
    if not printing.may_print(note):
        return _refuse(request, _("Only a signed note can be printed."), 409)
    resident = note.encounter.resident
    found = versions.of(note)
    detail = {"format": paper.code, "version": len(found)}
    audit.record(Act.PRINT, request=request, resident=resident, obj=note, detail=detail)
    context = {
        "printout": printing.lay_out(note, paper, found),
        "encounter": note.encounter,
        "papers": printing.PAPERS,
    }
    return render(request, "print/note.html", context)


def _refuse(request, message, status):
    return render(request, "clinic/refused.html", {"message": message, "status": status}, status=status)
