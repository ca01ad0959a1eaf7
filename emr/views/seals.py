"""The seals of a visit's note, checked again while one looks."""

from django.shortcuts import render
from django.views.decorators.http import require_GET

from clinic.permissions import needs
from emr.sealing import page
from emr.views.versions import signed_note


@needs("emr.view_note")
@require_GET
def seals(request, encounter):
    note, head = signed_note(request, encounter, page="seal")
    return render(request, "emr/seal.html", {**head, "checked": page.of(note)})
