"""The audit trail's one writer (rule 6). An entry is inserted, never changed; clinic.chain links it."""

from clinic.address import client_address
from clinic.logs import request_id
from clinic.models import AuditEntry


def record(act, *, by=None, request=None, resident=None, obj=None, reason="", detail=None):
    """Write one entry and return it.

    ``by`` is the acting user (default: the request's), None where nobody is known. ``obj`` is the row
    acted on: its kind and public id are kept as text. ``detail`` holds plain facts (counts, field names),
    never patient text.
    """
    user = by or (request and getattr(request, "user", None))
    entry = AuditEntry(
        act=act,
        **_who(user),
        **_whose(resident),
        object_type=obj._meta.label_lower if obj is not None else "",
        object_id=str(getattr(obj, "uuid", obj.pk)) if obj is not None else "",
        reason=reason[:200],
        detail=detail or {},
        address=client_address(request) if request else "",
        request_id=request_id.get(),
    )
    entry.save(force_insert=True)
    return entry


def record_many(act, *, by, acts, detail=None):
    """One entry for each (resident, row) of ``acts``, in one statement: an order that a job works off."""
    who = _who(by)
    AuditEntry.objects.bulk_create(
        AuditEntry(
            act=act, **who, **_whose(resident), object_type=obj._meta.label_lower,
            object_id=str(getattr(obj, "uuid", obj.pk)), detail=detail or {}, request_id=request_id.get(),
        )
        for resident, obj in acts
    )  # fmt: skip


def _who(user):
    if user is None or not user.is_authenticated:
        return {}
    home = user.institution
    return {
        "username": user.username,
        "person": user.name,
        "role": user.role,
        "institution": home.name if home else "",
        "institution_path": home.path if home else "",
    }


def _whose(resident):
    if resident is None:
        return {}
    return {
        "resident": str(resident.uuid),
        "resident_name": resident.name,
        "resident_home_path": resident.home.path,
    }
