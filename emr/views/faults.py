"""Failed saves, as the page tells of them once it can."""

from django.http import JsonResponse
from django.views.decorators.http import require_POST

from clinic import payload
from emr.actions import faults
from emr.views.answers import for_script


@require_POST
@for_script("emr.write_note")
def report(request, encounter):
    """JSON {"faults": [{"key", "ago", "status", …}]} (emr.actions.faults.report) → {"stored": new rows}."""
    body = payload.read(request)
    stored = faults.report(encounter=encounter, by=request.user, faults=body.get("faults"))
    return JsonResponse({"stored": stored})
