"""The picker of diagnoses and medicines."""

from django.http import JsonResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from clinic.errors import Refused
from emr import terminology
from emr.codes import DIAGNOSIS_SYSTEMS, System
from emr.views.answers import for_script

KINDS = {"diagnosis": DIAGNOSIS_SYSTEMS, "medicine": (System.MEDICINE,)}


@require_POST
@for_script("emr.view_term")
def terms(request):
    """At most 20 terms for what was typed, the doctor's own first. A POST: what is typed stays out of logs."""
    systems = KINDS.get(request.POST.get("kind", "diagnosis"))
    if systems is None:
        raise Refused(_("There is no such kind of term."), code="kind")
    found = terminology.search(request.user, request.POST.get("q", ""), systems, timezone.localdate())
    items = [{**item, "system_label": System(item["system"]).label} for item in found]
    # Chinese as it is: half the bytes of its escapes.
    return JsonResponse({"items": items}, json_dumps_params={"ensure_ascii": False})
