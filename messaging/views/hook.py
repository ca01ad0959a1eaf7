"""The receipt hook of the HTTP platform. A machine calls it: no session, no page; its signature is the key."""

from django.http import JsonResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from clinic import audit
from clinic.address import client_address
from clinic.codes import Act
from clinic.permissions import open_to_all
from messaging import hook

watch = hook.Watch()


@open_to_all
@csrf_exempt
@require_POST
def receipts(request, gateway):
    """200 once everything is committed; otherwise nothing was kept, and the platform may post it again."""
    try:
        kept = hook.take(gateway, request, timezone.now())
    except hook.Refusal as refusal:
        left_out = watch.says(refusal, client_address(request))
        if left_out is not None:
            audit.record(
                Act.REFUSED,
                request=request,
                obj=refusal.gateway,
                reason=f"receipt hook: {refusal.code}",
                detail={"path": request.path, "status": refusal.status, "left_out": left_out},
            )
        return JsonResponse({"error": refusal.code}, status=refusal.status)
    return JsonResponse({"kept": kept})
