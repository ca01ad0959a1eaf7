"""Writing and confirming what stays true of a resident, from the chart."""

from django.http import JsonResponse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from clinic import payload
from clinic.errors import Refused
from clinic.models import Resident
from emr.actions import standing
from emr.views.answers import for_script
from emr.views.draft import version_of


@require_POST
@for_script("emr.write_note")
def save(request, resident):
    """JSON {"kind", "text", "version"} → {"lines": [{"kind", "text", "version", "by", "on"}]}; 409 "stale"."""
    body = payload.read(request)
    if not isinstance(body.get("text"), str) or not isinstance(body.get("kind"), str):
        raise Refused(_("The request does not have the expected form."), code="form")
    row = standing.write(
        resident=_resident(request, resident),
        kind=body["kind"],
        text=body["text"].strip(),
        version=version_of(body),
        by=request.user,
        request=request,
    )
    return _answer([row])


@require_POST
@for_script("emr.write_note")
def confirm(request, resident):
    """JSON {"versions": {kind: version}, "allergies": the line shown} → as ``save``; 409 "stale", "allergies"."""
    body = payload.read(request)
    versions = body.get("versions")
    if not isinstance(versions, dict) or not isinstance(body.get("allergies", ""), str):
        raise Refused(_("The request does not have the expected form."), code="form")
    rows = standing.confirm(
        resident=_resident(request, resident),
        versions={kind: version_of({"version": version}) for kind, version in versions.items()},
        allergies=body.get("allergies", ""),
        by=request.user,
        request=request,
    )
    return _answer(rows)


def _resident(request, uuid):
    """The row whose file it is: of an absorbed one the survivor's, which must be in reach too."""
    row = Resident.objects.visible_to(request.user).select_related("home", "merged_into__home").get(uuid=uuid)
    return row.survivor


def _answer(rows):
    lines = [
        {
            "kind": row.kind,
            "text": row.text,
            "version": row.version,
            "by": row.confirmed_by.name,
            "on": date_format(timezone.localtime(row.confirmed_at), "Y-m-d"),
        }
        for row in rows
    ]
    return JsonResponse({"lines": lines}, json_dumps_params={"ensure_ascii": False})
