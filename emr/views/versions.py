"""Every signed version of a note, field by field."""

from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from clinic import audit, banner
from clinic.codes import Act
from clinic.permissions import needs
from emr.models import Note
from emr.signed import archive, reading


@needs("emr.view_note")
@require_GET
def versions(request, encounter):
    note, head = signed_note(request, encounter, page="versions")
    context = {
        **head,
        "story": reading.story(note),
        "archived_since": archive.since(note),
        "archive_due": archive.due(note),
    }
    return render(request, "emr/versions.html", context)


def signed_note(request, encounter, page):
    """The signed note of a visit in reach, and what every page about it shows at its head. Looking is audited."""
    note = get_object_or_404(
        Note.objects.visible_to(request.user)
        .filter(signed_at__isnull=False)
        .select_related(
            "encounter__resident__home", "encounter__resident__merged_into__home", "encounter__institution"
        ),
        encounter__uuid=encounter,
    )
    person = note.encounter.resident.survivor
    audit.record(Act.VIEW, request=request, resident=person, obj=note, detail={"page": page})
    facts = banner.facts(person, request.user).as_context()
    return note, {"note": note, "encounter": note.encounter, "resident": person, **facts}
