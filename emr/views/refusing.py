"""Acts on what is signed that were refused: the sentence for the person, an entry in the trail for the rest."""

from clinic import audit
from clinic.codes import Act
from clinic.errors import Forbidden, Refused


def attempt(request, obj, act):
    """(what the act returned, None) or (None, the refusal)."""
    try:
        return act(), None
    except Refused as refusal:
        trail(request, obj, refusal)
        return None, refusal


def trail(request, obj, refusal):
    """403 stands in the trail by itself (clinic.middleware.DeniedTrail), a wrong password too."""
    if not isinstance(refusal, Forbidden):
        audit.record(
            Act.REFUSED, request=request, resident=_resident(obj), obj=obj, reason=refusal.code,
            detail={"path": request.path},
        )  # fmt: skip


def _resident(obj):
    visit = getattr(obj, "encounter", None)
    return visit and visit.resident
