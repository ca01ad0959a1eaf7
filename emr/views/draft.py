"""Saving a draft, as the doctor types."""

import uuid

from django.http import JsonResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from clinic import payload
from clinic.errors import Refused
from emr.actions import drafts, faults
from emr.views.answers import for_script


@require_POST
@for_script("emr.write_note", failed=faults.of_note)
def save(request, encounter):
    """JSON {"key", "version", "changes"} → {"version", "saved_at", "receipt", "characters"}.

    409 "stale" carries "version", "theirs" (the fields sent), "changed" (others changed since), "by", "at".
    """
    body = payload.read(request)
    saved = drafts.save_draft(
        encounter=encounter,
        key=key_of(body),
        version=version_of(body),
        changes=body.get("changes"),
        by=request.user,
    )
    return JsonResponse(receipt(saved))


def receipt(saved):
    return {
        "version": saved.version,
        "saved_at": f"{timezone.localtime(saved.saved_at):%H:%M:%S}",
        "receipt": saved.receipt,
        "characters": saved.characters,
    }


def key_of(body):
    try:
        return uuid.UUID(body["key"])
    except (KeyError, ValueError, AttributeError, TypeError) as error:
        raise Refused(_("The request does not have the expected form."), code="form") from error


def version_of(body):
    version = body.get("version")
    if type(version) is not int or not 0 <= version < 2**31:
        raise Refused(_("The request does not have the expected form."), code="form")
    return version
