"""One click on the resident's page: what a person agrees to and refuses."""

from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from clinic import refusals
from clinic.errors import Refused
from clinic.models import Resident
from clinic.permissions import needs
from messaging.actions import consent as actions
from messaging.codes import ConsentSource

WORDS = {"yes": True, "no": False}


@needs("messaging.add_consent")
@require_POST
def consent_set(request, resident):
    """Said in the room: written as said at the desk, and back to the resident's page."""
    person = get_object_or_404(Resident.objects.visible_to(request.user), uuid=resident)
    try:
        actions.set_consent(
            resident=person, purpose=request.POST.get("purpose", ""), given=WORDS.get(request.POST.get("word", "")),
            source=ConsentSource.DESK, by=request.user, request=request,
        )  # fmt: skip
    except Refused as refusal:
        refusals.tell(request, refusal)
    return redirect("resident", resident=person.uuid)
