"""Signing, with the password again."""

from django.http import JsonResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_POST

from clinic import payload
from clinic.errors import Refused
from emr import prescribing, requirements
from emr.actions import faults, signing
from emr.models import Note
from emr.views.answers import for_script
from emr.views.draft import key_of, version_of


@require_POST
@for_script("emr.sign_note", failed=faults.of_note)
@sensitive_variables("body")
def sign(request, encounter):
    """JSON {"key", "version", "password", "confirmed"} → {"signed_at", "signer", "print", "home"}; 422 "incomplete",
    or "copied" with "fields" unless "confirmed" is true."""
    body = payload.read(request)
    if not isinstance(body.get("password"), str):
        raise Refused(_("The request does not have the expected form."), code="form")
    Note.objects.visible_to(request.user).only("pk").get(encounter__uuid=encounter)
    signing.confirm_password(by=request.user, password=body["password"], request=request)
    note = signing.sign(
        encounter=encounter,
        key=key_of(body),
        version=version_of(body),
        confirmed=body.get("confirmed") is True,
        by=request.user,
        request=request,
    )
    return JsonResponse(
        {
            "signed_at": f"{timezone.localtime(note.signed_at):%Y-%m-%d %H:%M:%S}",
            "signer": note.signer,
            "needs_review": note.needs_review,
            "print": reverse("print-note", args=[encounter]),
            "home": reverse("home"),
        }
    )


@require_POST
@for_script("emr.sign_note")
def check(request, encounter):
    """What is missing and what is worth a second look, asked while the doctor still has the pen in hand."""
    note = (
        Note.objects.visible_to(request.user)
        .select_related("encounter__resident__merged_into")
        .get(encounter__uuid=encounter)
    )
    missing, hints = requirements.check(note, prescribing.allergies_of(note.encounter.resident))
    return JsonResponse({"missing": missing, "hints": hints}, json_dumps_params={"ensure_ascii": False})
